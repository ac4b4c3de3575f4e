"""The operations for an engineer: the service lock, the dead man's handle and the self test."""

import hashlib
import struct
import zlib
from enum import IntEnum

from simulators.packager.jog import HOLD_LIMIT_MS, MOTORS
from simulators.packager.machine import EVENT_LIMIT, Machine
from simulators.packager.memory import NO_JOB, Event, EventKind, event_entry, lock_entry
from simulators.packager.recorder import Recorder
from simulators.packager.refusal import Rc, Refused, read_numbers, read_text, tell_text

_JOG = struct.Struct("<BBH")
_POSITION = struct.Struct("<I")
_SIZE = struct.Struct("<HH")


class Mode(IntEnum):
    """What is asked of the lock, and what a LOCK event says."""

    GIVE_BACK, TAKE, TAKE_OVER = range(3)


class SelfTest(IntEnum):
    """The self tests; bit n - 1 of the mask asks for test n."""

    MEMORY, DROP_SENSOR, FILM, PRINT_HEAD, DOOR, GATE, REJECT_BIN = range(1, 8)


PASSED, FAILED = 0, 1


def ensure_serviceable(machine: Machine) -> None:
    """Refuse what needs the service lock and a machine at rest; in safe mode it is always at rest, as nothing moves."""
    if not machine.memory.lock_owner:
        raise Refused(Rc.NOT_LOCKED)
    if not machine.at_rest and not machine.memory.slots.safe:
        raise Refused(Rc.BUSY)


class ServiceOperations:
    """LOCK, JOG and SELFTEST."""

    def __init__(self, recorder: Recorder, machine: Machine) -> None:
        self._recorder = recorder
        self._memory = recorder.memory
        self._machine = machine

    def lock(self, payload: bytes, now: float) -> bytes:
        """Take the lock, take it over, or give it back; tells whose it is."""
        if not payload or payload[0] > Mode.TAKE_OVER:
            raise Refused(Rc.BAD_REQUEST)
        mode, owner, holder = Mode(payload[0]), read_text(payload, 1), self._memory.lock_owner
        if holder not in ("", owner) and mode != Mode.TAKE_OVER:
            raise Refused(Rc.LOCKED, self._told())
        after = "" if mode == Mode.GIVE_BACK else owner
        if after != holder:
            self._change(after, owner, now)
        return self._told()

    def jog(self, payload: bytes, now: float) -> bytes:
        """Let a motor run for as long as the handle is held; tells where it stands."""
        motor, direction, hold_ms = read_numbers(_JOG, payload)
        if motor not in MOTORS or direction > 1 or not 1 <= hold_ms <= HOLD_LIMIT_MS:
            raise Refused(Rc.BAD_REQUEST)
        ensure_serviceable(self._machine)
        if self._memory.world.door_open:
            raise Refused(Rc.STOPPED)
        return _POSITION.pack(self._machine.handle.press(motor, 1 if direction else -1, hold_ms, now))

    def self_test(self, payload: bytes, now: float) -> bytes:
        """Run the tests asked for."""
        if len(payload) != 1 or payload[0] >> len(SelfTest):
            raise Refused(Rc.BAD_REQUEST)
        ensure_serviceable(self._machine)
        asked = [test for test in SelfTest if not payload[0] or payload[0] >> test - 1 & 1]
        failed = self._failed()
        results = b"".join(bytes([test, FAILED if test in failed else PASSED]) for test in asked)
        return bytes([len(asked)]) + results

    def _told(self) -> bytes:
        return bytes([bool(self._memory.lock_owner)]) + tell_text(self._memory.lock_owner)

    def _change(self, after: str, owner: str, now: float) -> None:
        if len(self._memory.events) >= 2 * EVENT_LIMIT:
            raise Refused(Rc.BUSY)
        happened = Mode.GIVE_BACK if not after else Mode.TAKE_OVER if self._memory.lock_owner else Mode.TAKE
        event = Event(EventKind.LOCK, NO_JOB, 0, bytes([happened]) + tell_text(owner))
        self._recorder.commit(lock_entry(after), event_entry(event))
        self._machine.handle.stop(now)

    def _failed(self) -> set[SelfTest]:
        world, build = self._memory.world, self._machine.build
        found = {
            SelfTest.MEMORY: not self._memory_sound(),
            SelfTest.DROP_SENSOR: world.trouble == "jam",
            SelfTest.FILM: world.film <= 0,
            SelfTest.PRINT_HEAD: world.trouble == "ribbon-out",
            SelfTest.DOOR: world.door_open,
            SelfTest.GATE: world.trouble == "gate-stuck",
            SelfTest.REJECT_BIN: len(world.reject) >= build.reject_room,
        }
        return {test for test, failed in found.items() if failed}

    def _memory_sound(self) -> bool:
        labels = self._memory.labels.values()
        return self._memory.slots.sound(self._memory.slots.active) and all(
            hashlib.sha256(_SIZE.pack(label.width, label.height) + zlib.decompress(label.stream)).digest() == label.digest
            for label in labels)
