"""Counts what lies in the window of a pouch and compares it with the tablets that should lie there.

A count is called certain only if each thing seen has the outline of one expected tablet, alone and whole. Tablets that
touch, a half, a stranger, glare or a tablet as dark as the base make it uncertain: then a person looks. It cannot see a
tablet that another one hides; the drop sensor must.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import cv2
import numpy as np

from devices.barcode_camera.frame import JPEG_QUALITY, Colour, Frame, UnreadableFrame
from devices.barcode_camera.looks import (
    TYPICAL_AREA,
    UNKNOWN_LOOK,
    LookSource,
    Rgb,
    Shape,
    TabletLook,
    colour_misfit,
    outline_misfit,
)
from devices.barcode_camera.pouch_window import (
    STATION,
    Points,
    StationGeometry,
    find_label,
    has_clear_edge,
    is_glared,
    is_in_view,
    paper_gain,
    window_mask,
)
from devices.barcode_camera.tablets_seen import TABLETS_LIMIT, TabletSeen, difference_from_base, things_in
from devices.barcode_camera.thresholds import THRESHOLDS as T

__all__ = [
    "STATION", "UNKNOWN_LOOK", "Content", "ContentNote", "Shape", "StationGeometry", "TabletLook", "TabletSeen",
    "content_of_pictures", "count_tablets", "crop", "find_label", "match_looks",
]
CROP_BORDER_PX = 6


class ContentNote(StrEnum):
    """What stands between the picture and a certain count, or speaks against the expected content."""

    NO_POUCH = "no pouch label found"
    NOT_ONE_TABLET = "something is not the outline of one expected tablet"
    CUT_OFF = "something reaches under the label or out of the picture"
    LABEL_EDGE = "the lower edge of the label is not clear"
    GLARE = "glare on the label, which may hide its edge"
    OUT_OF_VIEW = "the pouch reaches out of the picture"
    SPECK = "a fragment too small for a tablet"
    DARK_TABLET = "an expected tablet is as dark as the base"
    TOO_MANY = "more things than can be counted"
    MOVED = "the pouch moved between the pictures"
    UNLIKE = "a tablet has not the colour and outline of any expected tablet left"


@dataclass(frozen=True)
class Content:
    """What lies in the window; `count` is the best guess where not `certain`, None where no pouch was found.

    `strangers`: whole tablets that surely are none of the learned looks, where every expected look is learned. `unknown`: how
    many of the expected tablets have no look.
    """

    count: int | None
    certain: bool
    tablets: tuple[TabletSeen, ...]
    notes: tuple[ContentNote, ...]
    label: tuple[int, int, int, int] | None
    """Left, top, width, height of the label in the full frame, in px."""
    strangers: int = 0
    unknown: int = 0

    @property
    def can_be_learned(self) -> bool:
        """Tell whether each thing is one whole tablet of the plan, apart from the others: only such pictures teach a look."""
        return self.certain and not self.notes and all(tablet.look is not None for tablet in self.tablets)


def content_of_pictures(
    halves: Sequence[Colour], looks: tuple[TabletLook, ...], geometry: StationGeometry = STATION,
) -> Content:
    """Count what lies below the label in BGR pictures of half size of one pouch, the evenly lit one last.

    What shines under one light and not under another is glare and is taken away; a picture without a label says nothing beside
    others. Where the pouch moved meanwhile, the last picture speaks alone and the count is not certain. ValueError where there is
    no picture.
    """
    if not halves:
        raise ValueError("no picture")
    scale = geometry.pixels_per_mm / 2
    found = [(half, corners) for half in halves if (corners := find_label(half, scale)) is not None]
    if len(found) < 2 or len({half.shape for half, _ in found}) > 1:
        half, last = found[-1] if found else (halves[-1], None)
        return _count(half, last, looks, geometry)
    joined = _without_glare([half for half, _ in found])
    label = find_label(joined, scale)
    if label is not None and not any(_has_moved(corners, label, scale) for _, corners in found):
        return _count(joined, label, looks, geometry)
    content = _count(*found[-1], looks, geometry)
    return replace(content, certain=False, notes=(*content.notes, ContentNote.MOVED))


def count_tablets(half: Colour, looks: tuple[TabletLook, ...], geometry: StationGeometry = STATION) -> Content:
    """Count what lies below the label in one BGR picture of half size."""
    return content_of_pictures((half,), looks, geometry)


def _has_moved(corners: Points, joined: Points, scale: float) -> bool:
    """Tell whether a label lies elsewhere in one picture; glare may move one of its corners, but not most of them."""
    return float(np.median(np.hypot(*(corners - joined).T))) > T.moved_mm * scale


def _without_glare(halves: Sequence[Colour]) -> Colour:
    """Take the last picture, and where another is darker by more than lights differ, the darkest of all."""
    darkest = halves[0]
    for half in halves[1:]:
        darkest = np.asarray(cv2.min(darkest, half), np.uint8)
    usual = cv2.addWeighted(darkest, 1 + T.lights_differ, darkest, 0, T.glare_difference)
    blue, green, red = cv2.split(cv2.compare(halves[-1], usual, cv2.CMP_GT))
    glare = cv2.dilate(cv2.bitwise_and(cv2.bitwise_and(blue, green), red), np.ones((5, 5), np.uint8))
    return np.asarray(np.where(glare[:, :, None] > 0, darkest, halves[-1]), np.uint8)


def _count(half: Colour, corners: Points | None, looks: tuple[TabletLook, ...], geometry: StationGeometry) -> Content:
    unknown = sum(look.source is LookSource.UNKNOWN for look in looks)
    if corners is None:
        return Content(None, False, (), (ContentNote.NO_POUCH,), None, unknown=unknown)
    scale = geometry.pixels_per_mm / 2
    start = max(0, min(half.shape[0] - 1, int(corners[2:, 1].min())))
    part = half[start:]
    window = window_mask(part.shape[:2], corners - np.array([0, start], np.float32), scale)
    difference, base = difference_from_base(part, window)
    seen, specks = things_in(part, difference, window, scale, start)
    left, top, width, height = cv2.boundingRect(corners)
    label = (2 * left, 2 * top, 2 * width, 2 * height)
    if len(seen) > TABLETS_LIMIT:
        return Content(len(seen), False, (), (ContentNote.TOO_MANY,), label, unknown=unknown)
    doubts = {
        ContentNote.SPECK: specks > 0,
        ContentNote.LABEL_EDGE: not has_clear_edge(half, corners, scale),
        ContentNote.GLARE: is_glared(half, corners),
        ContentNote.OUT_OF_VIEW: not is_in_view(half.shape[:2], corners, geometry.pouch_height_mm * scale),
    }
    gain = paper_gain(half, corners)
    return _judge(tuple(_in_paper_light(thing, gain) for thing in seen), looks, doubts, base, label)


def _in_paper_light(thing: TabletSeen, gain: float) -> TabletSeen:
    """Return a thing with its colours as they would be if the label's paper had its own brightness."""
    return replace(thing, colour=_lit(thing.colour, gain), second=None if thing.second is None else _lit(thing.second, gain))


