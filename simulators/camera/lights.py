"""The relay board of the station's two lights, at the end of a serial cable: four bytes switch one relay, nothing is answered."""

import select
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from simulators.camera.conditions import BOTH, Lights
from simulators.packager.line import PtyLine

START, FRAME_BYTES = 0xA0, 4
WAIT_S = 0.2
CHANNELS = {1: "first", 2: "second"}


class Relay:
    """Reads `A0 channel state sum`, the sum of the first three bytes modulo 256; bytes that are no such frame are passed over."""

    def __init__(self) -> None:
        self.lights = BOTH
        self.ignored_bytes = 0
        self._pending = b""

    def feed(self, data: bytes) -> bool:
        """Take bytes as they come; tells whether a light was switched."""
        before, self._pending = self.lights, self._pending + data
        while len(self._pending) >= FRAME_BYTES:
            frame = self._pending[:FRAME_BYTES]
            taken = self._take(frame)
            self._pending = self._pending[FRAME_BYTES if taken else 1 :]
            self.ignored_bytes += not taken
        return self.lights != before

    def _take(self, frame: bytes) -> bool:
        start, channel, state, total = frame
        if start != START or total != (start + channel + state) % 256 or channel not in CHANNELS or state not in (0, 1):
            return False
        self.lights = replace(self.lights, **{CHANNELS[channel]: state == 1})
        return True


class LightsCable:
    """The board behind a pseudo terminal at `link`; `switched` is called in its thread whenever a light goes on or off."""

    def __init__(self, link: Path, switched: Callable[[Lights], None]) -> None:
        self._line = PtyLine(link)
        self._relay = Relay()
        self._switched = switched
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lights", daemon=True)
        self._thread.start()

    @property
    def ignored_bytes(self) -> int:
        """Count what came over the cable and was no command."""
        return self._relay.ignored_bytes

    def close(self) -> None:
        """Take the board off the cable; the symlink goes too."""
        self._stopping.set()
        self._thread.join()
        self._line.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            ready, _, _ = select.select(self._line.descriptors(), [], [], WAIT_S)
            for descriptor in ready:
                if self._relay.feed(self._line.read(descriptor)):
                    self._switched(self._relay.lights)
