"""New firmware: carried, proven to be the maker's, tried, confirmed or given up; and a machine without any."""

import hashlib
import json
import struct
import zlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from packager_bench import (
    BAD_REQUEST,
    CONFLICT,
    DIGEST,
    OFFSET,
    OK,
    SAFE_MODE,
    SIGNATURE,
    UNSUPPORTED,
    Bench,
    job_id,
    run_payload,
)

from simulators.packager.codec import REQ, Frame, encode_frame
from simulators.packager.memory import firmware_entry
from simulators.packager.slots import IMAGE_LIMIT, Change

FIRMWARE = json.loads((Path(__file__).parents[2] / "vectors" / "digests.json").read_text())["firmware"]
MAKER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
IMAGE = b"a newer firmware" * 40
A, B = 0, 1


def begin_payload(
    image: bytes = IMAGE, version: str = "1.2.0", *, restart: int = 0, crc: int | None = None, sha256: bytes | None = None,
    signature: bytes | None = None,
) -> bytes:
    """Write FW_BEGIN of an image; what is given replaces what is true."""
    digest = sha256 or hashlib.sha256(image).digest()
    text = bytes([len(version)]) + version.encode()
    signed = b"PPL-FW" + text + struct.pack("<I", len(image)) + digest
    sums = struct.pack("<BII", restart, len(image), zlib.crc32(image) if crc is None else crc)
    return sums + digest + (signature or MAKER.sign(signed)) + text


def ready() -> Bench:
    bench = Bench()
    bench.hello()
    bench.lock()
    return bench


def carry(bench: Bench, image: bytes = IMAGE, begin: bytes | None = None, until: int | None = None) -> int:
    """Carry an image over, or the bytes before `until` only; gives the offset reached."""
    begin = begin or begin_payload(image)
    rc, answer = bench.ask(0x10, begin)
    assert rc == OK
    offset = struct.unpack("<I", answer)[0]
    while offset < (until or len(image)):
        rc, answer = bench.ask(0x11, begin[5:9] + struct.pack("<I", offset) + image[offset : offset + 200][: (until or len(image)) - offset])
        assert rc == OK
        offset = struct.unpack("<I", answer)[0]
    return offset


def install(bench: Bench, image: bytes = IMAGE, version: str = "1.2.0") -> None:
    carry(bench, image, begin_payload(image, version))
    assert bench.ask(0x13, hashlib.sha256(image).digest()) == (OK, b"")
    bench.hello()


def status(bench: Bench) -> tuple[object, ...]:
    """Give (active, confirmed, failed_boots, safe, offset, crc, version of A, version of B)."""
    rc, answer = bench.ask(0x12)
    assert rc == OK
    head, rest = struct.unpack_from("<BBBBII", answer), answer[12:]
    first, second = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
    assert second[0] == len(second) - 1
    return (*head, first.decode(), second[1:].decode())


def power_cycle(bench: Bench) -> None:
    bench.power_on()
    bench.hello()


def test_a_machine_is_delivered_with_one_confirmed_firmware() -> None:
    bench = Bench()
    bench.hello()
    assert status(bench) == (A, A, 0, 0, 0, 0, "1.1.0", "")


def test_a_sound_image_goes_into_the_other_slot_and_the_device_restarts_out_of_it() -> None:
    bench = ready()
    carry(bench)
    assert bench.ask(0x13, hashlib.sha256(IMAGE).digest()) == (OK, b"")
    assert bench.feed(b"") == []
    assert bench.memory.boot == 2
    answer = bench.hello().payload
    assert answer[7:12] == struct.pack("<IB", 2, 3)
    assert b"\x051.2.0" in answer
    assert status(bench) == (B, A, 1, 0, 0, 0, "1.1.0", "1.2.0")
    assert bench.ask(0x14) == (OK, b"")
    assert status(bench) == (B, B, 0, 0, 0, 0, "1.1.0", "1.2.0")
    for _ in range(6):
        power_cycle(bench)
    assert status(bench)[:4] == (B, B, 0, 0)


def test_the_vector_image_is_taken_with_its_literal_signature() -> None:
    bench = ready()
    image = bytes.fromhex(FIRMWARE["image"])
    begin = struct.pack("<BII", 0, FIRMWARE["size"], FIRMWARE["crc"]) + bytes.fromhex(FIRMWARE["sha256"] + FIRMWARE["signature"])
    carry(bench, image, begin + b"\x051.2.0")
    assert bench.ask(0x13, bytes.fromhex(FIRMWARE["sha256"])) == (OK, b"")
    bench.hello()
    assert status(bench)[-1] == FIRMWARE["version"]


def test_what_came_behind_the_commit_is_lost_with_the_restart_and_the_old_session_is_stale() -> None:
    bench = ready()
    carry(bench)
    commit = encode_frame(Frame(REQ, 100, bench.sid, 0x13, hashlib.sha256(IMAGE).digest()))
    assert len(bench.feed(commit + encode_frame(Frame(REQ, 101, bench.sid, 6, b"x")))) == 1
    assert bench.feed(commit) == []
    assert bench.firmware.counters.stale_sid == 1


