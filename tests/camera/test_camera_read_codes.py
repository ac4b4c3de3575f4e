"""Every code of any picture is read with its own bytes and place; what is no picture is refused with the reason."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import zxingcpp
from camera_plant import picture
from camera_rasters import label

from devices.barcode_camera import CodeRead, read_codes
from devices.barcode_camera.readers import PACK_FORMATS
from simulators.camera.scene import Scene

F = zxingcpp.BarcodeFormat
SERIAL = "7K3M9QX2AB4T1HWZ"


def symbol(content: str | bytes, code: object, scale: int = 5, **options: object) -> np.ndarray:
    return np.asarray(zxingcpp.create_barcode(content, code, **options).to_image(scale=scale), np.uint8)


MATRIX = symbol(SERIAL, F.DataMatrix, force_square=True)


def page(*symbols: np.ndarray, width: int = 1280, height: int = 960) -> np.ndarray:
    paper = np.full((height, width), 255, np.uint8)
    for number, each in enumerate(symbols):
        x, y = 60 + number % 2 * 600, 60 + number // 2 * 420
        paper[y:y + each.shape[0], x:x + each.shape[1]] = each
    return paper


def test_a_read_tells_bytes_format_identifier_place_reader_and_quality() -> None:
    (read,) = read_codes(page(MATRIX))
    assert (read.payload, read.symbology, read.identifier, read.reader, read.quality) == (
        SERIAL.encode(), "DataMatrix", "]d1", "zxing-cpp/half", 1.0,
    )
    corners = np.array(read.polygon)
    assert np.allclose(corners.min(axis=0), 65, atol=6) and np.allclose(corners.max(axis=0), 60 + MATRIX.shape[0] - 5, atol=6)


@pytest.mark.parametrize(("content", "code", "options", "payload", "name", "identifier"), [
    ("(01)04012345678901(10)AB12(21)X9", F.DataMatrix, {"gs1": True}, b"010401234567890110AB12\x1d21X9", "DataMatrix", "]d2"),
    ("(01)04012345678901(10)AB12(21)X9", F.Code128, {"gs1": True}, b"010401234567890110AB12\x1d21X9", "Code128", "]C1"),
    ("7K3M9QX2AB4T", F.Code128, {}, b"7K3M9QX2AB4T", "Code128", "]C0"),
    ("4606475890007", F.EAN13, {}, b"4606475890007", "EAN13", "]E0"),
    ("4606475890007", F.QRCode, {}, b"4606475890007", "QRCode", "]Q1"),
    ("ABC-123", F.Code39, {}, b"ABC-123", "Code39", "]A0"),
    ("ABC-123", F.Code93, {}, b"ABC-123", "Code93", "]G0"),
    ("A40156B", F.Codabar, {}, b"A40156B", "Codabar", "]F0"),
    ("ABC 123", F.PDF417, {}, b"ABC 123", "PDF417", "]L2"),
    ("ABC 123", F.Aztec, {}, b"ABC 123", "Aztec", "]z0"),
])
def test_what_packs_carry_is_read(content: str, code: object, options: dict[str, object], payload: bytes, name: str, identifier: str) -> None:
    drawn = symbol(content, code, 3, **options)
    for image in (drawn, page(drawn)):
        assert [(read.payload, read.symbology, read.identifier) for read in read_codes(image)] == [(payload, name, identifier)]


def test_itf_is_never_read_and_cannot_be_asked_for() -> None:
    assert read_codes(symbol("12345678", F.ITF, 3)) == []
    with pytest.raises(ValueError, match="ITF"):
        read_codes(MATRIX, formats=["ITF"])
    with pytest.raises(ValueError, match="Datamatrix"):
        read_codes(MATRIX, formats=["Datamatrix"])


def test_formats_narrow_what_is_read() -> None:
    both = page(MATRIX, symbol("7K3M9QX2AB4T", F.Code128, 3))
    assert {read.symbology for read in read_codes(both)} == {"DataMatrix", "Code128"}
    assert {read.symbology for read in read_codes(both, formats=["Code128"])} == {"Code128"}
    assert read_codes(both, formats=[]) == []


@pytest.mark.parametrize("size", [(640, 480), (1280, 960), (2600, 1900)])
def test_all_codes_of_a_picture_are_read_whatever_its_size(size: tuple[int, int]) -> None:
    scale = 2 if size[0] == 640 else 4
    drawn = [symbol(f"{number}{SERIAL}", F.DataMatrix, scale, force_square=True) for number in range(3)]
    paper = np.full((size[1], size[0]), 255, np.uint8)
    for number, each in enumerate((*drawn, symbol("7K3M9QX2AB4T", F.Code128, 2))):
        paper[20 + number * 110:20 + number * 110 + min(100, each.shape[0]), 40:40 + each.shape[1]] = each[:100]
    expected = {*(f"{number}{SERIAL}" for number in range(3)), "7K3M9QX2AB4T"}
    assert {read.text for read in read_codes(paper)} == expected


def test_bars_that_do_not_read_by_themselves_make_the_whole_picture_be_read() -> None:
    linear = [symbol(content, code, 2) for content, code in (
        ("4606475890007", F.EAN13), ("12345670", F.EAN8), ("01234565", F.UPCE), ("7K3M9QX2AB4T", F.Code128), ("ABC 123", F.PDF417),
    )]
    paper = page(MATRIX)
    for number, each in enumerate(linear):
        x, y = 440 + number % 2 * 300, 40 + number // 2 * 180
        paper[y:y + each.shape[0], x:x + each.shape[1]] = each
    assert {read.symbology for read in read_codes(paper)} == {"DataMatrix", "EAN13", "EAN8", "UPCE", "Code128", "PDF417"}


def test_two_symbols_of_one_content_are_two_reads() -> None:
    assert [read.text for read in read_codes(page(MATRIX, MATRIX))] == [SERIAL, SERIAL]


def test_our_own_label_under_the_camera_shows_both_its_codes() -> None:
    frame = picture(Scene("label", label("7K3M9QX2AB4T")))
    assert {(read.symbology, read.text) for read in read_codes(frame.grey)} == {("DataMatrix", "7K3M9QX2AB4T"), ("Code128", "7K3M9QX2AB4T")}


CONVERSIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "BGR": lambda grey: cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR),
    "one channel": lambda grey: grey[:, :, None],
    "BGRA": lambda grey: cv2.cvtColor(grey, cv2.COLOR_GRAY2BGRA),
    "BGRA, ink alone opaque": lambda grey: np.dstack([np.zeros((*grey.shape, 3), np.uint8), 255 - grey]),
    "BGRA, alpha empty": lambda grey: np.dstack([grey, grey, grey, np.zeros_like(grey)]),
    "bool": lambda grey: grey > 128,
    "uint16": lambda grey: grey.astype(np.uint16) * 257,
    "12 bits in uint16": lambda grey: grey.astype(np.uint16) * 16,
    "int64": lambda grey: grey.astype(np.int64),
    "float 0..1": lambda grey: (grey / 255).astype(np.float32),
    "float 0..255": lambda grey: grey.astype(np.float64),
    "float with holes": lambda grey: np.where(np.arange(grey.shape[1]) < 3, np.nan, grey / 255),
    "strided": lambda grey: np.repeat(np.repeat(grey, 2, 0), 2, 1)[::2, ::2],
    "upside down view": lambda grey: grey[::-1, ::-1],
    "light on dark": lambda grey: 255 - grey,
}


@pytest.mark.parametrize("kind", CONVERSIONS)
def test_any_kind_of_pixels_is_read(kind: str) -> None:
    assert [read.text for read in read_codes(CONVERSIONS[kind](MATRIX))] == [SERIAL]


@pytest.mark.parametrize(("wrong", "reason"), [
    (None, "NoneType"), (b"\x89PNG", "bytes"), ([[0, 1]], "list"),
    (np.zeros((0, 5), np.uint8), "empty"), (np.zeros((5, 0, 3), np.uint8), "empty"), (np.zeros(9, np.uint8), r"\(9,\)"),
    (np.zeros((5, 5, 2), np.uint8), r"\(5, 5, 2\)"), (np.zeros((2, 2, 2, 2), np.uint8), "channels"),
    (np.zeros((3, 3), np.complex64), "complex64"), (np.full((2, 2), "a"), "<U1"), (np.zeros((2, 2), object), "object"),
])
def test_what_is_no_picture_is_refused_with_the_reason(wrong: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_codes(wrong)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (1, 5000), (5000, 1), (3, 3, 3), (7, 1000)])
def test_the_smallest_pictures_have_no_code(shape: tuple[int, ...]) -> None:
    for level in (0, 255):
        assert read_codes(np.full(shape, level, np.uint8)) == []
    assert read_codes(np.full(shape, np.nan)) == []


def test_a_huge_picture_is_made_smaller_and_places_are_told_in_its_own_pixels() -> None:
    huge = np.full((7000, 7000), 255, np.uint8)
    large = symbol(SERIAL, F.DataMatrix, 20, force_square=True)
    huge[5000:5000 + large.shape[0], 1000:1000 + large.shape[1]] = large
    (read,) = read_codes(huge, formats=["DataMatrix"])
    assert read.text == SERIAL
    assert np.allclose(np.mean(read.polygon, axis=0), [1000 + large.shape[1] / 2, 5000 + large.shape[0] / 2], atol=12)


@pytest.mark.parametrize("content", [bytes(range(256)), b"\x00A\x00\x00B", b"Z" * 1500, "Доза".encode("cp1251"), "Доза".encode()])
def test_payload_is_the_codes_own_bytes(content: bytes) -> None:
    for code in (F.DataMatrix, F.QRCode):
        (read,) = read_codes(symbol(content, code, 3), formats=["DataMatrix", "QRCode"])
        assert read.payload == content


def test_text_is_utf_8_or_each_byte_as_a_latin_letter() -> None:
    corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    assert CodeRead("Доза\x1d".encode(), "QRCode", "]Q1", corners, "zxing-cpp/half", None).text == "Доза\x1d"
    assert CodeRead(b"\xc4\xee\xe7\xe0", "QRCode", "]Q1", corners, "zxing-cpp/half", None).text == "Äîçà"


def test_a_page_of_noise_and_text_has_no_code() -> None:
    chance = np.random.default_rng(5)
    for size in ((480, 640), (960, 1280)):
        noise = chance.integers(0, 256, size, np.uint8)
        for row in range(60, size[0], 60):
            cv2.putText(noise, "Paracetamol 500 mg 1 tab", (20, row), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (0,), 2)
        assert read_codes(noise) == []


def test_every_default_format_is_one_the_reader_knows() -> None:
    assert all(hasattr(F, name) for name in PACK_FORMATS) and "ITF" not in PACK_FORMATS
