"""The one thread that owns port, power and machine: it sleeps until bytes, a wake-up or the next due time come."""

import os
import select
import sys
import time
from dataclasses import asdict
from typing import Any, Protocol

from simulators.packager.clock import Clock
from simulators.packager.codec import split_frames
from simulators.packager.disturbance import Disturbance, LineFaults
from simulators.packager.firmware import Firmware
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


class Way(Protocol):
    """How the hub's orders reach the machine: a serial cable, or the network; all times are real ones."""

    plug_at: float | None

    @property
    def dues(self) -> list[float | None]:
        """Give when there will be something to do."""

    def descriptors(self) -> list[int]:
        """Give what to select on."""

    def read(self, descriptor: int, now: float) -> None:
        """Take what a ready descriptor has."""

    def serve(self, firmware: Firmware, now: float, simulated: float) -> None:
        """Give the firmware what came, let it move on, and send what it says. Raises PowerLost."""

    def lose(self, now: float) -> None:
        """Lose what has come meanwhile: the machine is dark."""

    def clear(self) -> None:
        """Lose what is on the way: the power of the machine went."""

    def unplug(self, plug_at: float | None) -> None:
        """Cut the way off; it comes back at `plug_at`, or by hand (None)."""

    def plug(self) -> None:
        """Bring it back."""

    def disturb(self, faults: LineFaults) -> None:
        """Let faults befall frames; raises ControlRefusal where there are none."""

    def seen(self) -> dict[str, Any]:
        """Tell of it for `GET /state`; `back_in_s` is left to who knows the time."""

    def name(self) -> str:
        """Give the URL by which the machine is reached."""

    def close(self) -> None:
        """Give it up."""


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
        return self._carried(self._paces[0], self.inward.take(now), now)

    def serve(self, firmware: Firmware, now: float, simulated: float) -> None:
        """Let the firmware hear what has come out at its end, and send what it says."""
        self.send(firmware.receive(self.arrived(now), now, simulated), now)

    def lose(self, now: float) -> None:
        """Lose what has come out at the end of a device that is dark."""
        self.arrived(now)

    def seen(self) -> dict[str, Any]:
        """Tell whether it is plugged in, and what befell frames."""
        return {"plugged": self.plugged, "faults": asdict(self.inward.faults),
                "befell": {"to_device": dict(self.inward.befell), "to_host": dict(self.outward.befell)}}

    def name(self) -> str:
        """Give the URL by which a bridge opens the port."""
        return self._line.name()

    def close(self) -> None:
        """Give the port up."""
        self._line.close()

    def send(self, data: bytes, now: float) -> None:
        """Take what the device sends, and write to the port what has got that far."""
        for frame in split_frames(data) if self.outward.faults.any else [data]:
            self.outward.push(frame, now)
        carried = self._carried(self._paces[1], self.outward.take(now), now)
        if carried:
            self._line.write(carried)

    def _carried(self, pace: Pace, pieces: list[bytes], now: float) -> bytes:
        """Give what has been carried by now; without a pace that is all, at once."""
        if self._bytes_per_s is None:
            return b"".join(pieces)
        for piece in pieces:
            pace.push(piece, now)
        return pace.take(now)

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
        self, way: Way, device: Device, journal: Journal, station: Station, mailbox: Mailbox, waker: Waker, clock: Clock,
    ) -> None:
        self.on_at: float | None = None
        self._way = way
        self._device = device
        self._journal = journal
        self._station = station
        self._mailbox = mailbox
        self._waker = waker
        self._clock = clock
        self._compact_at = 2 * journal.size + COMPACT_BYTES

    def turn(self) -> None:
        """Wait, then take what came, let the machine move, and send what is due."""
        is_woken = self._wait()
        now = time.monotonic()
        self._come_back(now)
        try:
            if is_woken:
                self._mailbox.work_off()
            self._work(time.monotonic())
        except PowerLost as lost:
            self.go_dark(lost)
            # Calls that came after the one that cost the power are still there.
            self._waker.wake()

    def switch_on(self) -> None:
        """Boot the device; nothing where it runs."""
        if self._device.powered:
            return
        self.on_at = None
        self._station.take_shown()
        self._way.clear()
        try:
            self._device.switch_on()
        except PowerLost as lost:
            self.go_dark(lost)

    def go_dark(self, lost: PowerLost) -> None:
        """Switch the device off; what it was about to send is lost."""
        self._device.switch_off(lost.cause)
        self._way.clear()
        self.on_at = None if lost.dark_s is None else time.monotonic() + lost.dark_s

    def _come_back(self, now: float) -> None:
        if self.on_at is not None and self.on_at <= now:
            self.switch_on()
        if self._way.plug_at is not None and self._way.plug_at <= now:
            self._plug()

    def _plug(self) -> None:
        try:
            self._way.plug()
        except OSError as error:
            self._way.plug_at = None
            print(f"packager: the port cannot come back: {error}", file=sys.stderr, flush=True)

    def _work(self, now: float) -> None:
        if not self._device.powered:
            self._way.lose(now)
            return
        firmware, simulated = self._device.firmware, self._clock.simulated()
        firmware.still = self._clock.frozen
        if not firmware.still and self._station.take_shown():
            firmware.machine.scene_shown(simulated)
        self._way.serve(firmware, now, simulated)
        if self._journal.size > self._compact_at:
            self._journal.rewrite(firmware.memory.entries())
            self._compact_at = 2 * self._journal.size + COMPACT_BYTES

    def _wait(self) -> bool:
        """Sleep until something is to be done; tell whether another thread or a signal ended that."""
        descriptors = [*self._way.descriptors(), self._waker.reading]
        readable = select.select(descriptors, [], [], self._timeout_s())[0]
        for descriptor in readable:
            if descriptor == self._waker.reading:
                self._waker.drain()
            else:
                self._way.read(descriptor, time.monotonic())
        return self._waker.reading in readable

    def _timeout_s(self) -> float | None:
        dues = [*self._way.dues, self.on_at, *self._device_dues()]
        known = [due for due in dues if due is not None]
        return max(0.0, min(known) - time.monotonic()) if known else None

    def _device_dues(self) -> list[float | None]:
        if not self._device.powered:
            return []
        firmware = self._device.firmware
        simulated = firmware.machine.due
        return [None if simulated is None else self._clock.real(simulated), firmware.event_due()]
