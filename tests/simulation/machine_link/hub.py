"""The hub's dispatch as the contract asks for it: outbox, inbox, books and people who answer; it crashes between commit and answer.

The verdict and each answer to a doubt name the event that they answer. A dose whose pouch was diverted is made anew under a new job.
"""

import hashlib
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from firmware_bridge.contract import (
    BridgeEvent,
    DeviceState,
    EventAck,
    ResolveCommand,
    RunCommand,
    RunLabel,
    RunSlot,
    VerdictCommand,
    decode_event,
    encode,
    label_digest,
)
from tests.simulation.machine_link.box import BEGUN
from tests.simulation.machine_link.faults import Faults
from tests.simulation.machine_link.oracle import Truth, must
from tests.simulation.machine_link.timeline import Timeline

ON_THE_WAY = 6
RESEND_S = 5.0
LOOKS_EVERY_S = 1.0
DOWN_S = (0.5, 20.0)
THINKS_S = (0.02, 2.0)
ANSWERS_AFTER_S = (2.0, 240.0)
MOST_JOBS = 60_000


@dataclass
class Job:
    """One pouch on its way: the doses in it, what fell by the books, and how it stands."""

    id: str
    slots: tuple[RunSlot, ...]
    doses: tuple[int, ...]
    state: str = "queued"
    booked: dict[int, int] = field(default_factory=dict)
    camera: tuple[int, int] | None = None
    verdict: str = ""
    doubt: tuple[int, int, int] | None = None
    doubted: bool = False
    diverted: bool = False
    label_digest: str = ""


@dataclass
class Durable:
    """What the hub's database holds."""

    jobs: dict[str, Job] = field(default_factory=dict)
    under_way: set[str] = field(default_factory=set)
    outbox: dict[str, Any] = field(default_factory=dict)
    inbox: set[tuple[str, int, int]] = field(default_factory=set)
    released_doses: dict[int, str] = field(default_factory=dict)
    seq: int = 0
    commands: int = 0
    refused: int = 0
    to_be_refused: dict[str, frozenset[str]] = field(default_factory=dict)


