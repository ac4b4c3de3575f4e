"""The hub's capture of a watch: read by the real tshark, and of a label's bytes only length and digest."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hub.adapters.capture import capture
from hub.services.device_service import Frame, Watched
from hub.services.shown_frames import as_shown

TSHARK = shutil.which("tshark")
DISSECTOR = Path(__file__).parents[2] / "docs" / "wireshark" / "ppl.lua"
NAME = "Семёнова Ольга"
BEGAN_US = 1_795_000_000_000_000
BYTES = (NAME.encode() * 10)[:220]
LABEL = Frame(5000, "to-device", 220, BYTES.hex(), "REQ", 7, "LABEL_DATA", {"tag": "01", "offset": 0, "bytes": 200})
BROKEN = Frame(9000, "from-device", 220, BYTES.hex(), error="crc")
PING = Frame(7000, "to-device", 9, "1105efbe0600000000", "REQ", 5, "PING")


def test_no_bytes_of_a_label_are_in_it_but_their_length_and_digest() -> None:
    made = capture("packager-1", Watched((as_shown(LABEL), PING, as_shown(BROKEN)), 3), BEGAN_US)
    digest = hashlib.sha256(BYTES).hexdigest()
    assert NAME.encode() not in made and BYTES[:40] not in made
    assert (
        f"REQ LABEL_DATA seq 7 tag=01 offset=0 bytes=200: not shown, a label may be in it; SHA-256 {digest}".encode()
        in made
    )
    assert b"the check sum is wrong; bytes: not shown" in made and bytes.fromhex(PING.hex) in made


@pytest.mark.skipif(
    TSHARK is None and "DOSEHUB_REQUIRE_SYSTEM_PACKAGES" not in os.environ,
    reason="needs the package tshark of system-packages.txt",
)
def test_tshark_shows_what_is_there_and_calls_what_is_not_shown_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "trace.pcapng"
    path.write_bytes(capture("packager-1", Watched((as_shown(LABEL), PING, as_shown(BROKEN)), 3), BEGAN_US))
    columns = ("frame.time_epoch", "frame.len", "frame.cap_len", "_ws.col.Info", "ppl.wrong.cobs")
    options = [word for column in columns for word in ("-e", column)]
    assert TSHARK is not None
    command = [TSHARK, "-n", "-X", f"lua_script:{DISSECTOR}", "-r", str(path), "-T", "fields", *options]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    not_shown = "not shown: 220 bytes, the comment says why"
    assert [line.split("\t") for line in told.splitlines()] == [
        ["1795000000.005000000", "220", "0", not_shown, ""],
        ["1795000000.007000000", "9", "9", "REQ PING seq 5 ", ""],
        ["1795000000.009000000", "220", "0", not_shown, ""],
    ]
