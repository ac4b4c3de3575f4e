"""What hands do to the machine: the routes of the control port, each carried out by the machine's own thread."""

import queue
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from simulators.control import ControlRefusal, Routes
from simulators.packager.firmware import Firmware
from simulators.packager.memory import Job
from simulators.packager.world import Cassette, Impossible, Movement, Pouch

WAIT_S = 10.0
SHAPES = ("round", "oval", "capsule")


class Mailbox:
    """Carries calls from the threads of the control port to the loop that owns the machine."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._calls: queue.Queue[tuple[Callable[[], Any], Future[Any]]] = queue.Queue(maxsize=64)

    def call(self, work: Callable[[], Any]) -> Any:
        """Have `work` done by the loop and give what it returned; a refusal it raised is raised here."""
        done: Future[Any] = Future()
        try:
            self._calls.put((work, done), timeout=WAIT_S)
            self._wake()
            return done.result(WAIT_S)
        except (queue.Full, TimeoutError):
            raise ControlRefusal(503, "the machine does not answer") from None

    def work_off(self) -> None:
        """Do what waits; for the loop."""
        while True:
            try:
                work, done = self._calls.get_nowait()
            except queue.Empty:
                return
            if not done.set_running_or_notify_cancel():
                continue
            try:
                done.set_result(work())
            except (ControlRefusal, Impossible) as refusal:
                done.set_exception(refusal if isinstance(refusal, ControlRefusal) else ControlRefusal(409, str(refusal)))


def read_load(slot_text: str, body: Any, slots: int) -> Movement:
    """Read POST /cassettes/<slot>; raises ControlRefusal 400 that names what is wrong."""
    slot = read_slot(slot_text, slots)
    try:
        number, count, look = int(body["cassette"]), int(body["count"]), body["look"]
        item, lot = str(body["item"]), str(body["lot"])
        colour, shape, size_mm = str(look["colour"]), str(look["shape"]), float(look["size_mm"])
    except (KeyError, TypeError, ValueError) as error:
        raise ControlRefusal(400, f"no cassette: {error!r}") from None
    if not 1 <= number < 1 << 32 or count < 0 or shape not in SHAPES or size_mm <= 0:
        raise ControlRefusal(400, "cassette 1..2^32-1, count 0.., shape round, oval or capsule, size_mm above 0")
    return {"op": "load", "slot": slot, "cassette": number, "item": item, "lot": lot, "count": count,
            "look": {"colour": colour, "shape": shape, "size_mm": size_mm}}


def read_slot(text: str, slots: int) -> int:
    """Read the number of a machine slot; raises ControlRefusal 404 where the machine has no such slot."""
    if not text.isdecimal() or not 1 <= int(text) <= slots:
        raise ControlRefusal(404, f"slots are 1 to {slots}")
    return int(text)


class Hands:
    """The routes. `clock` gives the simulated time in seconds."""

    def __init__(self, firmware: Firmware, mailbox: Mailbox, clock: Callable[[], float]) -> None:
        self._firmware = firmware
        self._machine = firmware.machine
        self._mailbox = mailbox
        self._clock = clock

    def routes(self) -> Routes:
        """Give the routes for the control server."""
        return {
            ("GET", "/state"): lambda values, body: self._mailbox.call(self.state),
            ("POST", "/cassettes/{slot}"): self._load,
            ("DELETE", "/cassettes/{slot}"): self._unload,
            ("POST", "/output/take"): lambda values, body: self._take("output"),
            ("POST", "/reject/take"): lambda values, body: self._take("reject"),
            ("POST", "/reset-stop"): lambda values, body: self._mailbox.call(self._reset_stop),
        }

    def state(self) -> dict[str, Any]:
        """Tell everything a person at the machine can see, and what only the simulation knows."""
        machine, memory, world = self._machine, self._machine.memory, self._machine.memory.world
        job = memory.head
        return {
            "state": machine.state.name.lower(), "reason": machine.stopped.name.lower(),
            "job": job.id.hex() if job else None, "jobs": [_job_seen(memory.jobs[each]) for each in memory.queue],
            "cassettes": {str(slot): _cassette_seen(each) for slot, each in sorted(world.cassettes.items())},
            "pouches": world.pouches_begun, "output": len(world.output), "reject": len(world.reject),
            "film": world.film, "labels": len(memory.labels), "events": len(memory.events),
            "boot": memory.boot, "next_evt": memory.next_evt, "fence": memory.fence,
            "counters": vars(self._firmware.counters),
        }

    def _load(self, values: Mapping[str, str], body: Any) -> Any:
        movement = read_load(values["slot"], body, self._machine.build.cassette_slots)
        return self._mailbox.call(lambda: self._loaded(movement))

    def _loaded(self, movement: Movement) -> dict[str, Any]:
        self._machine.load(movement)
        return _cassette_seen(self._machine.memory.world.cassettes[movement["slot"]])

    def _unload(self, values: Mapping[str, str], body: Any) -> Any:
        slot = read_slot(values["slot"], self._machine.build.cassette_slots)
        return self._mailbox.call(lambda: self._unloaded(slot))

    def _unloaded(self, slot: int) -> dict[str, Any]:
        cassette = self._machine.memory.world.cassettes.get(slot, Cassette(0))
        self._machine.unload(slot)
        return _cassette_seen(cassette)

    def _take(self, name: str) -> list[dict[str, Any]]:
        pouches: list[Pouch] = self._mailbox.call(lambda: self._taken(name))
        return [pouch.in_hand() for pouch in pouches]

    def _taken(self, name: str) -> list[Pouch]:
        pouches = list(self._machine.memory.world.bin(name))
        if pouches:
            self._machine.take(name)
        return pouches

    def _reset_stop(self) -> dict[str, Any]:
        if not self._machine.reset_stop(self._clock()):
            raise ControlRefusal(409, "nothing is stopped, or its cause is still there")
        return {"state": self._machine.state.name.lower()}


def _job_seen(job: Job) -> dict[str, Any]:
    return {"job": job.id.hex(), "state": job.state.name.lower(), "slot": job.slot}


def _cassette_seen(cassette: Cassette) -> dict[str, Any]:
    layers = [{"item": layer.item, "lot": layer.lot, "count": layer.count, "look": layer.look}
              for layer in cassette.layers]
    return {"cassette": cassette.number, "remaining": cassette.remaining, "tablets": cassette.tablets, "layers": layers}
