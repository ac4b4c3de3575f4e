"""Rasters: the same document gives the same dots, and both codes are read back by independent decoders."""

import io
import zlib
from dataclasses import replace

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from label_samples import BADGE, ENGLISH_POUCH, RUSSIAN_POUCH, SAMPLES, WRISTBAND
from PIL import Image, ImageChops
from pyzbar import pyzbar

from labels.documents import LabelDocument
from labels.errors import LabelOverflow
from labels.geometry import SymbolPlace
from labels.layout import plan_label
from labels.proof import prove
from labels.raster import Raster, raster_of
from labels.render import draw, render, symbol_of
from labels.serial import make_serial
from labels.symbols import code_128, data_matrix


def codes_by_zxing(raster: Raster, symbology: str) -> list[str]:
    formats = zxingcpp.barcode_formats_from_str(symbology)
    return [bytes(found.bytes).decode() for found in zxingcpp.read_barcodes(raster.to_image().convert("L"), formats)]


def codes_by_zbar(raster: Raster) -> list[str]:
    symbols = [pyzbar.ZBarSymbol.CODE128]
    return [found.data.decode() for found in pyzbar.decode(raster.to_image().convert("L"), symbols)]


@pytest.mark.parametrize("name", SAMPLES)
def test_both_codes_are_read_back_from_the_whole_label(name: str) -> None:
    raster, serial = render(SAMPLES[name]), SAMPLES[name].code
    assert codes_by_zxing(raster, "DataMatrix") == [serial]
    assert codes_by_zxing(raster, "Code128") == [serial]
    assert codes_by_zbar(raster) == [serial]
    assert prove(raster, serial).passed


@settings(max_examples=25, deadline=None)
@given(st.binary(min_size=1, max_size=8).map(make_serial))
def test_any_serial_is_read_back(serial: str) -> None:
    raster = render(replace(ENGLISH_POUCH, serial=serial))
    assert prove(raster, serial).passed
    assert codes_by_zxing(raster, "Code128") == codes_by_zbar(raster) == [serial]


@settings(max_examples=40)
@given(st.from_regex(r"[0-9A-Z]{12}", fullmatch=True))
def test_codes_of_any_twelve_characters_keep_their_place(text: str) -> None:
    width, height = data_matrix(text, 5, 100).size
    assert width == height <= 80
    assert width % 5 == 0
    assert code_128(text, 2, 374, 64).size[0] <= 334


def test_a_code_too_long_for_its_place_is_an_error() -> None:
    with pytest.raises(LabelOverflow, match=r"^code: the Data Matrix"):
        data_matrix("ABCDEFGHIJKLMNOPQRST", 5, 100)
    with pytest.raises(LabelOverflow, match=r"^code: the Code 128"):
        code_128("ABCDEFGHIJKLMNOPQRST", 2, 374, 64)


@settings(max_examples=20, deadline=None)
@given(st.from_regex(r"[0-9A-Za-z-]{1,20}", fullmatch=True))
def test_a_badge_carries_any_code_that_it_may_have(code: str) -> None:
    assert prove(render(replace(BADGE, code=code)), code).passed


def test_label_sizes_are_whole_millimetres_at_eight_dots() -> None:
    assert (render(RUSSIAN_POUCH).width, render(RUSSIAN_POUCH).height) == (640, 400)
    assert (render(WRISTBAND).width, render(WRISTBAND).height) == (640, 240)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_quiet_zone_of_each_code_is_white(name: str) -> None:
    document = SAMPLES[name]
    plan = plan_label(document)
    ink = ImageChops.invert(draw(plan).to_image())
    for place in plan.symbols:
        symbol = symbol_of(place, plan.code)
        inked = ink.crop((place.box.x, place.box.y, place.box.right, place.box.bottom))
        assert inked.getbbox() is not None
        dots = sum(inked.convert("L").histogram()[1:])
        assert dots == sum(symbol.image.convert("L").histogram()[1:])
    matrix = plan.symbols[0].box
    assert ink.crop((matrix.x, matrix.y, matrix.x + 10, matrix.bottom)).getbbox() is None


