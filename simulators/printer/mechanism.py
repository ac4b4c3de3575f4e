"""The moving part: a thread that prints what is buffered, row by row, while there is paper under a closed cover."""

import random
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from simulators.printer.paper import Label, Paper
from simulators.printer.parser import AskProcess, Command, Cut, Feed, RasterImage
from simulators.truth import Truth

ROWS_PER_S = 1200.0
"""150 mm a second at 8 dots a millimetre."""
STEP_ROWS = 24
BUFFER_LIMIT_BYTES = 1 << 20
TRAY_LIMIT = 4096
CHANCE_OF_FAULT = 0.01

Reply = Callable[[bytes], None]


@dataclass(frozen=True)
class _Work:
    command: Command
    reply: Reply

    @property
    def weight_bytes(self) -> int:
        """Count what it takes of the buffer."""
        return 64 + (len(self.command.bits) if isinstance(self.command, RasterImage) else 0)


class Mechanism:
    """Head, cutter, sensors and tray; every method may be called from any thread."""

    def __init__(self, paper: Paper, truth: Truth, *, speed: float | None, seed: int, faults: str) -> None:
        self._paper, self._truth = paper, truth
        self._speed, self._seed, self._faults = speed, seed, faults
        self._changed = threading.Condition()
        self._queue: deque[_Work] = deque()
        self._queued_bytes = 0
        self._generation = 0
        self._paper_out = self._cover_open = self._stopped = self._lose_answer = False
        self._tray: deque[Label] = deque()
        self._thread = threading.Thread(target=self._run, name="mechanism", daemon=True)

    def start(self) -> None:
        """Begin to print what comes."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is buffered is lost."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def put(self, command: Command, reply: Reply) -> None:
        """Buffer a command; waits while the buffer is full, as a printer stops taking bytes then."""
        work = _Work(command, reply)
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or not self._queue or self._has_room(work))
            self._queue.append(work)
            self._queued_bytes += work.weight_bytes
            self._changed.notify_all()

    def clear(self) -> None:
        """Forget what is buffered; what hangs under the head hangs there until it is cut off."""
        with self._changed:
            self._queue.clear()
            self._queued_bytes = 0
            self._generation += 1
            self._paper.leave()
            self._changed.notify_all()

    def set_paper_out(self, out: bool) -> None:
        """Take the roll out, or put one in."""
        with self._changed:
            self._paper_out = out
            self._changed.notify_all()

    def set_cover_open(self, is_open: bool) -> None:
        """Open or close the cover."""
        with self._changed:
            self._cover_open = is_open
            self._changed.notify_all()

    def status_byte(self, number: int) -> int:
        """Answer DLE EOT n: bits 1 and 4 always; 1: bit 3 offline; 2: 2 cover, 5 paper end; 4: 5, 6 paper end."""
        with self._changed:
            out, is_open = self._paper_out, self._cover_open
        bits = {
            1: 0x08 if out or is_open else 0,
            2: (0x04 if is_open else 0) | (0x20 if out else 0),
            4: 0x6C if out else 0,
        }
        return 0x12 | bits.get(number, 0)

    def state(self) -> dict[str, object]:
        """Tell what somebody sees who stands before it."""
        with self._changed:
            return {"paper_out": self._paper_out, "cover_open": self._cover_open, "rows": self._paper.rows,
                    "buffered": len(self._queue), "tray": len(self._tray)}

    def take(self) -> list[Label]:
        """Empty the tray."""
        with self._changed:
            labels = list(self._tray)
            self._tray.clear()
            return labels

    def _has_room(self, work: _Work) -> bool:
        return self._queued_bytes + work.weight_bytes <= BUFFER_LIMIT_BYTES

    def _can_move(self) -> bool:
        return not self._paper_out and not self._cover_open

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or bool(self._queue))
                if self._stopped:
                    return
                work, generation = self._queue[0], self._generation
            self._do(work, generation)
            with self._changed:
                if generation == self._generation:
                    self._queue.popleft()
                    self._queued_bytes -= work.weight_bytes
                    self._changed.notify_all()

    def _do(self, work: _Work, generation: int) -> None:
        command = work.command
        if isinstance(command, RasterImage):
            self._print(command, generation)
        elif isinstance(command, Feed):
            self._step(generation, command.dots, lambda: self._paper.feed(command.dots))
        elif isinstance(command, Cut):
            self._step(generation, command.feed_dots, self._cut)
        elif isinstance(command, AskProcess) and self._step(generation, 0, lambda: None):
            self._answer(work.reply, command.identifier)

    def _print(self, image: RasterImage, generation: int) -> None:
        for first in range(0, image.height, STEP_ROWS):
            rows = range(first, min(first + STEP_ROWS, image.height))
            if not self._step(generation, len(rows) * image.down, partial(self._rows, image, rows)):
                return

    def _rows(self, image: RasterImage, rows: range) -> None:
        if self._paper.rows == 0:
            self._draw_faults()
        for row in rows:
            self._paper.print_row(image, row)

    def _step(self, generation: int, dots: int, act: Callable[[], None]) -> bool:
        """Take the time of the motion, wait for paper and cover, act; False when cleared or stopped meanwhile."""
        with self._changed:
            if self._speed is not None and dots:
                until_s = dots / ROWS_PER_S / self._speed
                self._changed.wait_for(lambda: self._stopped or generation != self._generation, timeout=until_s)
            self._changed.wait_for(lambda: self._stopped or generation != self._generation or self._can_move())
            if self._stopped or generation != self._generation:
                return False
            act()
            return True

    def _cut(self) -> None:
        done = self._paper.cut()
        if done is None:
            return
        label, digest = done
        self._truth.write("label-printed", label=label.name, digest=digest)
        if len(self._tray) == TRAY_LIMIT:
            self._tray.popleft()
        self._tray.append(label)

    def _draw_faults(self) -> None:
        """Choose by seed and label number what goes wrong with this label: dead dots in the head, or a lost answer."""
        chance = random.Random(f"{self._seed}/{self._paper.next_number}")
        mild = self._faults == "mild"
        streaked, self._lose_answer = chance.random() < CHANCE_OF_FAULT, mild and chance.random() < CHANCE_OF_FAULT
        first = chance.randrange(600)
        self._paper.dead_columns = tuple(range(first, first + 24)) if mild and streaked else ()

    def _answer(self, reply: Reply, identifier: bytes) -> None:
        if self._lose_answer:
            self._lose_answer = False
            return
        reply(b'7"' + identifier + b"\0")
