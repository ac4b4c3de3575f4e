"""Removes frames that are over their time, a few at once: first from the disk, then on record, so that no fact says more than is true."""

import logging
from collections.abc import Callable
from datetime import datetime

from hub.adapters.clock import wall_clock
from hub.adapters.evidence import EvidenceFolder
from hub.adapters.stray_files import StrayFiles
from hub.adapters.writer import Writer
from hub.domain.evidence import EvidenceRules
from hub.services.evidence import frames_due, frames_named, frames_removed
from hub.services.known_bad import left_behind, withdraw_left_behind
from hub.services.references import let_old_pictures_go, looks_over

_log = logging.getLogger(__name__)


class EvidenceRetention:
    """Keeps to the rules of retention; a crash between disk and record finds the same frames again and tells of them then.

    Known-bad pouches are timed by the clock on the wall (`wall`); the rest goes by the hub's own.
    """

    def __init__(self, writer: Writer, folder: EvidenceFolder, rules: EvidenceRules, wall: Callable[[], datetime] = wall_clock) -> None:
        self._writer = writer
        self._folder = folder
        self._rules = rules
        self._wall = wall
        self._strays = StrayFiles(writer, folder, frames_named, wall)

    def work(self) -> bool:
        """Remove one batch; True where something was removed, so that there may be more."""
        self._let_go()
        return self._remove_due() or self._strays.work()

    def _let_go(self) -> None:
        """Take back what holds frames or pictures although nobody comes back to it, or its days are over."""
        at, days = self._wall(), self._rules.doubt_days
        if self._writer.submit_read(lambda unit: bool(left_behind(unit, at) or looks_over(unit, days))).result():
            self._writer.submit("system", lambda unit: (withdraw_left_behind(unit, at), let_old_pictures_go(unit, days))).result()

    def _remove_due(self) -> bool:
        due = self._writer.submit_read(lambda unit: frames_due(unit, self._rules)).result()
        gone = [frame for frame in due if self._folder.remove(frame.digest)]
        if len(gone) < len(due):
            _log.error("%d frames over their time cannot be removed from the disk", len(due) - len(gone))
        if gone:
            self._writer.submit("system", lambda unit: frames_removed(unit, gone, self._rules)).result()
        return bool(gone)
