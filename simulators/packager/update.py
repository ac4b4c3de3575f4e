"""The operations that carry new firmware over, prove that it is the maker's, and put it in its place."""

import struct
import zlib
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from simulators.packager.machine import Machine
from simulators.packager.memory import firmware_entry
from simulators.packager.recorder import Recorder
from simulators.packager.refusal import Rc, Refused, tell_text, unpack
from simulators.packager.service import ensure_serviceable
from simulators.packager.slots import Carried, Change, read_begin

TEST_MAKER_KEY = bytes.fromhex("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8")
"""The public key of the test maker, whose private key everybody knows: it is the bytes 00, 01 .. 1f."""

_DATA = struct.Struct("<II")
_OFFSET = struct.Struct("<I")
_STATUS = struct.Struct("<BBBBII")
_SHA256 = struct.Struct("<32s")
_NOTHING = struct.Struct("")


class UpdateOperations:
    """FW_BEGIN, FW_DATA, FW_STATUS, FW_COMMIT and FW_CONFIRM; `restart` lets the device begin anew after the answer."""

    def __init__(self, recorder: Recorder, machine: Machine, maker_key: bytes, restart: Callable[[], None]) -> None:
        self._recorder = recorder
        self._slots = recorder.memory.slots
        self._machine = machine
        self._maker_key = Ed25519PublicKey.from_public_bytes(maker_key)
        self._restart = restart

    def begin(self, payload: bytes, now: float) -> bytes:
        """Tell from where on the image is to be carried."""
        read_begin(payload)
        ensure_serviceable(self._machine)
        self._refuse_on_trial()
        self._recorder.commit(firmware_entry(Change.BEGUN, payload))
        return self._offset()

    def data(self, payload: bytes, now: float) -> bytes:
        """Take the next piece of the image."""
        data = payload[_DATA.size :]
        if not 1 <= len(data) <= 200:
            raise Refused(Rc.BAD_REQUEST)
        ensure_serviceable(self._machine)
        tag, offset = _DATA.unpack_from(payload)
        carried = self._slots.carried
        if carried is None or tag != carried.crc:
            raise Refused(Rc.BAD_REQUEST)
        if offset != len(carried.data):
            raise Refused(Rc.OFFSET, self._offset())
        if offset + len(data) > carried.size:
            raise Refused(Rc.BAD_REQUEST)
        self._recorder.commit(firmware_entry(Change.DATA, data))
        return self._offset()

    def status(self, payload: bytes, now: float) -> bytes:
        """Tell what lies in both slots and how far an image is carried."""
        unpack(_NOTHING, payload)
        slots = self._slots
        data = b"" if slots.carried is None else slots.carried.data
        versions = [image.version if image is not None and slots.sound(slot) else ""
                    for slot, image in enumerate(slots.images)]
        head = _STATUS.pack(slots.active, slots.confirmed, slots.failed_boots, slots.safe, len(data), zlib.crc32(data))
        return head + b"".join(map(tell_text, versions))

    def commit(self, payload: bytes, now: float) -> bytes:
        """Put the image that was carried into the other slot and restart out of it; once more is the same."""
        unpack(_SHA256, payload)
        ensure_serviceable(self._machine)
        carried = self._slots.carried
        if carried is None or carried.sha256 != payload:
            if self._runs(payload):
                return b""
            raise Refused(Rc.BAD_REQUEST)
        if len(carried.data) < carried.size:
            raise Refused(Rc.OFFSET)
        self._refuse_on_trial()
        self._prove(carried)
        self._recorder.commit(firmware_entry(Change.INSTALLED))
        self._restart()
        return b""

    def confirm(self, payload: bytes, now: float) -> bytes:
        """Keep what runs now."""
        unpack(_NOTHING, payload)
        if self._slots.safe:
            raise Refused(Rc.SAFE_MODE)
        ensure_serviceable(self._machine)
        if self._slots.active != self._slots.confirmed or self._slots.failed_boots:
            self._recorder.commit(firmware_entry(Change.CONFIRMED))
        return b""

    def _offset(self) -> bytes:
        return _OFFSET.pack(0 if self._slots.carried is None else len(self._slots.carried.data))

    def _runs(self, sha256: bytes) -> bool:
        image = self._slots.images[self._slots.active]
        return not self._slots.safe and image is not None and image.sha256 == sha256

    def _refuse_on_trial(self) -> None:
        # The slot that is not active then holds the only image that is known to be good.
        if self._slots.on_trial:
            raise Refused(Rc.CONFLICT)

    def _prove(self, carried: Carried) -> None:
        rc = Rc.OK if carried.intact else Rc.DIGEST
        if rc is Rc.OK:
            try:
                self._maker_key.verify(carried.signature, carried.signed)
            except InvalidSignature:
                rc = Rc.SIGNATURE
        if rc is not Rc.OK:
            self._recorder.commit(firmware_entry(Change.DROPPED))
            raise Refused(rc)
