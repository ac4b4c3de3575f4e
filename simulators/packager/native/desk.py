"""What becomes of the hub's commands: carried to the firmware in the order of docs/mqtt.md, waited with, or refused with a reason.

A command is noted before it is carried out, so that the same one again moves nothing, and lateness never ends what may have been done.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from simulators.packager.firmware import Firmware
from simulators.packager.memory import JobState
from simulators.packager.native.commands import Abort, Command, Resolve, Run, Status, Verdict, read_command
from simulators.packager.native.notes import WAITING_LIMIT, Notes, Refusal
from simulators.packager.native.reading import Misfit, named_command, named_seq
from simulators.packager.refusal import Rc

RUN, RESOLVE, ABORT, BEGIN, DATA, COMMIT, VERDICT = 0x02, 0x04, 0x07, 0x20, 0x21, 0x22, 0x23
PIECE_BYTES = 200
AGAIN_S = 0.25
PATIENCE_S = 60.0
ORDER: tuple[type[Command], ...] = (Verdict, Resolve, Abort, Run)

EXPIRED = ("EXPIRED", "it came too late to be carried out")
CALLED_OFF = ("ABORTED", "the job was called off before the machine began it")
NOBODYS = ("UNKNOWN_JOB", "the machine does not have the job: nothing of it moved, and it will not be started")
REASONS = {
    Rc.BAD_REQUEST: "the machine cannot do what this asks for",
    Rc.CONFLICT: "the machine knows this job with another content",
    Rc.BUSY: "the job has begun: its verdict ends it",
    Rc.UNKNOWN_JOB: "the machine does not know the job",
    Rc.CASSETTE_MISMATCH: "another cassette sits in a slot than the one named",
    Rc.DIGEST: "the label is not the one that its digest names",
    Rc.STALE_EVENT: "the machine does not wait for this answer: look at what it tells now",
    Rc.EMPTY: "a cassette holds fewer tablets than the job takes",
    Rc.STOPPED: "the machine is stopped and waits for a person",
    Rc.LOCKED: "somebody holds the service lock",
    Rc.NOT_LOCKED: "the service lock has to be taken before",
    Rc.SAFE_MODE: "the machine has no sound firmware and moves nothing",
    Rc.UNSUPPORTED: "the machine cannot do this",
}


@dataclass(frozen=True, slots=True)
class Now:
    """The three clocks: `real_s` counts evenly, `wall` is the time of day, `simulated_s` the machine's own."""

    real_s: float
    wall: datetime
    simulated_s: float

    @property
    def told(self) -> str:
        """Give the time of day as the contract writes it."""
        return self.wall.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass(slots=True)
class _Waiting:
    """A command in hand: not asked again before `again_s`, nor before the machine has told something new."""

    command: Command
    again_s: float = 0.0
    newest_event: int = -1
    held_since_s: float | None = None


Outcome = tuple[str, str] | None
"""Done (None), or the rc and the reason why not."""


class Later(Exception):
    """The machine cannot say yet; ask again."""


def sentence(rc: int) -> tuple[str, str]:
    """Give the name and the reason of an rc of the firmware."""
    return Rc(rc).name, REASONS.get(Rc(rc), "the machine refused")


