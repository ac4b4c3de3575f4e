"""Pictures on the disk that no record names: kept before a crash, or of a reference that is over its time. They are removed after a day."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from hub.adapters.evidence import EvidenceFolder
from hub.adapters.writer import Writer
from hub.services.evidence import STRAY_DAYS, strays_removed
from hub.services.ports import UnitOfWork

LOOKED_AT_ONCE = 200
Named = Callable[[UnitOfWork, Sequence[str]], frozenset[str]]


class StrayFiles:
    """Goes through a folder again and again, a few files a turn; `named` tells which digests a record names, `now` the time on the wall."""

    def __init__(self, writer: Writer, folder: EvidenceFolder, named: Named, now: Callable[[], datetime]) -> None:
        self._writer = writer
        self._folder = folder
        self._named = named
        self._now = now
        self._listed: Iterator[str] = iter(())

    def work(self) -> bool:
        """Look at the next files and remove those that nothing names; True where something was removed."""
        digests = list(islice(self._listed, LOOKED_AT_ONCE))
        if not digests:
            self._listed = self._folder.older_than(self._now() - timedelta(days=STRAY_DAYS))
            digests = list(islice(self._listed, LOOKED_AT_ONCE))
        if not digests:
            return False
        named = self._writer.submit_read(lambda unit: self._named(unit, digests)).result()
        gone = [digest for digest in digests if digest not in named and self._folder.remove(digest)]
        if gone:
            self._writer.submit("system", lambda unit: strays_removed(unit, gone)).result()
        return bool(gone)
