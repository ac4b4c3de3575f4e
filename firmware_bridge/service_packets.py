"""The payloads of PPL/1 for service at the machine: lock, jog, self test, firmware (docs/protocol.md section 3); pure.

They move motors and replace firmware, never tablets: no cassette is opened by any of them.
"""

import struct
from dataclasses import dataclass

from firmware_bridge.packets import OWNER_LIMIT_CHARACTERS, DecodeError, ensure_end, read, read_last, read_text
from firmware_bridge.service_contract import FIRMWARE_DATA_LIMIT_BYTES, FIRMWARE_LIMIT_BYTES

LOCK_MODES = {"release": 0, "take": 1, "take-over": 2}
MOTORS = {"film": 1, "gate": 2, "tray": 3}
DIRECTIONS = {"back": 0, "forward": 1}
JOG_LIMIT_MS = 500
SELF_TESTS = ("memory", "drop-sensor", "film", "print-head", "door", "gate", "reject-bin")
TEST_RESULTS = ("passed", "failed", "not-fitted")
SLOTS = ("A", "B")
VERSION_LIMIT_CHARACTERS = 32

_BYTE = struct.Struct("<B")
_POSITION = struct.Struct("<I")
_RESULT = struct.Struct("<BB")
_FIRMWARE_HEAD = struct.Struct("<BII32s64s")
_FIRMWARE_STATUS = struct.Struct("<BBBBII")


@dataclass(frozen=True)
class LockAnswer:
    """Whose the service lock is; `owner` is empty where it is free."""

    is_locked: bool
    owner: str


@dataclass(frozen=True)
class FirmwareImage:
    """What FW_BEGIN says of an image of `size` bytes; `signature` is the maker's Ed25519."""

    size: int
    crc: int
    sha256: bytes
    signature: bytes
    version: str


@dataclass(frozen=True)
class FirmwareStatus:
    """FW_STATUS answer: the slots, and how much of an image has been carried (`crc` is over these `offset` bytes)."""

    active: int
    confirmed: int
    failed_boots: int
    is_safe_mode: bool
    offset: int
    crc: int
    version_a: str
    version_b: str


def pack_lock(mode: str, owner: str) -> bytes:
    """Return the LOCK request; `mode` is take, take-over or release; raise ValueError for an owner not of 1 to 32 ASCII characters."""
    return bytes([LOCK_MODES[mode]]) + _text(owner, OWNER_LIMIT_CHARACTERS)


def unpack_lock(payload: bytes) -> LockAnswer:
    """Return whose the lock is, also out of an answer LOCKED; raise DecodeError."""
    (locked,) = read(_BYTE, payload)
    owner, end = read_text(payload, 2)
    ensure_end(payload, end)
    if len(owner) > OWNER_LIMIT_CHARACTERS or (_flag(locked) and not owner):
        raise DecodeError(f"a lock whose owner has {len(owner)} characters")
    return LockAnswer(_flag(locked), owner)


def pack_jog(motor: str, direction: str, hold_ms: int) -> bytes:
    """Return the JOG request: the motor runs `hold_ms` (1 to 500) more and stops by itself; raise ValueError."""
    if not 1 <= hold_ms <= JOG_LIMIT_MS:
        raise ValueError(f"{hold_ms} ms, at most {JOG_LIMIT_MS}")
    return struct.pack("<BBH", MOTORS[motor], DIRECTIONS[direction], hold_ms)


def unpack_position(payload: bytes) -> int:
    """Return the motor's step count (modulo 2^32) out of a JOG answer; raise DecodeError."""
    (position,) = read_last(_POSITION, payload)
    return int(position)


def pack_self_test(tests: frozenset[str]) -> bytes:
    """Return the SELFTEST request; no test named means all."""
    return bytes([sum(1 << SELF_TESTS.index(test) for test in tests)])


def unpack_self_test(payload: bytes) -> dict[str, str]:
    """Return the result of each test that was made, by name; raise DecodeError."""
    (count,) = read(_BYTE, payload)
    ensure_end(payload, 2 + count * _RESULT.size)
    results: dict[str, str] = {}
    for test, result in _RESULT.iter_unpack(payload[2:]):
        if not 1 <= test <= len(SELF_TESTS) or result >= len(TEST_RESULTS) or SELF_TESTS[test - 1] in results:
            raise DecodeError(f"test {test} with result {result}")
        results[SELF_TESTS[test - 1]] = TEST_RESULTS[result]
    return results


def pack_firmware_begin(image: FirmwareImage, *, restart: bool) -> bytes:
    """Return the FW_BEGIN request; without `restart` the machine goes on where it has the same image; raise ValueError."""
    if not 1 <= image.size <= FIRMWARE_LIMIT_BYTES or len(image.sha256) != 32 or len(image.signature) != 64:
        raise ValueError(
            f"an image of {image.size} bytes, digest {len(image.sha256)}, signature {len(image.signature)}"
        )
    head = _FIRMWARE_HEAD.pack(restart, image.size, image.crc, image.sha256, image.signature)
    return head + _text(image.version, VERSION_LIMIT_CHARACTERS)


def pack_firmware_piece(crc: int, offset: int, piece: bytes) -> bytes:
    """Return the FW_DATA request for a piece of 1 to 200 bytes at `offset`; `crc` is that of FW_BEGIN; raise ValueError."""
    if not 1 <= len(piece) <= FIRMWARE_DATA_LIMIT_BYTES:
        raise ValueError(f"a piece of {len(piece)} bytes")
    return struct.pack("<II", crc, offset) + piece


def unpack_firmware_status(payload: bytes) -> FirmwareStatus:
    """Return what FW_STATUS says of the slots and the carrying; raise DecodeError."""
    active, confirmed, failed_boots, safe, offset, crc = read(_FIRMWARE_STATUS, payload)
    version_a, at = read_text(payload, 1 + _FIRMWARE_STATUS.size)
    version_b, end = read_text(payload, at)
    ensure_end(payload, end)
    return FirmwareStatus(active, confirmed, failed_boots, _flag(safe), offset, crc, version_a, version_b)


def slot_word(number: int) -> str:
    """Return the letter of a firmware slot; raise DecodeError."""
    if number >= len(SLOTS):
        raise DecodeError(f"firmware slot {number}")
    return SLOTS[number]


def _text(words: str, limit: int) -> bytes:
    if not 1 <= len(words) <= limit or not words.isascii():
        raise ValueError(f"{words!r} is not of 1 to {limit} ASCII characters")
    return bytes([len(words)]) + words.encode("ascii")


def _flag(number: int) -> bool:
    if number > 1:
        raise DecodeError(f"{number} where 0 or 1 is due")
    return number == 1
