"""The Russian medicine code: 85 characters with both separators, 83 without, and the same pack each time."""

import string
from dataclasses import replace
from itertools import combinations

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from labels.gs1 import CHARACTERS, GS, Unread, UnreadReason, UnwritableElement, check_digit
from labels.gs1_symbol import gs1_data_matrix
from labels.medicine_code import MedicineCode, is_medicine_code, medicine_element_string, read_medicine_code

SIGNATURE = "Zm9yIHRoZSB0ZXN0cyBvZiB0aGUgbGluZSBhbG9uZSE="
CODE = MedicineCode("04640098765434", "91SN92<GS>001", "EE06", SIGNATURE)
TEXT = f"010464009876543421{CODE.serial}{GS}91EE06{GS}92{SIGNATURE}"
BASE64 = string.ascii_letters + string.digits + "+/"
GTINS = st.text(string.digits, min_size=13, max_size=13).filter(lambda text: int(text) > 0).map(lambda text: text + check_digit(text))
SERIALS = st.text(st.sampled_from(sorted(CHARACTERS)), min_size=13, max_size=13)
CODES = st.builds(
    MedicineCode, GTINS, SERIALS, st.text(st.sampled_from(string.digits + string.ascii_letters), min_size=4, max_size=4),
    st.text(st.sampled_from(BASE64), min_size=43, max_size=43).map(lambda text: text + "="),
)  # fmt: skip


def same_pack(read: MedicineCode | Unread, code: MedicineCode) -> bool:
    return isinstance(read, MedicineCode) and replace(read, raw="") == code


def without(text: str, places: tuple[int, ...]) -> str:
    return "".join(letter for place, letter in enumerate(text) if place not in places)


def separators(text: str) -> list[int]:
    return [place for place, letter in enumerate(text) if letter == GS]


def test_it_has_85_characters_and_keeps_its_scan() -> None:
    assert medicine_element_string(CODE) == TEXT
    assert len(TEXT) == 85
    scanned = f"]d2{TEXT}"
    assert read_medicine_code(scanned) == replace(CODE, raw=scanned)


def test_83_characters_are_cut_at_14_13_4_and_44() -> None:
    closed = TEXT.replace(GS, "")
    assert len(closed) == 83
    assert read_medicine_code(closed) == replace(CODE, raw=closed)


@pytest.mark.parametrize(
    "scanned",
    [
        TEXT[:-1], TEXT + "A", TEXT.replace(GS, "GS"), TEXT.replace(f"{GS}91", f"{GS}93"), TEXT.replace(f"{GS}92", f"92{GS}"),
        TEXT.replace("EE06", f"EE{GS}06"), TEXT.replace(f"{GS}91", f"{GS}{GS}91"), TEXT.replace(SIGNATURE, "#" * 44), f"]d1{TEXT}", "",
        "02" + TEXT[2:], TEXT.replace("04640098765434", "0464009876543A"),
    ],
)  # fmt: skip
def test_what_is_not_cut_at_its_lengths_is_no_medicine_code(scanned: str) -> None:
    assert isinstance(read_medicine_code(scanned), Unread)
    assert not is_medicine_code(scanned)


def test_a_wrong_check_digit_is_named() -> None:
    wrong = TEXT.replace("04640098765434", "04640098765435")
    assert is_medicine_code(wrong)
    assert read_medicine_code(wrong) == Unread(UnreadReason.CHECK_DIGIT, "04640098765435")


def test_a_russian_keyboard_layout_is_named() -> None:
    read = read_medicine_code(TEXT.replace("EE06", "УУ06"))
    assert isinstance(read, Unread)
    assert read.reason is UnreadReason.KEYBOARD_LAYOUT


@pytest.mark.parametrize("wrong", [{"serial": "short"}, {"gtin": "1"}, {"key": "EE"}, {"signature": "x" * 43}, {"serial": f"123456{GS}789012"}])
def test_what_no_such_code_can_carry_is_not_written(wrong: dict[str, str]) -> None:
    with pytest.raises(UnwritableElement):
        medicine_element_string(replace(CODE, **wrong))


@given(CODES)
@settings(max_examples=100, deadline=None)
def test_whichever_separators_are_lost_it_is_the_same_pack(code: MedicineCode) -> None:
    text = medicine_element_string(code)
    for lost in (0, 1, 2):
        for places in combinations(separators(text), lost):
            assert same_pack(read_medicine_code(without(text, places)), code)


@given(st.data(), CODES)
@settings(max_examples=100, deadline=None)
def test_a_letter_put_in_place_of_another_is_refused_or_changes_that_part_alone(data: st.DataObject, code: MedicineCode) -> None:
    text = medicine_element_string(code)
    place = data.draw(st.integers(0, 84))
    letter = data.draw(st.sampled_from(sorted(CHARACTERS | {GS})).filter(lambda letter: letter != text[place]))
    read = read_medicine_code(text[:place] + letter + text[place + 1 :])
    if isinstance(read, Unread):
        return
    assert read.gtin == code.gtin
    changed = [name for name in ("serial", "key", "signature") if getattr(read, name) != getattr(code, name)]
    assert len(changed) == 1


@given(CODES)
@settings(max_examples=25, deadline=None)
def test_the_drawn_code_is_36_modules_wide_at_most_40_and_says_the_same(code: MedicineCode) -> None:
    text = medicine_element_string(code)
    symbol = gs1_data_matrix(text, module_dots=6)
    assert symbol.size[0] <= 40 * 6
    picture = symbol.image.convert("L").point(lambda ink: 255 - ink)
    canvas = picture.resize((picture.width + 60, picture.height + 60))
    canvas.paste(255, (0, 0, *canvas.size))
    canvas.paste(picture, (30, 30))
    (read,) = zxingcpp.read_barcodes(canvas, formats=(zxingcpp.BarcodeFormat.DataMatrix,))
    assert same_pack(read_medicine_code(read.symbology_identifier + bytes(read.bytes).decode()), code)
