"""Answers: codes, places and sentences, in the form of the message's version and mode."""

from dataclasses import replace

import pytest
from hl7_messages import at

from hub.adapters.intake.hl7.acknowledgements import Verdict, answers
from hub.adapters.intake.hl7.er7 import Delimiters, Message, parse
from hub.adapters.intake.hl7.header import Header
from hub.adapters.intake.hl7.problems import ErrorCode, Place, Problem

NOW = at("2026-03-02 06:30")
HEADER = Header(sender=("HIS", "WEST"), receiver=("HUB", "PH"), kind="RDE", event="O11", control_id="C&1", processing="P", version="2.5")
BAD_DOSE = Problem(Place("RXE", 2, 3), ErrorCode.DATA_TYPE, "no | amount", "не количество")
NOT_OURS = Problem(Place("MSH", 1, 9), ErrorCode.MESSAGE_TYPE, "not for us", "не нам")


def answered(header: Header = HEADER, problem: Problem | None = None) -> list[Message]:
    return [parse(answer.decode()) for answer in answers(header, Verdict(problem), NOW)]


def test_taken() -> None:
    (message,) = answered()
    msh, msa = message.segments
    assert [msh.raw(at) for at in (3, 4, 5, 6, 7, 9, 11, 12)] == ["HUB", "PH", "HIS", "WEST", "20260302063000+0300", "ACK^O11^ACK", "P", "2.5"]
    assert (msa.value(1), msa.value(2), message.first("ERR")) == ("AA", "C&1", None)
    assert msh.value(10)


def test_an_error_names_place_code_and_sentence() -> None:
    (message,) = answered(problem=BAD_DOSE)
    msa, err = message.segments[1:]
    assert (msa.value(1), msa.value(3)) == ("AE", "RXE[2]-3: no | amount")
    assert (err.raw(2), err.raw(3), err.value(4), err.value(7), err.value(8)) == (
        "RXE^2^3", "102^Data type error^HL70357", "E", "no | amount", "no | amount",
    )  # fmt: skip
    (in_unicode,) = answered(replace(HEADER, charset="UNICODE UTF-8"), BAD_DOSE)
    assert in_unicode.segments[2].value(8) == "не количество"
    assert in_unicode.header.raw(18) == "UNICODE UTF-8"


@pytest.mark.parametrize("version", ["2.1", "2.3", "2.3.1", "2.4"])
def test_older_versions_have_the_older_error_segment(version: str) -> None:
    (message,) = answered(replace(HEADER, version=version), BAD_DOSE)
    err = message.first("ERR")
    assert err is not None
    assert err.raw(1) == "RXE^2^3^102&Data type error&HL70357"
    assert message.header.raw(9) == ("ACK^O11^ACK" if version == "2.4" else "ACK")


def test_what_is_not_for_us_is_rejected() -> None:
    assert [message.segments[1].value(1) for message in answered(problem=NOT_OURS)] == ["AR"]


@pytest.mark.parametrize(
    ("accept", "application", "problem", "codes"),
    [
        ("AL", "NE", None, ["CA"]), ("AL", "AL", None, ["CA", "AA"]), ("NE", "NE", None, []), ("ER", "NE", None, []), ("ER", "NE", BAD_DOSE, ["CE"]),
        ("SU", "AL", BAD_DOSE, ["AE"]), ("AL", "ER", NOT_OURS, ["CR", "AR"]), ("", "AL", None, ["AA"]), ("SU", "", None, ["CA"]), ("??", "NE", None, ["CA"]),
    ],
)  # fmt: skip
def test_enhanced_mode(accept: str, application: str, problem: Problem | None, codes: list[str]) -> None:
    header = replace(HEADER, accept=accept, application=application)
    assert [message.segments[1].value(1) for message in answered(header, problem)] == codes


def test_the_answer_speaks_the_senders_delimiters() -> None:
    (message,) = answered(replace(HEADER, delimiters=Delimiters("#", "*", "@", "!", "%"), control_id="A*1"), BAD_DOSE)
    assert message.header.raw(2) == "*@!%"
    assert message.segments[1].value(2) == "A*1"


def test_the_same_verdict_is_the_same_answer() -> None:
    assert answers(HEADER, Verdict(), NOW) == answers(HEADER, Verdict(), NOW)