class Desk:
    """The commands of one machine. `take` them as they come, and `work` at each turn."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._hand: dict[str, _Waiting] = {}
        self._refused = self._repeated = self._not_taken = 0

    @property
    def counters(self) -> dict[str, int]:
        """Give what `status` counts: what became of commands since the start, and the hub's numbers that have not come."""
        return {"refused": self._refused, "repeated": self._repeated, "not_taken": self._not_taken,
                "seq_gaps": self._notes.seq_gaps}

    @property
    def queued(self) -> int:
        """Give the number of commands that wait."""
        return len(self._notes.waiting)

    def holds(self, command: Command) -> bool:
        """Tell that a command waits; a `status` never does."""
        return command.head.command in self._hand

    def begin_anew(self) -> None:
        """Take what was noted in hand again: the power was lost."""
        self._hand = {name: _Waiting(read_command(noted.message)) for name, noted in self._notes.waiting.items()}

    def read(self, message: bytes, now: Now) -> Command | None:
        """Read one message of `job/cmd`; None for one that is known, and for one that does not fit, whose refusal is noted."""
        name = named_command(message)
        if self._notes.knows(name):
            self._repeated += 1
            return None
        try:
            return read_command(message)
        except Misfit as misfit:
            self._refuse(Refusal(name, None, "INVALID", str(misfit)), named_seq(message), now)
            return None

    def admit(self, command: Command, message: bytes, fence: int, now: Now) -> Command | None:
        """Note a command, or its refusal; gives what is newly in hand. `fence` is the lowest that counts, durable before this."""
        name, seq = command.head.command, command.head.seq
        if command.head.fence < fence:
            refusal = _refusal(command, "FENCED", f"the fence {command.head.fence} is older than {fence}")
            self._refuse(refusal, seq, now)
            return None
        if isinstance(command, Status):
            self._notes.end(name, at=now.told, seq=seq)
            return command
        if self.queued >= WAITING_LIMIT or not self._notes.has_room:
            self._leave(name)
            return None
        self._notes.take(name, message, seq)
        self._hand[name] = _Waiting(command)
        return command

    def work(self, firmware: Firmware, now: Now, *, may_start: bool) -> None:
        """Carry out what can be: verdicts, then resolves, aborts and runs, each kind in order of arrival. Raises PowerLost."""
        for kind in ORDER:
            self._refuse_late(firmware, now)
            for waiting in [each for each in self._hand.values() if isinstance(each.command, kind)]:
                if not self._carry(waiting, firmware, now, may_start=may_start):
                    break

    def _carry(self, waiting: _Waiting, firmware: Firmware, now: Now, *, may_start: bool) -> bool:
        """Ask the firmware; False where this kind has to wait."""
        command, newest = waiting.command, firmware.memory.next_evt
        if command.head.command not in self._hand:
            return True
        if now.real_s < waiting.again_s and newest == waiting.newest_event:
            return False
        try:
            outcome = self._asked(waiting, firmware, now, may_start=may_start)
        except Later:
            waiting.again_s, waiting.newest_event = now.real_s + AGAIN_S, newest
            return False
        if command.head.command in self._hand:
            self._end(command, None if outcome is None else _refusal(command, *outcome), now)
        return True

    def _asked(self, waiting: _Waiting, firmware: Firmware, now: Now, *, may_start: bool) -> Outcome:
        ask, command = _asker(firmware, now), waiting.command
        if isinstance(command, Run):
            return self._run(waiting, command, firmware, now, may_start=may_start)
        self._notes.ask(command.head.command)
        if isinstance(command, Abort):
            return self._abort(command, ask, now)
        assert isinstance(command, Verdict | Resolve)
        rc, _ = ask(VERDICT if isinstance(command, Verdict) else RESOLVE, command.payload)
        return None if rc == Rc.OK else sentence(rc)

    def _run(self, waiting: _Waiting, run: Run, firmware: Firmware, now: Now, *, may_start: bool) -> Outcome:
        ask, known = _asker(firmware, now), run.job in firmware.memory.jobs
        if self._notes.is_aborted(run.job.hex()) and not known:
            return CALLED_OFF
        if not known and not may_start:
            raise Later
        rc = ask(RUN, run.order)[0] if known else order(ask, run)
        if rc == Rc.OK:
            return None
        if rc == Rc.BUSY or (known and rc == Rc.SAFE_MODE):
            waiting.held_since_s = None
            raise Later
        if rc in (Rc.STOPPED, Rc.LOCKED):
            waiting.held_since_s = now.real_s if waiting.held_since_s is None else waiting.held_since_s
            if now.real_s - waiting.held_since_s < PATIENCE_S:
                raise Later
        return sentence(rc)

    def _abort(self, abort: Abort, ask: "Asker", now: Now) -> Outcome:
        rc, told = ask(ABORT, abort.job)
        if rc == Rc.UNKNOWN_JOB:
            return self._call_off(abort, now)
        if rc != Rc.OK:
            return sentence(rc)
        state = JobState(told[0])
        if state is JobState.ABORTED:
            return None
        return "ENDED", f"the job has ended before it could be aborted: {state.name.lower()}"

    def _call_off(self, abort: Abort, now: Now) -> Outcome:
        """End the runs of a job that the firmware does not know; without any, nobody has the job."""
        runs = [each.command for each in self._hand.values() if isinstance(each.command, Run) and each.command.job == abort.job]
        ended = [run.head.command for run in runs]
        refusals = [_refusal(run, *CALLED_OFF) for run in runs] or [_refusal(abort, *NOBODYS)]
        self._notes.abort(abort.job.hex(), [*ended, abort.head.command], *refusals, at=now.told)
        for name in (*ended, abort.head.command):
            del self._hand[name]
        self._refused += len(refusals)
        return None

    def _refuse_late(self, firmware: Firmware, now: Now) -> None:
        for name, waiting in list(self._hand.items()):
            command = waiting.command
            if now.wall.timestamp() < command.head.expires_at or self._notes.waiting[name].asked:
                continue
            if not isinstance(command, Run) or command.job not in firmware.memory.jobs:
                self._end(command, _refusal(command, *EXPIRED), now)

    def _refuse(self, refusal: Refusal, seq: int, now: Now) -> None:
        """Refuse what never waited."""
        if not self._notes.has_room:
            self._leave(refusal.command)
            return
        self._notes.end(refusal.command, refusal, at=now.told, seq=seq)
        self._refused += 1

    def _leave(self, command: str) -> None:
        """Say that a command is neither taken nor known: the hub sends it again later."""
        self._not_taken += 1
        held = f"{self.queued} commands wait, and {len(self._notes.refused)} refusals for the hub"
        print(f"packager: command {command!r} is not taken: {held}", file=sys.stderr, flush=True)

    def _end(self, command: Command, refusal: Refusal | None, now: Now) -> None:
        self._notes.end(command.head.command, *([] if refusal is None else [refusal]), at=now.told)
        del self._hand[command.head.command]
        self._refused += refusal is not None


Asker = Callable[[int, bytes], tuple[int, bytes]]


def _asker(firmware: Firmware, now: Now) -> Asker:
    return lambda op, payload: firmware.ask(op, payload, now.simulated_s)


def order(ask: Asker, run: Run) -> int:
    """Carry the label over and order the job; gives the first rc that is not OK, or that of the order."""
    rc, told = ask(BEGIN, run.begin)
    offset = int.from_bytes(told, "little")
    while rc == Rc.OK and offset < len(run.stream):
        piece = run.stream[offset : offset + PIECE_BYTES]
        rc, told = ask(DATA, run.label[:4] + offset.to_bytes(4, "little") + piece)
        offset = int.from_bytes(told, "little")
    if rc == Rc.OK:
        rc, _ = ask(COMMIT, run.label)
    return rc if rc != Rc.OK else ask(RUN, run.order)[0]


def _refusal(command: Command, rc: str, reason: str) -> Refusal:
    job = None if isinstance(command, Status) else command.job.hex()
    return Refusal(command.head.command, job, rc, reason)
