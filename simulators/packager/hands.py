"""What hands do to the machine: the routes of the control port, each carried out by the machine's own thread."""

import queue
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from simulators.control import ControlRefusal, Routes
from simulators.packager.build import TROUBLES
from simulators.packager.clock import Clock
from simulators.packager.firmware import Firmware
from simulators.packager.machine import Machine
from simulators.packager.memory import Job, firmware_entry
from simulators.packager.power import Device, PowerLost
from simulators.packager.slots import Change, Slots
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
            if done.cancel():
                raise ControlRefusal(503, "the machine does not answer") from None
        try:
            return done.result(WAIT_S)
        except TimeoutError:
            raise ControlRefusal(503, "the machine does not come to an end with it: look what came of it") from None

    def work_off(self) -> None:
        """Do what waits; for the loop. Raises PowerLost where the power went meanwhile; whoever asked is told so."""
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
            except PowerLost:
                done.set_exception(ControlRefusal(503, "the power was lost while this was done: look what came of it"))
                raise


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
    """The routes at the machine itself; in the dark each is 409."""

    def __init__(self, device: Device, mailbox: Mailbox, clock: Clock, cassette_slots: int) -> None:
        self._device = device
        self._mailbox = mailbox
        self._clock = clock
        self._slots = cassette_slots

    @property
    def _firmware(self) -> Firmware:
        # Each boot makes another one.
        return self._device.firmware

    @property
    def _machine(self) -> Machine:
        # A restart of the firmware makes another one.
        return self._firmware.machine

    def routes(self) -> Routes:
        """Give the routes for the control server."""
        return {
            ("POST", "/cassettes/{slot}"): self._load,
            ("DELETE", "/cassettes/{slot}"): self._unload,
            ("POST", "/output/take"): lambda values, body: self._take("output"),
            ("POST", "/reject/take"): lambda values, body: self._take("reject"),
            ("POST", "/reset-stop"): lambda values, body: self._mailbox.call(self._reset_stop),
            ("POST", "/door"): self._door,
            ("POST", "/trouble"): self._trouble,
            ("POST", "/firmware/{slot}/spoil"): self._spoil,
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
            "door_open": world.door_open, "trouble": world.trouble, "doubt": doubt_seen(machine),
            "lock": memory.lock_owner, "jog": self._jog_seen(), "firmware": _firmware_seen(memory.slots),
            "film": world.film, "labels": len(memory.labels), "events": len(memory.events),
            "boot": memory.boot, "next_evt": memory.next_evt, "fence": memory.fence,
            "counters": vars(self._firmware.counters),
        }

    def _load(self, values: Mapping[str, str], body: Any) -> Any:
        movement = read_load(values["slot"], body, self._slots)
        return self._mailbox.call(lambda: self._loaded(movement))

    def _loaded(self, movement: Movement) -> dict[str, Any]:
        self._machine.load(movement)
        return _cassette_seen(self._machine.memory.world.cassettes[movement["slot"]])

    def _unload(self, values: Mapping[str, str], body: Any) -> Any:
        slot = read_slot(values["slot"], self._slots)
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
        if self._clock.frozen:
            raise Impossible("time stands still")
        self._machine.reset_stop(self._clock.simulated())
        return {"state": self._machine.state.name.lower()}

    def _door(self, values: Mapping[str, str], body: Any) -> Any:
        is_open = body.get("open") if isinstance(body, dict) else None
        if not isinstance(is_open, bool):
            raise ControlRefusal(400, "open is true or false")
        return self._mailbox.call(lambda: self._machine.open_door(is_open, self._clock.simulated()))

    def _trouble(self, values: Mapping[str, str], body: Any) -> Any:
        trouble = body.get("trouble") if isinstance(body, dict) else None
        if trouble not in TROUBLES:
            raise ControlRefusal(400, f"trouble is one of {', '.join(TROUBLES)}")
        return self._mailbox.call(lambda: self._machine.befall(trouble))

    def _spoil(self, values: Mapping[str, str], body: Any) -> Any:
        slot = "AB".find(values["slot"])
        if len(values["slot"]) != 1 or slot < 0:
            raise ControlRefusal(404, "firmware slots are A and B")
        return self._mailbox.call(lambda: self._spoiled(slot))

    def _spoiled(self, slot: int) -> dict[str, Any]:
        if not self._firmware.memory.slots.sound(slot):
            raise Impossible("that slot holds no sound image")
        self._device.recorder.commit(firmware_entry(Change.SPOILED, bytes([slot])))
        return _firmware_seen(self._firmware.memory.slots)

    def _jog_seen(self) -> dict[str, Any]:
        handle, now = self._machine.handle, self._clock.simulated()
        return {"running": handle.running(now), "positions": handle.positions(now)}


def doubt_seen(machine: Machine) -> dict[str, Any] | None:
    """Tell what somebody finds who opens the pouch in doubt, None where nothing is; `drop` counts from 0 as in the protocol.

    `fell` is matter: the firmware does not know it. Tablets of earlier drops are not counted.
    """
    job, forming = machine.doubt, machine.memory.world.forming
    if job is None:
        return None
    drop = job.drops[job.slot]
    tablets = [] if forming is None else forming.fallen_in(job.slot)
    return {"job": job.id.hex(), "drop": job.slot, "slot": drop.slot, "cassette": drop.cassette, "asked": drop.count,
            "fell": len(tablets), "tablets": [{"item": each.item, "lot": each.lot} for each in tablets]}


def _firmware_seen(slots: Slots) -> dict[str, Any]:
    return {"active": "AB"[slots.active], "confirmed": "AB"[slots.confirmed], "failed_boots": slots.failed_boots,
            "safe": slots.safe, "carried": 0 if slots.carried is None else len(slots.carried.data),
            **{name: image and {"version": image.version, "sound": image.sound}
               for name, image in zip("ab", slots.images, strict=True)}}


def _job_seen(job: Job) -> dict[str, Any]:
    return {"job": job.id.hex(), "state": job.state.name.lower(), "slot": job.slot}


def _cassette_seen(cassette: Cassette) -> dict[str, Any]:
    layers = [{"item": layer.item, "lot": layer.lot, "count": layer.count, "look": layer.look}
              for layer in cassette.layers]
    return {"cassette": cassette.number, "remaining": cassette.remaining, "tablets": cassette.tablets, "layers": layers}
