"""`dosehub console`: look at one machine; with a name, hold its service lock for as long as the work takes.

Read-only until a name takes the lock. The lock is given back however the console ends, also on Ctrl-C and when the terminal is
closed; where that cannot be done it says so, for a machine that stays locked packs nothing.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

from firmware_bridge.firmware_image import Image, ImageRefused, read_image
from hub.console.bundle import Bundle
from hub.console.following import Following
from hub.console.jogging import jog
from hub.console.journal import show_journal
from hub.console.line import RETAINED_PATIENCE_S, ConsoleError, Line, parse_broker
from hub.console.lock import lock_held, release, self_test
from hub.console.machine import Machine, counter_facts, identity, state_facts
from hub.console.options import ConsoleOptions, mistake
from hub.console.screen import Screen
from hub.console.trace_file import open_trace
from hub.console.updating import firmware_slots, show_slots, update
from hub.console.visit import Refused, Visit

DONE, REFUSED, WRONG_USE = 0, 1, 2

__all__ = ["ConsoleOptions", "run_console"]


def run_console(options: ConsoleOptions) -> int:
    """Run until all is done; return 0, 1 where the machine refused or could not be reached, 2 for options that cannot be used."""
    screen = Screen()
    wrong = mistake(options)
    if wrong:
        screen.error(wrong)
        return WRONG_USE
    try:
        with _signals_as_interrupts():
            _run(options, screen)
    except KeyboardInterrupt:
        return DONE
    except ConsoleError as error:
        screen.error(str(error))
        return REFUSED
    except OSError as error:
        screen.error(f"{error.filename or 'the output'} cannot be used: {error.strerror or error}")
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


def _run(options: ConsoleOptions, screen: Screen) -> None:
    """Show the machine, do what was asked, follow it."""
    parse_broker(options.broker)
    image = _image(options)
    visit = Visit(options, screen, Line(options.broker, options.site, options.device, options.fence), Machine())
    with ExitStack() as ending:
        following = _following(visit, ending)
        visit.line.open()
        ending.callback(visit.line.close)
        ending.callback(following.catch_up)
        _look(visit)
        if options.follows:
            # Before the lock is taken, so that this is among the frames.
            following.begin()
        if options.releases:
            release(visit)
        elif options.owner:
            ending.enter_context(lock_held(visit))
        _act(visit, image)
        if options.follows:
            following.run()


def _following(visit: Visit, ending: ExitStack) -> Following:
    """Return the watch with its new files, which are there before anything is asked of the machine."""
    options = visit.options
    file = None if options.trace_to is None else ending.enter_context(open_trace(options.trace_to, options.device))
    bundle = None
    if options.bundle is not None:
        bundle = ending.enter_context(Bundle(options.bundle, options.device, visit.machine))
    return Following(visit, file, bundle)


def _image(options: ConsoleOptions) -> Image | None:
    """Return the image to update with, read before anything is asked of the machine; raise Refused."""
    if options.update is None:
        return None
    try:
        return read_image(options.update)
    except ImageRefused as error:
        raise Refused(f"{options.update} is not sent: {error}") from error


def _look(visit: Visit) -> None:
    """Show what the broker keeps of the machine."""
    machine, device, screen = visit.machine, visit.options.device, visit.screen
    until_s = time.monotonic() + RETAINED_PATIENCE_S
    while not machine.is_whole and (heard := visit.line.next(until_s)) is not None:
        machine.hear(heard)
    if machine.state is None:
        raise Refused(f"no bridge has told of {device} at site {visit.options.site} (or this user may not read it)")
    if machine.description is not None:
        screen.facts(f"{device}: identity", identity(machine.description, machine.self_test))
    screen.facts(f"{device}: state", state_facts(machine.state, machine.status))
    if machine.status is not None:
        screen.facts(f"{device}: counters", counter_facts(machine.status))


def _act(visit: Visit, image: Image | None) -> None:
    """Do what was asked beside looking, one thing after the other."""
    options = visit.options
    if options.resolve is not None:
        from hub.console.resolving import resolve

        resolve(visit)
    if options.journal or options.jobs:
        show_journal(visit)
    if options.firmware:
        show_slots(visit, firmware_slots(visit))
    if options.tests:
        self_test(visit)
    if options.jog:
        jog(visit)
    if image is not None:
        update(visit, image)
