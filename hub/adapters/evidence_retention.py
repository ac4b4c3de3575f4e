"""Removes frames that are over their time, a few at once: first from the disk, then on record, so that no fact says more than is true."""

import logging

from hub.adapters.evidence import EvidenceFolder
from hub.adapters.writer import Writer
from hub.domain.evidence import EvidenceRules
from hub.services.evidence import frames_due, frames_removed

_log = logging.getLogger(__name__)


class EvidenceRetention:
    """Keeps to the rules of retention; a crash between disk and record finds the same frames again and tells of them then."""

    def __init__(self, writer: Writer, folder: EvidenceFolder, rules: EvidenceRules) -> None:
        self._writer = writer
        self._folder = folder
        self._rules = rules

    def work(self) -> bool:
        """Remove one batch; True where something was removed, so that there may be more."""
        due = self._writer.submit_read(lambda unit: frames_due(unit, self._rules)).result()
        gone = [frame for frame in due if self._folder.remove(frame.digest)]
        if len(gone) < len(due):
            _log.error("%d frames over their time cannot be removed from the disk", len(due) - len(gone))
        if gone:
            self._writer.submit("system", lambda unit: frames_removed(unit, gone, self._rules)).result()
        return bool(gone)
