"""Evidence of the camera: frames by their content, on the disk before the ledger entry that names them."""

import errno
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hub.domain.words import Words

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII).fullmatch
_FULL = Words("the disk is full", "диск заполнен")
_TROUBLE = {errno.ENOSPC: _FULL, errno.EDQUOT: _FULL, errno.EROFS: Words("the disk can only be read", "диск доступен только для чтения")}


@dataclass(frozen=True, slots=True)
class Kept:
    """The digests of the frames that are on the disk, in their order, and why the others are not (None where all are)."""

    digests: tuple[str, ...] = ()
    trouble: Words | None = None


class EvidenceFolder:
    """Frames by their SHA-256; a file name holds nothing else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for half in folder.glob("*.part"):
            half.unlink(missing_ok=True)

    def keep(self, frame: bytes) -> str:
        """Put a frame on the disk for good and return its digest; raise OSError where the disk does not take it."""
        digest = self._put(frame)
        self._flush_names()
        return digest

    def keep_all(self, frames: Iterable[bytes]) -> Kept:
        """Put the frames of a pouch on the disk for good, each once; what the disk does not take is told, never raised."""
        digests: dict[str, None] = {}
        trouble: Words | None = None
        try:
            for frame in frames:
                digests[self._put(frame)] = None
        except OSError as error:
            trouble = _trouble(error)
        try:
            self._flush_names()
        except OSError as error:
            return Kept((), _trouble(error))
        return Kept(tuple(digests), trouble)

    def read(self, digest: str) -> bytes | None:
        """Return a frame, or None where there is none of that digest, or only a file that is not what its name says."""
        frame = self._content(digest)
        return frame if frame is not None and hashlib.sha256(frame).hexdigest() == digest else None

    def is_damaged(self, digest: str) -> bool:
        """Tell whether there is a file of that digest with another content, or one that cannot be read."""
        return _DIGEST(digest) is not None and self._path(digest).exists() and self.read(digest) is None

    def remove(self, digest: str) -> bool:
        """Remove a frame; False where it is still there. A frame that is gone already counts as removed."""
        if not _DIGEST(digest):
            return False
        try:
            self._path(digest).unlink(missing_ok=True)
        except OSError:
            return False
        return True

    def older_than(self, before: datetime) -> Iterator[str]:
        """Name the files that were last kept before a time, in no order; what is gone meanwhile is left out."""
        with os.scandir(self._folder) as files:
            for file in files:
                digest = file.name.removesuffix(".jpg")
                try:
                    if file.name.endswith(".jpg") and _DIGEST(digest) and file.stat().st_mtime < before.timestamp():
                        yield digest
                except OSError:
                    continue

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.jpg"

    def _content(self, digest: str) -> bytes | None:
        try:
            return self._path(digest).read_bytes() if _DIGEST(digest) else None
        except OSError:
            return None

    def _put(self, frame: bytes) -> str:
        digest = hashlib.sha256(frame).hexdigest()
        if self.read(digest) is None:
            self._write(self._path(digest), frame)
        else:
            # Kept anew: whoever removes old files without a record must not take it before its record is written.
            os.utime(self._path(digest))
        return digest

    def _write(self, path: Path, frame: bytes) -> None:
        """Write beside and rename: a crash or a full disk leaves no half of a frame under its name."""
        partial = path.with_suffix(".part")
        try:
            with partial.open("wb") as file:
                file.write(frame)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError:
            partial.unlink(missing_ok=True)
            raise

    def _flush_names(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _trouble(error: OSError) -> Words:
    """Return what a disk says in words that a person can act on."""
    number = error.errno or 0
    return _TROUBLE.get(number, Words(f"the disk answers with error {number}", f"диск отвечает ошибкой {number}"))