@pytest.mark.parametrize("name", SAMPLES)
def test_no_ink_leaves_the_box_of_its_text(name: str) -> None:
    plan = plan_label(SAMPLES[name])
    for run in plan.runs:
        alone = draw(replace(plan, bars=(), symbols=(), runs=(replace(run, inverted=False),)))
        left, top, right, bottom = ImageChops.invert(alone.to_image()).getbbox() or (0, 0, 0, 0)
        assert run.box.x - 2 <= left and right <= run.box.right + 2
        assert run.box.y - 1 <= top and bottom <= run.box.bottom + run.size // 10


def test_the_same_document_gives_the_same_dots() -> None:
    assert render(RUSSIAN_POUCH) == render(replace(RUSSIAN_POUCH))
    assert render(RUSSIAN_POUCH).digest() != render(replace(RUSSIAN_POUCH, room="13")).digest()


def test_proof_fails_on_another_serial_and_on_a_torn_code() -> None:
    raster = render(ENGLISH_POUCH)
    assert prove(raster, ENGLISH_POUCH.serial).passed
    assert "a code on it reads as b'BYZ8YZES4OKM'" in prove(raster, RUSSIAN_POUCH.serial).fault
    half = Raster(raster.width, 340, raster.bits[: raster.row_bytes * 340])
    assert "]C0 and not as ]d1 and ]C0" in prove(half, ENGLISH_POUCH.serial).fault


def test_proof_fails_where_one_symbol_is_missing_or_says_something_else() -> None:
    plan = plan_label(ENGLISH_POUCH)
    matrix, line = plan.symbols
    assert not prove(draw(replace(plan, symbols=(matrix,))), plan.code).passed
    assert not prove(draw(replace(plan, symbols=(line,))), plan.code).passed
    both = draw(replace(plan, symbols=(matrix,))).to_image()
    both.paste(draw(replace(plan, symbols=(line,), code=RUSSIAN_POUCH.serial)).to_image().crop(_box(line)), _box(line))
    assert "a code on it reads as" in prove(raster_of(ImageChops.invert(both)), plan.code).fault


def test_proof_fails_where_a_spot_uses_up_error_correction() -> None:
    plan = plan_label(ENGLISH_POUCH)
    x, y, *_ = _box(plan.symbols[0])
    spotted = draw(plan).to_image()
    spotted.paste(0, (x + 35, y + 35, x + 55, y + 55))
    assert "of its error correction" in prove(raster_of(ImageChops.invert(spotted)), plan.code).fault


def _box(place: SymbolPlace) -> tuple[int, int, int, int]:
    return place.box.x, place.box.y, place.box.right, place.box.bottom


def test_digest_and_compression_are_those_of_the_wire() -> None:
    raster = Raster(10, 2, bytes((0b10000000, 0b01000000, 0xFF, 0xC0)))
    assert raster.digest().hex() == "78df9df8e223cfdce2e6beec8646c9e1931b5f5d199b8cc09b4afb347cb81bb1"
    assert zlib.decompress(raster.compressed()) == raster.bits


def test_png_shows_black_ink_on_white() -> None:
    picture = Image.open(io.BytesIO(Raster(10, 2, bytes((0x80, 0x40, 0, 0))).to_png()))
    assert picture.size == (10, 2)
    assert [place for place in ((0, 0), (1, 0), (9, 0), (0, 1)) if picture.getpixel(place) == 0] == [(0, 0), (9, 0)]


def test_a_raster_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="need 4 bytes"):
        Raster(10, 2, b"123")
    with pytest.raises(ValueError, match="not the size"):
        Raster(0, 2, b"")


def test_a_raster_carried_by_the_packager_keeps_its_limits() -> None:
    for document in SAMPLES.values():
        raster = render(document, 80)
        assert raster.height <= 800
        assert len(raster.bits) <= 65536
        assert len(raster.compressed()) <= 65536
    assert isinstance(ENGLISH_POUCH, LabelDocument)
