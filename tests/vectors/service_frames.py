"""The frames of PPL/1.1 for doubt, abortion, the service lock, jogging, self tests and firmware, spelled out by hand."""

import hashlib
from typing import Any

from wire import BOOT_3, CASSETTE_9, JOB, NO_JOB, crc32, event, vector

Vectors = list[dict[str, Any]]

ENGINEER = "656e67696e6565722031"  # engineer 1
ANNA = "416e6e61"  # Anna
LONGEST_OWNER = "6f" * 32

IMAGE = "6669726d7761726520312e322e300a0001ff"  # firmware 1.2.0, a line feed, and three bytes
IMAGE_SHA256 = "269d2b5943224d91c447ff19f7cac4e55224f70185786071c52ac0e0fc291f72"
IMAGE_CRC = "a70708ad"
# Ed25519 over 50504c2d4657 (PPL-FW) 05 312e322e30 12000000 and the SHA-256; the private key is the 32 bytes 00, 01 .. 1f.
MAKER_KEY = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
SIGNED = f"50504c2d4657 05 312e322e30 12000000 {IMAGE_SHA256}"
SIGNATURE = (
    "4fd0e9366119a88914d8554e47cf8f15e9746e593c148ede1211f1caf245a0ab"
    "3ac7e19c55bca667e5e1d5f83d7f1fefc6e6e8b63a4555b6a2824e08411a3b04"
)
BEGIN = f"12000000 {IMAGE_CRC} {IMAGE_SHA256} {SIGNATURE} 05 312e322e30"
BEGIN_WORDS = {"size": 18, "crc": 0xAD0807A7, "sha256": IMAGE_SHA256, "signature": SIGNATURE, "version": "1.2.0"}


def requests() -> Vectors:
    """Return what the host sends."""
    return [*job_requests(), *service_requests(), *firmware_requests()]


def job_requests() -> Vectors:
    """Return the answers to a doubt, and the end of a job that has not begun."""
    resolve = f"{JOB} 01 {BOOT_3} 16000000"
    words = {"job": JOB, "slot": 1, "boot": 3, "evt": 22}
    return [
        vector("resolve", "REQ", 20, 0x04, f"{resolve} 02", **words, counted=2),
        vector("resolve-nothing-fell", "REQ", 21, 0x04, f"{resolve} 00", **words, counted=0),
        vector("abort", "REQ", 22, 0x07, JOB, job=JOB),
    ]


def service_requests() -> Vectors:
    """Return what needs or changes the service lock."""
    return [
        vector("lock-take", "REQ", 23, 0x08, f"01 0a {ENGINEER}", mode=1, owner="engineer 1"),
        vector("lock-take-over", "REQ", 24, 0x08, f"02 04 {ANNA}", mode=2, owner="Anna"),
        vector("lock-give-back", "REQ", 25, 0x08, f"00 0a {ENGINEER}", mode=0, owner="engineer 1"),
        vector("lock-longest-owner", "REQ", 26, 0x08, f"01 20 {LONGEST_OWNER}", mode=1, owner="o" * 32),
        vector("jog-film", "REQ", 27, 0x09, "01 01 f401", motor=1, direction=1, hold_ms=500),
        vector("jog-tray-back", "REQ", 28, 0x09, "03 00 0100", motor=3, direction=0, hold_ms=1),
        vector("selftest-all", "REQ", 29, 0x0A, "00", tests=0),
        vector("selftest-door-and-gate", "REQ", 30, 0x0A, "30", tests=0x30),
    ]


def firmware_requests() -> Vectors:
    """Return how an image is carried, put in its place and confirmed."""
    return [
        vector("fw-begin", "REQ", 31, 0x10, f"00 {BEGIN}", restart=0, **BEGIN_WORDS),
        vector("fw-begin-restart", "REQ", 32, 0x10, f"01 {BEGIN}", restart=1, **BEGIN_WORDS),
        vector("fw-data", "REQ", 33, 0x11, f"{IMAGE_CRC} 00000000 {IMAGE}", tag=0xAD0807A7, offset=0, data=IMAGE),
        vector(
            "fw-data-200", "REQ", 34, 0x11, f"{IMAGE_CRC} c8000000 {'a5' * 200}", tag=0xAD0807A7, offset=200, data="a5" * 200
        ),
        vector("fw-status", "REQ", 35, 0x12, ""),
        vector("fw-commit", "REQ", 36, 0x13, IMAGE_SHA256, sha256=IMAGE_SHA256),
        vector("fw-confirm", "REQ", 37, 0x14, ""),
    ]


def answers() -> Vectors:
    """Return what the device answers."""
    return [*job_answers(), *service_answers(), *firmware_answers()]


