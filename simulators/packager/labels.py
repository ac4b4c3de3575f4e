"""The label memory of the firmware: one label under way, up to eight committed ones, each known by its SHA-256."""

import hashlib
import struct
import zlib
from dataclasses import dataclass

from simulators.packager.world import Label

STREAM_LIMIT = 65536
RASTER_LIMIT = 65536
HEIGHT_LIMIT = 800
LABELS_HELD = 8

_SIZE = struct.Struct("<HH")


@dataclass
class Upload:
    """A label half carried: `stream` grows from offset 0 to `length`."""

    digest: bytes
    width: int
    height: int
    length: int
    stream: bytearray

    @property
    def tag(self) -> bytes:
        """Give the first four bytes of the digest, by which LABEL_DATA names the label."""
        return self.digest[:4]

    def same_as(self, digest: bytes, width: int, height: int, length: int) -> bool:
        """Tell that LABEL_BEGIN speaks of this very upload."""
        return (self.digest, self.width, self.height, self.length) == (digest, width, height, length)


def fits_head(width: int, height: int, length: int, label_width: int) -> bool:
    """Tell that a label of this size can be printed and held."""
    return 0 < width <= label_width and 0 < height <= HEIGHT_LIMIT and 0 < length <= STREAM_LIMIT


def commit(upload: Upload) -> Label | None:
    """Unpack a fully carried label, at most 65536 bytes of raster, and compare; None where it is not what was named."""
    unpacker = zlib.decompressobj()
    try:
        raster = unpacker.decompress(bytes(upload.stream), RASTER_LIMIT + 1)
    except zlib.error:
        return None
    whole = unpacker.eof and not unpacker.unused_data and len(raster) == (upload.width + 7) // 8 * upload.height
    named = hashlib.sha256(_SIZE.pack(upload.width, upload.height) + raster).digest() == upload.digest
    if not whole or not named or len(raster) > RASTER_LIMIT:
        return None
    return Label(upload.digest, upload.width, upload.height, bytes(upload.stream))
