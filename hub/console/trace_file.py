"""The frames of a watch in a file: one JSON object a line, or pcapng where the file's name ends so."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

import msgspec

from firmware_bridge import pcapng
from firmware_bridge.trace_contract import TracedFrame, TraceReport

PROGRAM = "dosehub console"
PCAPNG_SUFFIX = ".pcapng"


class TraceFile(Protocol):
    """A file that takes the frames of each message; what was not told is written down as well."""

    def write(self, report: TraceReport, lost: int) -> None:
        """Write the frames of a message, before which `lost` were not told."""

    def __enter__(self) -> Self:
        """Return itself."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""


def open_trace(path: Path, device: str) -> TraceFile:
    """Return a new file for the frames of `device`; raise OSError, also where it is there already."""
    if path.suffix == PCAPNG_SUFFIX:
        return PcapngFile(path.open("xb"), device, time.time)
    return LinesFile(path.open("xb"))


class _File:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class LinesFile(_File):
    """One JSON object a line, as `trace` of docs/mqtt.md has them; `{"dropped": n}` where some are missing."""

    def write(self, report: TraceReport, lost: int) -> None:
        """Write the frames of a message, before which `lost` were not told."""
        if lost:
            self._file.write(json.dumps({"dropped": lost}).encode() + b"\n")
        for frame in report.frames:
            self._file.write(msgspec.json.encode(frame) + b"\n")
        self._file.flush()


class PcapngFile(_File):
    """A capture for Wireshark; `wall_clock_s` dates the first frame of a watch, the bridge's own clock what follows."""

    def __init__(self, file: BinaryIO, device: str, wall_clock_s: Callable[[], float]) -> None:
        super().__init__(file)
        self._wall_clock_s = wall_clock_s
        self._base_us: int | None = None
        self._last_us = 0
        self._lost = self._all_lost = self._packets = 0
        file.write(pcapng.head(PROGRAM, device))

    def __exit__(self, *_: object) -> None:
        with self._file:
            self._file.write(pcapng.statistics((self._base_us or 0) + self._last_us, self._packets, self._all_lost))

    def write(self, report: TraceReport, lost: int) -> None:
        """Write the frames of a message, before which `lost` were not told."""
        self._lost += lost
        self._all_lost += lost
        for frame in report.frames:
            self._date(frame)
            self._file.write(self._packet(frame))
        self._file.flush()

    def _date(self, frame: TracedFrame) -> None:
        """Let a watch that begins anew, with an earlier time than the last frame's, begin now."""
        if self._base_us is None or frame.at_us < self._last_us:
            self._base_us = round(self._wall_clock_s() * 1e6) - frame.at_us
        self._last_us = frame.at_us

    def _packet(self, frame: TracedFrame) -> bytes:
        lost, self._lost = self._lost, 0
        self._packets += 1
        return pcapng.crossing(
            bytes.fromhex(frame.hex), (self._base_us or 0) + frame.at_us, is_sent=frame.direction == "to-device",
            error=frame.error, lost=lost,
        )  # fmt: skip
