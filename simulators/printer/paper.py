"""The paper: rows under the head, labels cut off into the tray, each kept as a PNG file."""

import base64
import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from simulators.printer.condition import Condition
from simulators.printer.parser import RasterImage

HEAD_DOTS = 832
"""A four-inch head at 203 dpi; what is wider falls off the edge."""
LABEL_ROWS_LIMIT = 8192


@dataclass(frozen=True)
class Label:
    """One label in the tray."""

    name: str
    file: Path
    contrast: float = 1.0

    def record(self) -> dict[str, Any]:
        """Give what somebody sees who takes it: the dots as they were printed, and how dark where that is not black."""
        with Image.open(self.file) as picture:
            ink = picture.convert("L").point(lambda value: 255 if value < 255 else 0).convert("1", dither=Image.Dither.NONE)
        raster = base64.b64encode(ink.tobytes()).decode()
        seen = {"label": self.name, "file": str(self.file), "width": ink.width, "height": ink.height, "raster": raster}
        return seen if self.contrast == 1.0 else seen | {"print": {"contrast": self.contrast}}


class Paper:
    """What has been printed since the last cut, by a head in some `condition`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._count = max((int(file.stem.removeprefix("label-")) for file in folder.glob("label-*.png")), default=0)
        self._rows: list[bytes] = []
        self._width = 0
        self._last_inked = self._left = 0
        self.condition = Condition()

    @property
    def next_number(self) -> int:
        """Give the number that the next label will have; numbers go on where an older run ended."""
        return self._count + 1

    @property
    def rows(self) -> int:
        """Count the rows since the last cut."""
        return len(self._rows)

    def print_row(self, image: RasterImage, row: int) -> None:
        """Print one row of an image, `down` times; rows past the limit of one label are lost."""
        bits = image.bits[row * image.row_bytes:(row + 1) * image.row_bytes]
        if image.across == 2:
            bits = bytes(half for value in bits for half in _doubled(value))
        for _ in range(image.down):
            if len(self._rows) < LABEL_ROWS_LIMIT:
                self._rows.append(bits[: HEAD_DOTS // 8])
        self._width = max(self._width, min(len(bits), HEAD_DOTS // 8) * 8)
        self._last_inked = len(self._rows)

    def feed(self, dots: int) -> None:
        """Leave rows white between two images; before the first one it only moves the paper."""
        if self._rows:
            self._rows += [b""] * min(dots, LABEL_ROWS_LIMIT - len(self._rows))

    def leave(self) -> None:
        """Let what was printed hang under the head: it is no label, and what comes next is printed below it unless it is cut off."""
        self._left = len(self._rows)

    def tear(self) -> None:
        """Take away what hangs under the head; it is no label."""
        self._rows.clear()
        self._width = self._last_inked = self._left = 0

    def cut(self) -> tuple[Label, str] | None:
        """Cut off a label; returns it with the digest of the dots that came; None where no dots came, or only those of a label that was given up."""
        rows, width, left = self._rows[: self._last_inked], self._width, self._left
        self.tear()
        if len(rows) <= left:
            return None
        bits = b"".join(row.ljust(width // 8, b"\0") for row in rows)
        digest = hashlib.sha256(struct.pack("<HH", width, len(rows)) + bits).hexdigest()
        self._count += 1
        label = Label(f"L{self._count:06d}", self._folder / f"label-{self._count:06d}.png", self.condition.contrast)
        self._save(label, Image.frombytes("1", (width, len(rows)), bits))
        return label, digest

    def _save(self, label: Label, ink: Image.Image) -> None:
        self.condition.grey(self.condition.on_paper(ink)).save(label.file, "PNG", dpi=(203, 203))


def _doubled(value: int) -> bytes:
    wide = 0
    for bit in range(8):
        wide |= (0b11 << (2 * bit)) if value >> bit & 1 else 0
    return wide.to_bytes(2, "big")
