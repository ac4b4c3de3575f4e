"""Deliberate mistakes in the chain, one at a time: the simulation is worth something only if it finds each of them.

A mistake is put in for the time of some seeds by replacing one function of the product, of the simulated firmware or of the hub's
dispatch; it is caught when a seed breaks an invariant. Clean code must break none in as many seeds as are asked for.
"""

import argparse
import logging
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from firmware_bridge import dispatch, link
from firmware_bridge.contract import EventAck, decode_event, encode
from firmware_bridge.event_sender import EventSender
from firmware_bridge.machine_core import MachineCore
from firmware_bridge.spool import Spool
from firmware_bridge.work_queue import WorkQueue
from simulators.packager import codec as device_codec
from simulators.packager import firmware, jobs, labels, machine, memory
from simulators.packager.build import Phase
from simulators.packager.journal import INTENT
from simulators.packager.memory import JobState, step_entry
from tests.simulation.machine_link import hub
from tests.simulation.machine_link.faults import Faults
from tests.simulation.machine_link.oracle import Broken
from tests.simulation.machine_link.run import run_seed

DOSES = 150
SEEDS = 60
ROUGH = Faults(
    frame_lost=0.03, frame_flipped=0.02, frame_twice=0.03, frame_late=0.02, message_lost=0.05, message_twice=0.1, message_late=0.1,
    bridge_cut_off=0.005, hub_cut_off=0.005, unplugged=0.01, bridge_crash=0.012, hub_crash=0.005, power_cut=0.03, clock_jump=0.002,
    stale_host=0.02, command_again=0.1, answer_wrong=0.5, order_wrong=0.1, label_wrong=0.05, verdict_wrong=0.5, verdict_fails=0.3,
    command_lasts_s=15.0,
)  # fmt: skip


@contextmanager
def _replaced(where: Any, name: str, what: Any) -> Iterator[None]:
    before = getattr(where, name)
    setattr(where, name, what)
    try:
        yield
    finally:
        setattr(where, name, before)


@dataclass(frozen=True)
class Mutant:
    """A mistake: its name, where it is put, and what stands there instead."""

    name: str
    where: Any
    attribute: str
    instead: Any


def _no_reply_cache() -> Mutant:
    request = firmware.Firmware._request

    def forgetful(self: Any, frame: Any, now: float) -> bytes:
        self._replied = None
        return request(self, frame, now)

    return Mutant("no reply cache", firmware.Firmware, "_request", forgetful)


def _resolve_without_event() -> Mutant:
    def resolve(self: Any, payload: bytes, _now: float) -> bytes:
        job = self._memory.jobs.get(payload[:16])
        if job is None or job is not self._machine.doubt:
            raise jobs.Refused(jobs.Rc.STALE_EVENT)
        self._machine.resolve(payload[-1], payload)
        return bytes(jobs._STATE.pack(job.state, job.evt))

    return Mutant("RESOLVE without its event", jobs.JobOperations, "resolve", resolve)


def _acknowledged_before_commit() -> Mutant:
    keep, turn = MachineCore._keep, MachineCore._turn

    def keep_later(self: Any, happened: Any) -> None:
        self._owe(happened[-1].boot, happened[-1].event)
        self._kept_later = [*getattr(self, "_kept_later", []), *happened]

    def turn_and_keep(self: Any, *arguments: Any) -> None:
        turn(self, *arguments)
        later, self._kept_later = getattr(self, "_kept_later", []), []
        if later:
            keep(self, later)

    @contextmanager
    def both() -> Iterator[None]:
        with _replaced(MachineCore, "_keep", keep_later), _replaced(MachineCore, "_turn", turn_and_keep):
            yield

    return Mutant("EVT acknowledged before its commit", both, "", None)


def _journal_after_actuation() -> Mutant:
    fall, commit = machine.Machine._fall, machine.Machine._commit

    def without_intent(self: Any, *entries: Any) -> None:
        if not any(getattr(entry, "state", None) == INTENT and hasattr(entry, "job_head") for entry in entries):
            commit(self, *entries)

    def fall_then_write(self: Any, job: Any) -> None:
        fall(self, job)
        commit(self, step_entry(INTENT, job, job.slot, job.evt))

    @contextmanager
    def both() -> Iterator[None]:
        with _replaced(machine.Machine, "_commit", without_intent), _replaced(machine.Machine, "_fall", fall_then_write):
            yield

    return Mutant("journal after actuation", both, "", None)


