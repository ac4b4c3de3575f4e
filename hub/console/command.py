"""`dosehub console`: look at one machine; with a name, hold its service lock for as long as the work takes.

Read-only until a name takes the lock. The lock is given back however the console ends, also on Ctrl-C and when the terminal is
closed; where that cannot be done it says so, for a machine that stays locked packs nothing.
"""

import json
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Literal, TextIO

import msgspec

from firmware_bridge.service_contract import LockCommand, SelfTestCommand, ServiceCommand, ServiceEvent, WatchCommand
from firmware_bridge.trace_contract import TracedFrame, TraceReport
from hub.console.line import RETAINED_PATIENCE_S, ConsoleError, Line, parse_broker
from hub.console.machine import Machine, Rates, counter_facts, identity, sentence, state_facts
from hub.console.screen import Screen

WATCH_S = 10
WATCH_AGAIN_S = 4.0
DONE, REFUSED, WRONG_USE = 0, 1, 2
NAME = re.compile(r"[a-z0-9-]{1,64}")
OWNER = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,30}[\x21-\x7e])?")


class Refused(ConsoleError):
    """The machine or its bridge did not do what was asked."""


@dataclass(frozen=True)
class ConsoleOptions:
    """What was asked for; `follow_s` None means until Ctrl-C, an empty `owner` means to look only."""

    device: str
    broker: str
    site: str
    follow_s: float | None
    trace_to: Path | None
    owner: str
    keeps_lock: bool
    releases: bool
    tests: bool
    fence: int

    @property
    def follows(self) -> bool:
        """Tell whether frames are shown: asked for, or nothing else was."""
        acts = self.keeps_lock or self.releases or self.tests
        return self.follow_s != 0 and (self.follow_s is not None or self.trace_to is not None or not acts)


def mistake(options: ConsoleOptions) -> str:
    """Return what is wrong with the options, or an empty text."""
    if not NAME.fullmatch(options.device) or not NAME.fullmatch(options.site):
        return "device and site are lower-case letters, digits and -"
    if options.owner and not OWNER.fullmatch(options.owner):
        return "--control takes a name of 1 to 32 printable ASCII characters"
    if not options.owner and (options.keeps_lock or options.releases or options.tests):
        return "--lock, --release and --self-test need your name: --control NAME"
    if options.releases and (options.keeps_lock or options.tests):
        return "--release gives the lock back and does nothing else"
    if options.trace_to is not None and options.follow_s == 0:
        return "--trace-to has nothing to write with --follow 0"
    return ""