def test_an_image_half_carried_goes_on_from_its_offset_over_sessions_and_power() -> None:
    bench = ready()
    assert carry(bench, until=250) == 250
    for change in (lambda: bench.hello(9), lambda: power_cycle(bench), lambda: write_anew(bench)):
        change()
        assert status(bench)[4:6] == (250, zlib.crc32(IMAGE[:250]))
        assert bench.ask(0x10, begin_payload()) == (OK, struct.pack("<I", 250))
    install(bench)
    assert status(bench)[-1] == "1.2.0"


def write_anew(bench: Bench) -> None:
    bench.log = b"".join(entry.encode() for entry in bench.memory.entries())
    power_cycle(bench)


def test_another_image_or_a_restart_begins_at_0() -> None:
    bench = ready()
    carry(bench, until=250)
    assert bench.ask(0x10, begin_payload(restart=1)) == (OK, bytes(4))
    carry(bench, until=100)
    assert bench.ask(0x10, begin_payload(b"another")) == (OK, bytes(4))
    assert status(bench)[4:6] == (0, 0)


def test_the_newest_signature_and_version_count_for_an_image_carried_before() -> None:
    bench = ready()
    carry(bench, begin=begin_payload(signature=bytes(64)))
    assert carry(bench, begin=begin_payload(version="1.2.1")) == len(IMAGE)
    assert bench.ask(0x13, hashlib.sha256(IMAGE).digest()) == (OK, b"")
    bench.hello()
    assert status(bench)[-1] == "1.2.1"


def test_data_at_another_offset_names_the_next_and_of_another_image_is_refused() -> None:
    bench = ready()
    tag = struct.pack("<I", zlib.crc32(IMAGE))
    assert bench.ask(0x11, tag + bytes(4) + b"x") == (BAD_REQUEST, b"")
    carry(bench, until=200)
    assert bench.ask(0x11, tag + bytes(4) + IMAGE[:100]) == (OFFSET, struct.pack("<I", 200))
    assert bench.ask(0x11, tag + struct.pack("<I", 201) + b"x") == (OFFSET, struct.pack("<I", 200))
    assert bench.ask(0x11, bytes(4) + struct.pack("<I", 200) + b"x") == (BAD_REQUEST, b"")
    carry(bench)
    assert bench.ask(0x11, tag + struct.pack("<I", len(IMAGE)) + b"x") == (BAD_REQUEST, b"")


def test_a_commit_of_what_is_not_all_there_or_never_came_changes_nothing() -> None:
    bench = ready()
    digest = hashlib.sha256(IMAGE).digest()
    assert bench.ask(0x13, digest) == (BAD_REQUEST, b"")
    carry(bench, until=200)
    assert bench.ask(0x13, digest) == (OFFSET, b"")
    assert bench.ask(0x13, bytes(32)) == (BAD_REQUEST, b"")
    assert status(bench)[4] == 200


@pytest.mark.parametrize("wrong", ["crc", "sha256", "byte"])
def test_an_image_that_is_not_what_was_named_is_dropped(wrong: str) -> None:
    bench = ready()
    begin = begin_payload(crc=1 if wrong == "crc" else None, sha256=bytes(31) + b"x" if wrong == "sha256" else None)
    image = IMAGE[:-1] + b"!" if wrong == "byte" else IMAGE
    carry(bench, image, begin)
    assert bench.ask(0x13, begin[9:41]) == (DIGEST, b"")
    assert status(bench) == (A, A, 0, 0, 0, 0, "1.1.0", "")
    power_cycle(bench)
    assert status(bench) == (A, A, 0, 0, 0, 0, "1.1.0", "")


@pytest.mark.parametrize("wrong", ["other-maker", "zeros", "other-version", "other-image"])
def test_an_image_that_the_maker_did_not_sign_is_dropped(wrong: str) -> None:
    bench = ready()
    text = b"PPL-FW\x051.2.0" + struct.pack("<I", len(IMAGE)) + hashlib.sha256(IMAGE).digest()
    signature = {
        "other-maker": Ed25519PrivateKey.from_private_bytes(bytes(32)).sign(text), "zeros": bytes(64),
        "other-version": begin_payload(version="1.1.9")[41:105], "other-image": begin_payload(b"another")[41:105],
    }[wrong]
    carry(bench, begin=begin_payload(signature=signature))
    assert bench.ask(0x13, hashlib.sha256(IMAGE).digest()) == (SIGNATURE, b"")
    assert status(bench) == (A, A, 0, 0, 0, 0, "1.1.0", "")
    assert bench.memory.boot == 1


def test_a_commit_whose_answer_was_lost_is_the_same_once_more() -> None:
    bench = ready()
    install(bench)
    assert bench.ask(0x13, hashlib.sha256(IMAGE).digest()) == (OK, b"")
    assert bench.feed(b"") == []
    assert status(bench) == (B, A, 1, 0, 0, 0, "1.1.0", "1.2.0")