def job_answers() -> Vectors:
    """Return the answers about jobs, and of STATUS in the states that are new."""
    idle = f"{NO_JOB} 00 01000000 {'00' * 24} 28 29 00"
    words = {
        "rc": 0, "reason": 0, "job": NO_JOB, "job_slot": 0, "next_evt": 1, "slots": 40, "first": 41, "entries": [],
        "counters": dict.fromkeys(("crc_err", "cobs_err", "overrun", "ok", "dup", "stale_sid"), 0),
    }
    return [
        vector("resolve-rsp", "RSP", 20, 0x04, "00 05 1a000000", rc=0, job_state=5, evt=26),
        vector("resolve-rsp-stale", "RSP", 20, 0x04, "09", rc=9),
        vector("resolve-rsp-bad-request", "RSP", 20, 0x04, "01", rc=1),
        vector("abort-rsp", "RSP", 22, 0x07, "00 08 1b000000", rc=0, job_state=8, evt=27),
        vector("abort-rsp-ended", "RSP", 22, 0x07, "00 04 14000000", rc=0, job_state=4, evt=20),
        vector("abort-rsp-unknown", "RSP", 22, 0x07, "05", rc=5),
        vector("abort-rsp-busy", "RSP", 22, 0x07, "03", rc=3),
        vector("job-run-rsp-locked", "RSP", 2, 0x02, "0e", rc=14),
        vector("job-query-rsp-aborted", "RSP", 3, 0x03, "00 08 00 00 1b000000", rc=0, job_state=8, job_slot=0, running=0, evt=27),
        vector("job-query-rsp-safe-mode", "RSP", 3, 0x03, "11", rc=17),
        vector("status-rsp-locked", "RSP", 1, 0x01, f"00 05 00 {idle}", state=5, **words),
        vector("status-rsp-safe-mode", "RSP", 1, 0x01, f"00 06 00 {idle}", state=6, **words),
        vector("status-rsp-gate-stuck", "RSP", 1, 0x01, f"00 03 07 {idle}", state=3, **{**words, "reason": 7}),
    ]


def service_answers() -> Vectors:
    """Return the answers of lock, jog and self test."""
    return [
        vector("lock-rsp", "RSP", 23, 0x08, f"00 01 0a {ENGINEER}", rc=0, locked=1, owner="engineer 1"),
        vector("lock-rsp-locked", "RSP", 24, 0x08, f"0e 01 04 {ANNA}", rc=14, locked=1, owner="Anna"),
        vector("lock-rsp-free", "RSP", 25, 0x08, "00 00 00", rc=0, locked=0, owner=""),
        vector("jog-rsp", "RSP", 27, 0x09, "00 00000000", rc=0, position=0),
        vector("jog-rsp-below-zero", "RSP", 28, 0x09, "00 feffffff", rc=0, position=0xFFFFFFFE),
        vector("jog-rsp-not-locked", "RSP", 27, 0x09, "0f", rc=15),
        vector("jog-rsp-busy", "RSP", 27, 0x09, "03", rc=3),
        vector("jog-rsp-door-open", "RSP", 27, 0x09, "0d", rc=13),
        vector(
            "selftest-rsp-all", "RSP", 29, 0x0A, "00 07 0100 0200 0300 0400 0501 0600 0702", rc=0,
            results=[[1, 0], [2, 0], [3, 0], [4, 0], [5, 1], [6, 0], [7, 2]],
        ),
        vector("selftest-rsp-door-and-gate", "RSP", 30, 0x0A, "00 02 0500 0601", rc=0, results=[[5, 0], [6, 1]]),
    ]


def firmware_answers() -> Vectors:
    """Return the answers of the update; slot 0 is A and slot 1 is B."""
    fresh = {"active": 0, "confirmed": 0, "failed_boots": 0, "safe": 0, "offset": 0, "crc": 0, "a": "1.1.0", "b": ""}
    begun = {**fresh, "offset": 18, "crc": 0xAD0807A7}
    tried = {**fresh, "active": 1, "failed_boots": 2, "b": "1.2.0"}
    return [
        vector("fw-begin-rsp", "RSP", 31, 0x10, "00 00000000", rc=0, next_offset=0),
        vector("fw-begin-rsp-go-on", "RSP", 31, 0x10, "00 12000000", rc=0, next_offset=18),
        vector("fw-begin-rsp-conflict", "RSP", 31, 0x10, "02", rc=2),
        vector("fw-begin-rsp-not-locked", "RSP", 31, 0x10, "0f", rc=15),
        vector("fw-data-rsp", "RSP", 33, 0x11, "00 12000000", rc=0, next_offset=18),
        vector("fw-data-rsp-offset", "RSP", 34, 0x11, "07 12000000", rc=7, next_offset=18),
        vector("fw-status-rsp", "RSP", 35, 0x12, "00 00 00 00 00 00000000 00000000 05 312e312e30 00", rc=0, **fresh),
        vector("fw-status-rsp-carried", "RSP", 35, 0x12, f"00 00 00 00 00 12000000 {IMAGE_CRC} 05 312e312e30 00", rc=0, **begun),
        vector(
            "fw-status-rsp-unconfirmed", "RSP", 35, 0x12,
            "00 01 00 02 00 00000000 00000000 05 312e312e30 05 312e322e30", rc=0, **tried,
        ),
        vector("fw-status-rsp-safe", "RSP", 35, 0x12, "00 00 00 00 01 00000000 00000000 00 00", rc=0, **{**fresh, "safe": 1, "a": ""}),
        vector("fw-commit-rsp", "RSP", 36, 0x13, "00", rc=0),
        vector("fw-commit-rsp-offset", "RSP", 36, 0x13, "07", rc=7),
        vector("fw-commit-rsp-digest", "RSP", 36, 0x13, "08", rc=8),
        vector("fw-commit-rsp-signature", "RSP", 36, 0x13, "10", rc=16),
        vector("fw-confirm-rsp", "RSP", 37, 0x14, "00", rc=0),
        vector("fw-confirm-rsp-busy", "RSP", 37, 0x14, "03", rc=3),
    ]


