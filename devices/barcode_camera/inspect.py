"""Says what a picture shows of a pouch beside what was expected: serials, count, and every doubt; it passes no verdict."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from devices.barcode_camera.content import (
    STATION,
    ContentNote,
    StationGeometry,
    TabletLook,
    TabletSeen,
    count_tablets,
    find_label,
)
from devices.barcode_camera.decode import (
    CODE_128,
    DATA_MATRIX,
    SERIAL_SYMBOLOGIES,
    CodeRead,
    read_code_128,
    read_data_matrix,
    read_half_size,
    second_reader_missing,
)
from devices.barcode_camera.frame import Frame, Grey, UnreadableFrame

LABEL_SURROUND_PX = 16
TRIES = 3


@dataclass(frozen=True)
class Expected:
    """The pouch that should lie in the station: serial on its label and one look for each tablet."""

    serial: str
    tablets: tuple[TabletLook, ...]


class CodeNote(StrEnum):
    """What stands between the codes of a picture and one proven serial."""

    NO_CODE = "no code of ours could be read"
    OTHER_SERIAL = "a serial other than the expected one was read"
    SEVERAL_SERIALS = "different serials in one picture"
    FOREIGN_CODE = "a code that is not of our labels"
    NO_SECOND_READER = "the second reader is not installed"


Note = CodeNote | ContentNote


@dataclass(frozen=True)
class Inspection:
    """What one frame showed. `serials`: each once, Data Matrix first; `count` and `certain` as in `Content`.

    `frame_jpeg` is the evidence; `arrived_s` the monotonic time at which the frame came.
    """

    serials: tuple[str, ...]
    reads: tuple[CodeRead, ...]
    count: int | None
    certain: bool
    tablets: tuple[TabletSeen, ...]
    notes: tuple[Note, ...]
    frame_jpeg: bytes
    sequence: int
    arrived_s: float

    @property
    def data_matrix(self) -> tuple[str, ...]:
        """Give the contents of the Data Matrix codes of our labels."""
        return tuple(read.payload for read in self.reads if read.symbology == DATA_MATRIX)

    @property
    def code_128(self) -> tuple[str, ...]:
        """Give the contents of the Code 128 symbols."""
        return tuple(read.payload for read in self.reads if read.symbology == CODE_128)


def inspect(frame: Frame, expected: Expected, geometry: StationGeometry = STATION) -> Inspection:
    """Read codes by both readers and count the content of one frame; raises UnreadableFrame where it is no picture."""
    content = count_tablets(frame.half_colour, expected.tablets, geometry)
    first = read_half_size(frame.half_grey) or read_data_matrix(frame.grey, frame.half_grey)
    reads = (*first, *read_code_128(_crop(frame.grey, content.label)))
    serials = tuple(dict.fromkeys(read.payload for read in reads if read.symbology in SERIAL_SYMBOLOGIES))
    return Inspection(
        serials=serials, reads=reads, count=content.count, certain=content.certain, tablets=content.tablets,
        notes=(*_code_notes(serials, reads, expected.serial), *content.notes),
        frame_jpeg=frame.evidence(), sequence=frame.sequence, arrived_s=frame.arrived_s,
    )


def _code_notes(serials: tuple[str, ...], reads: tuple[CodeRead, ...], expected: str) -> tuple[CodeNote, ...]:
    stands = {
        CodeNote.NO_CODE: not serials,
        CodeNote.OTHER_SERIAL: any(serial != expected for serial in serials),
        CodeNote.SEVERAL_SERIALS: len(serials) > 1,
        CodeNote.FOREIGN_CODE: any(read.symbology not in SERIAL_SYMBOLOGIES for read in reads),
        CodeNote.NO_SECOND_READER: second_reader_missing() is not None,
    }
    return tuple(note for note, holds in stands.items() if holds)


def _crop(grey: Grey, label: tuple[int, int, int, int] | None) -> Grey:
    """Cut out the label with a little around it; the whole picture where no label was found."""
    if label is None:
        return grey
    left, top, width, height = label
    x, y = max(0, left - LABEL_SURROUND_PX), max(0, top - LABEL_SURROUND_PX)
    return np.asarray(grey[y:top + height + LABEL_SURROUND_PX, x:left + width + LABEL_SURROUND_PX], np.uint8)


def look_for(
    frames: Iterable[Frame], expected: Expected, geometry: StationGeometry = STATION, tries: int = TRIES,
) -> Inspection | None:
    """Inspect frames as they come until one shows the expected serial alone and a certain count; else give the best.

    A frame without a pouch, or with another serial, is taken for the pouch before and passed over, as the picture may be
    older than the event that asked for it: only when the frames end is such a one inspected. At most `tries` frames of
    the present pouch are inspected. None: there was no frame that is a picture.
    """
    best: Inspection | None = None
    passed_over: Frame | None = None
    for frame in frames:
        try:
            if not _may_be(frame, expected.serial, geometry):
                passed_over = frame
                continue
            inspection = inspect(frame, expected, geometry)
        except UnreadableFrame:
            continue
        best = inspection if best is None or _rank(inspection, expected) > _rank(best, expected) else best
        tries -= 1
        if tries <= 0 or _rank(best, expected) == (True, True):
            return best
    if best is None and passed_over is not None:
        return inspect(passed_over, expected, geometry)
    return best


def _may_be(frame: Frame, serial: str, geometry: StationGeometry) -> bool:
    """Tell whether a frame may show the pouch of this serial: its code is there, or a label whose code cannot be read."""
    payloads = [read.payload for read in read_half_size(frame.half_grey)]
    if payloads:
        return serial in payloads
    return find_label(frame.half_colour, geometry.pixels_per_mm / 2) is not None


def _rank(inspection: Inspection, expected: Expected) -> tuple[bool, bool]:
    return inspection.serials == (expected.serial,), inspection.certain
