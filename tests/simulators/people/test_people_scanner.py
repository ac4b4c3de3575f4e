"""What the hand scanner reads from a printed raster."""

import base64
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from people_plant import label_record

from labels.documents import DoseLine, Language, PouchLabel
from labels.render import render
from labels.serial import make_serial
from simulators.packager.world import Label, Pouch, Tablet
from simulators.people.scanner import NotARaster, picture_of, scan


@settings(max_examples=20, deadline=None)
@given(st.binary(min_size=1, max_size=8))
def test_every_serial_is_read_from_its_data_matrix(seed: bytes) -> None:
    serial = make_serial(seed)
    assert scan(label_record(serial)) == serial


def test_code_128_is_read_where_there_is_no_data_matrix() -> None:
    assert scan(label_record("8XRTCS5AR2G5", code_128=True)) == "8XRTCS5AR2G5"


def test_a_label_without_a_code_is_unreadable() -> None:
    assert scan(label_record("")) is None


def test_a_print_that_left_hardly_any_ink_is_unreadable() -> None:
    record = label_record("8XRTCS5AR2G5")
    assert scan({**record, "print": {"contrast": 0.01}}) is None
    assert scan({**record, "print": {"contrast": 0.6, "dead_columns": [3, 120]}}) == "8XRTCS5AR2G5"


def test_rows_are_padded_to_bytes_and_one_is_black() -> None:
    picture = picture_of(bytes([0b10000000, 0b01000000]), 2, 2)
    assert picture[16:-16, 16:-16].tolist() == [[0, 255], [255, 0]]


def test_bytes_that_do_not_fit_the_size_are_no_raster() -> None:
    with pytest.raises(NotARaster):
        picture_of(b"\x00", 16, 1)
    with pytest.raises(NotARaster):
        scan({"width": 8, "height": 1, "raster": "***"})
    with pytest.raises(NotARaster):
        scan({"width": 8, "height": 2, "raster": base64.b64encode(b"\x00").decode()})


def pouch_label(serial: str) -> PouchLabel:
    lines = tuple(DoseLine(f"Ацетилсалициловая кислота {n}", "75 мг", "таблетки", f"{n} × 75 мг = {n * 75} мг") for n in range(1, 3))
    return PouchLabel(
        serial=serial, language=Language.RUSSIAN, department="Кардиология", room="7", patient="Иванов Иван Иванович",
        birth_date=date(1950, 2, 3), slot="утро", due=datetime.fromisoformat("2026-11-22T08:00:00+03:00"), lines=lines,
        expiry=date(2026, 12, 1), lot_set="L1, L2",
    )  # fmt: skip


def test_a_pouch_out_of_the_packager_is_read_from_the_products_own_label() -> None:
    serial = make_serial(b"a pouch")
    raster = render(pouch_label(serial))
    label = Label(raster.digest(), raster.width, raster.height, raster.compressed())
    pouch = Pouch("pouch-1", "aa", [Tablet("A1", "L1", {}, 0)], label)
    assert scan(pouch.in_hand()) == serial