def _lit(colour: Rgb, gain: float) -> Rgb:
    red, green, blue = (min(255, round(part * gain)) for part in colour)
    return red, green, blue


def has_outline_of(seen: TabletSeen, look: TabletLook) -> bool:
    """Tell whether a thing has size and outline of one whole tablet of this look."""
    return seen.is_whole and outline_misfit(seen.sample, look) <= 1


def _judge(
    seen: tuple[TabletSeen, ...], looks: tuple[TabletLook, ...], doubts: dict[ContentNote, bool], base: Rgb,
    label: tuple[int, int, int, int],
) -> Content:
    """Compare what is seen with what is expected; the count is certain only if there is no doubt."""
    matched = match_looks(seen, looks)
    alone = _are_alone(matched, looks)
    single = [any(has_outline_of(thing, look) for look in looks) for thing in seen]
    strange = [len(seen) >= len(looks) and _is_stranger(thing, looks) for thing in seen]
    doubts = {
        **doubts,
        ContentNote.NOT_ONE_TABLET: not alone or not all(one or other for one, other in zip(single, strange, strict=True)),
        ContentNote.CUT_OFF: any(thing.cut_off for thing in seen),
        ContentNote.DARK_TABLET: any(_is_dark(look, base) for look in looks),
    }
    notes = [note for note, stands in doubts.items() if stands]
    if len(seen) <= len(looks) and any(thing.look is None for thing in matched):
        notes.append(ContentNote.UNLIKE)
    count = sum(1 if one else _guess_count(thing, looks) for thing, one in zip(seen, single, strict=True))
    unknown = sum(look.source is LookSource.UNKNOWN for look in looks)
    return Content(count, not any(doubts.values()), matched, tuple(notes), label, sum(strange), unknown)


