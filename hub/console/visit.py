"""What every part of the console works with: the options, the screen, the line to the machine and what was heard of it."""

from dataclasses import dataclass

from firmware_bridge.service_contract import ServiceEvent
from hub.console.line import ConsoleError, Line
from hub.console.machine import Machine
from hub.console.options import ConsoleOptions
from hub.console.screen import Screen


class Refused(ConsoleError):
    """The machine, its bridge or the hub did not do what was asked."""


@dataclass(frozen=True)
class Visit:
    """One run of the console."""

    options: ConsoleOptions
    screen: Screen
    line: Line
    machine: Machine

    def demand(self, answer: ServiceEvent, done: str = "") -> None:
        """Say that it was done; raise Refused with the reason where it was not."""
        if answer.rc != "OK":
            holder = answer.data.get("owner")
            whose = f" (it is {holder}'s)" if answer.rc == "LOCKED" and holder else ""
            raise Refused(f"{answer.rc}: {answer.reason}{whose}")
        if done:
            self.screen.line(done)

    def note(self, heard: object) -> None:
        """Take what was heard, and say what changed."""
        if changed := self.machine.hear(heard):
            self.screen.line(f"* {changed}", "bold")
