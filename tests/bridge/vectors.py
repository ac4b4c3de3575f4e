"""Reads the literal wire vectors for the tests of this folder."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "vectors"
FRAMES: list[dict[str, Any]] = json.loads((FOLDER / "frames.json").read_text())
DIGESTS: dict[str, Any] = json.loads((FOLDER / "digests.json").read_text())
SOUND = [frame for frame in FRAMES if "error" not in frame]
DAMAGED = [frame for frame in FRAMES if "error" in frame]


def named(name: str) -> dict[str, Any]:
    """Return the vector of that name."""
    return next(frame for frame in FRAMES if frame["name"] == name)


def payload_of(name: str) -> bytes:
    """Return the payload bytes of that vector."""
    return bytes.fromhex(named(name)["fields"]["payload"])
