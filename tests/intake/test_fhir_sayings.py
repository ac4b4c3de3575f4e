"""Where one dosage says its timing in several places, the places must say the same."""

from typing import Any

import pytest
from intake_bundles import with_dosage

from tests.intake.test_fhir_orders import line_of
from tests.said import english

GTS = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"


def coded(*codes: str, text: str = "", **members: Any) -> dict[str, Any]:
    """Return an order whose timing has codings, the first one of FHIR's own system."""
    codings = [{"system": GTS if not number else "urn:ward", "code": code} for number, code in enumerate(codes)]
    return with_dosage(timing={"code": {"coding": codings, "text": text}}, **members)


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        (coded("BID", "QID"), "timing.code that says different things: BID and QID"),
        (coded("BID", text="three times a day"), "timing.code that says different things: BID and three times a day"),
        (coded("BID"), None), (coded("BID", "2X/DAY"), None), (coded("BID", "229799001", text="twice a day"), None), (coded("QOD", "77"), None),
    ],
)  # fmt: skip
def test_codings_of_one_timing_must_say_the_same(resource: dict[str, Any], words: str | None) -> None:
    assert english(line_of(resource).unsupported) == ((words,) if words else ())


def dosage_said(text: str, timing: dict[str, Any], **members: Any) -> tuple[str, ...]:
    return english(line_of(with_dosage(text=text, timing=timing, **members)).unsupported)


BID = {"code": {"coding": [{"code": "BID"}]}}
TWICE = {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}


@pytest.mark.parametrize("timing", [BID, TWICE])
@pytest.mark.parametrize("text", ["1 tablet every other day", "1 tablet three times daily", "по 1 таблетке 3 раза в день", "take q8h", "1 tablet once a week"])
def test_a_text_that_says_another_rate_is_for_a_person(text: str, timing: dict[str, Any]) -> None:
    assert dosage_said(text, timing) == (f"dosage.text that says another timing than timing: {text}",)


@pytest.mark.parametrize("timing", [BID, TWICE])
@pytest.mark.parametrize("text", ["12.5 mg PO BID", "1 tablet twice a day", "по 1 таблетке 2 раза в день", "every 12 hours", "1 tablet with water", "Take B.I.D.", ""])
def test_a_text_that_says_the_same_or_nothing_of_time_lets_the_line_go_on(text: str, timing: dict[str, Any]) -> None:
    assert dosage_said(text, timing) == ()


def test_a_text_that_says_when_to_hold_a_dose_is_for_a_person() -> None:
    assert dosage_said("1 tablet BID, hold if SBP<100", BID) == ("dosage.text that says when to hold the dose: 1 tablet BID, hold if SBP<100",)
    assert dosage_said("не давать при АД < 100", BID) == ("dosage.text that says when to hold the dose: не давать при АД < 100",)


def test_a_text_that_says_when_needed_beside_a_plain_timing_is_for_a_person() -> None:
    for text in ("1 tablet BID as needed", "2 раза в день при сильных болях"):
        assert dosage_said(text, BID) == (f"dosage.text that says 'when needed', and asNeeded is not written: {text}",)
        assert dosage_said(text, BID, asNeededBoolean=True) == ()
