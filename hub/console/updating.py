"""A firmware update conducted from the terminal: the rules of firmware_bridge.firmware_update, its steps shown as they come."""

import time
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import msgspec

from firmware_bridge.firmware_carrying import PAUSE_S, UNANSWERED, Ask, Boot, Found, Hear, Reached, Said, Send, Step
from firmware_bridge.firmware_image import Image
from firmware_bridge.firmware_update import Ended
from firmware_bridge.firmware_update import update as steps_of
from firmware_bridge.service_contract import FirmwareSlots, FirmwareStatusCommand, ServiceCommand, ServiceEvent
from hub.console.line import Unanswered
from hub.console.screen import Progress
from hub.console.visit import Refused, Visit


def update(visit: Visit, image: Image) -> None:
    """Bring the image into the machine and let it be kept; raise Refused with the reason where it is not."""
    with _Conductor(visit, image) as conductor:
        ended = conductor.run()
    if ended.rc != "OK":
        raise Refused(ended.words)
    visit.screen.line(ended.words)


class _Conductor:
    """Does each step of an update and says what came of it; the bar stands while pieces are carried."""

    def __init__(self, visit: Visit, image: Image) -> None:
        self._visit, self._image = visit, image
        self._shown = ExitStack()
        self._bar: Progress | None = None

    def __enter__(self) -> "_Conductor":
        return self

    def __exit__(self, *_: object) -> None:
        self._shown.close()

    def run(self) -> Ended:
        """Do one step after the other."""
        steps = steps_of(self._image, time.monotonic)
        came: Any = None
        while True:
            try:
                step = steps.send(came)
            except StopIteration as stop:
                ended: Ended = stop.value
                return ended
            came = self._do(step)

    def _do(self, step: Step) -> Any:
        visit = self._visit
        match step:
            case Ask():
                return self._ask(step)
            case Send(make):
                return visit.line.command(make)
            case Hear(commands, patience_s):
                return self._hear(commands, patience_s)
            case Boot():
                return None if visit.machine.description is None else visit.machine.description.boot
            case _:
                return self._show(step)

    def _ask(self, step: Ask) -> ServiceEvent:
        try:
            return self._visit.line.ask(step.make)
        except Unanswered as error:
            return ServiceEvent(command="", rc=UNANSWERED, reason=str(error), data={})

    def _hear(self, commands: frozenset[str], patience_s: float) -> ServiceEvent | None:
        """Return the next answer to one of the commands, or None when the time is over; say what else was heard."""
        until_s = time.monotonic() + patience_s
        while (heard := self._visit.line.next(until_s)) is not None:
            if isinstance(heard, ServiceEvent) and heard.command in commands:
                return heard
            self._visit.note(heard)
        return None

    def _show(self, step: Step) -> None:
        screen = self._visit.screen
        match step:
            case Reached(carried, whole):
                self._reach(carried, whole)
            case Said(words, is_trouble):
                screen.line(f"* {words}" if is_trouble else words, "bold" if is_trouble else "")
            case Found(results):
                screen.facts(f"{self._visit.options.device}: self test", results)
            case FirmwareSlots():
                show_slots(self._visit, step)
            case _:
                self._hear(frozenset(), PAUSE_S)

    def _reach(self, carried: int, whole: int) -> None:
        if self._bar is None:
            self._bar = self._shown.enter_context(self._visit.screen.progress(f"firmware {self._image.version}", whole))
        self._bar.reach(carried)
        if carried == whole:
            self._shown.close()


def firmware_slots(visit: Visit) -> FirmwareSlots:
    """Return what lies in both slots; raise Refused."""
    answer = visit.line.ask(_status)
    visit.demand(answer)
    return msgspec.convert(answer.data, FirmwareSlots)


def show_slots(visit: Visit, slots: FirmwareSlots) -> None:
    """Show both slots, which one runs and which one is kept."""
    versions = {"A": slots.version_a, "B": slots.version_b}
    facts = {f"slot {slot}": _slot_words(slots, slot, version) for slot, version in versions.items()}
    is_back = bool(slots.failed_boots) and slots.active == slots.confirmed
    facts["failed boots"] = f"{slots.failed_boots}, rolled back" if is_back else str(slots.failed_boots)
    if slots.safe_mode:
        facts["safe mode"] = "neither slot holds a sound image"
    if slots.offset:
        facts["carried"] = f"{slots.offset} bytes of an image"
    visit.screen.facts(f"{visit.options.device}: firmware", facts)


def _slot_words(slots: FirmwareSlots, slot: str, version: str) -> str:
    marks = [
        word for word, holder in (("runs", slots.active), ("confirmed", slots.confirmed)) if holder == slot and version
    ]
    return ", ".join([version or "no sound image", *marks])


def _status(command: str, fence: int, expires_at: datetime) -> ServiceCommand:
    return FirmwareStatusCommand(command=command, fence=fence, expires_at=expires_at)
