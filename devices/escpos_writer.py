"""Writes ESC/POS bytes by python-escpos, kept from its habits: no line on standard output, no splitting, no pickle left.

The library reads a YAML database of all printers at each start and leaves a pickle of it in a temporary folder; its default
printer has no width, which it tells on standard output with every image. It is given a database of one plain printer instead.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import as_file, files
from typing import Any

from PIL import Image, ImageChops

from labels.raster import Raster

_DATABASE = "ESCPOS_CAPABILITIES_FILE"
_PICKLE_FOLDER = "ESCPOS_CAPABILITIES_PICKLE_DIR"


def label_bytes(raster: Raster) -> bytes:
    """Write `ESC @`, the raster as one `GS v 0`, and `GS V 66 0` (feed to the cutter and cut)."""
    writer = _dummy_class()()
    ink = Image.frombytes("1", (raster.width, raster.height), raster.bits)
    writer.hw("INIT")
    writer.image(ImageChops.invert(ink), impl="bitImageRaster", fragment_height=raster.height)
    writer.cut(feed=False)
    output: bytes = writer.output
    return output


@cache
def _dummy_class() -> Any:
    """Import the library once, at the first label."""
    database = files(__package__ or "devices") / "escpos_capabilities.json"
    with as_file(database) as path, tempfile.TemporaryDirectory() as folder, _environment(str(path), folder):
        from escpos.printer import Dummy
    return Dummy


@contextmanager
def _environment(database: str, pickle_folder: str) -> Iterator[None]:
    settings = {_DATABASE: database, _PICKLE_FOLDER: pickle_folder}
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
