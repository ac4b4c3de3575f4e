"""What may be on a disk after a power cut, for a recorded run cut at any of its events.

Both kinds of disk keep of a file all that came before its last sync that ended; of later writes any subset is there, each as a whole
or torn at its 512-byte sectors, and of later changes of size any. They differ in names:

- STRICT: a name made, changed or removed is durable only after a sync of the folder; of later ones any subset is there.
- ORDERED: as ext4's journal does, names change on the disk in the order in which they were changed, and any sync that ended makes
  all earlier changes of names durable.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from tests.disk.recording import Created, Event, FolderSynced, Marked, Naming, Removed, Renamed, Resized, Synced, Wrote

SECTOR_BYTES = 512
TORN_SHARE = 0.3
MAPPED = "-shm"
_ANYTHING = random.Random(1).randbytes(2 * 32_768)
_SHARES_KEPT = (0.0, 0.1, 0.5, 0.9, 1.0)

Files = dict[str, bytearray]


class Kind(Enum):
    """How a disk treats names."""

    STRICT = "strict"
    ORDERED = "ordered"


@dataclass
class _File:
    """A file's bytes as its last sync left them, and what came after."""

    durable: bytearray = field(default_factory=bytearray)
    later: list[Wrote | Resized] = field(default_factory=list)

    def sync(self) -> None:
        for change in self.later:
            _apply(self.durable, change)
        self.later.clear()


class Disk:
    """A disk that follows the events of a run and can be cut after any of them."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._files: dict[int, _File] = {}
        self._names: dict[str, int] = {}
        self._later: list[Naming] = []

    def follow(self, event: Event) -> None:
        """Take the next event of the run."""
        match event:
            case Wrote() | Resized():
                self._files[event.file].later.append(event)
            case Synced():
                self._files[event.file].sync()
                if self._kind is Kind.ORDERED:
                    self._sync_names()
            case FolderSynced():
                self._sync_names()
            case Created():
                self._files[event.file] = _File()
                self._later.append(event)
            case Removed() | Renamed():
                self._later.append(event)
            case Marked():
                pass

    def cut(self, chooser: random.Random) -> Files:
        """Return the files of one disk that may be found after a power cut now."""
        names = dict(self._names)
        for naming in self._surviving_names(chooser):
            _name(names, naming)
        share = chooser.choice(_SHARES_KEPT)
        return {name: _found(name, self._files[file], share, chooser) for name, file in names.items()}

    def whole(self) -> Files:
        """Return the files as the running program sees them."""
        names = dict(self._names)
        for naming in self._later:
            _name(names, naming)
        return {name: _whole(self._files[file]) for name, file in names.items()}

    def _sync_names(self) -> None:
        for naming in self._later:
            _name(self._names, naming)
        self._later.clear()

    def _surviving_names(self, chooser: random.Random) -> Sequence[Naming]:
        if self._kind is Kind.ORDERED:
            return self._later[: chooser.randint(0, len(self._later))]
        return [naming for naming in self._later if chooser.random() < 0.5]


def _name(names: dict[str, int], naming: Naming) -> None:
    match naming:
        case Created():
            names[naming.name] = naming.file
        case Removed():
            names.pop(naming.name, None)
        case Renamed():
            # The file whose making was lost with the power has no name that could be changed.
            if naming.before in names:
                names[naming.after] = names.pop(naming.before)


def _whole(file: _File) -> bytearray:
    content = bytearray(file.durable)
    for change in file.later:
        _apply(content, change)
    return content


def _found(name: str, file: _File, share: float, chooser: random.Random) -> bytearray:
    """Return what is in a file; in one that the program maps into its memory and never syncs, that is anything."""
    if name.endswith(MAPPED):
        start = chooser.randrange(len(_ANYTHING) // 2)
        return bytearray(_ANYTHING[start : start + len(_ANYTHING) // 2])
    return _survived(file, share, chooser)


def _survived(file: _File, share: float, chooser: random.Random) -> bytearray:
    content = bytearray(file.durable)
    for change in file.later:
        if isinstance(change, Wrote) and chooser.random() < TORN_SHARE:
            for sector in _sectors(change):
                if chooser.random() < 0.5:
                    _apply(content, sector)
        elif chooser.random() < share:
            _apply(content, change)
    return content


def _sectors(written: Wrote) -> Iterator[Wrote]:
    """Cut a write where the disk's sectors end."""
    start, end = written.offset, written.offset + len(written.content)
    while start < end:
        stop = min(end, (start // SECTOR_BYTES + 1) * SECTOR_BYTES)
        yield Wrote(written.file, start, written.content[start - written.offset : stop - written.offset])
        start = stop


def _apply(content: bytearray, change: Wrote | Resized) -> None:
    """Write into a file's bytes; a hole reads as zeros."""
    size = change.size if isinstance(change, Resized) else change.offset
    if len(content) < size:
        content.extend(bytes(size - len(content)))
    if isinstance(change, Resized):
        del content[change.size :]
    else:
        content[change.offset : change.offset + len(change.content)] = change.content
