"""Serials: the same bytes give the same serial, and no single slip of a finger makes another valid one."""

from hypothesis import given
from hypothesis import strategies as st

from labels.serial import ALPHABET, SERIAL_LENGTH, check_value, is_valid_serial, make_serial

seeds = st.binary(min_size=1, max_size=40)
places = st.integers(0, SERIAL_LENGTH - 1)


def test_check_character_of_published_examples() -> None:
    # A donation number of ISBT 128 and an example of ISO/IEC 7064 MOD 37-2.
    assert ALPHABET[check_value("G123498654321")] == "H"
    assert ALPHABET[check_value("G123489654321")] == "Y"


def test_serials_are_literally_these() -> None:
    assert make_serial(b"1") == "SCTW97AHXTU9"
    assert make_serial(bytes(32)) == make_serial(bytes(32))
    assert make_serial(b"1") != make_serial(b"2")


@given(seeds)
def test_a_serial_is_twelve_characters_and_valid(seed: bytes) -> None:
    serial = make_serial(seed)
    assert len(serial) == SERIAL_LENGTH
    assert set(serial) <= set(ALPHABET)
    assert is_valid_serial(serial)


@given(seeds, places, st.sampled_from(ALPHABET))
def test_every_single_substitution_is_found(seed: bytes, place: int, other: str) -> None:
    serial = make_serial(seed)
    changed = serial[:place] + other + serial[place + 1 :]
    assert is_valid_serial(changed) == (changed == serial)


@given(seeds, st.integers(0, SERIAL_LENGTH - 2))
def test_every_transposition_of_neighbours_is_found(seed: bytes, place: int) -> None:
    serial = make_serial(seed)
    changed = serial[:place] + serial[place + 1] + serial[place] + serial[place + 2 :]
    assert is_valid_serial(changed) == (changed == serial)


@given(st.text(max_size=14))
def test_other_text_is_no_serial_unless_it_checks(text: str) -> None:
    assert not is_valid_serial(text) or (len(text) == SERIAL_LENGTH and set(text) <= set(ALPHABET))


def test_lower_case_cyrillic_and_star_are_refused() -> None:
    assert not is_valid_serial("sctw97ahxtu9")
    assert not is_valid_serial("СCTW97AHXTU9")
    assert not is_valid_serial("SCTW97AHXTU*")
    assert not is_valid_serial("")
