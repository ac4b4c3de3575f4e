"""The frames of a machine as they cross its wire, in watches that are renewed, so that the bridge stops soon after the console does."""

import time
from contextlib import suppress
from datetime import datetime

from firmware_bridge.service_contract import ServiceCommand, ServiceEvent, WatchCommand
from firmware_bridge.trace_contract import TracedFrame, TraceReport
from hub.console.bundle import Bundle
from hub.console.line import ConsoleError
from hub.console.machine import Rates, sentence
from hub.console.trace_file import TraceFile
from hub.console.visit import Refused, Visit

WATCH_S = 10
WATCH_AGAIN_S = 4.0
TOLD_WITHIN_S = 0.5


class Following:
    """One watch: on the screen, and into a file and a bundle where these are wanted."""

    def __init__(self, visit: Visit, file: TraceFile | None, bundle: Bundle | None) -> None:
        self._visit, self._file, self._bundle = visit, file, bundle
        self._rates = Rates()
        self._watch = ""

    def begin(self) -> None:
        """Have the frames told from now on; what comes meanwhile is shown by `run`."""
        self._watch = self._visit.line.command(_watch)

    def run(self) -> None:
        """Show the frames for as long as was asked; raise Refused where the bridge does not tell them."""
        begun_s = again_s = time.monotonic()
        wanted_s = self._visit.options.followed_s
        end_s = float("inf") if wanted_s is None else begun_s + wanted_s
        try:
            while (now_s := time.monotonic()) < end_s:
                if now_s >= again_s:
                    self.begin()
                    again_s = now_s + WATCH_AGAIN_S
                self._show(self._visit.line.next(min(end_s, again_s)))
        finally:
            self._visit.screen.facts(
                f"{self._visit.options.device}: rates", self._rates.facts(time.monotonic() - begun_s)
            )

    def catch_up(self) -> None:
        """Take in what was not shown, and what the bridge tells a moment later, for file and bundle."""
        if self._file is None and self._bundle is None:
            return
        until_s = time.monotonic() + TOLD_WITHIN_S
        # What stopped the console has been said by now.
        with suppress(ConsoleError):
            while (heard := self._visit.line.next(until_s)) is not None:
                if isinstance(heard, TraceReport):
                    self._write(heard)
                else:
                    self._visit.machine.hear(heard)

    def _show(self, heard: object) -> None:
        if isinstance(heard, ServiceEvent) and heard.command == self._watch and heard.rc != "OK":
            raise Refused(f"{heard.rc}: {heard.reason}")
        if isinstance(heard, TraceReport):
            self._show_frames(heard)
        else:
            self._visit.note(heard)

    def _show_frames(self, report: TraceReport) -> None:
        if lost := self._write(report):
            self._visit.screen.line(f"* {lost} frames could not be told", "bold red")
        for frame in report.frames:
            self._visit.screen.line(sentence(frame), _style(frame))

    def _write(self, report: TraceReport) -> int:
        """Count the frames of a message and write them down; return how many were lost before them."""
        lost = max(0, report.dropped - self._rates.dropped)
        self._rates.hear(report)
        if self._file is not None:
            self._file.write(report, lost)
        if self._bundle is not None:
            self._bundle.hear(report.frames, lost)
        return lost


def _watch(command: str, fence: int, expires_at: datetime) -> ServiceCommand:
    return WatchCommand(command=command, fence=fence, expires_at=expires_at, seconds=WATCH_S)


def _style(frame: TracedFrame) -> str:
    if frame.error:
        return "red"
    return {"EVT": "yellow", "REQ": "cyan", "HELLO": "cyan"}.get(frame.type, "")
