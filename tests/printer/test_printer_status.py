"""Printer answers: literal status bytes, silence that stays unknown, process IDs out of any stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.printer_escpos import (
    AnswerReader,
    is_status_byte,
    parse_status,
    process_id_request,
    status_request,
)
from firmware_bridge.printer_status import PrinterState, PrinterStatus, process_id

GOOD = {1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12}


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ({}, PrinterState.READY),
        ({1: 0x1A}, PrinterState.OFFLINE),
        ({1: 0x1A, 2: 0x16}, PrinterState.COVER_OPEN),
        ({1: 0x1A, 2: 0x32}, PrinterState.OUT_OF_PAPER),
        ({4: 0x72}, PrinterState.OUT_OF_PAPER),
        ({4: 0x7E}, PrinterState.OUT_OF_PAPER),
        ({4: 0x1E}, PrinterState.READY),
        ({3: 0x1A}, PrinterState.OUT_OF_ORDER),
        ({3: 0x32}, PrinterState.OUT_OF_ORDER),
        ({3: 0x52}, PrinterState.OUT_OF_ORDER),
    ],
)
def test_literal_answers(changed: dict[int, int], state: PrinterState) -> None:
    assert parse_status(GOOD | changed).state is state


def test_paper_near_its_end_is_told_and_does_not_stop() -> None:
    status = parse_status(GOOD | {4: 0x1E})
    assert status.paper_low is True
    assert status.paper_out is False


def test_silence_is_unknown_and_never_paper() -> None:
    assert parse_status({}) == PrinterStatus()
    assert parse_status({}).state is PrinterState.UNKNOWN
    assert parse_status({}).paper_out is None


@pytest.mark.parametrize("missing", GOOD)
def test_any_missing_answer_is_unknown(missing: int) -> None:
    answers = {number: value for number, value in GOOD.items() if number != missing}
    assert parse_status(answers).state is PrinterState.UNKNOWN


@given(st.dictionaries(st.integers(1, 4), st.integers(0, 255)))
def test_ready_needs_four_clean_answers(answers: dict[int, int]) -> None:
    if parse_status(answers).state is PrinterState.READY:
        assert set(answers) == set(GOOD)
        assert all(is_status_byte(value) for value in answers.values())
        assert not answers[1] & 0x08 and not answers[2] & 0x24 and not answers[4] & 0x60


def test_requests_are_literally_these() -> None:
    assert status_request(4) == bytes.fromhex("10 04 04")
    assert process_id_request(b"A1~ ") == bytes.fromhex("1d 28 48 06 00 30 30 41 31 7e 20")
    with pytest.raises(ValueError, match="no status"):
        status_request(5)
    for wrong in (b"abc", b"abcde", b"ab\x1fc", b"abc\x7f"):
        with pytest.raises(ValueError, match="four characters"):
            process_id_request(wrong)


@given(st.lists(st.integers(0, 95**4 - 1), unique=True, max_size=20))
def test_process_ids_of_different_numbers_differ(numbers: list[int]) -> None:
    identifiers = {process_id(number) for number in numbers}
    assert len(identifiers) == len(numbers)
    assert all(process_id_request(identifier) for identifier in identifiers)


@given(st.integers(1, 3), st.integers(0, 95**4 - 1).map(process_id))
def test_answers_are_sorted_out_of_a_stream_in_pieces(step: int, identifier: bytes) -> None:
    stream = b"\x12\xff\x167\x22" + identifier + b"\x007%\x00\x1e"
    reader = AnswerReader()
    for start in range(0, len(stream), step):
        reader.feed(stream[start : start + step])
    assert reader.process_ids == {identifier}
    assert reader.cleared
    assert reader.last_status == 0x1E
    assert reader.unknown_bytes == 1


@given(st.binary(max_size=200))
def test_a_reader_takes_anything_and_keeps_little(noise: bytes) -> None:
    reader = AnswerReader()
    reader.feed(noise)
    assert len(reader._pending) <= 6
