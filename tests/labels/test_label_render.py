"""Rasters: the same document gives the same dots, and both codes are read back by independent decoders."""

import io
import zlib
from dataclasses import replace

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from label_samples import ENGLISH_POUCH, RUSSIAN_POUCH, SAMPLES, WRISTBAND
from PIL import Image, ImageChops
from pyzbar import pyzbar

from labels.documents import LabelDocument
from labels.geometry import SymbolKind
from labels.layout import plan_label
from labels.proof import prove
from labels.raster import Raster
from labels.render import draw, render
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
    raster, serial = render(SAMPLES[name]), SAMPLES[name].serial
    assert codes_by_zxing(raster, "DataMatrix") == [serial]
    assert codes_by_zxing(raster, "Code128") == [serial]
    assert codes_by_zbar(raster) == [serial]


@settings(max_examples=25, deadline=None)
@given(st.binary(min_size=1, max_size=8).map(make_serial))
def test_any_serial_is_read_back(serial: str) -> None:
    raster = render(replace(ENGLISH_POUCH, serial=serial))
    assert prove(raster, serial).passed
    assert codes_by_zxing(raster, "Code128") == codes_by_zbar(raster) == [serial]


@settings(max_examples=40)
@given(st.from_regex(r"[0-9A-Z]{12}", fullmatch=True))
def test_codes_of_any_twelve_characters_keep_their_place(text: str) -> None:
    width, height = data_matrix(text).size
    assert width == height <= 80
    assert width % 5 == 0
    assert code_128(text, 64).size[0] <= 334


def test_label_sizes_are_whole_millimetres_at_eight_dots() -> None:
    assert (render(RUSSIAN_POUCH).width, render(RUSSIAN_POUCH).height) == (640, 400)
    assert (render(WRISTBAND).width, render(WRISTBAND).height) == (640, 240)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_quiet_zone_of_each_code_is_white(name: str) -> None:
    document = SAMPLES[name]
    plan = plan_label(document)
    ink = ImageChops.invert(draw(plan).to_image())
    for place in plan.symbols:
        symbol = data_matrix(plan.serial)
        if place.kind is SymbolKind.CODE_128:
            symbol = code_128(plan.serial, place.box.height)
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
    assert not prove(raster, RUSSIAN_POUCH.serial).passed
    half = Raster(raster.width, 340, raster.bits[: raster.row_bytes * 340])
    assert prove(half, ENGLISH_POUCH.serial).text == ""


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
        raster = render(document)
        assert raster.height <= 800
        assert len(raster.bits) <= 65536
        assert len(raster.compressed()) <= 65536
    assert isinstance(ENGLISH_POUCH, LabelDocument)
