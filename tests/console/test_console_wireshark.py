"""The capture file and Wireshark's view of it: the literal vectors, written as pcapng and read by the real tshark."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge import pcapng
from firmware_bridge.codec import cobs_decode
from firmware_bridge.packets import EventKind, Op
from firmware_bridge.pcapng import COMMENTS
from firmware_bridge.trace_contract import TracedFrame, TraceReport
from hub.console.trace_file import PcapngFile, open_trace

TSHARK = shutil.which("tshark")
IS_REQUIRED = "DOSEHUB_REQUIRE_SYSTEM_PACKAGES" in os.environ
needs_tshark = pytest.mark.skipif(
    TSHARK is None and not IS_REQUIRED, reason="needs the package tshark of system-packages.txt"
)
REPOSITORY = Path(__file__).parents[2]
DISSECTOR = REPOSITORY / "docs" / "wireshark" / "ppl.lua"
FRAMES: list[dict[str, Any]] = json.loads((REPOSITORY / "tests" / "vectors" / "frames.json").read_text())
FAULTS: dict[str, pcapng.CrossingFault] = {"crc_err": "crc", "cobs_err": "cobs", "overrun": "overrun"}
TYPES = {0x11: "REQ", 0x12: "RSP", 0x13: "EVT", 0x14: "HELLO", 0x15: "HELLO_RSP"}
REQUEST, ANSWER, EVENT, UNKNOWN_OP, FW_DATA = 0x11, 0x12, 0x13, 0x7F, 0x11
AT_S = 1_795_000_000.25
EVENT_NAMES = {"reason": "stop_reason", "slot": "machine_slot"}


def traced(vector: dict[str, Any], at_us: int) -> TracedFrame:
    """Return a vector as the bridge tells of it."""
    between = bytes.fromhex(vector["hex"])[1:-1]
    error = FAULTS.get(vector.get("error", ""), "")
    direction: Any = "to-device" if vector["direction"] == "to-device" else "from-device"
    data = between if error else cobs_decode(between)
    return TracedFrame(at_us=at_us, direction=direction, hex=data.hex(), error=error)


def report(*frames: TracedFrame) -> TraceReport:
    return TraceReport(frames=frames, dropped=0, ended=False)


def capture(path: Path, *told: tuple[TraceReport, int]) -> Path:
    with PcapngFile(path.open("xb"), "packager-1", lambda: AT_S) as file:
        for each, lost in told:
            file.write(each, lost)
    return path


def tshark(path: Path, *options: str) -> str:
    assert TSHARK is not None
    command = [TSHARK, "-n", "-X", f"lua_script:{DISSECTOR}", "-r", str(path), *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "Lua" not in ended.stderr
    return ended.stdout


Said = dict[str, list[str]]


def merged(pairs: list[tuple[str, Any]]) -> Said:
    """Return all members of a JSON object by name, those of inner objects too; a name that is there twice has both values."""
    said: Said = {}
    for name, value in pairs:
        inner = value if isinstance(value, dict) else {name: value if isinstance(value, list) else [str(value)]}
        for each, values in inner.items():
            said.setdefault(each.removeprefix("ppl_ppl_"), []).extend(values)
    return said


def packets_of(path: Path) -> list[Said]:
    """Return what tshark says of each packet of a capture."""
    lines = [json.loads(line, object_pairs_hook=merged) for line in tshark(path, "-T", "ek").splitlines()]
    return [line for line in lines if "frame_frame_number" in line]


@pytest.fixture(scope="module")
def dissected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Said]:
    """Return what tshark says of each vector, by the vector's name."""
    frames = [traced(vector, number) for number, vector in enumerate(FRAMES)]
    path = capture(tmp_path_factory.mktemp("capture") / "vectors.pcapng", (report(*frames), 0))
    infos = tshark(path, "-T", "fields", "-e", "_ws.col.Info").splitlines()
    told = zip(FRAMES, packets_of(path), infos, strict=True)
    return {vector["name"]: packet | {"info": [info]} for vector, packet, info in told}


def numbers(values: list[str]) -> list[int]:
    return [int(value, 0) for value in values]


def same(told: list[str], expected: Any) -> bool:
    """Tell whether tshark's values are those of the vector: numbers, texts, or bytes in hex."""
    if isinstance(expected, bool | int):
        return numbers(told) == [int(expected)]
    return told == [expected] or [value.replace(":", "") for value in told] == [expected]


def listed(said: Said, names: tuple[str, ...], rows: list[tuple[int, ...]]) -> bool:
    """Tell whether a list of entries is shown column by column, with their number before it."""
    columns = [numbers(said.get(name, [])) for name in names]
    return numbers(said["n"]) == [len(rows)] and list(zip(*columns, strict=True)) == rows


