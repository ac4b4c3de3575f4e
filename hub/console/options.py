"""What the console was asked for, and whether it fits together; pure."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

BUNDLE_FOLLOW_S = 5.0
JOG_LONGEST_S = 30.0
NAME = re.compile(r"[a-z0-9-]{1,64}")
OWNER = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,30}[\x21-\x7e])?")
JOB = re.compile(r"[0-9a-f]{32}")
JOG = re.compile(r"(film|gate|tray):(back|forward)")

Motor = Literal["film", "gate", "tray"]
Direction = Literal["back", "forward"]


@dataclass(frozen=True)
class ConsoleOptions:
    """What was asked for; `follow_s` None means until Ctrl-C, an empty `owner` means to look only."""

    device: str
    broker: str
    site: str
    follow_s: float | None = None
    trace_to: Path | None = None
    owner: str = ""
    keeps_lock: bool = False
    releases: bool = False
    tests: bool = False
    fence: int = 1
    jog: str = ""
    jog_s: float | None = None
    firmware: bool = False
    journal: bool = False
    jobs: tuple[str, ...] = ()
    resolve: int | None = None
    reason: str = ""
    hub: str = ""
    update: Path | None = None
    bundle: Path | None = None

    @property
    def needs_lock(self) -> bool:
        """Tell whether something was asked for that only the holder of the service lock may do."""
        return bool(self.keeps_lock or self.releases or self.tests or self.jog or self.update is not None)

    @property
    def follows(self) -> bool:
        """Tell whether frames are shown: asked for, or nothing else was."""
        acts = self.needs_lock or self.firmware or self.journal or bool(self.jobs) or self.resolve is not None
        wanted = self.follow_s is not None or self.trace_to is not None or self.bundle is not None
        return self.follow_s != 0 and (wanted or not acts)

    @property
    def followed_s(self) -> float | None:
        """Return for how long frames are shown; a bundle alone does not wait for Ctrl-C."""
        return BUNDLE_FOLLOW_S if self.follow_s is None and self.bundle is not None else self.follow_s

    @property
    def motor(self) -> tuple[Motor, Direction]:
        """Return what is to be jogged, and where to."""
        motor, _, direction = self.jog.partition(":")
        return cast(Motor, motor), cast(Direction, direction)


def mistake(options: ConsoleOptions) -> str:
    """Return what is wrong with the options, or an empty text."""
    return _wrong_name(options) or _wrong_acts(options) or _wrong_jog(options) or _wrong_resolve(options)


def _wrong_name(options: ConsoleOptions) -> str:
    if not NAME.fullmatch(options.device) or not NAME.fullmatch(options.site):
        return "device and site are lower-case letters, digits and -"
    if options.owner and not OWNER.fullmatch(options.owner):
        return "--control takes a name of 1 to 32 printable ASCII characters"
    if not all(JOB.fullmatch(job) for job in options.jobs):
        return "--job takes the 32 hex digits of a job"
    return ""


def _wrong_acts(options: ConsoleOptions) -> str:
    if not options.owner and options.needs_lock:
        return "--lock, --release, --self-test, --jog and --update need your name: --control NAME"
    if options.releases and (options.keeps_lock or options.tests or options.jog or options.update is not None):
        return "--release gives the lock back and does nothing else"
    if options.trace_to is not None and options.follow_s == 0:
        return "--trace-to has nothing to write with --follow 0"
    return ""


def _wrong_jog(options: ConsoleOptions) -> str:
    if bool(options.jog) != (options.jog_s is not None):
        return "--jog MOTOR:DIRECTION and --seconds belong together"
    if options.jog and not JOG.fullmatch(options.jog):
        return "--jog takes film, gate or tray, a colon, and back or forward"
    if options.jog_s is not None and not 0 < options.jog_s <= JOG_LONGEST_S:
        return f"--seconds is more than 0 and at most {JOG_LONGEST_S:.0f}: hold the handle again for longer"
    return ""


def _wrong_resolve(options: ConsoleOptions) -> str:
    if options.resolve is None:
        return "--reason and --hub belong to --resolve" if options.reason or options.hub else ""
    if options.owner:
        return "--resolve is a decision about tablets and no service: it goes without --control"
    if not options.hub:
        return "a doubt is answered in the hub, which books the tablets: --hub URL, or the page /line there"
    if not options.reason.strip():
        return "--resolve needs --reason: how it was counted and what was seen"
    if not 0 <= options.resolve <= 255:
        return "--resolve takes how many tablets were found to have fallen, 0 to 255"
    return ""
