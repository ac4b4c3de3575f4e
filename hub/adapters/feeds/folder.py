"""A watched folder: whole files are taken in by name, then moved to `done/` or `refused/` with the reason beside them.

It is looked at every few seconds (network shares tell of no changes). A file counts once its size and time are the same in two
looks; `*.tmp`, `*.part` and names that begin with a dot are still being written. A file is moved only after the commit: after a
crash in between it is known by its content, has no second effect, and is moved then.
"""

import logging
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hub.adapters.feeds.held_sheets import write_durably
from hub.adapters.feeds.taking import Fate, Taken
from hub.adapters.intake.envelope import MAXIMUM_BYTES

FILES_A_ROUND = 50
LOOK_EVERY_S = 2.0
_UNFINISHED = (".tmp", ".part")
_Sign = tuple[int, int]
_log = logging.getLogger(__name__)



@dataclass(frozen=True, slots=True)
class FolderDoor:
    """What a folder needs of the hub: `take` a file, `refuse` one that is not even read, and tell whether the folder itself works."""

    take: Callable[[str, bytes], Taken]
    refuse: Callable[[str, str, str], None]
    works: Callable[[], None]
    fails: Callable[[str, str], None]


class WatchedFolder:
    """One source's folder; `work` is one look at it."""

    def __init__(self, folder: Path, door: FolderDoor) -> None:
        self._folder = folder
        self._door = door
        self._seen: dict[str, _Sign] = {}
        self._failed = False

    def work(self) -> bool:
        """Look once: take in what lies there unchanged since the last look; tell whether more may be ready at once."""
        try:
            ready = self._ready()
        except OSError as error:
            return self._fails(error)
        problems = [problem for name in ready[:FILES_A_ROUND] if (problem := self._taken_or_problem(name)) is not None]
        if problems:
            return self._fails(problems[0])
        if self._failed:
            self._door.works()
            self._failed = False
        return len(ready) > FILES_A_ROUND

    def _fails(self, error: OSError) -> bool:
        self._failed = True
        what, why = error.filename or self._folder, error.strerror or error
        self._door.fails(f"{what} cannot be used ({why})", f"{what} недоступно ({why})")
        return False

    def _taken_or_problem(self, name: str) -> OSError | None:
        """Take one file; one that cannot be opened or moved stops no other."""
        try:
            self._take(name)
        except FileNotFoundError:
            _log.info("%s is gone again", self._folder / name)
        except OSError as error:
            return error
        return None

    def _ready(self) -> list[str]:
        """Return the names of files that are whole, in order, and remember how the others look."""
        for place in ("done", "refused"):
            (self._folder / place).mkdir(parents=True, exist_ok=True)
        now = dict(sorted(self._files()))
        ready = [name for name, sign in now.items() if self._seen.get(name) == sign]
        self._seen = now
        return ready

    def _files(self) -> list[tuple[str, _Sign]]:
        with os.scandir(self._folder) as entries:
            found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries if _is_finished(entry.name)]
        return [(name, (state.st_size, state.st_mtime_ns)) for name, state in found if stat.S_ISREG(state.st_mode)]

    def _take(self, name: str) -> None:
        path = self._folder / name
        size = path.stat().st_size
        if size > MAXIMUM_BYTES:
            self._refuse_large(path, size)
            return
        taken = self._door.take(name, path.read_bytes())
        _log.info("%s: %s", path, taken.fate)
        if taken.fate is Fate.REFUSED:
            self._move_refused(path, f"{taken.english}\n{taken.russian}\n")
        else:
            self._move(path, "done", note="" if taken.fate is Fate.TAKEN else f"{taken.english}\n{taken.russian}\n")

    def _refuse_large(self, path: Path, size: int) -> None:
        english = f"{path.name}: the file has {size} bytes, more than the limit of {MAXIMUM_BYTES}: send it in parts or packed by gzip."
        russian = f"{path.name}: в файле {size} байт, больше предела {MAXIMUM_BYTES}: пришлите его частями или сжатым gzip."
        self._door.refuse(path.name, english, russian)
        self._move_refused(path, f"{english}\n{russian}\n")

    def _move_refused(self, path: Path, reason: str) -> None:
        self._move(path, "refused", note=reason)

    def _move(self, path: Path, place: str, note: str) -> None:
        """Move a file out of the way, its note first; a name that is taken there gets a number."""
        target = _free(self._folder / place, path.name)
        if note:
            write_durably(target.with_name(f"{target.name}.reason.txt"), note.encode())
        path.rename(target)
        self._seen.pop(path.name, None)


def _is_finished(name: str) -> bool:
    return not name.startswith(".") and not name.lower().endswith(_UNFINISHED)


def _free(folder: Path, name: str) -> Path:
    """Return a path in a folder that no file has; a note that was left there without its file is written over."""
    target, number = folder / name, 1
    while target.exists():
        number += 1
        target = folder / f"{name}.{number}"
    return target