def test_the_fourth_boot_without_a_confirmation_is_out_of_the_other_slot_again() -> None:
    bench = ready()
    install(bench)
    for failed in (2, 3):
        power_cycle(bench)
        assert status(bench)[:4] == (B, A, failed, 0)
    power_cycle(bench)
    assert status(bench) == (A, A, 3, 0, 0, 0, "1.1.0", "1.2.0")
    assert b"\x051.1.0" in bench.hello().payload
    power_cycle(bench)
    assert status(bench)[:4] == (A, A, 3, 0)
    install(bench, IMAGE + b"2", "1.2.1")
    assert status(bench) == (B, A, 1, 0, 0, 0, "1.1.0", "1.2.1")


def test_a_confirmation_at_the_last_boot_is_in_time() -> None:
    bench = ready()
    install(bench)
    for _ in range(2):
        power_cycle(bench)
    assert bench.ask(0x14) == (OK, b"")
    for _ in range(5):
        power_cycle(bench)
    assert status(bench)[:3] == (B, B, 0)


def test_while_an_image_is_on_trial_the_one_to_go_back_to_is_not_overwritten() -> None:
    bench = ready()
    install(bench)
    assert bench.ask(0x10, begin_payload(b"another")) == (CONFLICT, b"")
    bench.ask(0x14)
    install(bench, b"another", "1.3.0")
    assert status(bench) == (A, B, 1, 0, 0, 0, "1.3.0", "1.2.0")


def test_a_damaged_image_is_not_started_and_the_other_slot_is_taken() -> None:
    bench = ready()
    install(bench)
    bench.ask(0x14)
    bench.recorder.commit(firmware_entry(Change.SPOILED, bytes([B])))
    power_cycle(bench)
    assert status(bench) == (A, B, 1, 0, 0, 0, "1.1.0", "")
    for _ in range(5):
        power_cycle(bench)
    assert status(bench)[:4] == (A, B, 6, 0)
    bench.ask(0x14)
    assert status(bench)[:4] == (A, A, 0, 0)


def safe(bench: Bench) -> Bench:
    for slot in (A, B):
        bench.recorder.commit(firmware_entry(Change.SPOILED, bytes([slot])))
    power_cycle(bench)
    return bench


def test_without_a_sound_image_only_what_repairs_is_served() -> None:
    bench = ready()
    bench.load()
    bench.upload()
    bench = safe(bench)
    assert b"\x09safe-mode" in bench.hello().payload
    assert bench.status() == (6, 0)
    assert status(bench) == (A, A, 0, 1, 0, 0, "", "")
    assert bench.ask(0x06, b"hi") == (OK, b"hi")
    bench.ack_all()
    assert bench.lock()[0] == OK
    for op in (0x02, 0x03, 0x04, 0x07, 0x09, 0x0A, 0x14, 0x20, 0x21, 0x22, 0x23, 0x99):
        assert bench.ask(op) == (SAFE_MODE, b"")
    install(bench)
    assert bench.status() == (5, 0)
    assert status(bench) == (B, A, 1, 0, 0, 0, "", "1.2.0")
    assert bench.ask(0x99) == (UNSUPPORTED, b"")


def test_jobs_stand_still_in_safe_mode_and_go_on_after_the_repair() -> None:
    bench = Bench()
    bench.hello()
    bench.load()
    for n in (1, 2):
        assert bench.run(n) == OK
    bench = safe(bench)
    facts = list(bench.facts)
    bench.tick(100.0)
    assert bench.facts == facts
    bench.lock()
    install(bench)
    bench.lock(0)
    bench.tick()
    assert bench.verdict(1) == OK
    assert [bench.query(n)[0] for n in (1, 2)] == [4, 3]


def test_jobs_labels_events_and_cassettes_outlive_an_update() -> None:
    bench = Bench()
    bench.hello()
    bench.load()
    bench.run(1)
    bench.verdict(1)
    before = [(event["kind"], event["job"], event["data"]) for event in bench.events]
    bench.lock()
    install(bench)
    told = [(event["kind"], event["job"], event["data"]) for event in bench.events if event["boot"] == 2]
    assert told[: len(before)] == before
    bench.lock(0)
    assert bench.query(1)[0] == 4
    assert bench.ask(0x02, run_payload(job_id(2), next(iter(bench.memory.labels)), [(5, 1234, 1)]))[0] == OK


def test_an_image_of_the_largest_size_is_taken() -> None:
    bench = ready()
    image = bytes(IMAGE_LIMIT)
    begin = begin_payload(image)
    assert bench.ask(0x10, begin) == (OK, bytes(4))
    bench.recorder.commit(firmware_entry(Change.DATA, image[:-1]))
    assert bench.ask(0x11, begin[5:9] + struct.pack("<I", IMAGE_LIMIT - 1) + b"\0") == (OK, struct.pack("<I", IMAGE_LIMIT))
    assert bench.ask(0x13, begin[9:41]) == (OK, b"")
    bench.hello()
    assert status(bench)[0] == B
