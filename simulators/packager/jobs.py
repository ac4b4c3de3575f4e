"""The operations on jobs: ordering, asking, verdict, a person's count of what is in doubt, and abortion."""

import struct
import zlib

from simulators.packager.build import Phase, State
from simulators.packager.journal import ACCEPTED
from simulators.packager.machine import EVENT_LIMIT, Machine
from simulators.packager.memory import NO_JOB, Drop, Event, EventKind, Job, JobState, event_entry, job_entry, step_entry
from simulators.packager.recorder import Recorder
from simulators.packager.refusal import Rc, Refused, unpack

JOBS_ACCEPTED = 4
DROPS_LIMIT = 12

_RUN = struct.Struct("<16sI32sB")
_DROP = struct.Struct("<BIB")
_JOB = struct.Struct("<16s")
_STATE = struct.Struct("<BI")
_QUERY = struct.Struct("<BBBI")
_ANSWER = struct.Struct("<16sBIIB")


class JobOperations:
    """JOB_RUN, JOB_QUERY, VERDICT, RESOLVE and ABORT."""

    def __init__(self, recorder: Recorder, machine: Machine) -> None:
        self._recorder = recorder
        self._memory = recorder.memory
        self._machine = machine

    def run(self, payload: bytes, now: float) -> bytes:
        """Accept a job, or tell the state of one that is known."""
        digest, job = self._read_job(payload)
        known = self._memory.jobs.get(job.id)
        if known is None:
            if zlib.crc32(payload[20:]) != digest:
                raise Refused(Rc.DIGEST)
            self._refuse_if_unable(job)
            self._accept(job)
            known = self._memory.jobs[job.id]
        elif known.digest != digest:
            raise Refused(Rc.CONFLICT)
        return _STATE.pack(known.state, known.evt)

    def query(self, payload: bytes, now: float) -> bytes:
        """Tell where a job is."""
        job = self._known(payload)
        running = job is self._memory.head and job.state in (JobState.RUNNING, JobState.AT_CAMERA)
        return _QUERY.pack(job.state, job.place, running and not self._machine.stopped, job.evt)

    def verdict(self, payload: bytes, now: float) -> bytes:
        """Take what the host found of the pouch at the camera."""
        job_id, slot, boot, evt, verdict = unpack(_ANSWER, payload)
        if verdict not in (1, 2, 3):
            raise Refused(Rc.BAD_REQUEST)
        job = self._known(bytes(job_id))
        if job.verdict == (boot, evt, verdict):
            return b""
        asked = job is self._memory.head and job.verdict is None and (boot, evt, slot) == (self._memory.boot, job.camera_evt, job.last)
        if asked and self._machine.phase is Phase.SHOWING:
            raise Refused(Rc.BUSY)
        if not asked or self._machine.phase is not Phase.WAITING:
            raise Refused(Rc.STALE_EVENT)
        self._machine.take_verdict(int(verdict), now)
        return b""

    def resolve(self, payload: bytes, now: float) -> bytes:
        """Take a person's count of the drop in doubt; the same answer once more is the same."""
        job_id, slot, boot, evt, counted = unpack(_ANSWER, payload)
        job = self._memory.jobs.get(bytes(job_id))
        if job is None or job.answer != payload:
            if job is None or job is not self._machine.doubt:
                raise Refused(Rc.STALE_EVENT)
            if (boot, evt, slot) != (self._memory.boot, job.doubt_evt, job.slot):
                raise Refused(Rc.STALE_EVENT)
            if int(counted) > self._machine.held(job):
                raise Refused(Rc.BAD_REQUEST)
            self._machine.resolve(int(counted), payload)
        return _STATE.pack(job.state, job.evt)

    def abort(self, payload: bytes, now: float) -> bytes:
        """End a job of which nothing has moved; of one that ended, its state is told."""
        job = self._known(payload)
        if job.state == JobState.ACCEPTED:
            self._machine.abort(job)
        elif not job.ended:
            raise Refused(Rc.BUSY)
        return _STATE.pack(job.state, job.evt)

    def _known(self, job_id: bytes) -> Job:
        unpack(_JOB, job_id)
        job = self._memory.jobs.get(job_id)
        if job is None:
            raise Refused(Rc.UNKNOWN_JOB)
        return job

    def _read_job(self, payload: bytes) -> tuple[int, Job]:
        if len(payload) < _RUN.size or (len(payload) - _RUN.size) % _DROP.size:
            raise Refused(Rc.BAD_REQUEST)
        job_id, digest, label, count = _RUN.unpack_from(payload)
        drops = tuple(Drop(*found) for found in _DROP.iter_unpack(payload[_RUN.size :]))
        slots = self._machine.build.cassette_slots
        if (job_id == NO_JOB or count != len(drops) or not 1 <= count <= DROPS_LIMIT
                or not all(drop.count and 1 <= drop.slot <= slots and drop.cassette for drop in drops)):
            raise Refused(Rc.BAD_REQUEST)
        return digest, Job(job_id, digest, label, drops)

    def _refuse_if_unable(self, job: Job) -> None:
        if self._memory.lock_owner:
            raise Refused(Rc.LOCKED)
        if self._machine.state in (State.STOPPED, State.DOUBT):
            raise Refused(Rc.STOPPED)
        if len(self._memory.queue) >= JOBS_ACCEPTED or len(self._memory.events) >= EVENT_LIMIT:
            raise Refused(Rc.BUSY)
        if job.label not in self._memory.labels:
            raise Refused(Rc.NO_LABEL)
        self._refuse_if_short(job)

    def _refuse_if_short(self, job: Job) -> None:
        cassettes = self._memory.world.cassettes
        for drop in job.drops:
            sitting = cassettes.get(drop.slot)
            if sitting is None or sitting.number != drop.cassette:
                raise Refused(Rc.CASSETTE_MISMATCH)
        wanted = self._promised()
        for drop in job.drops:
            wanted[drop.slot] = wanted.get(drop.slot, 0) + drop.count
            if wanted[drop.slot] > cassettes[drop.slot].remaining:
                raise Refused(Rc.EMPTY)

    def _promised(self) -> dict[int, int]:
        promised: dict[int, int] = {}
        for job in map(self._memory.jobs.__getitem__, self._memory.queue):
            for drop in () if job.state == JobState.AT_CAMERA else job.drops[job.slot :]:
                promised[drop.slot] = promised.get(drop.slot, 0) + drop.count
        return promised

    def _accept(self, job: Job) -> None:
        self._memory.touch_label(job.label)
        evt = self._memory.next_evt
        self._recorder.commit(job_entry(job), step_entry(ACCEPTED, job, 0, evt),
                              event_entry(Event(EventKind.ACCEPTED, job.id, 0)))
