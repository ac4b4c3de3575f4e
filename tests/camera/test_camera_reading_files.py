"""`dosehub read-code` tells the codes of each file, or why it is no picture, and goes on."""

import json
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from PIL import Image
from typer.testing import CliRunner

from devices.barcode_camera import read_codes
from hub.cli import app
from hub.reading_codes import run_read_code

GS1 = "010401234567890110AB12\x1d21X9"


@pytest.fixture
def code() -> Image.Image:
    drawn = zxingcpp.create_barcode("(01)04012345678901(10)AB12(21)X9", zxingcpp.BarcodeFormat.DataMatrix, gs1=True, force_square=True)
    return Image.fromarray(np.asarray(drawn.to_image(scale=6)))


def read(*files: Path) -> tuple[int, list[dict[str, object]]]:
    done = CliRunner().invoke(app, ["read-code", "--json", *map(str, files)])
    return done.exit_code, json.loads(done.stdout)


def test_json_tells_payload_symbology_reader_and_quality(tmp_path: Path, code: Image.Image) -> None:
    code.save(tmp_path / "code.png")
    assert read(tmp_path / "code.png") == (0, [{
        "file": str(tmp_path / "code.png"),
        "codes": [{"payload": GS1, "symbology": "DataMatrix", "reader": "zxing-cpp/half", "quality": 1.0}],
    }])
    assert "\\u001d" in CliRunner().invoke(app, ["read-code", "--json", str(tmp_path / "code.png")]).stdout


def test_every_kind_of_picture_is_read(tmp_path: Path, code: Image.Image) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    ways = {
        "cmyk.jpg": (code.convert("CMYK"), {}), "turned.jpg": (code, {"exif": turned}), "palette.gif": (code.convert("P"), {}),
        "lossy.webp": (code.convert("RGB"), {}), "bits.tiff": (code.convert("1"), {}), "windows.bmp": (code, {}),
        "deep.png": (Image.fromarray(np.asarray(code).astype(np.uint16) * 200), {}),
        "clear.png": (Image.merge("LA", (Image.new("L", code.size, 0), Image.eval(code, lambda level: 255 - level))), {}),
    }
    for name, (image, options) in ways.items():
        image.save(tmp_path / name, **options)
    status, found = read(*(tmp_path / name for name in ways))
    assert status == 0
    assert {str(each["file"]).rpartition("/")[2]: [one["payload"] for one in each["codes"]] for each in found} == {name: [GS1] for name in ways}


def bomb(width: int, height: int) -> bytes:
    """Make a black PNG of one bit a pixel, tiny as a file."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * height), 1)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def bad_files(folder: Path, code: Image.Image) -> dict[str, str]:
    """Make bad files; gives the word that each reason holds."""
    code.convert("RGB").save(folder / "whole.jpg")
    whole = (folder / "whole.jpg").read_bytes()
    (folder / "truncated.jpg").write_bytes(whole[:len(whole) // 2])
    (folder / "text.png").write_text("no picture")
    (folder / "empty.png").write_bytes(b"")
    (folder / "bomb.png").write_bytes(bomb(20_000, 20_000))
    (folder / "folder.png").mkdir()
    return {
        "truncated.jpg": "truncated", "text.png": "known kind", "empty.png": "known kind", "bomb.png": "100 million pixels",
        "folder.png": "not a file", "missing.png": "cannot be opened",
    }


def test_a_bad_file_has_its_reason_in_both_languages_and_the_rest_go_on(tmp_path: Path, code: Image.Image) -> None:
    words = bad_files(tmp_path, code)
    code.save(tmp_path / "good.png")
    Image.new("L", (1, 1)).save(tmp_path / "dot.png")
    status, found = read(*(tmp_path / name for name in (*words, "dot.png", "good.png")))
    assert status == 1
    for each, word in zip(found, words.values(), strict=False):
        assert each["codes"] == [] and word in str(each["error"]) and each["error_ru"]
    assert found[-2] == {"file": str(tmp_path / "dot.png"), "codes": []}
    assert [one["payload"] for one in found[-1]["codes"]] == [GS1]


def test_the_table_shows_the_separator_and_hides_no_control_letter(tmp_path: Path, code: Image.Image) -> None:
    code.save(tmp_path / "code.png")
    hostile = zxingcpp.create_barcode(b"A\x1b[2JB", zxingcpp.BarcodeFormat.QRCode)
    Image.fromarray(np.asarray(hostile.to_image(scale=6))).save(tmp_path / "hostile.png")
    shown = CliRunner().invoke(app, ["read-code", *(str(tmp_path / name) for name in ("code.png", "hostile.png", "none.png"))])
    assert shown.exit_code == 1 and "10AB12␝21X9" in shown.stdout
    assert "A\\x1b[2JB" in shown.stdout and "\x1b" not in shown.stdout and "cannot be opened" in shown.stdout


@pytest.mark.parametrize("table", [[], ["--json"]])
def test_a_file_name_that_is_no_utf_8_is_told_in_utf_8(tmp_path: Path, code: Image.Image, table: list[str]) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/b\xffad.png"))
    code.save(odd)
    missing = Path(os.fsdecode(os.fsencode(tmp_path) + b"/gone\xfe.png"))
    told: list[str] = []
    assert run_read_code([odd, missing], bool(table), told.append) == 1
    assert "b\\xffad.png" in told[0].encode("utf-8").decode().replace("\\\\", "\\")


def pale(levels: np.ndarray, alpha: int) -> np.ndarray:
    return np.dstack([levels] * 3 + [np.full_like(levels, alpha)])


@pytest.mark.parametrize("change", [
    pytest.param(lambda levels: (levels > 127).astype(np.uint8), id="bytes of 0 and 1"),
    pytest.param(lambda levels: (levels > 127).astype(np.int64), id="whole numbers of 0 and 1"),
    pytest.param(lambda levels: pale(levels, 1), id="alpha of 1"), pytest.param(lambda levels: pale(levels, 255), id="opaque"),
])
def test_pictures_of_two_levels_and_with_an_empty_alpha_are_read(code: Image.Image, change: Callable[[np.ndarray], np.ndarray]) -> None:
    levels = np.pad(np.asarray(code.convert("L")), 30, constant_values=255)
    assert [read.text for read in read_codes(change(levels))] == [GS1]
