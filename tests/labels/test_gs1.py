"""GS1 element strings: what is written is read again, and a lost separator never makes another pack of it."""

import string
from datetime import date

import pytest
import zxingcpp
from hypothesis import assume, given, settings
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
    UnwritableElement,
    calendar_date,
    check_digit,
    element_string,
    fields_of,
    is_gtin,
    looks_like_gs1,
    read_elements,
)
from labels.gs1_symbol import gs1_data_matrix

TODAY = date(2026, 3, 5)
GTIN = "04640098765434"
PACK = Gs1Elements(GTIN, date(2027, 12, 31), "LOT42", "SN0001")
TEXT = f"01{GTIN}1727123110LOT42{GS}21SN0001"
VALUES = st.text(st.sampled_from(sorted(CHARACTERS)), min_size=1, max_size=20)
GTINS = st.text(string.digits, min_size=13, max_size=13).filter(lambda text: int(text) > 0).map(lambda text: text + check_digit(text))
PACKS = st.builds(Gs1Elements, GTINS, st.dates(date(1980, 1, 1), date(2075, 12, 31)), VALUES, VALUES)


def text_of(pack: Gs1Elements) -> str:
    return element_string(fields_of(pack))


def is_refused(read: object, reason: UnreadReason) -> bool:
    return isinstance(read, Unread) and read.reason is reason


def test_the_check_digit_is_that_of_the_standard() -> None:
    assert check_digit("629104150021") == "3"
    assert is_gtin(GTIN)
    assert not is_gtin("00000000000000")
    assert not is_gtin(GTIN[:-1])
    assert not is_gtin("٠" * 14)


def test_it_is_written_with_a_separator_where_one_is_needed_only() -> None:
    assert text_of(PACK) == TEXT
    assert text_of(Gs1Elements(GTIN, lot="A")) == f"01{GTIN}10A"


@pytest.mark.parametrize("prefix", ["", GS, "]d2", "]C1", "]Q3", f"]d2{GS}"])
def test_identifier_and_leading_separator_are_taken_off_once(prefix: str) -> None:
    assert read_elements(prefix + TEXT, TODAY) == PACK
    assert isinstance(read_elements(prefix + prefix + TEXT, TODAY), Unread) is (prefix != "")


@pytest.mark.parametrize("stand_in", ["\x1b[19~", "^]", "↔", "␝"])
def test_what_scanners_type_for_a_separator_is_one(stand_in: str) -> None:
    assert read_elements(TEXT.replace(GS, stand_in), TODAY) == PACK


@pytest.mark.parametrize(
    ("scanned", "reason"),
    [
        (TEXT.replace(GS, ""), UnreadReason.SEPARATOR_LOST),
        (f"01{GTIN}17271200" + "10B90020621B2ALQQWWCJF3", UnreadReason.SEPARATOR_LOST),
        (f"01{GTIN}21SN17271231" + "10LOT", UnreadReason.SEPARATOR_LOST),
        (TEXT.replace("SN", "ЫТ"), UnreadReason.KEYBOARD_LAYOUT),
        (f"ъв2{TEXT}", UnreadReason.KEYBOARD_LAYOUT),
        (f"]D2{TEXT.swapcase()}", UnreadReason.CAPS_LOCK),
        (f"]d1{TEXT}", UnreadReason.NOT_GS1),
        (f"]C0{TEXT}", UnreadReason.NOT_GS1),
        (TEXT.replace(GTIN, GTIN[:-1] + "5"), UnreadReason.CHECK_DIGIT),
        (TEXT.replace("271231", "271331"), UnreadReason.NO_SUCH_DATE),
        (TEXT.replace("271231", "270230"), UnreadReason.NO_SUCH_DATE),
        (f"01{GTIN}", UnreadReason.ELEMENTS),
        (f"{TEXT}{GS}24012", UnreadReason.ELEMENTS),
        (f"{TEXT}{GS}10LOT43", UnreadReason.ELEMENTS),
        (TEXT.replace("SN", "S N"), UnreadReason.FORM),
        (f"01{GTIN[:5]}", UnreadReason.FORM),
        ("", UnreadReason.FORM),
        (GS, UnreadReason.FORM),
        ("0" * 3000, UnreadReason.FORM),
        (TEXT + "\x00", UnreadReason.FORM),
    ],
)
def test_a_scan_that_cannot_be_trusted_is_refused_with_its_reason(scanned: str, reason: UnreadReason) -> None:
    assert is_refused(read_elements(scanned, TODAY), reason)


def test_where_the_last_element_alone_has_no_fixed_length_no_separator_is_needed() -> None:
    assert read_elements(f"01{GTIN}1727120010LOT42", TODAY) == Gs1Elements(GTIN, date(2027, 12, 31), "LOT42")
    assert read_elements(f"01{GTIN}21SN0001", TODAY) == Gs1Elements(GTIN, serial="SN0001")


