"""The state file: what the machine and its firmware must still know after the power was lost at any moment.

An append-only log of two kinds of records, both with their own CRC-32: the 28-byte steps of docs/protocol.md section 5, and
extents of any length for what does not fit there. Records that are appended together stand in a group with a CRC-32 over
all of them, so that wherever the end is torn off, all of them are there or none; a torn end is cut off at the next start.
One `append` is one write call, which the death of the process, the power loss that is simulated, does not tear; `fsync`
covers the death of the computer as well.
"""

import fcntl
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

STEP_MARK, EXTENT_MARK, GROUP_MARK = 0xA5, 0x5A, 0xC3
ACCEPTED, INTENT, DROPPED, CAMERA, DONE, DIVERTED, VOID = 1, 2, 3, 4, 5, 6, 7

_STEP = struct.Struct("<BBBBI8sII")
_EXTENT = struct.Struct("<BBHI")
_GROUP = struct.Struct("<BI")
_CRC = struct.Struct("<I")
STEP_BYTES = _STEP.size + _CRC.size


class JournalInUse(Exception):
    """Another process has this state file open."""


@dataclass(frozen=True, slots=True)
class Step:
    """One 28-byte record: job `job_head` (its first eight bytes) with `digest` came to `state` at `slot` of `count`."""

    state: int
    slot: int
    count: int
    evt: int
    job_head: bytes
    digest: int

    def encode(self) -> bytes:
        """Give the 28 bytes, check sum last."""
        body = _STEP.pack(STEP_MARK, self.state, self.slot, self.count, self.evt, self.job_head, self.digest, 0)
        return body + _CRC.pack(zlib.crc32(body))


@dataclass(frozen=True, slots=True)
class Extent:
    """A record of any length; `kind` says what `payload` holds."""

    kind: int
    payload: bytes

    def encode(self) -> bytes:
        """Give head, payload and check sum."""
        body = _EXTENT.pack(EXTENT_MARK, self.kind, 0, len(self.payload)) + self.payload
        return body + _CRC.pack(zlib.crc32(body))


Entry = Step | Extent


def encode_together(entries: Iterable[Entry]) -> bytes:
    """Give the bytes of entries that are to be durable as a whole or not at all."""
    records = [entry.encode() for entry in entries]
    if len(records) == 1:
        return records[0]
    body = b"".join(records)
    group = _GROUP.pack(GROUP_MARK, len(body)) + body
    return group + _CRC.pack(zlib.crc32(group))


def decode_entries(data: bytes) -> Iterator[tuple[Entry, int]]:
    """Give each entry with the offset behind its record or group; ends at the first that is torn or damaged."""
    at = 0
    while (record := _record_at(data, at)) is not None:
        end = at + len(record) + _CRC.size
        if record[0] == GROUP_MARK:
            yield from ((entry, end) for entry, _ in decode_entries(record[_GROUP.size :]))
        else:
            yield _read_record(record), end
        at = end


def _record_at(data: bytes, at: int) -> bytes | None:
    head = data[at : at + _EXTENT.size]
    if head[:1] == bytes([STEP_MARK]):
        end = at + _STEP.size
    elif head[:1] == bytes([EXTENT_MARK]) and len(head) == _EXTENT.size:
        end = at + _EXTENT.size + _EXTENT.unpack(head)[3]
    elif head[:1] == bytes([GROUP_MARK]) and len(head) >= _GROUP.size:
        end = at + _GROUP.size + _GROUP.unpack_from(head)[1]
    else:
        return None
    if end + _CRC.size > len(data) or zlib.crc32(data[at:end]) != _CRC.unpack_from(data, end)[0]:
        return None
    return data[at:end]


def _read_record(record: bytes) -> Entry:
    if record[0] == STEP_MARK:
        _, state, slot, count, evt, job_head, digest, _ = _STEP.unpack(record)
        return Step(state, slot, count, evt, job_head, digest)
    return Extent(record[1], record[_EXTENT.size :])


class Journal:
    """The state file, open for this process alone; raises JournalInUse where another one holds it."""

    def __init__(self, path: Path, *, fsync: bool = False) -> None:
        self._path = path
        self._fsync = fsync
        self._file = _open_locked(path)
        self.size = 0

    def load(self) -> list[Entry]:
        """Read every whole record, in order, and cut a torn one off the end."""
        data = self._path.read_bytes()
        found = list(decode_entries(data))
        self.size = found[-1][1] if found else 0
        if self.size < len(data):
            os.ftruncate(self._file, self.size)
        return [entry for entry, _ in found]

    def append(self, entries: Iterable[Entry]) -> None:
        """Make `entries` durable together. Raises OSError when the disk is full: then nothing may move."""
        data = encode_together(entries)
        written = os.write(self._file, data)
        if written != len(data):
            os.ftruncate(self._file, self.size)
            raise OSError(f"wrote {written} of {len(data)} bytes to {self._path}")
        if self._fsync:
            os.fdatasync(self._file)
        self.size += len(data)

    def rewrite(self, entries: Iterable[Entry]) -> None:
        """Replace the whole log by `entries` that say the same in fewer bytes; a crash leaves the old one or the new one."""
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.unlink(missing_ok=True)
        file = _open_locked(fresh)
        old, self._file, self.size = self._file, file, 0
        try:
            self.append(entries)
            os.fsync(file)
            os.replace(fresh, self._path)
        finally:
            os.close(old)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


def _open_locked(path: Path) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise JournalInUse(str(path)) from None
    return file
