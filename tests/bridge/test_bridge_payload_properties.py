"""What is packed is what the other side reads, whatever the values; and no bytes do more than be refused.

The device's side is laid out here a second time, from docs/protocol.md.
"""

import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firmware_bridge import packets, service_packets
from firmware_bridge.codec import PAYLOAD_LIMIT_BYTES
from firmware_bridge.contract import RunSlot
from firmware_bridge.packets import COUNTER_NAMES, CassetteEntry, DecodeError, EventKind, JobAnswer, JobState
from firmware_bridge.service_packets import FirmwareImage, FirmwareStatus, LockAnswer

BYTE = st.integers(0, 0xFF)
WORD = st.integers(0, 0xFFFF)
LONG = st.integers(0, 0xFFFFFFFF)
JOB = st.binary(min_size=16, max_size=16)
DIGEST = st.binary(min_size=32, max_size=32)
OWNER = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=32)
STATE = st.sampled_from(JobState)
READERS: dict[str, Callable[[bytes], Any]] = {
    "hello": packets.unpack_hello,
    "status": packets.unpack_status,
    "job state": packets.unpack_job_state,
    "job query": packets.unpack_job_query,
    "offset": packets.unpack_offset,
    "rc": packets.result_code,
    "lock": service_packets.unpack_lock,
    "position": service_packets.unpack_position,
    "self test": service_packets.unpack_self_test,
    "firmware status": service_packets.unpack_firmware_status,
}


def text(words: str) -> bytes:
    return bytes([len(words)]) + words.encode("ascii")


# Requests: the bridge packs, the device reads


@given(LONG, BYTE, LONG, LONG)
def test_session_and_status_requests_are_read_back(fence: int, first: int, boot: int, event: int) -> None:
    assert struct.unpack("<BBI", packets.pack_hello(fence)) == (1, 1, fence)
    assert list(packets.pack_status(first)) == [first]
    assert struct.unpack("<II", packets.pack_event_ack(boot, event)) == (boot, event)


@given(
    JOB, DIGEST, st.lists(st.tuples(st.integers(1, 250), st.integers(1, 2**32 - 1), st.integers(1, 255)), max_size=12)
)
def test_run_is_read_back_with_its_digest(job: bytes, label: bytes, drops: list[tuple[int, int, int]]) -> None:
    slots = [RunSlot(slot=slot, cassette=cassette, count=count) for slot, cassette, count in drops]
    payload = packets.pack_job_run(job, label, slots)
    assert len(payload) <= PAYLOAD_LIMIT_BYTES
    assert struct.unpack_from("<16sI32sB", payload) == (job, zlib.crc32(payload[20:]), label, len(drops))
    assert list(struct.iter_unpack("<BIB", payload[53:])) == drops


@given(JOB, st.integers(0, 11), LONG, LONG, BYTE, st.sampled_from(["PASS", "FAIL", "LOOK"]))
def test_verdict_and_resolve_are_read_back(
    job: bytes, slot: int, boot: int, event: int, counted: int, word: str
) -> None:
    verdict = struct.unpack("<16sBIIB", packets.pack_verdict(job, slot, boot, event, word))
    assert verdict == (job, slot, boot, event, {"PASS": 1, "FAIL": 2, "LOOK": 3}[word])
    resolve = struct.unpack("<16sBIIB", packets.pack_resolve(job, slot, boot, event, counted))
    assert resolve == (job, slot, boot, event, counted)


@given(DIGEST, WORD, WORD, LONG, st.binary(min_size=1, max_size=700), st.integers(0, 699))
def test_label_is_read_back(label: bytes, width: int, height: int, length: int, stream: bytes, offset: int) -> None:
    begin = packets.pack_label_begin(label, width, height, length)
    assert struct.unpack("<32sHHI", begin) == (label, width, height, length)
    piece = packets.pack_label_data(label, offset, stream)
    assert (piece[:4], struct.unpack("<I", piece[4:8])) == (label[:4], (offset,))
    assert piece[8:] == stream[offset : offset + 200]
    assert len(piece) <= PAYLOAD_LIMIT_BYTES


@given(st.sampled_from(["release", "take", "take-over"]), OWNER)
def test_lock_is_read_back(mode: str, owner: str) -> None:
    assert service_packets.pack_lock(mode, owner) == bytes([["release", "take", "take-over"].index(mode)]) + text(owner)


@given(st.sampled_from(["film", "gate", "tray"]), st.sampled_from(["back", "forward"]), st.integers(1, 500))
def test_jog_is_read_back(motor: str, direction: str, hold_ms: int) -> None:
    numbers = struct.unpack("<BBH", service_packets.pack_jog(motor, direction, hold_ms))
    assert numbers == (["film", "gate", "tray"].index(motor) + 1, ["back", "forward"].index(direction), hold_ms)


@given(st.sets(st.integers(1, 7)))
def test_self_test_is_read_back(tests: set[int]) -> None:
    words = ["memory", "drop-sensor", "film", "print-head", "door", "gate", "reject-bin"]
    (mask,) = service_packets.pack_self_test(frozenset(words[test - 1] for test in tests))
    assert {bit + 1 for bit in range(8) if mask >> bit & 1} == tests


@given(st.integers(1, 1_048_576), LONG, DIGEST, st.binary(min_size=64, max_size=64), OWNER, st.booleans())
def test_firmware_begin_is_read_back(
    size: int, crc: int, sha256: bytes, signature: bytes, version: str, restart: bool
) -> None:
    image = FirmwareImage(size, crc, sha256, signature, version)
    payload = service_packets.pack_firmware_begin(image, restart=restart)
    assert struct.unpack_from("<?II32s64s", payload) == (restart, size, crc, sha256, signature)
    assert payload[105:] == text(version)
    assert len(payload) <= PAYLOAD_LIMIT_BYTES


