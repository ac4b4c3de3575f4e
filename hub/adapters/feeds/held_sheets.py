"""Sheets that wait for a pharmacist: the bytes in a folder, by their SHA-256; the question itself is an incident in the store.

The bytes are durable before the question is asked. Bytes without a question are of no effect.
"""

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

MOST_HELD = 100
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class HeldSheet:
    """A sheet that was not taken in."""

    source: str
    name: str
    data: bytes


class TooManyHeld(RuntimeError):
    """More sheets wait for a pharmacist than are kept."""

    english = f"{MOST_HELD} sheets wait for a pharmacist already: decide about them on the page Intake, and send this one again."
    russian = f"Решения провизора уже ждут {MOST_HELD} листов: разберите их на странице «Приём» и пришлите этот снова."


class HeldSheets:
    """A folder of held sheets."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, source: str, name: str, data: bytes) -> str:
        """Keep a sheet and return its SHA-256; the same one again changes nothing. Raises TooManyHeld."""
        digest = hashlib.sha256(data).hexdigest()
        self._folder.mkdir(parents=True, exist_ok=True)
        if not (self._folder / f"{digest}.json").exists():
            if sum(1 for _ in self._folder.glob("*.json")) >= MOST_HELD:
                raise TooManyHeld
            write_durably(self._folder / f"{digest}.bin", data)
            write_durably(self._folder / f"{digest}.json", json.dumps({"source": source, "name": name}).encode())
        return digest

    def get(self, digest: str) -> HeldSheet | None:
        """Return a held sheet, None where there is none of that digest or its bytes are not those any more."""
        if not _DIGEST.fullmatch(digest):
            return None
        try:
            told = json.loads((self._folder / f"{digest}.json").read_bytes())
            data = (self._folder / f"{digest}.bin").read_bytes()
        except FileNotFoundError:
            return None
        return HeldSheet(told["source"], told["name"], data) if hashlib.sha256(data).hexdigest() == digest else None

    def forget(self, digest: str) -> None:
        """Remove a sheet about which somebody has decided."""
        if _DIGEST.fullmatch(digest):
            for end in ("json", "bin"):
                (self._folder / f"{digest}.{end}").unlink(missing_ok=True)


def write_durably(path: Path, data: bytes) -> None:
    """Write a file so that after a power cut it is there as a whole or not at all."""
    partly = path.with_name(f"{path.name}.part")
    with partly.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partly.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