def test_the_same_scan_is_refused_where_the_station_expects_the_lot_alone_to_hold_no_serial() -> None:
    dropped = f"01{GTIN}1727123110LOT4221SN0001"
    assert is_refused(read_elements(dropped, TODAY), UnreadReason.SEPARATOR_LOST)
    assert is_refused(read_elements(dropped, TODAY, (SERIALISED,)), UnreadReason.SEPARATOR_LOST)
    assert is_refused(read_elements(dropped, TODAY, (IN_LOTS,)), UnreadReason.SEPARATOR_LOST)


def test_a_station_may_expect_other_elements() -> None:
    layout = frozenset({"01", "11", "10", "240", "30", "37", "21"})
    pack = Gs1Elements(GTIN, None, "L", "S", date(2025, 1, 31), "X", 5, 6)
    assert read_elements(text_of(pack), TODAY, (layout,)) == pack
    assert is_refused(read_elements(text_of(pack), TODAY), UnreadReason.ELEMENTS)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("260200", date(2026, 2, 28)), ("280200", date(2028, 2, 29)), ("760101", date(2076, 1, 1)), ("770101", date(1977, 1, 1)),
        ("991231", date(1999, 12, 31)), ("261301", None), ("260001", None), ("260431", None), ("260230", None),
    ],
)  # fmt: skip
def test_day_00_is_the_last_of_its_month_and_the_century_is_the_nearest(text: str, day: date | None) -> None:
    assert calendar_date(text, TODAY) == day


def test_the_century_turns_with_today() -> None:
    assert calendar_date("010101", date(2099, 1, 1)) == date(2101, 1, 1)
    assert calendar_date("500101", date(2099, 1, 1)) == date(2050, 1, 1)
    assert calendar_date("490101", date(2099, 1, 1)) == date(2149, 1, 1)


@pytest.mark.parametrize(
    "pack",
    [
        Gs1Elements(GTIN[:-1] + "5"), Gs1Elements(GTIN[1:]), Gs1Elements(GTIN, lot="A" * 21), Gs1Elements(GTIN, lot="серия"),
        Gs1Elements(GTIN, serial=f"A{GS}B"), Gs1Elements(GTIN, pieces=10**8), Gs1Elements(GTIN, trade_items=-1),
    ],
)  # fmt: skip
def test_what_no_code_can_carry_is_not_written(pack: Gs1Elements) -> None:
    with pytest.raises(UnwritableElement):
        fields_of(pack)


@given(PACKS)
@settings(max_examples=100, deadline=None)
def test_what_was_written_is_read(pack: Gs1Elements) -> None:
    assert read_elements(f"]d2{text_of(pack)}", TODAY) == pack
    assert read_elements(text_of(pack), TODAY) in (pack, Unread(UnreadReason.SEPARATOR_LOST, text_of(pack)))


@given(PACKS)
@settings(max_examples=100, deadline=None)
def test_without_its_separator_it_is_never_another_pack(pack: Gs1Elements) -> None:
    assert isinstance(read_elements(text_of(pack).replace(GS, ""), TODAY), Unread)


@given(st.data(), GTINS, VALUES)
@settings(max_examples=100, deadline=None)
def test_every_single_wrong_digit_of_a_gtin_is_found(data: st.DataObject, gtin: str, serial: str) -> None:
    place = data.draw(st.integers(0, 13))
    digit = data.draw(st.sampled_from(string.digits.replace(gtin[place], "")))
    wrong = gtin[:place] + digit + gtin[place + 1 :]
    assert is_refused(read_elements(f"01{wrong}21{serial}", TODAY), UnreadReason.CHECK_DIGIT)


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_no_text_is_an_error(text: str) -> None:
    assert isinstance(read_elements(text, TODAY), Unread | Gs1Elements)


@given(PACKS)
@settings(max_examples=40, deadline=None)
def test_a_drawn_symbol_is_square_and_says_the_same(pack: Gs1Elements) -> None:
    text = text_of(pack)
    assume("\\" not in text)
    symbol = gs1_data_matrix(text)
    assert symbol.size[0] == symbol.size[1]
    picture = symbol.image.convert("L").point(lambda ink: 255 - ink)
    canvas = picture.resize((picture.width + 40, picture.height + 40))
    canvas.paste(255, (0, 0, *canvas.size))
    canvas.paste(picture, (20, 20))
    (code,) = zxingcpp.read_barcodes(canvas, formats=(zxingcpp.BarcodeFormat.DataMatrix,))
    assert (bytes(code.bytes).decode(), code.symbology_identifier) == (text, "]d2")
    assert read_elements(code.symbology_identifier + bytes(code.bytes).decode(), TODAY) == pack


def test_an_unsound_element_string_is_not_drawn() -> None:
    for text in (TEXT.replace(GTIN, GTIN[:-1] + "5"), "hello", TEXT.replace("271231", "27ab31"), ""):
        with pytest.raises(UnwritableElement):
            gs1_data_matrix(text)


def test_texts_that_claim_to_be_a_pack_are_told_from_a_stock_room_code() -> None:
    assert all(map(looks_like_gs1, (TEXT, GS + TEXT, "]d2" + TEXT, f"01{GTIN}21S", f"01{GTIN}", TEXT[16:].replace(GS, "^]"))))
    assert not any(map(looks_like_gs1, ("SP0104640098", "A-lot", GTIN, "")))
    assert NUMBERED < SERIALISED