def events() -> Vectors:
    """Return the events that are new, and the old kinds with what is new in them."""
    return [
        event("evt-stopped-in-doubt", 0x47, 22, JOB, 1, "00", reason=0),
        event("evt-resolved", 0x4A, 23, JOB, 1, f"{CASSETTE_9} 02 01 0800", cassette=12345, asked=2, counted=1, remaining=8),
        event("evt-diverted-in-doubt", 0x45, 24, JOB, 1, "00", verdict=0),
        event("evt-done-aborted", 0x46, 27, JOB, 0, "08", job_state=8),
        event("evt-stopped-ribbon-out", 0x47, 28, JOB, 0, "06", reason=6),
        event("evt-stopped-gate-stuck", 0x47, 29, JOB, 0, "07", reason=7),
        event("evt-lock-given-back", 0x4B, 30, NO_JOB, 0, f"00 0a {ENGINEER}", mode=0, owner="engineer 1"),
        event("evt-lock-taken", 0x4B, 31, NO_JOB, 0, f"01 0a {ENGINEER}", mode=1, owner="engineer 1"),
        event("evt-lock-taken-over", 0x4B, 32, NO_JOB, 0, f"02 04 {ANNA}", mode=2, owner="Anna"),
    ]


def malformed() -> Vectors:
    """Return payloads of another shape: to each of them the device answers BAD_REQUEST and changes nothing."""
    resolve = f"{JOB} 01 {BOOT_3} 16000000"
    found = [
        (0x04, f"{resolve}", "the count is missing"),
        (0x04, f"{resolve} 02 00", "one byte too many"),
        (0x07, JOB[:-2], "fifteen bytes of a job"),
        (0x07, f"{JOB} 00", "one byte too many"),
        (0x08, "", "nothing"),
        (0x08, f"03 04 {ANNA}", "mode 3"),
        (0x08, "01 00", "nobody"),
        (0x08, f"01 05 {ANNA}", "the owner is shorter than was said"),
        (0x08, f"01 03 {ANNA}", "the owner is longer than was said"),
        (0x08, f"01 21 {LONGEST_OWNER} 6f", "an owner of 33 characters"),
        (0x08, "01 02 d090", "the owner is no ASCII"),
        (0x08, "01 02 410a", "a line feed in the owner"),
        (0x09, "00 01 f401", "motor 0"),
        (0x09, "04 01 f401", "motor 4"),
        (0x09, "01 02 f401", "direction 2"),
        (0x09, "01 01 0000", "held no time"),
        (0x09, "01 01 f501", "held for 501 ms"),
        (0x09, "01 01 f4", "half a time"),
        (0x0A, "", "nothing"),
        (0x0A, "80", "test 8"),
        (0x0A, "00 00", "one byte too many"),
        (0x10, f"02 {BEGIN}", "restart 2"),
        (0x10, f"00 {BEGIN} 00", "one byte too many"),
        (0x10, f"00 00000000 {BEGIN[9:]}", "an image of no bytes"),
        (0x10, f"00 01001000 {BEGIN[9:]}", "an image of 1048577 bytes"),
        (0x10, f"00 {BEGIN[:-14]} 00", "no version"),
        (0x10, f"00 {BEGIN[:-14]} 21 {'31' * 33}", "a version of 33 characters"),
        (0x11, IMAGE_CRC, "no offset"),
        (0x11, f"{IMAGE_CRC} 00000000", "no byte"),
        (0x11, f"{IMAGE_CRC} 00000000 {'a5' * 201}", "201 bytes"),
        (0x12, "00", "one byte too many"),
        (0x13, IMAGE_SHA256[:-2], "31 bytes"),
        (0x14, "00", "one byte too many"),
    ]
    return [{"op": op, "payload": bytes.fromhex(payload).hex(), "why": why} for op, payload, why in found]


def firmware() -> dict[str, Any]:
    """Return one image with all that says that it is sound."""
    image = bytes.fromhex(IMAGE)
    if hashlib.sha256(image).hexdigest() != IMAGE_SHA256 or crc32(image).to_bytes(4, "little").hex() != IMAGE_CRC:
        raise ValueError("the image is another one")
    return {"maker_key": MAKER_KEY, "image": IMAGE, "signed": bytes.fromhex(SIGNED).hex(), **BEGIN_WORDS}
