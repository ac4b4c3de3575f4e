"""A separator that was lost behind any element of a pack: the scan is refused, or it still says the same."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labels.gs1 import (
    CHARACTERS,
    GS,
    IN_LOTS,
    NUMBERED,
    SERIALISED,
    Gs1Elements,
    Unread,
    UnreadReason,
    calendar_date,
    read_elements,
)
from labels.gs1_lost import hides_elements

TODAY = date(2026, 3, 5)
GTIN = "04640098765434"
PACK = f"01{GTIN}17291231"
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31)).map(lambda day: day.strftime("%y%m%d"))
FIXED = ("01", "11", "13", "15", "17")


def letters(most: int) -> st.SearchStrategy[str]:
    return st.text(st.sampled_from(sorted(CHARACTERS)), min_size=1, max_size=most)


def digits(least: int, most: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=least, max_size=most)


SHORT = st.one_of(letters(6), letters(20))
VALUES = {
    "11": DAYS, "13": DAYS, "15": DAYS, "17": DAYS, "10": SHORT, "21": SHORT, "30": digits(1, 8), "37": digits(1, 8),
    "240": letters(30), "241": letters(30), "250": letters(30), "710": letters(20), "712": letters(20), "716": letters(20),
    "7003": DAYS.map(lambda day: f"{day}1200"), "7004": digits(1, 4), "8008": DAYS.map(lambda day: f"{day}1345"),
    "91": letters(20), "92": letters(40), "93": letters(8), "99": letters(20),
}  # fmt: skip


@st.composite
def elements(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Return the elements of a code in any order: most often those of a pack, and now and then one or two others."""
    said = draw(st.sampled_from([SERIALISED, IN_LOTS, NUMBERED])) | draw(st.sets(st.sampled_from(sorted(VALUES)), max_size=2))
    return [(identifier, GTIN if identifier == "01" else draw(VALUES[identifier])) for identifier in draw(st.permutations(sorted(said)))]


def joined(fields: list[tuple[str, str]], lost: int) -> str:
    """Return the element string without the separator behind one element."""
    ends = ["" if identifier in FIXED or place == lost else GS for place, (identifier, _) in enumerate(fields)]
    return "".join(identifier + value + end for (identifier, value), end in zip(fields, ends, strict=True)).removesuffix(GS)


@given(elements(), st.data())
@settings(max_examples=100, deadline=None)
def test_whichever_separator_is_lost_the_scan_is_refused_or_says_the_same(fields: list[tuple[str, str]], data: st.DataObject) -> None:
    read = read_elements(joined(fields, data.draw(st.integers(0, len(fields) - 1))), TODAY)
    if isinstance(read, Unread):
        return
    said = dict(fields)
    assert frozenset(said) in (SERIALISED, IN_LOTS, NUMBERED)
    expires_on = calendar_date(said["17"], TODAY) if "17" in said else None
    assert read == Gs1Elements(GTIN, expires_on, said.get("10", ""), said.get("21", ""))


@pytest.mark.parametrize(
    "scanned",
    [
        f"{PACK}10LOT7712654321{GS}21SER1", f"{PACK}10LOT7{GS}21SER1710123456", f"01{GTIN}21SER193AbCd", f"01{GTIN}21SER117291231",
        f"{PACK}10LOT73010", f"{PACK}10LOT7240ABC", f"{PACK}10LOT770032912311200", f"{PACK}10LOT77004100", f"{PACK}10LOT7800829123113",
        f"{PACK}10LOT71128010110".removesuffix("10"), f"{PACK}10LOT7112801011529063021S", f"]d2{PACK}10LOT7712654321",
    ],
)  # fmt: skip
def test_a_value_that_may_hide_an_element_is_refused(scanned: str) -> None:
    read = read_elements(scanned, TODAY)
    assert isinstance(read, Unread)
    assert read.reason is UnreadReason.SEPARATOR_LOST


@pytest.mark.parametrize(
    ("lot", "serial"),
    [("LOT7", "SER1"), ("B9002", "2ALQQWWCJF"), ("LOT42", "SN0001"), ("10A", "21B"), ("A17", "X11"), ("L1713", "S17")],
)
def test_a_plain_pack_is_read_without_any_proof(lot: str, serial: str) -> None:
    assert read_elements(f"{PACK}10{lot}{GS}21{serial}", TODAY) == Gs1Elements(GTIN, date(2029, 12, 31), lot, serial)


def test_a_reader_that_names_the_symbology_and_sends_the_separator_needed_is_believed() -> None:
    text = f"{PACK}10LOT7{GS}21SER1710123456"
    assert read_elements(f"]d2{text}", TODAY) == Gs1Elements(GTIN, date(2029, 12, 31), "LOT7", "SER1710123456")
    assert isinstance(read_elements(text, TODAY), Unread)
    assert isinstance(read_elements(f"]d2{text}".replace(GS, ""), TODAY), Unread)


def test_an_identifier_that_the_code_said_already_hides_nothing() -> None:
    assert hides_elements("A17280430", {"01", "10"})
    assert not hides_elements("A17280430", {"01", "10", "17"})
    assert not hides_elements("A17281330", {"01", "10"}), "there is no thirteenth month"
    assert not hides_elements("3010", {"01", "10"}), "nothing stands before it"
