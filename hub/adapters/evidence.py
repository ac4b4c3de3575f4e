"""Evidence of the camera: frames by their content, beside the ledger entries that name them."""

import hashlib
from pathlib import Path


class EvidenceFolder:
    """Frames by their SHA-256; a file name holds nothing else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, frame: bytes) -> str:
        """Keep a frame and return its digest."""
        digest = hashlib.sha256(frame).hexdigest()
        path = self._folder / f"{digest}.jpg"
        if not path.exists():
            partial = path.with_suffix(".part")
            partial.write_bytes(frame)
            partial.rename(path)
        return digest

    def read(self, digest: str) -> bytes | None:
        """Return a frame, or None where there is none of that digest."""
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            return None
        path = self._folder / f"{digest}.jpg"
        return path.read_bytes() if path.exists() else None
