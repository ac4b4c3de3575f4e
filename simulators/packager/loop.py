"""The one thread that owns port, power and machine: it sleeps until bytes, a wake-up or the next due time come."""

import os
import select
import sys
import time

from simulators.packager.clock import Clock
from simulators.packager.codec import split_frames
from simulators.packager.disturbance import Disturbance, LineFaults
from simulators.packager.hands import Mailbox
from simulators.packager.journal import Journal
from simulators.packager.line import Line, Pace
from simulators.packager.power import Device, PowerLost
from simulators.packager.station import Station

COMPACT_BYTES = 16 << 20


class Waker:
    """A pipe by which other threads and signals end the wait of the loop."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)
        os.set_blocking(self.writing, False)

    def wake(self) -> None:
        """End the present or the next wait."""
        try:
            os.write(self.writing, b"\0")
        except BlockingIOError:
            return

    def drain(self) -> None:
        """Forget the wake-ups so far."""
        try:
            os.read(self.reading, 4096)
        except BlockingIOError:
            return

    def close(self) -> None:
        """Close the pipe."""
        os.close(self.reading)
        os.close(self.writing)


class Wire:
    """The cable between host and device: what it does to frames, how fast it is, and that somebody can pull it out."""

    def __init__(self, line: Line, seed: int, bytes_per_s: float | None, faults: LineFaults) -> None:
        self.plugged = True
        self.plug_at: float | None = None
        self.inward, self.outward = Disturbance(f"{seed}/inward"), Disturbance(f"{seed}/outward")
        self._line = line
        self._bytes_per_s = bytes_per_s
        self._paces = (Pace(bytes_per_s), Pace(bytes_per_s))
        self.disturb(faults)

    @property
    def dues(self) -> list[float | None]:
        """Give when there will be something to carry or to plug in, in real seconds."""
        return [self.inward.due, self.outward.due, *(pace.due for pace in self._paces), self.plug_at]

    def disturb(self, faults: LineFaults) -> None:
        """Let other faults befall both directions from now on."""
        self.inward.faults = self.outward.faults = faults

    def descriptors(self) -> list[int]:
        """Give what to select on."""
        return self._line.descriptors()

    def read(self, descriptor: int, now: float) -> None:
        """Take what the host sent into the cable."""
        self.inward.push(self._line.read(descriptor), now)

    def arrived(self, now: float) -> bytes:
        """Give what has come out at the device's end."""
        inward = self._paces[0]
        inward.push(b"".join(self.inward.take(now)), now)
        return inward.take(now)

    def send(self, data: bytes, now: float) -> None:
        """Take what the device sends, and write to the port what has got that far."""
        outward = self._paces[1]
        for frame in split_frames(data):
            self.outward.push(frame, now)
        for piece in self.outward.take(now):
            outward.push(piece, now)
        carried = outward.take(now)
        if carried:
            self._line.write(carried)

    def unplug(self, plug_at: float | None) -> None:
        """Pull the cable out; what is on the way is lost. It comes back at `plug_at` (real time), or by hand (None)."""
        self._line.unplug()
        self.plugged, self.plug_at = False, plug_at
        self.clear()

    def plug(self) -> None:
        """Plug it in again."""
        self._line.plug()
        self.plugged, self.plug_at = True, None

    def clear(self) -> None:
        """Lose what is on the way."""
        self.inward.clear()
        self.outward.clear()
        self._paces = (Pace(self._bytes_per_s), Pace(self._bytes_per_s))


class Loop:
    """Call `turn` again and again. `on_at` tells when the power comes back by itself, in real seconds."""

    def __init__(
        self, wire: Wire, device: Device, journal: Journal, station: Station, mailbox: Mailbox, waker: Waker, clock: Clock,
    ) -> None:
        self.on_at: float | None = None
        self._wire = wire
        self._device = device
        self._journal = journal
        self._station = station
        self._mailbox = mailbox
        self._waker = waker
        self._clock = clock
        self._compact_at = 2 * journal.size + COMPACT_BYTES

    def turn(self) -> None:
        """Wait, then take what came, let the machine move, and send what is due."""
        self._wait()
        now = time.monotonic()
        self._come_back(now)
        try:
            self._mailbox.work_off()
            self._work(time.monotonic())
        except PowerLost as lost:
            self.go_dark(lost)

    def switch_on(self) -> None:
        """Boot the device; nothing where it runs."""
        if self._device.powered:
            return
        self.on_at = None
        self._station.take_shown()
        self._wire.clear()
        try:
            self._device.switch_on()
        except PowerLost as lost:
            self.go_dark(lost)

    def go_dark(self, lost: PowerLost) -> None:
        """Switch the device off; what it was about to send is lost."""
        self._device.switch_off(lost.cause)
        self._wire.clear()
        self.on_at = None if lost.dark_s is None else time.monotonic() + lost.dark_s

    def _come_back(self, now: float) -> None:
        if self.on_at is not None and self.on_at <= now:
            self.switch_on()
        if self._wire.plug_at is not None and self._wire.plug_at <= now:
            self._plug()

    def _plug(self) -> None:
        try:
            self._wire.plug()
        except OSError as error:
            self._wire.plug_at = None
            print(f"packager: the port cannot come back: {error}", file=sys.stderr, flush=True)

    def _work(self, now: float) -> None:
        arrived = self._wire.arrived(now)
        if not self._device.powered:
            return
        firmware, simulated = self._device.firmware, self._clock.simulated()
        firmware.still = self._clock.frozen
        if not firmware.still and self._station.take_shown():
            firmware.machine.scene_shown(simulated)
        self._wire.send(firmware.receive(arrived, now, simulated), now)
        if self._journal.size > self._compact_at:
            self._journal.rewrite(firmware.memory.entries())
            self._compact_at = 2 * self._journal.size + COMPACT_BYTES

    def _wait(self) -> None:
        descriptors = [*self._wire.descriptors(), self._waker.reading]
        readable = select.select(descriptors, [], [], self._timeout_s())[0]
        for descriptor in readable:
            if descriptor == self._waker.reading:
                self._waker.drain()
            else:
                self._wire.read(descriptor, time.monotonic())

    def _timeout_s(self) -> float | None:
        dues = [*self._wire.dues, self.on_at, *self._device_dues()]
        known = [due for due in dues if due is not None]
        return max(0.0, min(known) - time.monotonic()) if known else None

    def _device_dues(self) -> list[float | None]:
        if not self._device.powered:
            return []
        firmware = self._device.firmware
        simulated = firmware.machine.due
        return [None if simulated is None else self._clock.real(simulated), firmware.event_due()]
