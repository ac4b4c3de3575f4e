"""The label memory of the firmware: one label under way, up to eight committed ones, each known by its SHA-256."""

import hashlib
import struct
import zlib
from dataclasses import dataclass

from simulators.packager.journal import Extent
from simulators.packager.memory import Kind, label_entry
from simulators.packager.recorder import Recorder
from simulators.packager.refusal import Rc, Refused
from simulators.packager.world import Label

STREAM_LIMIT = 65536
RASTER_LIMIT = 65536
HEIGHT_LIMIT = 800
LABELS_HELD = 8

_SIZE = struct.Struct("<HH")
_BEGIN = struct.Struct("<32sHHI")
_DATA = struct.Struct("<4sI")
_OFFSET = struct.Struct("<I")


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


def unpack_label(upload: Upload) -> Label | None:
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


class LabelOperations:
    """LABEL_BEGIN, LABEL_DATA and LABEL_COMMIT; a label half carried does not outlive power."""

    def __init__(self, recorder: Recorder, label_width: int) -> None:
        self._recorder = recorder
        self._memory = recorder.memory
        self._label_width = label_width
        self._upload: Upload | None = None

    def begin(self, payload: bytes, now: float) -> bytes:
        """Tell from where on the label is to be carried."""
        if len(payload) != _BEGIN.size:
            raise Refused(Rc.BAD_REQUEST)
        digest, width, height, length = _BEGIN.unpack(payload)
        if not fits_head(width, height, length, self._label_width):
            raise Refused(Rc.BAD_REQUEST)
        if digest in self._memory.labels:
            self._memory.touch_label(digest)
            return _OFFSET.pack(length)
        if self._upload is None or not self._upload.same_as(digest, width, height, length):
            if len(self._memory.labels) >= LABELS_HELD and self._memory.evictable_label() is None:
                raise Refused(Rc.BUSY)
            self._upload = Upload(digest, width, height, length, bytearray())
        return _OFFSET.pack(len(self._upload.stream))

    def data(self, payload: bytes, now: float) -> bytes:
        """Take the next piece of the stream."""
        data = payload[_DATA.size :]
        if not 1 <= len(data) <= 200:
            raise Refused(Rc.BAD_REQUEST)
        tag, offset = _DATA.unpack_from(payload)
        upload = self._upload
        if upload is None or tag != upload.tag:
            raise Refused(Rc.NO_LABEL)
        if offset != len(upload.stream):
            raise Refused(Rc.OFFSET, _OFFSET.pack(len(upload.stream)))
        if offset + len(data) > upload.length:
            raise Refused(Rc.BAD_REQUEST)
        upload.stream += data
        return _OFFSET.pack(len(upload.stream))

    def commit(self, payload: bytes, now: float) -> bytes:
        """Keep the label if it is what was named."""
        if len(payload) != 32:
            raise Refused(Rc.BAD_REQUEST)
        if payload in self._memory.labels:
            return b""
        upload = self._upload
        if upload is None or upload.digest != payload:
            raise Refused(Rc.NO_LABEL)
        if len(upload.stream) < upload.length:
            raise Refused(Rc.OFFSET)
        label = unpack_label(upload)
        if label is None:
            self._upload = None
            raise Refused(Rc.DIGEST)
        self._make_room()
        self._recorder.commit(label_entry(label))
        self._upload = None
        return b""

    def _make_room(self) -> None:
        if len(self._memory.labels) < LABELS_HELD:
            return
        oldest = self._memory.evictable_label()
        if oldest is None:
            raise Refused(Rc.BUSY)
        self._recorder.commit(Extent(Kind.LABEL_GONE, oldest))
