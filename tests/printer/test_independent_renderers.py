"""Our bytes, drawn by renderers that nobody here wrote, are our raster dot for dot: every label of the samples, in both languages."""

import base64
import io
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from devices.label_printer import job_bytes
from firmware_bridge.printer_status import PrinterLanguage, process_id
from labels.raster import Raster
from labels.render import render
from tests.labels.label_samples import RUSSIAN_POUCH, SAMPLES

RENDERERS = Path(__file__).parent / "renderers"
IS_INSTALLED = shutil.which("node") is not None and (RENDERERS / "node_modules").is_dir()
IS_REQUIRED = "DOSEHUB_REQUIRE_SYSTEM_PACKAGES" in os.environ

pytestmark = pytest.mark.skipif(
    not IS_INSTALLED and not IS_REQUIRED, reason="make tests/printer/renderers/.installed (nodejs, npm)"
)


@dataclass
class Renderers:
    """The renderers in a process of their own, for all tests of this file."""

    process: subprocess.Popen[str]

    def drawn(self, job: bytes, raster: Raster, language: PrinterLanguage) -> Image.Image:
        """Have a job drawn; black is 1."""
        asked = {
            "language": language.value, "data": base64.b64encode(job).decode(), "width": raster.width, "height": raster.height,
        }  # fmt: skip
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        seen = json.loads(self.process.stdout.readline())
        if "png" in seen:
            with Image.open(io.BytesIO(base64.b64decode(seen["png"]))) as picture:
                return picture.convert("L").point(lambda value: 255 if value < 128 else 0).convert("1")
        dots = bytes(255 * dot for dot in base64.b64decode(seen["dots"]))
        return Image.frombytes("L", (seen["width"], seen["height"]), dots).convert("1")


@pytest.fixture(scope="module")
def renderers() -> Iterator[Renderers]:
    command = ["node", str(RENDERERS / "render.cjs")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Renderers(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == 0


def rasters_of(document: object) -> list[Raster]:
    """Return the label, or the pages of it."""
    drawn = render(document)  # type: ignore[arg-type]
    return [drawn] if isinstance(drawn, Raster) else list(drawn)


def ink_of(raster: Raster) -> Image.Image:
    return Image.frombytes("1", (raster.width, raster.height), raster.bits)


@pytest.mark.parametrize("language", list(PrinterLanguage))
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_label_is_our_raster_dot_for_dot(renderers: Renderers, name: str, language: PrinterLanguage) -> None:
    for raster in rasters_of(SAMPLES[name]):
        drawn = renderers.drawn(job_bytes(raster, process_id(1), language), raster, language)
        assert ImageChops.logical_xor(drawn, ink_of(raster)).getbbox() is None
        assert drawn.getbbox() is not None


@pytest.mark.parametrize("language", list(PrinterLanguage))
def test_one_wrong_dot_is_seen(renderers: Renderers, language: PrinterLanguage) -> None:
    raster = rasters_of(RUSSIAN_POUCH)[0]
    bits = bytearray(raster.bits)
    bits[len(bits) // 2] ^= 0x10
    spoiled = Raster(raster.width, raster.height, bytes(bits))
    drawn = renderers.drawn(job_bytes(spoiled, process_id(1), language), raster, language)
    assert ImageChops.logical_xor(drawn, ink_of(raster)).getbbox() == _place(len(bits) // 2, raster)


def _place(byte: int, raster: Raster) -> tuple[int, int, int, int]:
    row, column = divmod(byte, raster.row_bytes)
    return column * 8 + 3, row, column * 8 + 4, row + 1
