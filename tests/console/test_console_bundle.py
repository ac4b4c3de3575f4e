"""What of a frame goes into a support bundle: nothing that may be a piece of a label."""

import hashlib
from typing import Any

import pytest

from firmware_bridge.trace_contract import TracedFrame
from hub.console.bundle import without_content

HEAD, CHECK = "110100ef05", "aabbccdd"
NAME = "ИВАНОВА".encode().hex()


def frame(**changes: Any) -> TracedFrame:
    told: dict[str, Any] = {
        "at_us": 1, "direction": "to-device", "hex": HEAD + NAME + CHECK, "type": "REQ", "op": "LABEL_DATA", "fields": {"offset": 200},
    }  # fmt: skip
    return TracedFrame(**(told | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"op": "FW_DATA"},
        {"op": "PING"},
        {"op": "0x7f"},
        {"type": "0x20", "op": "0x50"},
        {"type": "0x20", "op": "STATUS"},
        {"type": "EVT", "op": "0x50", "direction": "from-device"},
        {"error": "stale"},
        {"op": "STATUS", "type": "RSP", "error": "payload"},
        {"type": "RSP", "direction": "from-device"},
    ],
)
def test_content_that_may_be_of_a_label_is_its_length_and_digest(changes: dict[str, Any]) -> None:
    told = without_content(frame(**changes))
    content = bytes.fromhex(NAME)
    assert told["closed"] == {"length": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert "hex" not in told
    assert told["op"] == changes.get("op", "LABEL_DATA")


@pytest.mark.parametrize("error", ["crc", "cobs", "overrun"])
def test_bytes_that_were_no_frame_are_closed_as_a_whole(error: Any) -> None:
    told = without_content(TracedFrame(at_us=1, direction="to-device", hex=NAME, error=error))
    assert told == {
        "at_us": 1, "direction": "to-device", "error": error,
        "closed": {"length": len(NAME) // 2, "sha256": hashlib.sha256(bytes.fromhex(NAME)).hexdigest()},
    }  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"op": "JOB_RUN"},
        {"op": "LOCK", "type": "RSP"},
        {"op": "AT_CAMERA", "type": "EVT"},
        {"op": "LABEL_DATA", "type": "RSP", "hex": HEAD + "00c8000000" + CHECK},
    ],
)
def test_what_an_engineer_reads_is_kept_whole(changes: dict[str, Any]) -> None:
    told = frame(**changes)
    kept = without_content(told)
    assert (kept["hex"], kept["fields"], kept["op"]) == (told.hex, told.fields, told.op)
    assert "closed" not in kept
