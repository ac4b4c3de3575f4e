"""A GTIN in a text is found in whatever form it is written, and numbers of a stock room's own are left alone."""

import pytest

from labels.gs1 import check_digit
from labels.held_gtin import bare_gtin, held_gtin

GTIN = "04640098765434"
EAN = GTIN[1:]
SHORT = "4640098" + check_digit("4640098")
WRONG = EAN[:-1] + "5"


@pytest.mark.parametrize("text", [GTIN, EAN, f"01{GTIN}", f"(01){GTIN}", "4-640098-765434", f" {EAN} ", "".join(chr(0xFF10 + int(digit)) for digit in EAN)])
def test_a_bare_number_is_one_in_all_its_lengths(text: str) -> None:
    assert (bare_gtin(text), held_gtin(text)) == (GTIN, GTIN)
    assert bare_gtin(SHORT) == SHORT.zfill(14)
    assert bare_gtin("036000291452") == "00036000291452"


@pytest.mark.parametrize(
    "text",
    [
        f"(01){GTIN}(17)290131(10)OTHERLOT(21)S", f"1729013110OTHER01{GTIN}", f"172901311001{GTIN}", f"{GTIN}NEWSERIAL", f"{GTIN}123456",
        f"https://id.gs1.org/01/{GTIN}/10/L/21/S", f"https://shop.example/01/{EAN}?17=290131", f"{EAN}-0001", f"SKLAD{EAN}",
    ],
)  # fmt: skip
def test_a_number_is_found_within_a_text(text: str) -> None:
    assert held_gtin(text) == GTIN
    assert bare_gtin(text) == ""


@pytest.mark.parametrize("text", ["", "SP0104640098", "SP0104640098-2026-11-28", "own-1", "AMP-F1", f"SP{SHORT}", WRONG, "00000000000000", "A-20261128"])
def test_numbers_of_the_stock_rooms_own_are_no_gtins(text: str) -> None:
    assert held_gtin(text) == ""


def test_a_number_among_other_digits_is_seen_though_not_where_it_begins() -> None:
    assert held_gtin(f"A{EAN}00") != ""
