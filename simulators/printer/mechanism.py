"""The moving part: a thread that prints what is buffered, row by row, while there is paper under a closed cover."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from simulators.printer.condition import Condition, Mishaps, drawn
from simulators.printer.paper import Label, Paper
from simulators.printer.parser import AskProcess, Command, Cut, Feed, RasterImage
from simulators.printer.zpl import Page
from simulators.truth import Truth

ROWS_PER_S = 1200.0
"""150 mm a second at 8 dots a millimetre."""
STEP_ROWS = 24
BUFFER_LIMIT_BYTES = 1 << 20
TRAY_LIMIT = 4096

Reply = Callable[[bytes], None]


@dataclass(frozen=True)
class _Work:
    command: Command | Page
    reply: Reply

    @property
    def weight_bytes(self) -> int:
        """Count what it takes of the buffer."""
        if isinstance(self.command, RasterImage):
            return 64 + len(self.command.bits)
        return 64 + (len(self.command.image.bits) if isinstance(self.command, Page) else 0)


@dataclass(frozen=True)
class Look:
    """What a status answer tells of the mechanism; `waiting` are pages not begun, `remaining` labels of the one at hand."""

    paper_out: bool
    cover_open: bool
    paused: bool
    waiting: int
    remaining: int
    full: bool


class Mechanism:
    """Head, cutter, sensors and tray; every method may be called from any thread."""

    def __init__(self, paper: Paper, truth: Truth, *, speed: float | None, seed: int, faults: str) -> None:
        self._paper, self._truth = paper, truth
        self._speed, self._seed, self._faults = speed, seed, faults
        self._changed = threading.Condition()
        self._queue: deque[_Work] = deque()
        self._queued_bytes = 0
        self._generation = 0
        self._paper_out = self._cover_open = self._paused = self._stopped = False
        self._remaining = self._stops = self._begun = 0
        self._ends_after: int | None = None
        self._ordered: Condition | None = None
        self._mishaps = Mishaps(Condition())
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

    def put(self, command: Command | Page, reply: Reply) -> None:
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
            self._queued_bytes = self._remaining = 0
            self._generation += 1
            self._paper.leave()
            self._changed.notify_all()

    def set_paper_out(self, out: bool) -> None:
        """Take the roll out, or put one in."""
        with self._changed:
            self._paper_out, self._ends_after = out, None
            self._stops += out
            self._changed.notify_all()

    def end_paper_after(self, rows: int) -> None:
        """Let the roll end after so many rows more."""
        with self._changed:
            self._ends_after = rows

    def set_paused(self, paused: bool) -> None:
        """Press the pause button, or once more."""
        with self._changed:
            self._paused = paused
            self._changed.notify_all()

    def set_condition(self, condition: Condition | None) -> None:
        """Let every label come out so from the next one on; None: as the seeded faults have it."""
        with self._changed:
            self._ordered = condition

    def cancel(self) -> None:
        """Give up what waits; a label that is moving ends, one that is stopped in the middle hangs there and is no label."""
        with self._changed:
            if self._queue and self._can_move() and isinstance(self._queue[0].command, Page) and self._remaining:
                first = self._queue[0]
                self._queue = deque([first])
                self._queued_bytes, self._remaining = first.weight_bytes, 1
                self._changed.notify_all()
                return
        self.clear()

    def set_cover_open(self, is_open: bool) -> None:
        """Open or close the cover."""
        with self._changed:
            self._cover_open = is_open
            self._stops += is_open
            self._changed.notify_all()

    def status_byte(self, number: int) -> int:
        """Answer DLE EOT n: bits 1 and 4 always; 1: bit 3 offline; 2: 2 cover, 5 paper end; 4: 5, 6 paper end."""
        with self._changed:
            out, is_open, paused = self._paper_out, self._cover_open, self._paused
        bits = {
            1: 0x08 if out or is_open or paused else 0,
            2: (0x04 if is_open else 0) | (0x20 if out else 0),
            4: 0x6C if out else 0,
        }
        return 0x12 | bits.get(number, 0)

    def look(self) -> Look:
        """Tell what a status answer needs to know."""
        with self._changed:
            waiting = max(0, len(self._queue) - bool(self._remaining))
            full = self._queued_bytes >= BUFFER_LIMIT_BYTES
            return Look(self._paper_out, self._cover_open, self._paused, waiting, self._remaining, full)

    def state(self) -> dict[str, object]:
        """Tell what somebody sees who stands before it."""
        with self._changed:
            return {"paper_out": self._paper_out, "cover_open": self._cover_open, "paused": self._paused, "rows": self._paper.rows,
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
        return not self._paper_out and not self._cover_open and not self._paused

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or bool(self._queue))
                if self._stopped:
                    return
                work, generation = self._queue[0], self._generation
            self._do(work, generation)
            with self._changed:
                self._remaining = 0
                if generation == self._generation:
                    self._queue.popleft()
                    self._queued_bytes -= work.weight_bytes
                    self._changed.notify_all()

    def _do(self, work: _Work, generation: int) -> None:
        command = work.command
        if isinstance(command, Page):
            self._pages(command, work.reply, generation)
        elif isinstance(command, RasterImage):
            self._print(command, generation)
        elif isinstance(command, Feed):
            self._step(generation, command.dots, lambda: self._paper.feed(command.dots))
        elif isinstance(command, Cut):
            self._step(generation, command.feed_dots, self._cut)
        elif isinstance(command, AskProcess) and self._step(generation, 0, lambda: None):
            self._answer(work.reply, b'7"' + command.identifier + b"\0")

    def _pages(self, page: Page, reply: Reply, generation: int) -> None:
        """Print the labels of a format; its answers leave as a label is begun, which is before anybody knows that it comes out."""
        with self._changed:
            if generation == self._generation:
                self._remaining = page.quantity
        while self._remaining and self._step(generation, 0, self._paper.tear):
            for answer in page.answers:
                self._answer(reply, answer)
            stops = self._stops
            self._print(page.image, generation)
            if stops == self._stops:
                self._step(generation, 0, self._cut)
            elif page.again_after_error:
                continue
            self._one_less(generation)

    def _one_less(self, generation: int) -> None:
        with self._changed:
            if generation == self._generation and self._remaining:
                self._remaining -= 1

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
            self._wear(dots)
            return True

    def _wear(self, dots: int) -> None:
        if self._ends_after is not None and dots:
            self._ends_after -= dots
            if self._ends_after <= 0:
                self._paper_out, self._ends_after = True, None
                self._stops += 1

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
        """Begin a label: what goes wrong with it is what was ordered, else what the seed has for its number."""
        self._begun = max(self._begun + 1, self._paper.next_number)
        self._mishaps = drawn(self._seed, self._begun, self._faults)
        self._paper.condition = self._ordered or self._mishaps.condition
        if self._ends_after is None:
            self._ends_after = self._mishaps.ends_after_rows

    def _answer(self, reply: Reply, answer: bytes) -> None:
        if self._mishaps.loses_answer:
            self._mishaps = replace(self._mishaps, loses_answer=False)
            return
        reply(answer)
