"""ZPL as it is written and heard: literal bytes, check sums, and answers that are whole or not known at all."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.label_printer import job_bytes
from firmware_bridge.printer_status import PrinterLanguage, PrinterState
from firmware_bridge.printer_zpl import ZplAnswers, parse_host_status, verification_request
from labels.raster import Raster
from simulators.printer.parser import RasterImage
from simulators.printer.zpl import CancelAll, Page, StatusQuestion, Wanted, ZplParser

ZPL = PrinterLanguage.ZPL
ID = b"J?1!"
WELL = (
    "030,0,0,1245,000,0,0,0,000,0,0,0",
    "000,0,0,0,0,2,4,0,00000000,1,000",
    "1234,0",
)


def answer(*strings: str) -> bytes:
    return b"".join(b"\x02" + string.encode() + b"\x03\r\n" for string in strings)


def changed(line: int, place: int, value: str) -> tuple[str, ...]:
    """Return the strings of a printer that is well, but for one member."""
    members = WELL[line].split(",")
    members[place] = value
    return (*WELL[:line], ",".join(members), *WELL[line + 1 :])


def page_of(job: bytes) -> Page:
    (page,) = ZplParser().feed(job)
    assert isinstance(page, Page)
    return page


def test_a_small_label_is_literally_these_bytes() -> None:
    raster = Raster(16, 3, bytes.fromhex("800140022004"))
    assert job_bytes(raster, ID, ZPL) == (
        b"^XA^PW16^LL3^LH0,0^LS0^PON^PMN^LRN^JZN^FO0,0^GFA,6,6,2,800140022004^FS"
        b"^FN1^FD4A3F3121^FS^FH_^HV1,8,,_0D_0A,L^FS^PQ1,0,0,N^XZ"
    )


def test_what_packs_well_is_packed_and_has_its_check_sum() -> None:
    job = job_bytes(Raster(64, 100, bytes(800)), ID, ZPL)
    found = re.search(rb"\^GFA,800,800,8,:Z64:([A-Za-z0-9+/=]+):([0-9A-F]{4})\^FS", job)
    assert found is not None
    assert int(found.group(2), 16) == crc(found.group(1))
    assert page_of(job).image == RasterImage(8, 100, bytes(800))
    spoiled = ZplParser()
    spoiled.feed(job.replace(found.group(2), b"%04X" % (crc(found.group(1)) ^ 1)))
    assert spoiled.spoiled_graphics == 1


def crc(text: bytes) -> int:
    """Divide by x^16 + x^12 + x^5 + 1, bit by bit, from 0."""
    rest = 0
    for bit in (value >> place & 1 for value in text for place in range(7, -1, -1)):
        rest = ((rest << 1) & 0xFFFF) ^ (0x1021 if (rest >> 15) ^ bit else 0)
    return rest


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(1, 700), st.integers(0, 100), st.integers(0, 10_000))
def test_any_raster_is_one_label_bit_for_bit_however_it_is_cut_into_pieces(
    row_bytes: int, height: int, white: int, seed: int
) -> None:
    chance = random.Random(seed)
    bits = bytes(value if chance.randrange(100) >= white else 0 for value in chance.randbytes(row_bytes * height))
    parser, wanted, job = ZplParser(), list[Wanted](), job_bytes(Raster(row_bytes * 8, height, bits), ID, ZPL)
    for start in range(0, len(job), 997):
        wanted += parser.feed(job[start : start + 997])
    assert wanted == [Page(RasterImage(row_bytes, height, bits), 1, (b"4A3F3121\r\n",), again_after_error=False)]
    assert parser.unknown_bytes == 0


def test_a_raster_larger_than_one_graphic_is_written_as_strips() -> None:
    bits = random.Random(1).randbytes(104 * 2000)
    job = job_bytes(Raster(832, 2000, bits), ID, ZPL)
    assert job.count(b"^GFA,") == 3
    assert page_of(job).image.bits == bits


def test_a_label_higher_than_the_language_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="higher"):
        job_bytes(Raster(8, 32_001, bytes(32_001)), ID, ZPL)


@pytest.mark.parametrize("identifier", [b"^XZ~", b"~JA^", b"  ,_"])
def test_an_id_with_command_characters_is_no_command(identifier: bytes) -> None:
    page = page_of(job_bytes(Raster(8, 1, b"\xff"), identifier, ZPL))
    assert page.answers == (identifier.hex().upper().encode() + b"\r\n",)


def test_a_process_id_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="four"):
        verification_request(b"abc")


@pytest.mark.parametrize(
    ("strings", "state"),
    [
        (WELL, PrinterState.READY),
        (changed(0, 1, "1"), PrinterState.OUT_OF_PAPER),
        (changed(0, 2, "1"), PrinterState.PAUSED),
        (changed(0, 5, "1"), PrinterState.OFFLINE),
        (changed(0, 6, "1"), PrinterState.OUT_OF_ORDER),
        (changed(0, 9, "1"), PrinterState.OUT_OF_ORDER),
        (changed(0, 10, "1"), PrinterState.OUT_OF_ORDER),
        (changed(0, 11, "1"), PrinterState.OUT_OF_ORDER),
        (changed(1, 2, "1"), PrinterState.COVER_OPEN),
        (changed(1, 3, "1"), PrinterState.READY),
        ((WELL[0], "000,0,0,1,1,2,4,0,00000000,1,000", WELL[2]), PrinterState.OUT_OF_RIBBON),
        (changed(1, 7, "1"), PrinterState.LABEL_WAITING),
    ],
)
def test_host_status_names_what_a_person_has_to_know(strings: tuple[str, ...], state: PrinterState) -> None:
    found = parse_host_status(strings)
    assert found is not None
    assert found.facts.state is state


@pytest.mark.parametrize(
    ("strings", "idle"),
    [
        (WELL, True),
        (changed(0, 4, "001"), False),
        (changed(0, 5, "1"), False),
        (changed(0, 7, "1"), False),
        (changed(1, 8, "00000001"), False),
    ],
)
def test_idle_is_only_what_has_nothing_waiting(strings: tuple[str, ...], idle: bool) -> None:
    found = parse_host_status(strings)
    assert found is not None
    assert found.is_idle is idle


def test_every_member_of_the_three_strings_is_read() -> None:
    found = parse_host_status(("030,0,0,1245,007,0,0,1,000,0,0,0", "129,0,0,0,1,3,4,0,00000012,1,005", "1234,1"))
    assert found is not None
    assert (found.interface, found.label_length, found.formats_in_buffer, found.partial_format) == (30, 1245, 7, True)
    assert (found.functions, found.thermal_transfer, found.print_mode, found.print_width_mode) == (129, True, "3", 4)
    assert (found.labels_remaining, found.format_while_printing, found.graphics_stored) == (12, True, 5)
    assert (found.password, found.static_memory) == ("1234", True)


@pytest.mark.parametrize(
    "strings", [(), WELL[:2], (*WELL, "1234,0"), changed(0, 1, "2"), changed(1, 8, ""), (WELL[1], WELL[0], WELL[2])]
)
def test_what_is_not_whole_is_not_known(strings: tuple[str, ...]) -> None:
    assert parse_host_status(strings) is None


@given(st.integers(1, 7))
def test_answers_are_sorted_however_they_come(step: int) -> None:
    stream = b"??" + answer(*WELL[:1]) + b"4A3F3121\r\n" + answer(*WELL[1:]) + b"noise\r\n"
    answers = ZplAnswers()
    for start in range(0, len(stream), step):
        answers.feed(stream[start : start + step])
    assert answers.verified == {b"4A3F3121"}
    assert answers.host_status == parse_host_status(WELL)
    assert answers.unknown_bytes == len("??noise")


@given(st.binary(max_size=2000))
def test_noise_neither_grows_nor_counts_as_an_answer(noise: bytes) -> None:
    answers = ZplAnswers()
    answers.feed(noise.replace(b"\x02", b""))
    assert answers.host_status is None
    assert len(answers._pending) < 256


def test_commands_that_are_obeyed_at_once_need_nothing_behind_them() -> None:
    assert ZplParser().feed(b"~HS") == [StatusQuestion()]
    assert ZplParser().feed(b"noise~ja") == [CancelAll()]


def test_what_the_printer_does_not_know_is_counted_and_passed_over() -> None:
    parser = ZplParser()
    wanted = parser.feed(b"^XA^PW8^LL1^A0N,30^FDtext^FS^FO0,0^GFA,1,1,1,81^FS^XZ")
    assert wanted == [Page(RasterImage(1, 1, b"\x81"))]
    assert parser.unknown_bytes == len("^A0N,30^FDtext")


def test_graphics_stand_at_their_place_and_what_is_beside_the_label_falls_off() -> None:
    (page,) = ZplParser().feed(b"^XA^PW16^LL2^LH4,0^FO4,1^GFA,1,1,1,FF^FS^FO12,0^GFA,1,1,1,F0^FS^PQ3^XZ")
    assert page == Page(RasterImage(2, 2, bytes.fromhex("0000 00FF")), 3)


def test_a_command_in_the_middle_of_a_graphic_gives_it_up() -> None:
    parser = ZplParser()
    wanted = parser.feed(b"^XA^PW16^LL2^FO0,0^GFA,4,4,2,FFFF~DN~JA~HS")
    assert wanted == [CancelAll(), StatusQuestion()]
    assert (parser.has_open_format, parser.spoiled_graphics) == (False, 1)


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=3000))
def test_the_simulated_printer_takes_any_bytes(noise: bytes) -> None:
    parser = ZplParser()
    parser.feed(noise + b"\n^XZ~JA")
    assert not parser.has_open_format