class Hub:
    """The hub of one machine; `deliver` takes messages, `order` new pouches."""

    def __init__(self, timeline: Timeline, faults: Faults, broker: Any, device: Any) -> None:
        self.faults = faults
        self.books = Durable()
        self.crashes = self.answers = self.acknowledged = 0
        self.is_running = True
        self._timeline, self._broker, self._device = timeline, broker, device
        self._published_s: dict[str, float] = {}
        self._session = 0
        self._timeline.after(LOOKS_EVERY_S, self._look)

    # Orders

    def order(self, doses: list[tuple[int, int, int]]) -> None:
        """Order one pouch: (dose, machine slot, count) of each drop."""
        slots = tuple(RunSlot(slot=slot, cassette=100 + slot, count=count) for _, slot, count in doses)
        self._queue(Job(self._new_job_id(), slots, tuple(dose for dose, _, _ in doses)))

    def begin(self) -> None:
        """Go on with what was ordered: this hub sends each order at once."""

    def close(self) -> None:
        """Let go of nothing: this hub's books are in memory."""

    def _new_job_id(self) -> str:
        number = len(self.books.jobs)
        return hashlib.sha256(f"{self._timeline.seed}/{number}".encode()).hexdigest()[:32]

    def _queue(self, job: Job) -> None:
        self.books.jobs[job.id] = job
        self.books.under_way.add(job.id)
        raster = job.id.encode()[:8]
        job.label_digest = label_digest(8, 8, raster).hex()
        if self._timeline.happens(self.faults.label_wrong):
            raster = raster[::-1]
            self.books.to_be_refused[f"run-{job.id}"] = frozenset({"DIGEST"})
        label = RunLabel(digest=job.label_digest, width=8, height=8, raster=zlib.compress(raster))
        self._post(RunCommand, f"run-{job.id}", job=job.id, slots=job.slots, label=label)

    def _order_otherwise(self, job: Job) -> None:
        """Order a job that the machine has once more, with another content: it must be refused, and nothing moves."""
        self.books.commands += 1
        command = f"otherwise-{self.books.commands}"
        self.books.to_be_refused[command] = frozenset({"CONFLICT", "EXPIRED"})
        slots = tuple(RunSlot(slot=slot.slot, cassette=slot.cassette, count=slot.count + 1) for slot in job.slots)
        raster = job.id.encode()[:8]
        label = RunLabel(digest=job.label_digest, width=8, height=8, raster=zlib.compress(raster))
        self._post(RunCommand, command, job=job.id, slots=slots, label=label)

    def _post(self, kind: Any, command: str, **members: Any) -> None:
        self.books.seq += 1
        self.books.outbox[command] = (kind, {"command": command, "seq": self.books.seq, "fence": 1, **members})

    @property
    def open_jobs(self) -> int:
        """Count the jobs that have not ended."""
        return len(self.books.under_way)

    @property
    def waits_for_refusals(self) -> bool:
        """Tell whether a wrong command has not been refused yet."""
        return bool(self.books.to_be_refused)

    def still_open(self) -> list[str]:
        """Say in words what has not ended."""
        return [f"{job.id[:8]} {job.state} doubt={job.doubt}" for job in self.books.jobs.values() if job.state not in ("done", "diverted", "refused")][:4]

    def judged(self, truth: Truth, doses: int) -> tuple[int, int, int]:
        """Hold the books against what physically happened; returns doses lost, doses doubled, slots that were in doubt."""
        jobs = self.books.jobs
        must(not self.books.to_be_refused, "each wrong command is refused", *list(self.books.to_be_refused)[:4])
        fell = {key: count for key, count in truth.fell.items() if count}
        booked = {(job.id, slot): count for job in jobs.values() for slot, count in job.booked.items() if count}
        must(fell == booked, "the ledger says what physically happened", sorted(fell.items() ^ booked.items())[:4])
        released = {job.id for job in jobs.values() if job.state == "done"}
        must(released == truth.released, "released are the pouches that left", sorted(released ^ truth.released)[:4])
        diverted = {job.id for job in jobs.values() if job.state == "diverted"}
        must(diverted == truth.diverted, "diverted are the pouches in the reject bin", sorted(diverted ^ truth.diverted)[:4])
        for pouch, job_id in truth.jobs_of_pouches.items():
            must(truth.labels[pouch] == jobs[job_id].label_digest, "a pouch bears its own label", pouch, job_id)
        served = [dose for job in jobs.values() if job.id in truth.released for dose in job.doses]
        doubled, lost = len(served) - len(set(served)), doses - len(set(served))
        must(doubled == 0 and lost == 0, "each dose leaves in one pouch", f"{lost} lost, {doubled} doubled")
        return lost, doubled, sum(job.doubted for job in jobs.values())

    # Messages

    def deliver(self, leaf: str, message: bytes) -> None:
        """Take a message of the bridge; after the commit, and only then, acknowledge it."""
        if not self.is_running or leaf != "job/evt":
            return
        event = decode_event(message)
        if self._timeline.happens(self.faults.hub_crash):
            self.crash()
            return
        key = (event.source, event.boot, event.event)
        if key not in self.books.inbox:
            self.books.inbox.add(key)
            self._take(event)
        if self._timeline.happens(self.faults.hub_crash):
            self.crash()
            return
        self.acknowledged += 1
        self._publish("job/ack", encode(EventAck(source=event.source, boot=event.boot, event=event.event)))

    def _take(self, event: BridgeEvent) -> None:
        if event.kind == "refused":
            self._refused(event)
            return
        job = self.books.jobs.get(event.job or "")
        if job is None:
            must(event.job is None, "the machine works on no job that the hub never made", event.job)
            return
        data: dict[str, Any] = dict(event.data)
        match event.kind:
            case "accepted":
                self._settle_run(job)
                job.state = job.state if job.state in ("done", "diverted") else "accepted"
                if self._timeline.happens(self.faults.order_wrong):
                    self._order_otherwise(job)
            case "dropped" | "resolved":
                self._book(job, event.slot or 0, data["counted"])
                job.doubt = job.doubt if event.kind == "dropped" else None
            case "at-camera":
                self._at_camera(job, event)
            case "stopped" if data["reason"] == "in-doubt":
                self._in_doubt(job, event)
            case "diverted":
                job.diverted = True
            case "done":
                self._done(job, data["state"])
            case _:
                pass

    def _book(self, job: Job, slot: int, counted: int) -> None:
        """Book what fell for a slot; after a loss of power the same fact may come under the numbers of the new boot, and is the same."""
        must(job.booked.get(slot, counted) == counted, "a slot is booked once", job.id, slot, counted)
        job.booked[slot] = counted

    def _settle_run(self, job: Job) -> None:
        self.books.outbox.pop(f"run-{job.id}", None)

    def _at_camera(self, job: Job, event: BridgeEvent) -> None:
        if job.camera is not None and (event.boot, event.event) <= job.camera:
            return
        job.camera = (event.boot, event.event)
        self._timeline.after(self._timeline.chance.uniform(*THINKS_S), lambda: self._decide(job))

    def _decide(self, job: Job) -> None:
        """Give the verdict once the drops of all slots are in the books; a verdict once given stands, under a newer event too."""
        if not self.is_running or job.camera is None or job.state in ("done", "diverted"):
            return
        if len(job.booked) < len(job.slots):
            self._timeline.after(1.0, lambda: self._decide(job))
            return
        if not job.verdict:
            job.verdict = "FAIL" if self._timeline.happens(self.faults.verdict_fails) else "PASS"
        boot, number = job.camera
        self.books.commands += 1
        command = f"verdict-{self.books.commands}"
        slot = len(job.slots) - 1
        if self._timeline.happens(self.faults.verdict_wrong):
            self._post(VerdictCommand, f"{command}-wrong", job=job.id, slot=slot, boot=boot, event=max(0, number - 1), verdict="PASS")
        self._post(VerdictCommand, command, job=job.id, slot=slot, boot=boot, event=number, verdict=job.verdict)

    def _in_doubt(self, job: Job, event: BridgeEvent) -> None:
        newest = (event.boot, event.event, event.slot or 0)
        if job.state in ("done", "diverted") or (job.doubt is not None and newest <= job.doubt):
            return
        job.doubt, job.doubted = newest, True
        self._ask_person(job, newest)

    def _ask_person(self, job: Job, doubt: tuple[int, int, int]) -> None:
        self._timeline.after(self._timeline.chance.uniform(*ANSWERS_AFTER_S), lambda: self._answer(job, doubt))

    def _answer(self, job: Job, doubt: tuple[int, int, int]) -> None:
        """Have a person, who looked into the pouch, answer; now and then twice, or with what another event asked."""
        if not self.is_running:
            self._timeline.after(5.0, lambda: self._answer(job, doubt))
            return
        if job.doubt is None or job.state in ("done", "diverted"):
            return
        boot, number, slot = doubt
        counted = self._device.fell(job.id, slot)
        if self._timeline.happens(self.faults.answer_wrong):
            wrong = {"job": job.id, "slot": slot, "boot": boot, "event": max(0, number - 1), "counted": 0}
            self._resolve(wrong)
        for _ in range(1 + self._timeline.happens(self.faults.answer_wrong / 2)):
            self._resolve({"job": job.id, "slot": slot, "boot": boot, "event": number, "counted": counted})

    def _resolve(self, members: dict[str, Any]) -> None:
        self.answers += 1
        self._post(ResolveCommand, f"resolve-{self.answers}", **members)

    def _done(self, job: Job, state: str) -> None:
        if job.state in ("done", "diverted"):
            must(job.state == state, "a job ends in one way", job.id, state)
            return
        must(state in ("done", "diverted"), "a job that moved ends done or diverted", job.id, state)
        must(not (state == "done" and job.doubted), "a pouch that was in doubt is never released", job.id)
        self._end(job, state)
        self._settle_run(job)
        for command in [name for name, (_, members) in self.books.outbox.items() if members.get("job") == job.id]:
            if command not in self.books.to_be_refused:
                del self.books.outbox[command]
        if state == "diverted":
            self._remake(job)
            return
        must(job.verdict == "PASS", "a pouch is released on PASS alone", job.id, job.verdict)
        for dose in job.doses:
            must(dose not in self.books.released_doses, "2: a dose has one live pack", dose, job.id)
            self.books.released_doses[dose] = job.id

    def _refused(self, event: BridgeEvent) -> None:
        """Take a refusal: of a run, nothing moved, so that its doses are made under a new job; of others, the event asks anew."""
        self.books.refused += 1
        command = str(event.data["command"])
        known = self.books.outbox.pop(command, None)
        expected = self.books.to_be_refused.pop(command, None)
        must(expected is None or event.data["rc"] in expected | {"EXPIRED"}, "a wrong command is refused for its fault", command, event.data["rc"])
        job = self.books.jobs.get(event.job or "")
        if known is None or job is None or job.state in ("done", "diverted", "refused"):
            return
        if command.startswith("verdict-"):
            self._timeline.after(RESEND_S, lambda: self._decide(job))
            return
        if command.startswith("resolve-"):
            if job.doubt is not None:
                self._ask_person(job, job.doubt)
            return
        if not command.startswith("run-"):
            return
        must(not job.booked, "a run that was refused has moved nothing", job.id, event.data["rc"])
        self._end(job, "refused")
        self._remake(job)

    def _end(self, job: Job, state: str) -> None:
        job.state = state
        self.books.under_way.discard(job.id)

    def _remake(self, job: Job) -> None:
        must(len(self.books.jobs) < MOST_JOBS, "remakes end", len(self.books.jobs))
        self._queue(Job(self._new_job_id(), job.slots, job.doses))

    # Publishing

    def connected(self) -> None:
        """Announce the hub and send everything that waits."""
        self._session += 1
        self._published_s.clear()
        self._publish("hub/$state", self.state("ready"))
        self._send()

    def state(self, word: str) -> bytes:
        """Return the hub's birth or will."""
        return encode(DeviceState(state=word, session=str(self._session), at=self._now()))  # type: ignore[arg-type]

    def _look(self) -> None:
        self._timeline.after(LOOKS_EVERY_S, self._look)
        self._send()

    def _send(self) -> None:
        if not self.is_running or not self._broker.hub_connected:
            return
        runs = 0
        for command, (kind, members) in list(self.books.outbox.items()):
            is_run = kind is RunCommand
            runs += is_run
            if is_run and runs > ON_THE_WAY:
                continue
            if self._timeline.now_s - self._published_s.get(command, -RESEND_S) >= RESEND_S or self._timeline.happens(self.faults.command_again):
                self._published_s[command] = self._timeline.now_s
                self._publish("job/cmd", encode(kind(**members, expires_at=self._now() + timedelta(seconds=self.faults.command_lasts_s))))

    def _publish(self, leaf: str, message: bytes) -> None:
        if self._broker.hub_connected:
            self._broker.from_hub(leaf, message)

    def _now(self) -> datetime:
        return BEGUN + timedelta(seconds=self._timeline.now_s)

    # The process

    def crash(self) -> None:
        """Lose everything but the database, and start again after a while."""
        if not self.is_running:
            return
        self.crashes += 1
        self.is_running = False
        self._timeline.note("hub crashed")
        self._broker.hub_connected = False
        self._broker.from_hub("hub/$state", self.state("lost"))
        self._timeline.after(self._timeline.chance.uniform(*DOWN_S), self._start)

    def settle(self) -> None:
        """Run again, at the latest now."""
        self._start()

    def _start(self) -> None:
        if self.is_running:
            return
        self.is_running = True
        for job in self.books.jobs.values():
            if job.state in ("done", "diverted", "refused"):
                continue
            if job.camera is not None:
                self._timeline.after(THINKS_S[0], lambda job=job: self._decide(job))  # type: ignore[misc]
        self._broker.connect_hub()
