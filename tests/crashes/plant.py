"""A plant whose processes crash: killed in the middle of whatever they do, started again at once with nothing but their disks."""

import resource
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hub.demo.api import HubClient, People
from hub.demo.plant import Plant, PlantFailure
from hub.demo.stopwatch import Stopwatch

LOOK_EVERY_S = 0.1
KILLED = ("hub", "bridge", "broker", "packager", "camera", "printer")
HANDLED = frozenset({"packager", "printer"})
"""What hands reach into: they hold still while it is away, for a simulated hand forgets what it took where the answer is lost."""


@dataclass
class CrashingPlant(Plant):
    """The plant with a supervisor, as systemd is one: what ended by itself is counted and started again."""

    ended_by_themselves: Counter[str] = field(default_factory=Counter)
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    _standing: threading.RLock = field(default_factory=threading.RLock)
    _over: threading.Event = field(default_factory=threading.Event)

    def supervise(self) -> threading.Thread:
        """Look after the processes in a thread, until `release`."""
        thread = threading.Thread(target=self._look_after, name="supervisor", daemon=True)
        thread.start()
        return thread

    def release(self) -> None:
        """Look after the processes no more: from now on they are meant to end."""
        self._over.set()

    def _look_after(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            with suppress(PlantFailure):  # what does not get up is started again at the next look, and the day waits for it
                self.check_alive()

    def simulator(self, name: str) -> list[str]:
        """Return the command of a simulator; the printer's tray has to outlive its process."""
        return [sys.executable, "-m", "tests.crashes.printer"] if name == "printer" else super().simulator(name)

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Keep the set of running processes as it is for a moment."""
        with self._standing:
            yield

    def check_alive(self) -> None:
        """Start again what has ended by itself."""
        with self._standing:
            for process in self.processes:
                if process.popen.poll() is not None:
                    self.ended_by_themselves[process.name] += 1
                    self.revive(process.name)

    def revive(self, name: str, clock: datetime | None = None) -> None:
        """Start a process again; the hub with its clock where it stood, or at `clock`."""
        self.start_again(name, (clock or self.clock()) if name == "hub" else None)

    def kill(self, name: str) -> None:
        """Kill a process. A machine that is gone has no port: its name goes first, or it would lead to whoever opens a terminal next."""
        if name == "packager":
            (self.folder / "packager.tty").unlink(missing_ok=True)
        super().kill(name)

    def cut_power(self, at_append: int, dark_s: float) -> None:
        """Have the packager lose its power, in a moment in which its process lives."""
        with self._standing:
            super().cut_power(at_append, dark_s)

    def fill_disk(self, bytes_left: int) -> None:
        """Let no file of the bridge reach beyond what it has said so far and so many bytes: it may say why it stops, and hardly keep anything."""
        self._limit("bridge", self.process("bridge").log.stat().st_size + bytes_left)

    def empty_disk(self) -> None:
        """Give the bridge its disk back."""
        self._limit("bridge", resource.RLIM_INFINITY)

    def _limit(self, name: str, end: int) -> None:
        pid = self.process(name).popen.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (end, hard))


class HeldPeople(People):
    """The people, whose hands can be held still for a moment."""

    def __init__(self, url: str, watch: Stopwatch) -> None:
        super().__init__(url, watch)
        self.hands = threading.Lock()

    def do(self, chore: str, **request: Any) -> Mapping[str, Any]:
        """Have a chore done, while no machine that hands reach into is away."""
        with self.hands:
            return super().do(chore, **request)


class HeldHub(HubClient):
    """The director's line to the hub, whose clock is right while a file is taken in: `uploading` is held then."""

    def __init__(self, url: str, badge: str, pin: str, watch: Stopwatch) -> None:
        super().__init__(url, badge, pin, watch)
        self.uploading = threading.Lock()

    def take_in(self, kind: str, source: str, name: str, data: bytes) -> dict[str, Any]:
        """Put the hub's clock right where it was set back, then upload."""
        with self.uploading:
            if self.clock is not None:
                self.step(self.clock)
            return super().take_in(kind, source, name, data)
