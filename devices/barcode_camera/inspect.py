"""Says what the frames of a pouch show of it beside what was expected: codes, count, and every doubt; it passes no verdict."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import cv2
import numpy as np

from devices.barcode_camera.codes import CODE_128, DATA_MATRIX, SERIAL_SYMBOLOGIES, CodeRead, distinct, moved
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
from devices.barcode_camera.decode import (
    MATRIX,
    read_code_128,
    read_data_matrix_beside,
    read_data_matrix_cheaply,
    read_unread,
    second_reader_missing,
)
from devices.barcode_camera.frame import Frame, Grey, UnreadableFrame
from devices.barcode_camera.fusion import read_joined
from devices.barcode_camera.glare import differs_by_more_than_light
from devices.barcode_camera.image_health import FrameFault, frame_fault

LABEL_SURROUND_PX = 16
TRIES = 3
SHINE_ABOVE_PAPER, SHINE_MIN, SHINE_PIXELS = 18, 235, 6
"""Of the picture of half size: so much brighter than paper, at least so bright, and so many pixels of it hide a part of a code."""
SAME_PLACE_PX, INK_SHARE, OTHER_INK_MAX = 2, 0.6, 0.45
"""A label that did not move; ink is so much darker than paper; labels of two pouches differ in more of their ink."""


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
    BEFORE = "a picture shows the code of the pouch before in the place of this one"
    COPY = "the pouch's own code is in sight twice"


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

    def shows(self, serial: str) -> bool:
        """Tell whether a code of this serial was read in this very frame."""
        return any(read.text == serial for read in self.reads)


def inspect(frame: Frame, expected: Expected, geometry: StationGeometry = STATION) -> Inspection:
    """Read codes by both readers and count the content of one frame; raises UnreadableFrame where it is no picture."""
    return _all_together([_see(frame, expected, geometry)], expected, geometry)


def inspect_frames(frames: Iterable[Frame], expected: Expected, geometry: StationGeometry = STATION) -> Inspection | None:
    """Inspect all of these frames of one pouch together; None where none of them is a picture."""
    seen = [each for frame in frames if (each := _try_to_see(frame, expected, geometry)) is not None]
    return _all_together(seen, expected, geometry) if seen else None


def look_for(
    frames: Iterable[Frame], expected: Expected, geometry: StationGeometry = STATION, tries: int = TRIES, before: str = "",
) -> Inspection | None:
    """Inspect frames of a pouch as they come until they prove its serial and a certain count, `tries` of them at most.

    A frame without a pouch, or with nothing but the serial `before`, is taken for the time before this pouch and passed over;
    any other code counts, and is never outvoted. A frame on whose label the film shines ends nothing: a second code may lie unread
    under the glare. The frame that would end it is looked through for what stands beside the codes read, and where no frame shows
    a Data Matrix by the cheap steps, all of them are read by the dear ones. Only where all frames were of the time before is the last of
    them given. None: there was no frame that is a picture.
    """
    seen: list[_Seen] = []
    beside: tuple[CodeRead, ...] = ()
    passed_over: _Seen | None = None
    for each in _as_they_come(frames, expected, geometry):
        if _is_before(each, before) and not any(earlier.shows(expected.serial) for earlier in seen):
            passed_over = each
            continue
        seen.append(each)
        if len(seen) >= tries:
            break
        if _is_sure_of_the_pouch(seen, passed_over, expected) and _may_end(_together(seen, expected, geometry, beside), seen, expected):
            beside = (*beside, *_read_further(seen))
            inspection = _together(seen, expected, geometry, beside)
            if _may_end(inspection, seen, expected):
                return _beside_the_one_before(inspection, seen, passed_over)
    if seen:
        return _beside_the_one_before(_all_together(seen, expected, geometry, beside), seen, passed_over)
    return None if passed_over is None else _together([passed_over], expected, geometry)


def _is_sure_of_the_pouch(seen: Sequence[_Seen], passed_over: _Seen | None, expected: Expected) -> bool:
    """Tell whether the pouch's own code stands in enough frames: in two where another was read before, which may be stuck on this pouch too."""
    own = sum(each.shows(expected.serial) for each in seen)
    return own >= (1 if passed_over is None or not passed_over.reads else 2)


def _beside_the_one_before(inspection: Inspection, seen: Sequence[_Seen], passed_over: _Seen | None) -> Inspection:
    """Say it where the label of the pouch before lay in the very place of this one, with the same print: that may be a second label of one pouch."""
    if passed_over is None or not passed_over.reads or not any(_is_same_label(passed_over, each) for each in seen):
        return inspection
    notes, frames = (*inspection.notes, FrameNote.BEFORE), (passed_over.frame, *inspection.frames)
    return replace(inspection, certain=False, notes=notes, frames=frames)


