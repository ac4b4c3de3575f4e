"""The two firmware slots and the image on its way into one of them: what a boot loader keeps, and which slot it starts."""

import base64
import hashlib
import json
import struct
import zlib
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Any

from simulators.packager.refusal import Rc, Refused, read_text, tell_text

IMAGE_LIMIT = 1 << 20
BOOTS_UNCONFIRMED = 3
FAILED_BOOTS_LIMIT = 255
SAFE_VERSION = "safe-mode"

_BEGIN = struct.Struct("<BII32s64s")
_SIZE = struct.Struct("<I")


class Change(IntEnum):
    """What a firmware entry of the state file says: its first byte; the rest is what the change needs to be told."""

    BEGUN, DATA, DROPPED, INSTALLED, CONFIRMED, SPOILED, WHOLE = range(1, 8)


@dataclass(frozen=True)
class Image:
    """What lies in a slot; it is sound while its bytes have the sum they came with."""

    version: str
    sha256: bytes
    data: bytes

    @cached_property
    def sound(self) -> bool:
        """Tell that not a bit has changed."""
        return hashlib.sha256(self.data).digest() == self.sha256


def factory_image() -> Image:
    """Give the image a machine is delivered with, in slot A and confirmed."""
    data = b"packager firmware 1.1.0, as delivered\n"
    return Image("1.1.0", hashlib.sha256(data).digest(), data)


@dataclass
class Carried:
    """An image half carried: `data` grows from offset 0 to `size`."""

    size: int
    crc: int
    sha256: bytes
    signature: bytes
    version: str
    data: bytearray = field(default_factory=bytearray)

    def same_as(self, other: "Carried") -> bool:
        """Tell that both are the same image, whatever else is said of it."""
        return (self.size, self.crc, self.sha256) == (other.size, other.crc, other.sha256)

    @property
    def signed(self) -> bytes:
        """Give the text that the maker signs."""
        return b"PPL-FW" + tell_text(self.version) + _SIZE.pack(self.size) + self.sha256

    @property
    def intact(self) -> bool:
        """Tell that what was carried is what was named."""
        return zlib.crc32(self.data) == self.crc and hashlib.sha256(self.data).digest() == self.sha256


def read_begin(payload: bytes) -> tuple[bool, Carried]:
    """Read FW_BEGIN: whether to start at 0 again, and the image named; anything of another shape is a BAD_REQUEST."""
    if len(payload) <= _BEGIN.size:
        raise Refused(Rc.BAD_REQUEST)
    restart, size, crc, sha256, signature = _BEGIN.unpack_from(payload)
    if restart > 1 or not 1 <= size <= IMAGE_LIMIT:
        raise Refused(Rc.BAD_REQUEST)
    return bool(restart), Carried(size, crc, sha256, signature, read_text(payload, _BEGIN.size))


@dataclass
class Slots:
    """Slot 0 is A, slot 1 is B. Changed by firmware entries and by each boot alone."""

    images: list[Image | None] = field(default_factory=lambda: [factory_image(), None])
    active: int = 0
    confirmed: int = 0
    failed_boots: int = 0
    safe: bool = False
    carried: Carried | None = None

    @property
    def version(self) -> str:
        """Give the version of the firmware that runs."""
        image = self.images[self.active]
        return SAFE_VERSION if self.safe or image is None else image.version

    @property
    def on_trial(self) -> bool:
        """Tell that an unconfirmed image runs while the other slot holds one to go back to."""
        return self.active != self.confirmed and not self.safe and self.sound(1 - self.active)

    def sound(self, slot: int) -> bool:
        """Tell that a slot holds an image that can be started."""
        image = self.images[slot]
        return image is not None and image.sound

    def start(self) -> None:
        """Choose the slot of this boot: the active one, unless it was tried in vain or is damaged and the other is sound."""
        other = 1 - self.active
        tried = self.active != self.confirmed and self.failed_boots >= BOOTS_UNCONFIRMED
        if (tried or not self.sound(self.active)) and self.sound(other):
            self.active = other
        self.safe = not self.sound(self.active)
        if self.active != self.confirmed and not self.safe:
            self.failed_boots = min(self.failed_boots + 1, FAILED_BOOTS_LIMIT)

    def apply(self, change: int, payload: bytes) -> None:
        """Take one change in."""
        match change:
            case Change.BEGUN:
                self._begin(*read_begin(payload))
            case Change.DATA if self.carried is not None:
                self.carried.data += payload
            case Change.DROPPED:
                self.carried = None
            case Change.INSTALLED:
                self._install()
            case Change.CONFIRMED:
                self.confirmed, self.failed_boots = self.active, 0
            case Change.SPOILED:
                self._spoil(payload[0])
            case Change.WHOLE:
                self._restore(json.loads(payload))

    def to_bytes(self) -> bytes:
        """Write all of it as JSON, for a state file written anew."""
        carried = None if self.carried is None else vars(self.carried)
        images = [None if image is None else {"version": image.version, "sha256": image.sha256, "data": image.data}
                  for image in self.images]
        whole = {**vars(self), "images": images, "carried": carried}
        return json.dumps(whole, default=lambda found: base64.b64encode(found).decode()).encode()

    def _begin(self, restart: bool, named: Carried) -> None:
        if self.carried is not None and not restart and self.carried.same_as(named):
            named.data = self.carried.data
        self.carried = named

    def _install(self) -> None:
        carried, target = self.carried, 1 - self.active
        if carried is None:
            raise AssertionError("no image was carried")
        self.images[target] = Image(carried.version, carried.sha256, bytes(carried.data))
        self.active, self.confirmed, self.failed_boots, self.carried = target, self.active, 0, None

    def _spoil(self, slot: int) -> None:
        image = self.images[slot]
        if image is not None:
            self.images[slot] = Image(image.version, image.sha256, bytes([image.data[0] ^ 1]) + image.data[1:])

    def _restore(self, found: dict[str, Any]) -> None:
        self.active, self.confirmed = found["active"], found["confirmed"]
        self.failed_boots, self.safe = found["failed_boots"], found["safe"]
        self.images = [each and Image(**_bytes_of(each)) for each in found["images"]]
        self.carried = None
        if found["carried"] is not None:
            carried = _bytes_of(found["carried"])
            self.carried = Carried(**{**carried, "data": bytearray(carried["data"])})


def _bytes_of(found: dict[str, Any]) -> dict[str, Any]:
    texts = {"sha256", "signature", "data"} & found.keys()
    return {**found, **{name: base64.b64decode(found[name]) for name in texts}}