def holds(said: Said, vector: dict[str, Any], name: str, value: Any) -> bool:
    """Tell whether one member of a vector is what tshark says, by the dissector's name for it."""
    op, kind = vector["fields"]["op"], vector["fields"]["type"]
    match name:
        case "payload" | "type" | "op":
            return True
        case "counters":
            return all(same(said[counter], count) for counter, count in value.items())
        case "slots" if isinstance(value, list):
            rows = [(row["slot"], row["cassette"], row["count"]) for row in value]
            return listed(said, ("machine_slot", "cassette", "count"), rows)
        case "entries":
            rows = [(row["slot"], row["cassette"], row["remaining"]) for row in value]
            return listed(said, ("machine_slot", "cassette", "remaining"), rows)
        case "results":
            return listed(said, ("test", "result"), [tuple(row) for row in value])
        case "data" if kind == EVENT:
            return all(same(said[EVENT_NAMES.get(member, member)], told) for member, told in value.items())
        case "data" if value == "":
            return "data" not in said
        case "tag" if op == FW_DATA:
            return same(said["fw_tag"], value)
        case "slot":
            return same(said["job_slot"], value)
    return same(said[name], value)


SOUND = [vector for vector in FRAMES if "error" not in vector]
DAMAGED = [vector for vector in FRAMES if "error" in vector]


@needs_tshark
@pytest.mark.parametrize("vector", SOUND, ids=lambda vector: vector["name"])
def test_each_field_of_each_frame_is_shown_as_the_vectors_say(
    dissected: dict[str, Said], vector: dict[str, Any]
) -> None:
    said, fields = dissected[vector["name"]], vector["fields"]
    assert not [name for name, value in fields.items() if not holds(said, vector, name, value)]
    assert numbers(said["type"]) == [fields["type"]]
    assert numbers(said["kind" if fields["type"] == EVENT else "op"]) == [fields["op"]]
    assert [name for name in said if name.startswith("wrong_") and name != "wrong_refused"] == (
        ["wrong_unknown"] if fields["op"] == UNKNOWN_OP else []
    )
    assert ("wrong_refused" in said) == bool(fields.get("rc") and fields["op"] != UNKNOWN_OP)


@needs_tshark
@pytest.mark.parametrize("vector", SOUND, ids=lambda vector: vector["name"])
def test_types_operations_and_events_are_named(dissected: dict[str, Said], vector: dict[str, Any]) -> None:
    fields = vector["fields"]
    if fields["op"] == UNKNOWN_OP:
        name = "0x7f"
    else:
        name = EventKind(fields["op"]).name if fields["type"] == EVENT else Op(fields["op"]).name
    assert dissected[vector["name"]]["info"][0].startswith(f"{TYPES[fields['type']]} {name} seq {fields['seq']}")


@needs_tshark
@pytest.mark.parametrize("vector", DAMAGED, ids=lambda vector: vector["name"])
def test_what_was_no_frame_has_its_error(dissected: dict[str, Said], vector: dict[str, Any]) -> None:
    said, fault = dissected[vector["name"]], FAULTS[vector["error"]]
    assert f"wrong_{fault}" in said
    assert said["frame_frame_comment"] == [COMMENTS[fault]]


@needs_tshark
def test_wrong_check_sum_of_a_frame_and_wrong_lengths_are_found(tmp_path: Path) -> None:
    lock = bytes.fromhex("1117efbe080107")
    frames = [
        TracedFrame(at_us=1, direction="to-device", hex="1105efbe0600000000"),
        TracedFrame(at_us=2, direction="to-device", hex=(lock + b"abcd" + bytes(4)).hex()),
        TracedFrame(at_us=3, direction="to-device", hex="1101efbe0101020304050607"),
    ]
    path = capture(tmp_path / "wrong.pcapng", (report(*frames), 0))
    crc, short, long = packets_of(path)
    assert "wrong_crc" in crc
    assert "wrong_short" in short
    assert "wrong_long" in long
    assert long["unread"] == ["02:03"]


@needs_tshark
def test_times_directions_and_missing_frames_are_in_the_capture(tmp_path: Path) -> None:
    query, answer = FRAMES[1], next(vector for vector in SOUND if vector["fields"]["type"] == ANSWER)
    told = [(report(traced(query, 1_500_001)), 0), (report(traced(answer, 1_503_002), traced(query, 7)), 4)]
    path = capture(tmp_path / "told.pcapng", *told)
    columns = ("frame.time_epoch", "frame.packet_flags_direction", "_ws.col.Source", "frame.comment")
    options = [word for column in columns for word in ("-e", column)]
    rows = [line.split("\t") for line in tshark(path, "-T", "fields", *options).splitlines()]
    assert rows == [
        ["1795000000.250000000", "0x00000002", "bridge", ""],
        ["1795000000.253001000", "0x00000001", "packager", "4 frames before this one were not told"],
        ["1795000000.250000000", "0x00000002", "bridge", ""],
    ]
    about = subprocess.run(["capinfos", str(path)], capture_output=True, text=True, timeout=60, check=True).stdout
    assert "Number of packets:   3" in about
    assert "Encapsulation = USER 0" in about
    assert "Name = packager-1" in about


def test_file_is_of_blocks_that_are_whole_each_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "trace.pcapng"
    with open_trace(path, "packager-1") as file:
        file.write(report(traced(FRAMES[1], 5), traced(FRAMES[-1], 9)), 2)
    content, kinds = path.read_bytes(), []
    while content:
        length = int.from_bytes(content[4:8], "little")
        assert length % 4 == 0
        assert content[length - 4 : length] == content[4:8]
        kinds.append(int.from_bytes(content[:4], "little"))
        content = content[length:]
    assert kinds == [0x0A0D0D0A, 1, 6, 6, 5]
    with pytest.raises(FileExistsError):
        open_trace(path, "packager-1")
