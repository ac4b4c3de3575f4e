"""What is read of a picture: every code that packs carry by `read_codes`, our own labels' codes by the station's entries.

The station reads its own formats only. Its Data Matrix is read by zxing-cpp, its Code 128 by zbar, so that two readers that
share nothing can agree.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import cv2
import numpy as np

from devices.barcode_camera.anything import read_anything
from devices.barcode_camera.cascade import (
    Budget,
    View,
    read_beside,
    read_by_steps,
    read_cheaply,
    read_half,
    read_plain,
    read_repaired_over,
)
from devices.barcode_camera.codes import CODE_128, DATA_MATRIX, SERIAL_SYMBOLOGIES, CodeRead, distinct, moved
from devices.barcode_camera.frame import Grey
from devices.barcode_camera.fusion import read_joined
from devices.barcode_camera.pictures import as_grey
from devices.barcode_camera.readers import PACK_FORMATS, read_zbar, read_zxing, second_reader_missing, zxing_formats
from labels.serial import is_valid_serial

__all__ = [
    "CODE_128",
    "DATA_MATRIX",
    "SERIAL_SYMBOLOGIES",
    "CodeRead",
    "read_code_128",
    "read_codes",
    "read_data_matrix",
    "read_data_matrix_beside",
    "read_data_matrix_cheaply",
    "read_data_matrix_over",
    "read_half_size",
    "read_unread",
    "second_reader_missing",
]
MATRIX = frozenset({"DataMatrix"})


def read_codes(image: object, formats: Iterable[str] | None = None) -> list[CodeRead]:
    """Read every code of a picture, BGR or grey, of any size; corners in px of that picture.

    `formats`: names of zxing-cpp's formats (`DataMatrix`, `Code128`, …), those of packs where None; ITF is refused, as parts
    of it pass for whole codes. ValueError where the argument is no picture or names a format that is not read.
    """
    wanted = PACK_FORMATS if formats is None else frozenset(formats)
    zxing_formats(wanted)
    picture = as_grey(image)
    reads = read_anything(picture.grey, wanted)
    return [replace(read, polygon=moved(read.polygon, picture.across, picture.down)) for read in reads]


def read_data_matrix(grey: Grey, half: Grey | None = None) -> tuple[CodeRead, ...]:
    """Read the Data Matrix symbols of one frame, step by step within 0.1 s of the thread's time; nothing where none reads."""
    return read_by_steps(View(grey, half), MATRIX, Budget())


def read_data_matrix_over(frames: Sequence[Grey]) -> tuple[CodeRead, ...]:
    """Read the Data Matrix symbols of several frames of one pouch: each by the cheap steps, then by `read_unread`.

    Every different code that any frame shows is given: frames do not vote.
    """
    return distinct(read for frame in frames for read in read_data_matrix_cheaply(frame)) or read_unread(frames)


def read_data_matrix_cheaply(grey: Grey, half: Grey | None = None) -> tuple[CodeRead, ...]:
    """Read the Data Matrix symbols of a frame as it comes: at half size, else blurred lightly."""
    return read_cheaply(View(grey, half), MATRIX)


def read_half_size(half: Grey) -> tuple[CodeRead, ...]:
    """Read the Data Matrix symbols of a picture of half size, corners in px of the whole one: the cheapest step by far."""
    return read_half(half, MATRIX)


def read_unread(frames: Sequence[Grey]) -> tuple[CodeRead, ...]:
    """Read the Data Matrix symbols of all frames of one pouch that no cheap step read; nothing where none reads.

    Joined by their darkest pixels and then repaired, both within one budget for the pouch, then the last one once as it is.
    """
    if not frames:
        return ()
    budget = Budget()
    found = read_joined(frames, MATRIX, budget)
    found = found or read_repaired_over([View(frame) for frame in frames], MATRIX, budget)
    return found or read_plain(frames[-1], MATRIX)


def read_data_matrix_beside(grey: Grey, known: Iterable[CodeRead]) -> tuple[CodeRead, ...]:
    """Read the Data Matrix symbols of a frame that stand beside the codes known of it: no step that reads ends it."""
    return read_beside(View(grey), MATRIX, tuple(read.polygon for read in known))


def read_code_128(grey: Grey) -> tuple[CodeRead, ...]:
    """Read Code 128 symbols with zbar, bars upright; nothing where zbar is missing.

    Bars are tall and their modules barely two pixels wide: rows are averaged by four, half of them read, widths doubled. What is
    no serial of ours by its check character counts only if zxing-cpp reads the same: zbar's errors can cancel in the symbol's own check.
    """
    height, width = grey.shape[:2]
    rows = cv2.resize(grey, (width, max(1, height // 4)), interpolation=cv2.INTER_AREA)[::2]
    rows = cv2.resize(rows, (width * 2, rows.shape[0]), interpolation=cv2.INTER_LINEAR)
    reads = read_zbar(np.asarray(rows, np.uint8), {"Code128"})
    believed = (read for read in reads if is_valid_serial(read.text) or _is_read_alike(read, grey))
    return tuple(replace(read, polygon=moved(read.polygon, 0.5, height / rows.shape[0])) for read in believed)


def _is_read_alike(read: CodeRead, grey: Grey) -> bool:
    """Tell whether zxing-cpp reads a Code 128 of the same content."""
    return any(other.payload == read.payload for other in read_zxing(grey, {"Code128"}, "zxing-cpp/alike"))
