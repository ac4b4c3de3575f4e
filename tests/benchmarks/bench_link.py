"""A question over the serial link and its answer: Link and codec against the simulated packager, beside a bare echo of as many bytes.

Both are processes behind pseudo terminals, asked in turns through the same pyserial calls. The second pair goes through the
bridge's own port and inbox, beside the same echo through a bare reader thread and queue.
"""

import queue
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import serial

from firmware_bridge import packets
from firmware_bridge.inbox import Inbox
from firmware_bridge.link import Answered, Greeted, Link
from firmware_bridge.packets import STATUS_ENTRIES_LIMIT, Op
from firmware_bridge.serial_port import SerialPort
from tests.benchmarks.figures import Figure, beside, note, percentile, print_table
from tests.benchmarks.processes import load_cassette, running

RUNS = 5
TURNS, TRIPS = 20, 100
BAUD = 115_200
SLOWEST_S = 5.0
GOAL = 3.0

Trip = Callable[[], None]
Told = TypeVar("Told", Greeted, Answered)


@dataclass(frozen=True)
class Question:
    """A request, and how many bytes it and its answer have on the wire."""

    name: str
    op: Op
    payload: bytes
    asked_bytes: int
    answer_bytes: int


PING = Question("PING, 32 bytes", Op.PING, bytes(range(1, 21)), 32, 33)
STATUS = Question("STATUS, 13 bytes and 203 back", Op.STATUS, packets.pack_status(1), 13, 203)


class DirectPort:
    """A port read by the caller itself: sleep for the first byte, then take all that is there."""

    def __init__(self, url: str) -> None:
        self._port = serial.serial_for_url(url, baudrate=BAUD, timeout=SLOWEST_S, exclusive=True)

    def write(self, data: bytes) -> None:
        """Write all bytes."""
        self._port.write(data)

    def read(self) -> bytes:
        """Return what has come, at least one byte."""
        data: bytes = self._port.read(1)
        waiting = self._port.in_waiting
        return data + self._port.read(waiting) if waiting else data

    def close(self) -> None:
        """Close it."""
        self._port.close()


class BridgePort:
    """The bridge's own port and inbox: bytes come by its reader thread."""

    def __init__(self, url: str) -> None:
        self._inbox = Inbox()
        self._port = SerialPort(url, BAUD, self._inbox.leave_bytes, lambda _error: None)

    def write(self, data: bytes) -> None:
        """Write all bytes."""
        self._port.write(data)

    def read(self) -> bytes:
        """Return what has come, at least one byte."""
        return self._inbox.take(SLOWEST_S)[0]

    def close(self) -> None:
        """Close it."""
        self._port.close()


class ThreadedPort:
    """The least that has a reader thread: a SimpleQueue between it and the caller."""

    def __init__(self, url: str) -> None:
        self._arrived: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._port = SerialPort(url, BAUD, self._arrived.put, lambda _error: None)

    def write(self, data: bytes) -> None:
        """Write all bytes."""
        self._port.write(data)

    def read(self) -> bytes:
        """Return what has come, at least one byte."""
        return self._arrived.get(timeout=SLOWEST_S)

    def close(self) -> None:
        """Close it."""
        self._port.close()


Port = DirectPort | BridgePort | ThreadedPort


@contextmanager
def link_trips(port: Port, question: Question) -> Iterator[Trip]:
    """Open a session with the packager; yield one question and its answer."""
    link = Link(BAUD)
    link.hello(secrets.randbelow(0xFFFF) + 1, 0, time.monotonic())
    hello = _answer_of(link, port, Greeted).hello
    link.accept_events(hello.next_event - 1)
    # The cassettes that were put in are told until somebody has heard of them.
    link.request(Op.EVT_ACK, packets.pack_event_ack(hello.boot, hello.next_event - 1), time.monotonic())
    _answer_of(link, port, Answered)

    def trip() -> None:
        link.request(question.op, question.payload, time.monotonic())
        _answer_of(link, port, Answered)

    trip()
    yield trip
    port.close()


def _answer_of(link: Link, port: Port, kind: type[Told]) -> Told:
    port.write(link.data_to_send())
    while True:
        for event in link.receive(port.read(), time.monotonic()):
            if isinstance(event, kind):
                return event


@contextmanager
def bare_trips(port: Port, question: Question) -> Iterator[Trip]:
    """Yield as many bytes there and back as a question and its answer have."""
    asked = b"x" * question.asked_bytes

    def trip() -> None:
        port.write(asked)
        held = 0
        while held < question.answer_bytes:
            held += len(port.read())

    trip()
    yield trip
    port.close()


def figures(runs: int = RUNS) -> list[Figure]:
    """Measure a short and a long answer over the link alone, and the long one through the bridge's port and inbox."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = ("--port-link", folder / "port", "--truth", folder / "truth", "--state", folder / "state")
        with running(folder, "simulators", "packager", *files, "--speed", "max") as machine:
            for slot in range(1, STATUS_ENTRIES_LIMIT + 1):
                load_cassette(machine["control"], slot, 1000 + slot)
            url = machine["port"]
            return [
                *_measured(folder, url, PING, runs, "", DirectPort, DirectPort),
                *_measured(folder, url, STATUS, runs, "", DirectPort, DirectPort),
                *_measured(folder, url, STATUS, runs, " by a reader thread", BridgePort, ThreadedPort),
            ]


def _measured(
    folder: Path, url: str, question: Question, runs: int, way: str, ours: Callable[[str], Port], bare: Callable[[str], Port]
) -> list[Figure]:
    sizes = ("--asked", question.asked_bytes, "--answer", question.answer_bytes)
    with (
        running(folder, "tests.benchmarks.bare_pty", *sizes) as echo,
        link_trips(ours(url), question) as mine,
        bare_trips(bare(echo["port"]), question) as limit,
    ):
        return _pair(f"link{way}, {question.name}", mine, limit, runs)


def _pair(title: str, ours: Trip, bare: Trip, runs: int) -> list[Figure]:
    _turns(ours, bare)
    pairs = [_turns(ours, bare) for _ in range(runs)]
    ratios = [statistics.median(mine) / statistics.median(limit) for mine, limit in pairs]
    note(f"{title}: " + ", ".join(f"{ratio:.2f} ×" for ratio in ratios))
    mine_us, limit_us = ([us for pair in pairs for us in pair[side]] for side in (0, 1))
    ratio = statistics.median(ratios)
    return [
        Figure(f"{title}: p50", statistics.median(mine_us), "µs", statistics.median(limit_us), ratio, f"≤ {GOAL:.0f} ×", ratio <= GOAL),
        beside(f"{title}: p99", percentile(mine_us, 99), "µs", percentile(limit_us, 99)),
    ]


def _turns(ours: Trip, bare: Trip) -> tuple[Sequence[float], Sequence[float]]:
    """Make the trips of one run in turns of a hundred; return µs each of ours and of the bare ones."""
    seen: tuple[list[float], list[float]] = ([], [])
    for turn in range(TURNS):
        for side in (0, 1) if turn % 2 == 0 else (1, 0):
            seen[side].extend(_timed(ours if side == 0 else bare))
    return seen


def _timed(trip: Trip) -> Iterator[float]:
    for _ in range(TRIPS):
        started_s = time.perf_counter()
        trip()
        yield (time.perf_counter() - started_s) * 1e6


def main() -> None:
    """Print the figures of the link."""
    print_table(figures())


if __name__ == "__main__":
    main()