@given(LONG, st.binary(min_size=1, max_size=200), LONG)
def test_firmware_data_are_read_back(crc: int, piece: bytes, offset: int) -> None:
    payload = service_packets.pack_firmware_piece(crc, offset, piece)
    assert struct.unpack_from("<II", payload) == (crc, offset)
    assert payload[8:] == piece


# Answers and events: the device packs, the bridge reads


@given(LONG, BYTE, LONG, LONG, BYTE, WORD, OWNER, OWNER)
def test_greeting_is_read(
    boot: int, cause: int, event: int, capabilities: int, slots: int, width: int, firmware: str, serial: str
) -> None:
    numbers = (1, 1, packets.SCHEMA_CRC, boot, cause, event, capabilities, slots, width)
    payload = b"\0" + struct.pack("<BBIIBIIBH", *numbers) + text(firmware) + text(serial)
    assert packets.unpack_hello(payload) == packets.Hello(*numbers, firmware, serial)


@given(
    st.tuples(BYTE, BYTE, JOB, BYTE, LONG),
    st.tuples(*[LONG] * 6),
    st.lists(st.tuples(BYTE, LONG, WORD), max_size=20),
)
def test_status_page_is_read(
    head: tuple[Any, ...], counters: tuple[int, ...], entries: list[tuple[int, int, int]]
) -> None:
    packed = struct.pack("<BBB16sBI6IBBB", 0, *head, *counters, 40, 1, len(entries))
    page = packets.unpack_status(packed + b"".join(struct.pack("<BIH", *entry) for entry in entries))
    assert (page.state, page.reason, page.job, page.job_slot, page.next_event) == head
    assert page.counters == dict(zip(COUNTER_NAMES, counters, strict=True))
    assert page.entries == tuple(CassetteEntry(*entry) for entry in entries)


@given(STATE, BYTE, BYTE, LONG)
def test_answers_about_a_job_are_read(state: JobState, slot: int, running: int, event: int) -> None:
    assert packets.unpack_job_state(struct.pack("<BBI", 0, state, event)) == JobAnswer(state, event)
    query = struct.pack("<BBBBI", 0, state, slot, running, event)
    assert packets.unpack_job_query(query) == JobAnswer(state, event, slot, running)


@given(LONG)
def test_offset_and_position_are_read(number: int) -> None:
    assert packets.unpack_offset(struct.pack("<BI", 7, number)) == number
    assert service_packets.unpack_position(struct.pack("<BI", 0, number)) == number


@given(st.sampled_from([0, 14]), OWNER)
def test_lock_answer_is_read(rc: int, owner: str) -> None:
    assert service_packets.unpack_lock(bytes([rc, 1]) + text(owner)) == LockAnswer(True, owner)


@given(st.dictionaries(st.integers(1, 7), st.integers(0, 2)))
def test_self_test_answer_is_read(results: dict[int, int]) -> None:
    packed = bytes([0, len(results)]) + b"".join(bytes(pair) for pair in results.items())
    read = service_packets.unpack_self_test(packed)
    words = ["memory", "drop-sensor", "film", "print-head", "door", "gate", "reject-bin"]
    assert read == {words[test - 1]: ["passed", "failed", "not-fitted"][result] for test, result in results.items()}


@given(BYTE, BYTE, BYTE, st.booleans(), LONG, LONG, OWNER, OWNER)
def test_firmware_status_is_read(
    active: int, confirmed: int, failed: int, safe: bool, offset: int, crc: int, a: str, b: str
) -> None:
    packed = b"\0" + struct.pack("<BBB?II", active, confirmed, failed, safe, offset, crc) + text(a) + text(b)
    read = service_packets.unpack_firmware_status(packed)
    assert read == FirmwareStatus(active, confirmed, failed, safe, offset, crc, a, b)


@given(st.sampled_from([EventKind.DROPPED, EventKind.RESOLVED]), LONG, BYTE, BYTE, WORD)
def test_count_of_a_slot_is_read(kind: EventKind, cassette: int, asked: int, counted: int, remaining: int) -> None:
    data = struct.pack("<IBBH", cassette, asked, counted, remaining)
    event = packets.unpack_event(kind, struct.pack("<II16sB", 3, 1, bytes(16), 0) + data)
    told = {"cassette": cassette, "asked": asked, "counted": counted, "remaining": remaining}
    assert packets.event_fields(event) == told


# Any bytes


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
@given(payload=st.binary(max_size=PAYLOAD_LIMIT_BYTES))
@example(payload=b"")
@example(payload=bytes(PAYLOAD_LIMIT_BYTES))
@example(payload=b"\xff" * PAYLOAD_LIMIT_BYTES)
def test_any_answer_is_read_or_a_decode_error(reader: Callable[[bytes], Any], payload: bytes) -> None:
    try:
        reader(payload)
    except DecodeError as error:
        assert str(error)


@given(BYTE, st.binary(max_size=PAYLOAD_LIMIT_BYTES))
def test_any_event_is_read_or_a_decode_error(op: int, payload: bytes) -> None:
    try:
        packets.event_fields(packets.unpack_event(op, payload))
    except DecodeError as error:
        assert str(error)


@given(st.sampled_from(EventKind), st.binary(max_size=40))
def test_any_data_of_a_known_event_are_read_or_a_decode_error(kind: EventKind, data: bytes) -> None:
    event = packets.unpack_event(kind, struct.pack("<II16sB", 3, 1, bytes(16), 0) + data)
    try:
        fields = packets.event_fields(event)
    except DecodeError as error:
        assert str(error)
    else:
        assert fields or not data
