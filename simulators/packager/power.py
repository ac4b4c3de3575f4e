"""The mains of the machine: a cut that is ordered for a moment of the journal, and what is switched off and on by it."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulators.control import ControlRefusal
from simulators.packager.firmware import Cause, Firmware
from simulators.packager.journal import Entry, Journal
from simulators.packager.recorder import Recorder


@dataclass(frozen=True)
class Cut:
    """A power loss at the `at`-th append from its order on; `torn` bytes of that append are kept, all where it is None.

    The device stays dark for `dark_s` real seconds, or until somebody switches it on (None).
    """

    at: int
    torn: int | None
    dark_s: float | None


class PowerLost(Exception):
    """The power is gone in the middle of whatever was being done; `cause` is what the device will say of it."""

    def __init__(self, dark_s: float | None, cause: Cause) -> None:
        super().__init__("the power is lost")
        self.dark_s = dark_s
        self.cause = cause


class Fuse:
    """Passes appends on to the journal and blows at the one that was ordered. Raises PowerLost then."""

    def __init__(self, journal: Journal, path: Path) -> None:
        self._journal = journal
        self._path = path
        self.cut: Cut | None = None
        self.left = 0

    def order(self, cut: Cut | None) -> None:
        """Blow at a later append, or (None) no more."""
        self.cut, self.left = cut, 0 if cut is None else cut.at

    def append(self, entries: Sequence[Entry]) -> None:
        """Make `entries` durable, unless the power is lost before or while that is done."""
        cut, begun = self.cut, self._journal.size
        self._journal.append(entries)
        if cut is None:
            return
        self.left -= 1
        if self.left == 0:
            self.order(None)
            raise PowerLost(cut.dark_s, self._tear(cut.torn, begun))

    def _tear(self, torn: int | None, begun: int) -> Cause:
        if torn is None or torn >= self._journal.size - begun:
            return Cause.POWER_ON
        os.truncate(self._path, begun + torn)
        return Cause.BROWN_OUT if torn else Cause.POWER_ON


class Device:
    """Firmware and mechanics behind one switch; `build` boots them from what is durable. It is dark at first."""

    def __init__(self, build: Callable[[Cause], tuple[Firmware, Recorder]], fuse: Fuse) -> None:
        self.fuse = fuse
        self._build = build
        self._inside: tuple[Firmware, Recorder] | None = None
        self._next_cause = Cause.POWER_ON

    @property
    def powered(self) -> bool:
        """Tell that the device runs."""
        return self._inside is not None

    @property
    def firmware(self) -> Firmware:
        """Give the firmware of this boot; raises ControlRefusal 409 in the dark."""
        return self._lit()[0]

    @property
    def recorder(self) -> Recorder:
        """Give the recorder of this boot; raises ControlRefusal 409 in the dark."""
        return self._lit()[1]

    def switch_on(self) -> None:
        """Boot; raises PowerLost where a cut was ordered for the boot itself."""
        cause, self._next_cause = self._next_cause, Cause.POWER_ON
        self._inside = self._build(cause)

    def switch_off(self, cause: Cause) -> None:
        """Forget all that is not durable; `cause` is what the next boot says."""
        self._inside, self._next_cause = None, cause

    def _lit(self) -> tuple[Firmware, Recorder]:
        if self._inside is None:
            raise ControlRefusal(409, "the power is off")
        return self._inside