def _resume_from_intent() -> Mutant:
    settle = machine.Machine._settle_after_boot

    def resume(self: Any) -> None:
        if self.memory.head is not None:
            self.memory.head.intent = False
        settle(self)

    return Mutant("resume from INTENT", machine.Machine, "_settle_after_boot", resume)


def _no_digest() -> Mutant:
    run = jobs.JobOperations.run

    def any_digest(self: Any, payload: bytes, now: float) -> bytes:
        known = self._memory.jobs.get(payload[:16])
        if known is not None:
            return bytes(jobs._STATE.pack(known.state, known.evt))
        return run(self, payload, now)

    return Mutant("job id without digest", jobs.JobOperations, "run", any_digest)


def _session_ignored() -> Mutant:
    handle = firmware.Firmware._handle

    def of_any_session(self: Any, frame: Any, now: float) -> bytes:
        if frame.type == device_codec.REQ and self._sid:
            return bytes(self._request(frame, now))
        return handle(self, frame, now)

    return Mutant("session id ignored by the firmware", firmware.Firmware, "_handle", of_any_session)


def _any_answer_taken() -> Mutant:
    def answered(self: Any, frame: Any, now_s: float) -> Any:
        waiting = self._outstanding
        if waiting is None:
            return []
        self._outstanding = None
        return [link.Answered(waiting.frame.op, link.result_code(frame.payload), frame.payload, now_s - waiting.sent_at_s)]

    return Mutant("any answer taken for the one awaited", link.Link, "_answered", answered)


def _fence_ignored() -> Mutant:
    welcome = firmware.Firmware._welcome

    def every_fence(self: Any, frame: Any) -> int:
        before, self.memory.fence = self.memory.fence, 0
        try:
            return welcome(self, frame)
        finally:
            self.memory.fence = before

    return Mutant("fence token ignored", firmware.Firmware, "_welcome", every_fence)


def _expired_obeyed() -> Mutant:
    def never(*_: Any, **__: Any) -> bool:
        return False

    @contextmanager
    def both() -> Iterator[None]:
        with _replaced(dispatch, "may_expire", never), _replaced(WorkQueue, "expire", lambda self, wall_s: None):
            yield

    return Mutant("expired command obeyed", both, "", None)


def _events_without_boot() -> Mutant:
    def deliver(self: Any, leaf: str, message: bytes) -> None:
        if not self.is_running or leaf != "job/evt":
            return
        event = decode_event(message)
        if (event.source, 0, event.event) not in self.books.inbox:
            self.books.inbox.add((event.source, 0, event.event))
            self._take(event)
        self._publish("job/ack", encode(EventAck(source=event.source, boot=event.boot, event=event.event)))

    return Mutant("inbox that knows events without their boot", hub.Hub, "deliver", deliver)


def _out_of_order() -> Mutant:
    def in_order(self: Any) -> Any:
        events = []
        for number in sorted(self._early):
            events.append(link.Happened(self._early.pop(number).event))
            self._taken_event = number
        return events

    return Mutant("event applied out of order", link.Link, "_in_order", in_order)


def _answer_before_commit() -> Mutant:
    def deliver(self: Any, leaf: str, message: bytes) -> None:
        if not self.is_running or leaf != "job/evt":
            return
        event = decode_event(message)
        self._publish("job/ack", encode(EventAck(source=event.source, boot=event.boot, event=event.event)))
        if self._timeline.happens(self.faults.hub_crash):
            self.crash()
            return
        if (event.source, event.boot, event.event) not in self.books.inbox:
            self.books.inbox.add((event.source, event.boot, event.event))
            self._take(event)

    return Mutant("answer before commit", hub.Hub, "deliver", deliver)


def _label_unchecked() -> Mutant:
    def unpacked(upload: Any) -> Any:
        return labels.Label(upload.digest, upload.width, upload.height, bytes(upload.stream))

    return Mutant("label digest ignored", labels, "unpack_label", unpacked)


def _any_verdict() -> Mutant:
    def verdict(self: Any, payload: bytes, now: float) -> bytes:
        job = self._known(payload[:16])
        if job is self._memory.head and self._machine.phase is Phase.WAITING and job.verdict is None:
            self._machine.take_verdict(payload[-1], now)
        return b""

    return Mutant("verdict for another event obeyed", jobs.JobOperations, "verdict", verdict)


def _drops_twice() -> Mutant:
    fall = machine.Machine._fall

    def twice(self: Any, job: Any) -> None:
        fall(self, job)
        fall(self, job)

    return Mutant("firmware drops twice", machine.Machine, "_fall", twice)


