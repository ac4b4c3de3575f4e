"""A firmware image as the maker delivers it: one line of JSON that names and signs it, then its bytes (docs/console.md)."""

import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from firmware_bridge.service_contract import FIRMWARE_LIMIT_BYTES, Signature, Version

HEAD_LIMIT_BYTES = 4096
FILE_LIMIT_BYTES = HEAD_LIMIT_BYTES + FIRMWARE_LIMIT_BYTES


class ImageRefused(Exception):
    """The file is no image that may be sent to a machine; the message says why."""


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    format: Literal["PPL-FW"]
    version: Version
    sha256: str
    signature: Signature


@dataclass(frozen=True)
class Image:
    """A signed image; whether the signature is the maker's the machine alone decides."""

    version: str
    signature: str
    data: bytes

    @property
    def crc(self) -> int:
        """The CRC-32 of the whole."""
        return zlib.crc32(self.data)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the whole, in hex."""
        return hashlib.sha256(self.data).hexdigest()

    def begins_with(self, length: int, crc: int) -> bool:
        """Tell whether bytes that were carried before are the beginning of this image."""
        return length <= len(self.data) and zlib.crc32(self.data[:length]) == crc


def read_image(path: Path) -> Image:
    """Return the image in a file; raise ImageRefused, or OSError where it cannot be read."""
    with path.open("rb") as file:
        return image_of(file.read(FILE_LIMIT_BYTES + 1))


def image_of(content: bytes) -> Image:
    """Return the image in the content of a file; raise ImageRefused."""
    ends = content.find(b"\n", 0, HEAD_LIMIT_BYTES) + 1
    return _image(content[:ends], content[ends:])


def _image(line: bytes, data: bytes) -> Image:
    if not line:
        raise ImageRefused("it does not begin with a line that names and signs it")
    try:
        head = msgspec.json.decode(line, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ImageRefused(f"it is not signed as it must be: {error}") from error
    if not 1 <= len(data) <= FIRMWARE_LIMIT_BYTES:
        raise ImageRefused(f"an image has 1 to {FIRMWARE_LIMIT_BYTES} bytes")
    image = Image(head.version, head.signature, data)
    if image.sha256 != head.sha256:
        raise ImageRefused("its bytes are not those that its first line names: it is damaged")
    return image
