"""Says what the frames of a pouch show of it beside what was expected: codes, count, and every doubt; it passes no verdict."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import cv2
import numpy as np

from devices.barcode_camera.codes import CODE_128, DATA_MATRIX, SERIAL_SYMBOLOGIES, CodeRead, distinct
from devices.barcode_camera.content import (
    STATION,
    Content,
    ContentNote,
    StationGeometry,
    TabletLook,
    TabletSeen,
    content_of_pictures,
    count_tablets,
)
from devices.barcode_camera.decode import MATRIX, read_code_128, read_data_matrix, read_half_size, second_reader_missing
from devices.barcode_camera.frame import Frame, Grey, UnreadableFrame
from devices.barcode_camera.fusion import read_joined
from devices.barcode_camera.image_health import FrameFault, frame_fault

LABEL_SURROUND_PX = 16
TRIES = 3
SHINE_ABOVE_PAPER, SHINE_MIN, SHINE_PIXELS = 18, 235, 6
"""Of the picture of half size: so much brighter than paper, at least so bright, and so many pixels of it hide a part of a code."""


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


class FrameNote(StrEnum):
    """What is wrong with the frames themselves."""

    BLACK = "the picture is black: the lens is covered or there is no light"
    TORN = "the picture is torn: lines are shifted or missing"
    DISAGREE = "the frames of this pouch show different contents"


Note = CodeNote | ContentNote | FrameNote
_FAULTS = {FrameFault.BLACK: FrameNote.BLACK, FrameFault.TORN: FrameNote.TORN}


@dataclass(frozen=True)
class Inspection:
    """What one frame showed, or several of one pouch. `serials`: each once, Data Matrix first.

    `reads` are the codes of all frames: two different ones are both there. `content` is what lies there, and `certain` whether
    no frame speaks against it. `frames` are the evidence; `sequence` and `arrived_s` (monotonic time) are those of the newest.
    """

    serials: tuple[str, ...]
    reads: tuple[CodeRead, ...]
    content: Content
    certain: bool
    notes: tuple[Note, ...]
    frames: tuple[Frame, ...]

    @property
    def count(self) -> int | None:
        """Give the count, the best guess where it is not certain."""
        return self.content.count

    @property
    def tablets(self) -> tuple[TabletSeen, ...]:
        """Give each thing that lies there."""
        return self.content.tablets

    @property
    def sequence(self) -> int:
        """Give the number of the newest frame."""
        return self.frames[-1].sequence

    @property
    def arrived_s(self) -> float:
        """Give when the newest frame came."""
        return self.frames[-1].arrived_s

    @property
    def data_matrix(self) -> tuple[str, ...]:
        """Give the contents of the Data Matrix codes of our labels."""
        return tuple(read.text for read in self.reads if read.identifier == DATA_MATRIX)

    @property
    def code_128(self) -> tuple[str, ...]:
        """Give the contents of the Code 128 symbols."""
        return tuple(read.text for read in self.reads if read.identifier == CODE_128)

    def own_matrix(self, serial: str) -> CodeRead | None:
        """Give the Data Matrix of this serial, the one that was read with most error correction to spare."""
        own = [read for read in self.reads if read.identifier == DATA_MATRIX and read.text == serial]
        return max(own, key=lambda read: read.quality or 0.0, default=None)


@dataclass(frozen=True)
class _Seen:
    """One frame with what was found in it."""

    frame: Frame
    reads: tuple[CodeRead, ...]
    content: Content
    fault: FrameNote | None
    shines: bool


def inspect(frame: Frame, expected: Expected, geometry: StationGeometry = STATION) -> Inspection:
    """Read codes by both readers and count the content of one frame; raises UnreadableFrame where it is no picture."""
    return _together([_see(frame, expected, geometry)], expected, geometry)


def inspect_frames(frames: Iterable[Frame], expected: Expected, geometry: StationGeometry = STATION) -> Inspection | None:
    """Inspect all of these frames of one pouch together; None where none of them is a picture."""
    seen = [each for frame in frames if (each := _try_to_see(frame, expected, geometry)) is not None]
    return _together(seen, expected, geometry) if seen else None


def look_for(
    frames: Iterable[Frame], expected: Expected, geometry: StationGeometry = STATION, tries: int = TRIES, before: str = "",
) -> Inspection | None:
    """Inspect frames of a pouch as they come until they prove its serial and a certain count, `tries` of them at most.

    A frame without a pouch, or with nothing but the serial `before`, is taken for the time before this pouch and passed over;
    any other code counts, and is never outvoted. A frame on whose label the film shines ends nothing: a second code may lie unread
    under the glare. Only where all frames were such ones is the last of them given. None: there was
    no frame that is a picture.
    """
    seen: list[_Seen] = []
    passed_over: _Seen | None = None
    for each in _as_they_come(frames, expected, geometry):
        if _is_before(each, before):
            passed_over = each
            continue
        seen.append(each)
        inspection = _together(seen, expected, geometry)
        if len(seen) >= tries or (proves(inspection, expected) and not all(frame.shines for frame in seen)):
            return inspection
    last = seen or ([passed_over] if passed_over is not None else [])
    return _together(last, expected, geometry) if last else None


def proves(inspection: Inspection, expected: Expected) -> bool:
    """Tell whether more frames could not say more: the expected serial alone, a certain count, and no note about the pouch."""
    return inspection.serials == (expected.serial,) and inspection.certain and not set(inspection.notes) - {CodeNote.NO_SECOND_READER}


def _as_they_come(frames: Iterable[Frame], expected: Expected, geometry: StationGeometry) -> Iterator[_Seen]:
    for frame in frames:
        if (seen := _try_to_see(frame, expected, geometry)) is not None:
            yield seen


def _try_to_see(frame: Frame, expected: Expected, geometry: StationGeometry) -> _Seen | None:
    try:
        return _see(frame, expected, geometry)
    except UnreadableFrame:
        return None


def _see(frame: Frame, expected: Expected, geometry: StationGeometry) -> _Seen:
    content = count_tablets(frame.half_colour, expected.tablets, geometry)
    first = read_half_size(frame.half_grey) or read_data_matrix(frame.grey, frame.half_grey)
    fault = frame_fault(frame)
    return _Seen(
        frame, (*first, *read_code_128(_crop(frame.grey, content.label))), content, None if fault is None else _FAULTS[fault],
        _shines(frame.half_grey, content.label),
    )


def _shines(half: Grey, label: tuple[int, int, int, int] | None) -> bool:
    """Tell whether the film throws light back anywhere on the label."""
    left, top, width, height = (side // 2 for side in label or (0, 0, 0, 0))
    part = half[max(0, top):top + height, max(0, left):left + width]
    if not part.size:
        return False
    paper = float(np.percentile(part[::2, ::2], 60))
    return int((cv2.blur(part, (3, 3)) > max(paper + SHINE_ABOVE_PAPER, SHINE_MIN)).sum()) >= SHINE_PIXELS


def _is_before(seen: _Seen, before: str) -> bool:
    """Tell whether a frame shows the time before this pouch: the pouch that was judged last, or the empty station."""
    texts = {read.text for read in seen.reads}
    is_empty = not texts and ContentNote.NO_POUCH in seen.content.notes and seen.fault is None
    return is_empty or (before != "" and texts == {before})


def _together(seen: Sequence[_Seen], expected: Expected, geometry: StationGeometry) -> Inspection:
    """Join what several frames of one pouch showed: every code of any frame, and the content of those that prove theirs."""
    reads = distinct(read for each in seen for read in each.reads)
    whole = [each for each in seen if each.fault is None]
    if len(whole) > 1 and (not any(read.identifier == DATA_MATRIX for read in reads) or all(each.shines for each in whole)):
        reads = distinct((*reads, *read_joined([each.frame.grey for each in whole], MATRIX)))
    content, doubts = _joined_content(whole, reads, expected, geometry)
    serials = tuple(dict.fromkeys(read.text for read in _matrix_first(reads) if read.identifier in SERIAL_SYMBOLOGIES))
    faults = () if whole else tuple(dict.fromkeys(each.fault for each in seen if each.fault is not None))
    return Inspection(
        serials=serials, reads=reads, content=content, certain=content.certain and not doubts and not faults,
        notes=(*_code_notes(serials, reads, expected.serial), *content.notes, *doubts, *faults), frames=tuple(each.frame for each in seen),
    )  # fmt: skip


def _matrix_first(reads: Iterable[CodeRead]) -> list[CodeRead]:
    return sorted(reads, key=lambda read: read.identifier != DATA_MATRIX)


def _joined_content(
    whole: Sequence[_Seen], reads: Iterable[CodeRead], expected: Expected, geometry: StationGeometry,
) -> tuple[Content, tuple[FrameNote, ...]]:
    """Give the content of the frames that show whose pouch it is; certain only where the certain ones of them agree.

    A late frame of the pouch before may have no readable code: a frame proves a content only if it shows this pouch's code too. Where the
    code was read of the frames joined alone, all of them must show the same.
    """
    own = [each for each in whole if any(read.text == expected.serial for read in each.reads)]
    known = own or [each for each in whole if any(read.text == expected.serial for read in reads)]
    certain = [each.content for each in known if each.content.certain]
    if certain and (own or len(certain) == len(known)):
        disagree = len({_what(content) for content in certain}) > 1
        return min(certain, key=lambda content: len(content.notes)), (FrameNote.DISAGREE,) if disagree else ()
    if known:
        return content_of_pictures([each.frame.half_colour for each in known], expected.tablets, geometry), ()
    return (replace(whole[-1].content, certain=False) if whole else _NOTHING), ()


_NOTHING = Content(None, False, (), (), None)


def _what(content: Content) -> tuple[object, ...]:
    """Give what two frames of one pouch must agree about: how many, which of the looks, and how many are none of them."""
    looks = sorted(-1 if tablet.look is None else tablet.look for tablet in content.tablets)
    return content.count, content.strangers, *looks


def _code_notes(serials: tuple[str, ...], reads: tuple[CodeRead, ...], expected: str) -> tuple[CodeNote, ...]:
    stands = {
        CodeNote.NO_CODE: not serials,
        CodeNote.OTHER_SERIAL: any(serial != expected for serial in serials),
        CodeNote.SEVERAL_SERIALS: len(serials) > 1,
        CodeNote.FOREIGN_CODE: any(read.identifier not in SERIAL_SYMBOLOGIES for read in reads),
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