def _are_alone(matched: Sequence[TabletSeen], looks: tuple[TabletLook, ...]) -> bool:
    """Tell whether no thing can be several tablets on top of each other, of the looks that are not found yet.

    Two that overlap may make the outline of one whole tablet, larger than either of them.
    """
    found = {thing.look for thing in matched}
    missed = [_area_mm2(look) for index, look in enumerate(looks) if index not in found]
    return len(missed) < 2 or not any(thing.look is None and thing.area_mm2 > min(missed) for thing in matched)


def _area_mm2(look: TabletLook) -> float:
    """Give the area of a look's outline; 0 where nobody knows it."""
    learned = look.fill * look.width_mm * look.size_mm
    return learned or TYPICAL_AREA[look.shape] * look.size_mm ** 2


def _is_stranger(thing: TabletSeen, looks: tuple[TabletLook, ...]) -> bool:
    """Tell whether a whole tablet is far from every look of a pouch whose looks are all learned and confirmed.

    Ask only where there are things enough: two tablets that overlap may make one outline, and that is none.
    """
    if not looks or not thing.is_whole or any(look.source is not LookSource.LEARNED for look in looks):
        return False
    if outline_misfit(thing.sample, UNKNOWN_LOOK) > 1:
        return False
    return all(max(outline_misfit(thing.sample, look), colour_misfit(thing.sample.ends, look)) > T.stranger_times for look in looks)


def _is_dark(look: TabletLook, base: Rgb) -> bool:
    """Tell whether a part of a tablet is too near to the base's colour to be seen for certain."""
    if look.source is LookSource.UNKNOWN:
        return False
    return any(
        max(abs(part - ground) for part, ground in zip(end, base, strict=True)) < T.dark_difference for end in look.ends
    )


def _guess_count(thing: TabletSeen, looks: tuple[TabletLook, ...]) -> int:
    """Guess how many tablets make up a thing, from its area and the mean area expected of one."""
    areas = [_area_mm2(look) for look in looks if look.size_mm]
    return max(1, round(thing.area_mm2 * len(areas) / sum(areas))) if areas else 1


def match_looks(seen: tuple[TabletSeen, ...], looks: tuple[TabletLook, ...]) -> tuple[TabletSeen, ...]:
    """Pair things with expected tablets of their outline and colours, each used once, as many pairs as there can be."""
    fits = [_fits(thing, looks) for thing in seen]
    owner: dict[int, int] = {}
    for number in range(len(seen)):
        _find_look(number, fits, owner, set())
    look_of = {number: look for look, number in owner.items()}
    return tuple(replace(thing, look=look_of.get(number)) for number, thing in enumerate(seen))


def _fits(thing: TabletSeen, looks: tuple[TabletLook, ...]) -> list[int]:
    """Return the looks that a thing may have, those without a look last."""
    fitting = [
        index for index, look in enumerate(looks)
        if has_outline_of(thing, look) and colour_misfit(thing.sample.ends, look) <= 1
    ]
    return sorted(fitting, key=lambda index: looks[index].source is LookSource.UNKNOWN)


def _find_look(number: int, fits: list[list[int]], owner: dict[int, int], tried: set[int]) -> bool:
    """Give thing `number` a look, moving earlier things to others where needed (augmenting path)."""
    for look in fits[number]:
        if look in tried:
            continue
        tried.add(look)
        if look not in owner or _find_look(owner[look], fits, owner, tried):
            owner[look] = number
            return True
    return False


def crop(frame: Frame, tablet: TabletSeen) -> bytes:
    """Cut one tablet out of a frame, with a little around it, as JPEG; raises UnreadableFrame where the frame is no picture."""
    picture = cv2.imdecode(np.frombuffer(frame.evidence(), np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise UnreadableFrame(f"frame {frame.sequence} is no picture")
    left, top, width, height = tablet.box
    x, y = max(0, left - CROP_BORDER_PX), max(0, top - CROP_BORDER_PX)
    part = picture[y:top + height + CROP_BORDER_PX, x:left + width + CROP_BORDER_PX]
    done, jpeg = cv2.imencode(".jpg", part, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise UnreadableFrame("the JPEG encoder refused a tablet")
    return bytes(jpeg)