def run_console(options: ConsoleOptions) -> int:
    """Run until all is done; return 0, 1 where the machine refused or could not be reached, 2 for options that cannot be used."""
    screen = Screen()
    wrong = mistake(options)
    if wrong:
        screen.error(wrong)
        return WRONG_USE
    try:
        with _signals_as_interrupts():
            _Session(options, screen).run()
    except KeyboardInterrupt:
        return DONE
    except ConsoleError as error:
        screen.error(str(error))
        return REFUSED
    except OSError as error:
        screen.error(f"{options.trace_to or 'the output'} cannot be written: {error}")
        return REFUSED
    return DONE


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """Let the end of the terminal and a termination be what Ctrl-C is, so that the lock is given back."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Session:
    """One run of the console."""

    def __init__(self, options: ConsoleOptions, screen: Screen) -> None:
        self._options = options
        self._screen = screen
        self._line = Line(options.broker, options.site, options.device, options.fence)
        self._machine = Machine()
        self._rates = Rates()
        self._watch = ""

    def run(self) -> None:
        """Show the machine, do what was asked, follow it."""
        parse_broker(self._options.broker)
        with ExitStack() as ending:
            file = self._new_file(ending)
            self._line.open()
            ending.callback(self._line.close)
            self._look()
            if self._options.follows:
                # Before the lock is taken, so that this is among the frames.
                self._watch = self._line.command(_watch)
            if self._options.releases:
                self._release()
            elif self._options.owner:
                ending.enter_context(self._lock_held())
            if self._options.tests:
                self._self_test()
            if self._options.follows:
                self._follow(file)

    def _new_file(self, ending: ExitStack) -> TextIO | None:
        path = self._options.trace_to
        return None if path is None else ending.enter_context(path.open("x", encoding="utf-8"))

    def _look(self) -> None:
        """Show what the broker keeps of the machine."""
        until_s = time.monotonic() + RETAINED_PATIENCE_S
        while not self._machine.is_whole and (heard := self._line.next(until_s)) is not None:
            self._machine.hear(heard)
        machine, device = self._machine, self._options.device
        if machine.state is None:
            raise Refused(f"no bridge has told of {device} at site {self._options.site} (or this user may not read it)")
        if machine.description is not None:
            self._screen.facts(f"{device}: identity", identity(machine.description))
        self._screen.facts(f"{device}: state", state_facts(machine.state, machine.status))
        if machine.status is not None:
            self._screen.facts(f"{device}: counters", counter_facts(machine.status))

    # Service

    @contextmanager
    def _lock_held(self) -> Iterator[None]:
        """Take the lock, and give it back however this ends; an answer that did not come may have been a lock."""
        may_hold = True
        try:
            answer = self._line.ask(lambda *head: _lock("take", self._options.owner, *head))
            may_hold = answer.rc in {"OK", "NO_ANSWER"}
            self._demand(answer, f"the service lock is {self._options.owner}'s: no new job begins")
            may_hold = not self._options.keeps_lock
            yield
            if self._options.keeps_lock:
                self._screen.line(f"the service lock stays {self._options.owner}'s: give it back with --release")
        finally:
            if may_hold:
                self._release()

    def _release(self) -> None:
        owner = self._options.owner
        try:
            answer = self._line.ask(lambda *head: _lock("release", owner, *head))
            self._demand(answer, "the service lock is given back")
        except (ConsoleError, KeyboardInterrupt) as error:
            why = str(error) or "interrupted before the answer"
            raise Refused(
                f"the service lock may still be {owner}'s, and then the machine packs nothing: {why}"
            ) from error

    def _self_test(self) -> None:
        answer = self._line.ask(_self_test)
        self._demand(answer, "the machine has tested itself")
        results = {test: str(result) for test, result in answer.data.items()}
        self._screen.facts(f"{self._options.device}: self test", results)
        failed = [test for test, result in results.items() if result == "failed"]
        if failed:
            raise Refused(f"failed: {', '.join(failed)}")

    def _demand(self, answer: ServiceEvent, done: str) -> None:
        """Say that it was done; raise Refused with the reason where it was not."""
        if answer.rc != "OK":
            holder = answer.data.get("owner")
            whose = f" (it is {holder}'s)" if answer.rc == "LOCKED" and holder else ""
            raise Refused(f"{answer.rc}: {answer.reason}{whose}")
        self._screen.line(done)

    # Frames

    def _follow(self, file: TextIO | None) -> None:
        """Show the frames, in watches that are renewed, so that the bridge stops soon after the console does."""
        begun_s = time.monotonic()
        end_s = float("inf") if self._options.follow_s is None else begun_s + self._options.follow_s
        again_s = begun_s
        try:
            while (now_s := time.monotonic()) < end_s:
                if now_s >= again_s:
                    self._watch = self._line.command(_watch)
                    again_s = now_s + WATCH_AGAIN_S
                self._show(self._line.next(min(end_s, again_s)), file)
        finally:
            self._screen.facts(f"{self._options.device}: rates", self._rates.facts(time.monotonic() - begun_s))

    def _show(self, heard: object, file: TextIO | None) -> None:
        if isinstance(heard, ServiceEvent) and heard.command == self._watch and heard.rc != "OK":
            raise Refused(f"{heard.rc}: {heard.reason}")
        if isinstance(heard, TraceReport):
            self._show_frames(heard, file)
        elif changed := self._machine.hear(heard):
            self._screen.line(f"* {changed}", "bold")

    def _show_frames(self, report: TraceReport, file: TextIO | None) -> None:
        if report.dropped > self._rates.dropped:
            self._note_loss(report.dropped - self._rates.dropped, file)
        self._rates.hear(report)
        for frame in report.frames:
            if file is not None:
                file.write(msgspec.json.encode(frame).decode() + "\n")
            self._screen.line(sentence(frame), _style(frame))
        if file is not None:
            file.flush()

    def _note_loss(self, lost: int, file: TextIO | None) -> None:
        self._screen.line(f"* {lost} frames could not be told", "bold red")
        if file is not None:
            file.write(json.dumps({"dropped": lost}) + "\n")


def _lock(
    mode: Literal["take", "release"], owner: str, command: str, fence: int, expires_at: datetime
) -> ServiceCommand:
    return LockCommand(command=command, fence=fence, expires_at=expires_at, mode=mode, owner=owner)


def _self_test(command: str, fence: int, expires_at: datetime) -> ServiceCommand:
    return SelfTestCommand(command=command, fence=fence, expires_at=expires_at, tests=frozenset())


def _watch(command: str, fence: int, expires_at: datetime) -> ServiceCommand:
    return WatchCommand(command=command, fence=fence, expires_at=expires_at, seconds=WATCH_S)


def _style(frame: TracedFrame) -> str:
    if frame.error:
        return "red"
    return {"EVT": "yellow", "REQ": "cyan", "HELLO": "cyan"}.get(frame.type, "")
