"""The network as the way between hub and machine: each message goes to its desk, and all that is told goes out."""

import sys
import time
from datetime import UTC, datetime
from typing import Any

from simulators.control import ControlRefusal
from simulators.packager.disturbance import LineFaults
from simulators.packager.firmware import Firmware
from simulators.packager.memory import Kind, number
from simulators.packager.native.connection import Connection, Letter
from simulators.packager.native.desk import Desk, Now
from simulators.packager.native.notes import Notes
from simulators.packager.native.reading import Members, Misfit, parse
from simulators.packager.native.service import ServiceDesk
from simulators.packager.native.teller import Teller, to_json
from simulators.packager.native.telling import description_told
from simulators.packager.power import Device

STATES = ("init", "ready", "lost")
SOURCES = ("firmware", "bridge")
IDLE_S = 1.0
WAITING_S = 0.1


class HubWatch:
    """Whether the hub is known to be lost: a death counts only for the session of the last birth."""

    def __init__(self) -> None:
        self.is_lost = False
        self._session: str | None = None

    def heard(self, message: bytes) -> None:
        """Take one message of the hub's `$state`; raises Misfit."""
        members = Members(parse(message))
        state, session = STATES[members.word("state", STATES)], members.text("session", ".{1,64}")
        if state != "lost":
            self._session, self.is_lost = session, False
        elif self._session in (None, session):
            self.is_lost = True


class NativeWay:
    """The machine at its broker; the loop calls `serve` at each turn while there is power."""

    def __init__(self, connection: Connection, notes: Notes, device: Device) -> None:
        self.plug_at: float | None = None
        self._plugged = True
        self._connection = connection
        self._device = device
        self._notes = notes
        self._desk = Desk(notes)
        self._service = ServiceDesk()
        self._teller = Teller(notes)
        self._hub = HubWatch()
        self._desk.begin_anew()

    @property
    def dues(self) -> list[float | None]:
        """Give when there will be something to do, in real seconds."""
        if not self._plugged or not self._device.powered:
            return [self.plug_at]
        now = time.monotonic()
        if not self._connection.is_open:
            return [now + WAITING_S]
        return [now + (WAITING_S if self._desk.queued else IDLE_S), self._teller.due_s(now)]

    def descriptors(self) -> list[int]:
        """Give what to select on."""
        return self._connection.descriptors()

    def read(self, descriptor: int, now: float) -> None:
        """Leave it for `serve`, which reads whatever is there."""

    def serve(self, firmware: Firmware, now: float, simulated: float) -> None:
        """Take what came, let the machine move, and tell of it. Raises PowerLost."""
        clocks = Now(now, datetime.now(UTC), simulated)
        if self._plugged:
            self._connection.work(now)
        if self._connection.take_birth():
            self._announce(firmware)
        for letter in self._connection.take():
            self._open(letter, firmware, clocks)
        may_start = self._connection.is_open and not self._hub.is_lost
        self._desk.work(firmware, clocks, may_start=may_start)
        firmware.tick(now, simulated)
        self._tell(firmware, clocks)

    def lose(self, now: float) -> None:
        """Lose nothing: a machine that is dark has no connection."""

    def clear(self) -> None:
        """Lose the connection and whatever is not noted: the power went."""
        self._connection.drop(time.monotonic())
        self._desk.begin_anew()
        self._service.forget()
        self._teller.forget()
        self._hub = HubWatch()

    def unplug(self, plug_at: float | None) -> None:
        """Pull the network cable out."""
        self._plugged, self.plug_at = False, plug_at
        self._connection.drop(time.monotonic())

    def plug(self) -> None:
        """Plug it in again."""
        self._plugged, self.plug_at = True, None

    def disturb(self, faults: LineFaults) -> None:
        """Refuse: what befalls frames befalls a serial line."""
        raise ControlRefusal(409, "this packager has no serial line: nothing can befall its frames")

    def seen(self) -> dict[str, Any]:
        """Tell whether the cable is plugged in and the broker serves us."""
        return {"plugged": self._plugged, "connected": self._connection.is_open, "hub_lost": self._hub.is_lost}

    def name(self) -> str:
        """Give where the machine is reached: the broker and the beginning of its topics."""
        return self._connection.place.name

    def close(self) -> None:
        """Leave the broker."""
        self._connection.close()
        self._notes.close()

    def _announce(self, firmware: Firmware) -> None:
        self._connection.publish_state("ready")
        self._describe(firmware)
        self._teller.start_over()

    def _describe(self, firmware: Firmware) -> None:
        self._connection.publish("$description", to_json(description_told(firmware)), retain=True)

    def _open(self, letter: Letter, firmware: Firmware, now: Now) -> None:
        try:
            self._deliver(letter, firmware, now)
        except Misfit as misfit:
            print(f"packager: a message of {letter.leaf} is not readable: {misfit}", file=sys.stderr, flush=True)
        letter.accept()

    def _deliver(self, letter: Letter, firmware: Firmware, now: Now) -> None:
        match letter.leaf:
            case "job/cmd":
                self._command(letter.payload, firmware, now)
            case "svc/cmd":
                self._serve(letter.payload, firmware, now)
            case "job/ack":
                members = Members(parse(letter.payload))
                source = SOURCES[members.word("source", SOURCES)]
                boot, event = members.whole("boot", 0, 0xFFFFFFFF), members.whole("event", 0, 1 << 63)
                self._teller.acknowledge(source, boot, event, firmware, now)
            case "hub" if letter.payload:
                was_lost = self._hub.is_lost
                self._hub.heard(letter.payload)
                if was_lost and not self._hub.is_lost:
                    self._teller.start_over()

    def _serve(self, message: bytes, firmware: Firmware, now: Now) -> None:
        self._connection.publish("svc/evt", to_json(self._service.answer(message, firmware, now)))
        if (tested := self._service.take_tested()) is not None:
            self._connection.publish("self-test", to_json(tested), retain=True)

    def _command(self, message: bytes, firmware: Firmware, now: Now) -> None:
        command = self._desk.read(message, now)
        if command is None:
            return
        if command.head.fence > firmware.memory.fence:
            # Before the command is noted: a known one that comes again after a power cut would raise no fence.
            self._device.recorder.commit(number(Kind.FENCE, command.head.fence))
        taken = self._desk.admit(command, message, firmware.memory.fence, now)
        if taken is not None and not self._desk.holds(taken):
            self._describe(firmware)
            self._teller.tell_status_again()

    def _tell(self, firmware: Firmware, now: Now) -> None:
        if self._connection.is_open:
            self._teller.tell(firmware, self._connection, now, again=not self._hub.is_lost)
            self._teller.tell_status(firmware, self._desk.counters, self._desk.queued, self._connection, now)