def _is_same_label(one: _Seen, other: _Seen) -> bool:
    """Tell whether two frames show one label that did not move: box and most of the ink are the same."""
    place, beside = one.content.label, other.content.label
    if place is None or beside is None or any(abs(a - b) > SAME_PLACE_PX for a, b in zip(place, beside, strict=True)):
        return False
    left, top, width, height = (side // 2 for side in place)
    first, second = (
        each.frame.half_grey[max(0, top):top + height, max(0, left):left + width] for each in (one, other)
    )
    if not first.size or first.shape != second.shape:
        return False
    ink, again = (part < INK_SHARE * np.percentile(part, 60) for part in (first, second))
    return int((ink ^ again).sum()) <= OTHER_INK_MAX * max(1, int((ink | again).sum()))


def _may_end(inspection: Inspection, seen: Sequence[_Seen], expected: Expected) -> bool:
    """Tell whether no more frames are wanted: what is seen is what is expected. Glare on the film looks like one thing too many under one light."""
    content = inspection.content
    is_as_expected = content.count == len(expected.tablets) and not content.strangers
    return proves(inspection, expected) and is_as_expected and not all(frame.shines for frame in seen)


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
    first = read_data_matrix_cheaply(frame.grey, frame.half_grey)
    fault = frame_fault(frame)
    return _Seen(
        frame, (*first, *_read_linear(frame.grey, content.label)), content, None if fault is None else _FAULTS[fault],
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


def _all_together(
    seen: Sequence[_Seen], expected: Expected, geometry: StationGeometry, beside: tuple[CodeRead, ...] = (),
) -> Inspection:
    """Join what all frames of one pouch showed, and what is read of them further once no more will come."""
    return _together(seen, expected, geometry, (*beside, *_read_further(seen)))


def _read_further(seen: Sequence[_Seen]) -> tuple[CodeRead, ...]:
    """Read by the dear steps: every frame where none shows a Data Matrix, else the newest beside its codes, and all joined if all shine."""
    whole = [each for each in seen if each.fault is None] or seen
    frames = [each.frame.grey for each in whole]
    known = [read for each in seen for read in each.reads]
    if not any(read.symbology in MATRIX for read in known):
        return read_unread(frames)
    joined = read_joined(frames, MATRIX) if all(each.shines for each in whole) else ()
    return (*read_data_matrix_beside(frames[-1], known), *joined)


def _together(
    seen: Sequence[_Seen], expected: Expected, geometry: StationGeometry, further: tuple[CodeRead, ...] = (),
) -> Inspection:
    """Join what several frames of one pouch showed: every code of any frame, and the content of those that prove theirs."""
    reads = distinct((*(read for each in seen for read in each.reads), *further))
    whole = [each for each in seen if each.fault is None]
    content, doubts = _joined_content(whole, further, expected, geometry)
    if any(_is_in_sight_twice((*each.reads, *further), expected.serial) for each in seen):
        doubts = (*doubts, FrameNote.COPY)
    serials = tuple(dict.fromkeys(read.text for read in _matrix_first(reads) if read.identifier in SERIAL_SYMBOLOGIES))
    faults = () if whole else tuple(dict.fromkeys(each.fault for each in seen if each.fault is not None))
    return Inspection(
        serials=serials, reads=reads, content=content, certain=content.certain and not doubts and not faults,
        notes=(*_code_notes(serials, reads, expected.serial), *content.notes, *doubts, *faults), frames=tuple(each.frame for each in seen),
    )  # fmt: skip


def _is_in_sight_twice(reads: Iterable[CodeRead], serial: str) -> bool:
    """Tell whether a frame, with what is read of it further, shows two Data Matrix symbols of this serial in different places."""
    return sum(read.identifier == DATA_MATRIX and read.text == serial for read in distinct(reads)) > 1


def _matrix_first(reads: Iterable[CodeRead]) -> list[CodeRead]:
    return sorted(reads, key=lambda read: read.identifier != DATA_MATRIX)


def _joined_content(
    whole: Sequence[_Seen], further: Iterable[CodeRead], expected: Expected, geometry: StationGeometry,
) -> tuple[Content, tuple[FrameNote, ...]]:
    """Give the content of the frames that show whose pouch it is; one that is unsure is never outvoted by those that are certain.

    A late frame of the pouch before may have no readable code: a frame proves a content only if it shows this pouch's code too. Where the
    code was read of all frames by the dear steps alone (`further`), all of them must show the same. What shines under one light is
    the one doubt that other frames may take away.
    """
    own = [each for each in whole if each.shows(expected.serial)]
    known = own or [each for each in whole if any(read.text == expected.serial for read in further)]
    certain = [each.content for each in known if each.content.certain]
    if len({_what(content) for content in certain}) > 1:
        return certain[-1], (FrameNote.DISAGREE,)
    if certain and len(certain) == len(known):
        return min(certain, key=lambda content: len(content.notes)), ()
    if not known:
        return (replace(whole[-1].content, certain=False) if whole else _NOTHING), ()
    return _without_what_shines(known, certain, expected, geometry)


def _without_what_shines(
    known: Sequence[_Seen], certain: Sequence[Content], expected: Expected, geometry: StationGeometry,
) -> tuple[Content, tuple[FrameNote, ...]]:
    """Join frames of which some are unsure; certain only where they differ by light alone and the joined picture says what the certain ones say."""
    halves = [each.frame.half_colour for each in known]
    joined = content_of_pictures(halves, expected.tablets, geometry)
    bottoms = [label[1] + label[3] for each in known if (label := each.content.label) is not None]
    by_more = differs_by_more_than_light(halves, min(bottoms, default=0) // 2)
    if by_more or (certain and _what(joined) != _what(certain[0])):
        return replace(joined, certain=False), (FrameNote.DISAGREE,)
    return joined, ()


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


def _read_linear(grey: Grey, label: tuple[int, int, int, int] | None) -> tuple[CodeRead, ...]:
    """Read the Code 128 of the label with a little around it, corners in px of the whole frame; the whole picture where no label was found."""
    if label is None:
        return read_code_128(grey)
    left, top, width, height = label
    x, y = max(0, left - LABEL_SURROUND_PX), max(0, top - LABEL_SURROUND_PX)
    part = np.asarray(grey[y:top + height + LABEL_SURROUND_PX, x:left + width + LABEL_SURROUND_PX], np.uint8)
    return tuple(replace(read, polygon=moved(read.polygon, 1.0, offset=(x, y))) for read in read_code_128(part))