def _events_die_with_power() -> Mutant:
    boot = memory.Memory._boot

    def empty(self: Any, number: int) -> None:
        self.events.clear()
        boot(self, number)

    return Mutant("unacknowledged events die with the power", memory.Memory, "_boot", empty)


def _never_marked_sent() -> Mutant:
    return Mutant("a run is not marked before it is sent", Spool, "mark_sent", lambda self, command_id: None)


def _passes_without_verdict() -> Mutant:
    finish = machine.Machine._finish

    def open_gate(self: Any, now: float) -> None:
        if self.phase is Phase.WAITING:
            self.take_verdict(machine.PASS, now)
        else:
            finish(self, now)

    return Mutant("no verdict in time lets the pouch out", machine.Machine, "_finish", open_gate)


def _doubt_goes_on() -> Mutant:
    def resolve(self: Any, counted: int, _answer: bytes) -> None:
        job = self.doubt
        job.state, job.intent = JobState.RUNNING, False
        job.slot += 1

    return Mutant("a pouch in doubt goes on", machine.Machine, "resolve", resolve)


def _damage_taken() -> Mutant:
    return Mutant("damaged frames taken", device_codec, "zlib", _Unchecked())


class _Unchecked:
    """A CRC that always fits."""

    def crc32(self, data: bytes) -> int:
        return _AnyNumber(zlib.crc32(data))


class _AnyNumber(int):
    def __eq__(self, _other: object) -> bool:
        return True

    def __ne__(self, _other: object) -> bool:
        return False

    __hash__ = int.__hash__


def _gives_up() -> Mutant:
    look = hub.Hub._look

    def impatient(self: Any) -> None:
        for job in list(self.books.jobs.values()):
            if job.state == "queued" and f"run-{job.id}" in self._published_s:
                waited_s = self._timeline.now_s - self.__dict__.setdefault("_first_s", {}).setdefault(job.id, self._timeline.now_s)
                if waited_s > 20:
                    self._first_s[job.id] = float("inf")
                    self._remake(job)
        look(self)

    return Mutant("the hub makes anew what it heard nothing of", hub.Hub, "_look", impatient)


def _acknowledged_unread() -> Mutant:
    send = EventSender.send

    def send_once(self: Any, now_s: float, *, again: bool) -> None:
        pending = self._spool.pending(self._device, 0, 100)
        send(self, now_s, again=again)
        for event in pending:
            if event.id in self._sent_at_s:
                self._spool.acknowledge(self._device, event.ack)

    return Mutant("the broker's word taken for the hub's", EventSender, "send", send_once)


MUTANTS: tuple[Callable[[], Mutant], ...] = (
    _no_reply_cache, _resolve_without_event, _acknowledged_before_commit, _journal_after_actuation, _resume_from_intent, _no_digest,
    _session_ignored, _any_answer_taken, _fence_ignored, _expired_obeyed, _events_without_boot, _out_of_order, _answer_before_commit,
    _label_unchecked, _any_verdict, _drops_twice, _events_die_with_power, _never_marked_sent, _passes_without_verdict, _doubt_goes_on,
    _damage_taken, _gives_up, _acknowledged_unread,
)  # fmt: skip


def caught(mutant: Mutant, seeds: int, doses: int) -> str:
    """Return how a mistake was caught, or an empty text when so many seeds did not notice it."""
    put_in = mutant.where() if not mutant.attribute else _replaced(mutant.where, mutant.attribute, mutant.instead)
    with put_in:
        for seed in range(1, seeds + 1):
            try:
                run_seed(seed, doses, ROUGH)
            except Broken as broken:
                return str(broken)
    return ""


def main() -> int:
    """Put in each mistake; status 0 only if clean code passes and every mistake is caught."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="seeds that may pass before a mistake counts as not noticed")
    parser.add_argument("--doses", type=int, default=DOSES)
    parser.add_argument("--clean", type=int, default=200, help="seeds that clean code must pass")
    parser.add_argument("--only", default="", help="a part of a name")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    for seed in range(1, options.clean + 1):
        run_seed(seed, options.doses, ROUGH)
    sys.stdout.write(f"clean code: no alarm in {options.clean} seeds\n")
    chosen = [mutant for make in MUTANTS if options.only in (mutant := make()).name]
    found = 0
    for mutant in chosen:
        how = caught(mutant, options.seeds, options.doses)
        found += bool(how)
        sys.stdout.write(f"{'caught' if how else 'NOT CAUGHT'}: {mutant.name}: {how[:160]}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{found} of {len(chosen)} caught\n")
    return 0 if found == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
