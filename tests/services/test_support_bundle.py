"""What a support bundle of the hub tells: listed words only, and no bytes that could not be read or name a person."""

import hashlib
import json
import zipfile
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest

from firmware_bridge import packets, service_packets
from hub.domain.ledger import LedgerEntry
from hub.services.bundle_words import KNOWN_WORDS, WITHHELD, plain
from hub.services.device_service import Frame, Watched
from hub.services.shown_frames import as_shown
from hub.services.support_bundle import bundle

DEVICE = "packager-1"
MADE_AT = datetime(2026, 3, 2, 6, tzinfo=UTC)
NAME = b"Petrov u-peti"
BYTES = bytes([3, 0x30, 1, 0, 8, 2, 13]) + NAME + b"\1\2\3\4"
JOB = "0123456789abcdef" * 2


def files_of(
    *frames: Frame, status: dict[str, Any] | None = None, entries: tuple[LedgerEntry, ...] = ()
) -> dict[str, str]:
    description = {"serial": "S-7", "firmware": "safe-mode", "protocol": "PPL/1.0", "capabilities": ["lock", "Ivanova"]}
    shown = Watched(tuple(map(as_shown, frames)))
    whole = bundle(DEVICE, MADE_AT, {"python": "3.11.2"}, description, status or {}, entries, shown)
    archive = zipfile.ZipFile(BytesIO(whole))
    return {name: archive.read(name).decode() for name in archive.namelist()}


def frame(**more: Any) -> Frame:
    return Frame(1, "to-device", len(BYTES), BYTES.hex(), **more)


@pytest.mark.parametrize("error", ["crc", "cobs", "overrun"])
def test_bytes_of_which_no_frame_could_be_made_are_withheld_however_few(error: str) -> None:
    (line,) = files_of(frame(error=error))["frames.jsonl"].splitlines()
    told = json.loads(line)
    assert NAME.hex() not in line and "hex" not in told
    assert told["withheld"] == hashlib.sha256(BYTES).hexdigest() and told["octets"] == len(BYTES)


@pytest.mark.parametrize(
    "more",
    [
        {"type": "REQ", "op": "LOCK", "error": "payload"},
        {"type": "REQ", "op": "LOCK", "fields": {"mode": "take", "owner": NAME.decode()}},
        {"type": "EVT", "op": "LOCK", "error": "stale", "fields": {"owner": NAME.decode()}},
        {"type": "REQ", "op": "0x7f"}, {"type": "0x20", "op": "STATUS"}, {"type": "REQ", "op": "PING"}, {"type": "REQ", "op": "FW_DATA"},
        {"type": "RSP", "op": "STATUS", "error": "payload"},
    ],
)  # fmt: skip
def test_frames_that_name_a_person_or_could_not_be_read_have_no_bytes(more: dict[str, Any]) -> None:
    text = files_of(frame(**more))["frames.jsonl"]
    assert NAME.hex() not in text and NAME.decode() not in text
    assert json.loads(text)["op"] == more["op"]


def test_a_frame_that_was_read_and_names_nobody_is_told_whole() -> None:
    assert json.loads(files_of(frame(type="RSP", op="STATUS"))["frames.jsonl"])["hex"] == BYTES.hex()


def test_a_single_word_that_is_not_listed_is_withheld_wherever_it_stands() -> None:
    data = {"device": DEVICE, "reason": "Ivanova"}
    entry = LedgerEntry(1, "2026-03-02T06:00:00Z", "u-ivanova", "device-stopped", data, "0", "f")
    counters = {"crc_err": 3, "Ivanova": 1}
    status = {"state": "stopped", "reason": "Ivanova", "job": JOB, "counters": counters, "queued": 2}
    files = files_of(status=status, entries=(entry,))
    assert not [name for name, text in files.items() if "Ivanova" in text]
    assert json.loads(files["status.json"]) == {"state": "stopped", "reason": WITHHELD, "job": JOB, "queued": 2}
    assert json.loads(files["counters.json"]) == {"crc_err": 3, WITHHELD: 1}
    told = json.loads(files["ledger.jsonl"])
    assert (told["actor"], told["data"]) == ("person", {"device": DEVICE, "reason": WITHHELD})
    assert json.loads(files["description.json"]) == {
        "serial": "S-7", "firmware": "safe-mode", "protocol": "PPL/1.0", "capabilities": ["lock", WITHHELD],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("member", "text", "is_told"),
    [
        ("serial", "PKG-0001", True), ("serial", "Ivanova", False), ("reason", "Ivanova2", False), ("version", "1.4.0-rc.1", True),
        ("reason", "unknown-9", True), ("device", DEVICE, True), ("device", "packager-2", False), ("sha256", "ab" * 32, True),
        ("job", "facade", False), ("reason", "door-open\n", False),
    ],
)  # fmt: skip
def test_texts_are_told_by_list_by_member_or_as_ids_made_by_chance(member: str, text: str, is_told: bool) -> None:
    assert plain({member: text}, DEVICE) == {member: text if is_told else WITHHELD}


def test_every_word_of_the_contract_with_machines_is_listed() -> None:
    words = {
        *packets.MACHINE_STATES, *packets.STOP_REASONS, packets.DOUBT_REASON, *packets.RESET_CAUSES, *packets.CAPABILITIES, *packets.VERDICTS,
        *packets.DONE_WORDS.values(), *packets.LOCK_CHANGES, *(rc.name for rc in packets.Rc), *service_packets.LOCK_MODES, *service_packets.MOTORS,
        *service_packets.DIRECTIONS, *service_packets.SELF_TESTS, *service_packets.TEST_RESULTS, *service_packets.SLOTS,
    }  # fmt: skip
    assert words - KNOWN_WORDS == set()
