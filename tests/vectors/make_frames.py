"""Write frames.json, malformed.json and digests.json from docs/protocol.md, sharing no code with others.

The frames of jobs, labels and events are spelled out here, those of doubt, service and update in `service_frames`.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import service_frames
from wire import (
    BOOT_3,
    CASSETTE_7,
    CASSETTE_9,
    JOB,
    NO_JOB,
    SID,
    broken,
    crc32,
    cut_short,
    event,
    flipped,
    on_wire,
    raw,
    stuff,
    vector,
)

HERE = Path(__file__).parent

LABEL_WIDTH, LABEL_HEIGHT, LABEL_RASTER = 12, 3, "fff0 8010 fff0"
LABEL = hashlib.sha256(bytes.fromhex("0c00 0300" + LABEL_RASTER)).hexdigest()
JOB_TAIL = f"{LABEL} 02 05 {CASSETTE_7} 01 06 {CASSETTE_9} 02"
JOB_DIGEST = crc32(bytes.fromhex(JOB_TAIL))
JOB_DIGEST_HEX = JOB_DIGEST.to_bytes(4, "little").hex()
SLOTS = [{"slot": 5, "cassette": 1234, "count": 1}, {"slot": 6, "cassette": 12345, "count": 2}]
SCHEMA_CRC = crc32(b"PPL/1.1")

COUNTERS = "01000000 02000000 03000000 04000000 05000000 06000000"
COUNTER_WORDS = {"crc_err": 1, "cobs_err": 2, "overrun": 3, "ok": 4, "dup": 5, "stale_sid": 6}


def requests() -> list[dict[str, Any]]:
    """Return what the host sends."""
    return [
        vector("hello", "HELLO", 0, 0x00, "01 01 2a000000", proto_major=1, proto_minor=1, fence=42),
        vector("status", "REQ", 1, 0x01, "01", first=1),
        vector(
            "job-run",
            "REQ",
            2,
            0x02,
            f"{JOB} {JOB_DIGEST_HEX} {JOB_TAIL}",
            job=JOB,
            digest=JOB_DIGEST,
            label=LABEL,
            slots=SLOTS,
        ),
        vector("job-query", "REQ", 3, 0x03, JOB, job=JOB),
        vector("evt-ack", "REQ", 4, 0x05, f"{BOOT_3} 11000000", boot=3, evt=17),
        vector("ping", "REQ", 5, 0x06, "00 ff 00 70 69 6e 67", data="00ff0070696e67"),
        vector("ping-empty", "REQ", 6, 0x06, "", data=""),
        vector(
            "label-begin", "REQ", 7, 0x20, f"{LABEL} 0c00 0300 0e000000", label=LABEL, width=12, height=3, length=14
        ),
        vector(
            "label-data",
            "REQ",
            8,
            0x21,
            f"{LABEL[:8]} 00000000 789cfbff410c00",
            tag=LABEL[:8],
            offset=0,
            data="789cfbff410c00",
        ),
        vector(
            "label-data-200",
            "REQ",
            9,
            0x21,
            f"{LABEL[:8]} c8000000 {'a5' * 200}",
            tag=LABEL[:8],
            offset=200,
            data="a5" * 200,
        ),
        vector("label-commit", "REQ", 10, 0x22, LABEL, label=LABEL),
        vector(
            "verdict-pass",
            "REQ",
            11,
            0x23,
            f"{JOB} 01 {BOOT_3} 11000000 01",
            job=JOB,
            slot=1,
            boot=3,
            evt=17,
            verdict=1,
        ),
        vector(
            "verdict-fail",
            "REQ",
            12,
            0x23,
            f"{JOB} 01 {BOOT_3} 11000000 02",
            job=JOB,
            slot=1,
            boot=3,
            evt=17,
            verdict=2,
        ),
        vector(
            "verdict-look",
            "REQ",
            255,
            0x23,
            f"{JOB} 01 {BOOT_3} 11000000 03",
            job=JOB,
            slot=1,
            boot=3,
            evt=17,
            verdict=3,
        ),
        vector("ping-largest", "REQ", 13, 0x06, "01" * 226, data="01" * 226),
        vector("ping-largest-zeros", "REQ", 14, 0x06, "00" * 226, data="00" * 226),
    ]


def answers() -> list[dict[str, Any]]:
    """Return what the device answers."""
    schema = SCHEMA_CRC.to_bytes(4, "little").hex()
    hello = f"00 01 01 {schema} {BOOT_3} 02 12000000 7f000000 28 4002 05 312e322e33 04 53303037"
    head = f"01 00 {JOB} 01 12000000 {COUNTERS}"
    return [
        vector(
            "hello-rsp",
            "HELLO_RSP",
            0,
            0x00,
            hello,
            rc=0,
            proto_major=1,
            proto_minor=1,
            schema_crc=SCHEMA_CRC,
            boot=3,
            reset_cause=2,
            next_evt=18,
            capabilities=127,
            cassette_slots=40,
            label_width=576,
            fw="1.2.3",
            serial="S007",
        ),
        vector(
            "hello-rsp-fenced",
            "HELLO_RSP",
            0,
            0x00,
            "0a" + hello[2:],
            rc=10,
            proto_major=1,
            proto_minor=1,
            schema_crc=SCHEMA_CRC,
            boot=3,
            reset_cause=2,
            next_evt=18,
            capabilities=127,
            cassette_slots=40,
            label_width=576,
            fw="1.2.3",
            serial="S007",
        ),
        vector(
            "status-rsp",
            "RSP",
            1,
            0x01,
            f"00 {head} 28 05 02 05 {CASSETTE_7} 6400 06 {CASSETTE_9} 0200",
            rc=0,
            state=1,
            reason=0,
            job=JOB,
            job_slot=1,
            next_evt=18,
            counters=COUNTER_WORDS,
            slots=40,
            first=5,
            entries=[{"slot": 5, "cassette": 1234, "remaining": 100}, {"slot": 6, "cassette": 12345, "remaining": 2}],
        ),
        vector(
            "status-rsp-idle",
            "RSP",
            1,
            0x01,
            f"00 00 00 {NO_JOB} 00 01000000 {'00' * 24} 00 01 00",
            rc=0,
            state=0,
            reason=0,
            job=NO_JOB,
            job_slot=0,
            next_evt=1,
            counters=dict.fromkeys(COUNTER_WORDS, 0),
            slots=0,
            first=1,
            entries=[],
        ),
        vector("job-run-rsp", "RSP", 2, 0x02, "00 01 0c000000", rc=0, job_state=1, evt=12),
        vector("job-run-rsp-conflict", "RSP", 2, 0x02, "02", rc=2),
        vector(
            "job-query-rsp", "RSP", 3, 0x03, "00 02 01 01 0d000000", rc=0, job_state=2, job_slot=1, running=1, evt=13
        ),
        vector("job-query-rsp-unknown", "RSP", 3, 0x03, "05", rc=5),
        vector("evt-ack-rsp", "RSP", 4, 0x05, "00", rc=0),
        vector("ping-rsp", "RSP", 5, 0x06, "00 00 ff 00 70 69 6e 67", rc=0, data="00ff0070696e67"),
        vector("label-begin-rsp", "RSP", 7, 0x20, "00 00000000", rc=0, next_offset=0),
        vector("label-data-rsp", "RSP", 8, 0x21, "00 07000000", rc=0, next_offset=7),
        vector("label-data-rsp-offset", "RSP", 9, 0x21, "07 07000000", rc=7, next_offset=7),
        vector("label-commit-rsp", "RSP", 10, 0x22, "00", rc=0),
        vector("label-commit-rsp-digest", "RSP", 10, 0x22, "08", rc=8),
        vector("verdict-rsp", "RSP", 11, 0x23, "00", rc=0),
        vector("verdict-rsp-stale", "RSP", 11, 0x23, "09", rc=9),
        vector("unsupported-rsp", "RSP", 15, 0x7F, "0b", rc=11),
    ]


def events() -> list[dict[str, Any]]:
    """Return one event of each kind."""
    return [
        event("evt-accepted", 0x41, 12, JOB, 0, ""),
        event(
            "evt-dropped", 0x42, 13, JOB, 0, f"{CASSETTE_7} 01 01 6300", cassette=1234, asked=1, counted=1, remaining=99
        ),
        event(
            "evt-dropped-one-too-many",
            0x42,
            14,
            JOB,
            1,
            f"{CASSETTE_9} 02 03 0700",
            cassette=12345,
            asked=2,
            counted=3,
            remaining=7,
        ),
        event("evt-at-camera", 0x43, 17, JOB, 1, ""),
        event("evt-released", 0x44, 18, JOB, 1, ""),
        event("evt-diverted", 0x45, 19, JOB, 1, "02", verdict=2),
        event("evt-done", 0x46, 20, JOB, 1, "04", job_state=4),
        event("evt-done-diverted", 0x46, 21, JOB, 1, "05", job_state=5),
        event("evt-stopped", 0x47, 22, JOB, 1, "01", reason=1),
        event("evt-ready", 0x48, 23, JOB, 1, ""),
        event("evt-cassette", 0x49, 300, NO_JOB, 0, f"07 {CASSETTE_7} e803", slot=7, cassette=1234, remaining=1000),
        event("evt-cassette-out", 0x49, 301, NO_JOB, 0, "07 00000000 0000", slot=7, cassette=0, remaining=0),
    ]


def damaged() -> list[dict[str, Any]]:
    """Return what a receiver must drop, each with the counter that goes up by one."""
    good = raw(0x11, 4, SID, 0x05, bytes.fromhex("03000000 11000000"))
    wrong = bytearray(good)
    wrong[9] ^= 0x01
    stuffed = stuff(good)
    zero_sum = good[:-4] + bytes(4)
    return [
        broken("bad-crc-flipped-payload-bit", on_wire(bytes(wrong)), "crc_err", "one payload bit is another"),
        broken("bad-crc-zero", on_wire(zero_sum), "crc_err", "the check sum is zero"),
        broken(
            "bad-cobs-code-past-end",
            "00" + "ff" + stuffed[1:].hex() + "00",
            "cobs_err",
            "the first code byte points past the end",
        ),
        broken(
            "truncated",
            "00" + stuffed[:-3].hex() + "00",
            "cobs_err",
            "the last three bytes are missing, the last block is short",
        ),
        broken("too-short", on_wire(good[:8]), "cobs_err", "decodes to 8 bytes, fewer than the smallest frame"),
        broken("one-byte", "000100", "cobs_err", "decodes to nothing"),
        broken("too-long", "00" + "01" * 237 + "00", "overrun", "237 bytes between the delimiters"),
        broken("far-too-long", "00" + "a5" * 2000 + "00", "overrun", "2000 bytes without a delimiter count once"),
    ]


def digests() -> dict[str, Any]:
    """Return the labels and jobs whose digests both sides must agree on."""
    return {
        "labels": [
            {
                "width": LABEL_WIDTH,
                "height": LABEL_HEIGHT,
                "raster": bytes.fromhex(LABEL_RASTER).hex(),
                "digest": LABEL,
            },
            {
                "width": 8,
                "height": 1,
                "raster": "80",
                "digest": hashlib.sha256(bytes.fromhex("0800 0100 80")).hexdigest(),
            },
        ],
        "jobs": [{"label": LABEL, "slots": SLOTS, "digest": JOB_DIGEST}],
        "schema_crc": SCHEMA_CRC,
        "firmware": service_frames.firmware(),
    }


def main() -> None:
    """Write the files beside this one."""
    service = service_frames.requests() + service_frames.answers() + service_frames.events()
    hurt = [flipped(each) for each in service]
    hurt += [cut_short(each) for each in service if not each["hex"].endswith("0100")]
    frames = requests() + answers() + events() + service + damaged() + hurt
    write("frames.json", frames)
    write("malformed.json", service_frames.malformed())
    write("digests.json", digests())


def write(name: str, content: Any) -> None:
    """Write one file as JSON."""
    (HERE / name).write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
