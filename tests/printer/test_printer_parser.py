"""The simulated printer's parser: literal bytes, any cut into pieces, noise, and no buffer without an end."""

import hashlib
import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from simulators.printer.condition import Condition, drawn
from simulators.printer.paper import Paper
from simulators.printer.parser import (
    AskProcess,
    ClearRequest,
    Command,
    CommandParser,
    Cut,
    Feed,
    Initialise,
    RasterImage,
    RealTimeScanner,
    StatusRequest,
)
from simulators.printer.ports import Gap

LABEL = bytes.fromhex("1b40 1d763000 0200 0300 8001 4002 2004 1d564200 1d2848060030304a3f3121")
COMMANDS: list[Command] = [
    Initialise(),
    RasterImage(2, 3, bytes.fromhex("800140022004")),
    Cut(0),
    AskProcess(b"J?1!"),
]


def in_pieces(parser: CommandParser, data: bytes, step: int) -> list[Command]:
    return [command for start in range(0, len(data), step) for command in parser.feed(data[start : start + step])]


@given(st.integers(1, 40))
def test_a_label_is_the_same_in_pieces_of_any_size(step: int) -> None:
    parser = CommandParser()
    assert in_pieces(parser, LABEL * 2, step) == COMMANDS * 2
    assert parser.unknown_bytes == 0


@pytest.mark.parametrize(
    ("data", "commands"),
    [
        ("0a", [Feed(30)]),
        ("1b4a10", [Feed(16)]),
        ("1b6402", [Feed(60)]),
        ("1d5600", [Cut(0)]),
        ("1d5631", [Cut(0)]),
        ("1d564118", [Cut(24)]),
        ("1d763003 0100 0100 ff", [RasterImage(1, 1, b"\xff", 2, 2)]),
        ("100401 1b40", [StatusRequest(1), Initialise()]),
        ("10140801031401060208 1b40", [ClearRequest(), Initialise()]),
    ],
)
def test_literal_commands(data: str, commands: list[Command]) -> None:
    parser = CommandParser()
    assert parser.feed(bytes.fromhex(data)) == commands
    assert parser.unknown_bytes == 0


def test_unknown_bytes_are_counted_and_passed_over() -> None:
    parser = CommandParser()
    assert parser.feed(b"text" + b"\x1b!" + b"\x1d(k\x03\x00abc" + LABEL) == COMMANDS
    assert parser.unknown_bytes == 4 + 2 + 8


@given(st.integers(1, 5000))
def test_a_raster_that_is_too_large_is_skipped_whole(step: int) -> None:
    parser = CommandParser()
    huge = b"\x1dv0\x00" + struct.pack("<HH", 100, 6000) + bytes(600_000)
    assert in_pieces(parser, huge + LABEL, max(step, 500)) == COMMANDS


@given(st.lists(st.binary(max_size=64), max_size=20))
def test_noise_never_stops_the_parser_nor_fills_it(pieces: list[bytes]) -> None:
    parser = CommandParser()
    for piece in pieces:
        parser.feed(piece)
    assert len(parser._buffer) <= 64 * 20


@given(st.integers(1, 12))
def test_real_time_requests_are_found_in_any_cut_and_inside_rasters(step: int) -> None:
    clear = bytes.fromhex("10140801031401060208")
    data = b"\x1dv0\x00\x04\x00\x01\x00\x10\x04\x02\xff" + b"\x10\x10\x04\x04" + clear + b"\x10\x04\x05\x10\x04\x01"
    scanner, found = RealTimeScanner(), []
    for start in range(0, len(data), step):
        found += [(start + end, request) for end, request in scanner.feed(data[start : start + step])]
    assert found == [
        (11, StatusRequest(2)),
        (16, StatusRequest(4)),
        (26, ClearRequest()),
        (32, StatusRequest(1)),
    ]


def test_paper_keeps_rows_and_white_between_them(tmp_path: Path) -> None:
    paper = Paper(tmp_path)
    paper.feed(5)
    paper.print_row(RasterImage(1, 1, b"\x81"), 0)
    paper.feed(2)
    paper.print_row(RasterImage(2, 1, b"\x00\x01"), 0)
    paper.feed(7)
    done = paper.cut()
    assert done is not None
    label, digest = done
    bits = bytes.fromhex("8100 0000 0000 0001")
    assert digest == hashlib.sha256(struct.pack("<HH", 16, 4) + bits).hexdigest()
    record = json.loads(json.dumps(label.record()))
    assert (record["label"], record["width"], record["height"], record["raster"]) == ("L000001", 16, 4, "gQAAAAAAAAE=")
    with Image.open(label.file) as picture:
        assert picture.getpixel((0, 0)) == 0
        assert picture.getpixel((1, 0)) != 0
    assert paper.cut() is None


def test_numbers_go_on_after_a_restart_and_dead_dots_stay_white(tmp_path: Path) -> None:
    image = RasterImage(1, 1, b"\xff")
    for number in (1, 2):
        paper = Paper(tmp_path)
        assert paper.next_number == number
        paper.condition = Condition(dead_columns=(1, 2, 900))
        paper.print_row(image, 0)
        done = paper.cut()
        assert done is not None
        assert done[1] == hashlib.sha256(b"\x08\x00\x01\x00\xff").hexdigest()
        assert done[0].record()["raster"] == "nw=="


@pytest.mark.parametrize("faults", ["none", "mild", "rough"])
def test_mishaps_follow_from_the_seed_and_each_kind_comes_in_about_one_label_of_a_hundred(faults: str) -> None:
    found = [drawn(7, number, faults) for number in range(3000)]
    assert found == [drawn(7, number, faults) for number in range(3000)]
    streaks = sum(bool(one.condition.dead_columns) for one in found)
    rough = {
        "faint": sum(one.condition.contrast < 1 for one in found),
        "aside": sum(bool(one.condition.right_mm or one.condition.down_mm) for one in found),
        "no paper": sum(one.ends_after_rows is not None for one in found),
    }
    assert (10 < streaks < 60) if faults != "none" else streaks == 0
    assert all((10 < count < 60) if faults == "rough" else count == 0 for count in rough.values())


@pytest.mark.parametrize(("after", "lose", "left"), [(0, 0, b"abcdef"), (2, 3, b"abf"), (5, 9, b"abcde"), (0, 1, b"bcdef")])
def test_bytes_are_lost_once_and_only_those_that_were_ordered(after: int, lose: int, left: bytes) -> None:
    gap = Gap()
    gap.order(after, lose)
    assert gap.through(b"abc") + gap.through(b"def") == left
