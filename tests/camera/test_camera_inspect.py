"""An inspection reports what a frame shows beside what was expected, and passes over pictures of the pouch before."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from camera_plant import LABEL, look, lying, picture
from camera_rasters import label

from devices.barcode_camera.content import ContentNote
from devices.barcode_camera.decode import second_reader_missing
from devices.barcode_camera.frame import Colour, Frame, UnreadableFrame
from devices.barcode_camera.inspect import CodeNote, Expected, FrameNote, inspect, inspect_frames, look_for
from simulators.camera.scene import Scene

SERIAL = "ABCDEF0123456789"
EXPECTED = Expected(SERIAL, (look(), look("#c03030", "capsule", 18)))
TABLETS = (lying(), lying("#c03030", "capsule", 18))


def pouch(serial: str = SERIAL, name: str = "a") -> Scene:
    return Scene(name, label(serial), TABLETS)


def pixels_of(frame: Frame) -> Colour:
    """Decode a frame as BGR, without the driver."""
    return np.asarray(cv2.imdecode(np.frombuffer(frame.evidence(), np.uint8), cv2.IMREAD_COLOR), np.uint8)


def plain_notes(notes: tuple[object, ...]) -> set[object]:
    """Leave out what depends on the machine the tests run on."""
    return {note for note in notes if note is not CodeNote.NO_SECOND_READER}


def test_right_pouch_gives_its_serial_and_a_certain_count_without_notes() -> None:
    frame = picture(pouch())
    inspection = inspect(frame, EXPECTED)
    assert (inspection.serials, inspection.count, inspection.certain) == ((SERIAL,), 2, True)
    assert plain_notes(inspection.notes) == set()
    assert inspection.frames == (frame,)


def test_both_readers_agree_where_both_are_installed() -> None:
    scene = Scene("n", label("ABCDEF012345"), TABLETS)
    readers = {read.reader for read in inspect(picture(scene), EXPECTED).reads}
    assert readers == {"zxing-cpp/half"} | ({"zbar"} if second_reader_missing() is None else set())


def test_wrong_serial_is_told() -> None:
    inspection = inspect(picture(pouch("WRONG00000000000")), EXPECTED)
    assert inspection.serials == ("WRONG00000000000",)
    assert plain_notes(inspection.notes) == {CodeNote.OTHER_SERIAL}


def test_two_serials_on_one_label_are_told() -> None:
    if second_reader_missing() is None:
        inspection = inspect(picture(Scene("x", label("ABCDEF012345", "000000ABCDEF"))), Expected("ABCDEF012345", ()))
        assert inspection.serials == ("ABCDEF012345", "000000ABCDEF")
        assert (inspection.data_matrix, inspection.code_128) == (("ABCDEF012345",), ("000000ABCDEF",))
        assert plain_notes(inspection.notes) == {CodeNote.OTHER_SERIAL, CodeNote.SEVERAL_SERIALS}


def test_empty_station_has_no_serial_and_no_count() -> None:
    inspection = inspect(picture(None), EXPECTED)
    assert (inspection.serials, inspection.count, inspection.certain) == ((), None, False)
    assert plain_notes(inspection.notes) == {CodeNote.NO_CODE, ContentNote.NO_POUCH}


def test_decoded_pixels_are_inspected_like_the_jpeg() -> None:
    jpeg = picture(pouch())
    pixels = Frame(2, 0.0, None, pixels_of(jpeg))
    assert inspect(pixels, EXPECTED).serials == (SERIAL,)
    assert pixels.evidence().startswith(b"\xff\xd8")


def test_bytes_that_are_no_picture_are_refused() -> None:
    with pytest.raises(UnreadableFrame):
        inspect(Frame(1, 0.0, b"\xff\xd8 damaged"), EXPECTED)


def test_looking_passes_over_the_pouch_before_and_the_empty_station() -> None:
    frames = [picture(pouch("BEFORE0000000000", "b")), picture(None), replace(picture(pouch()), sequence=9)]
    found = look_for(frames, EXPECTED, before="BEFORE0000000000")
    assert found is not None
    assert (found.sequence, found.serials) == (9, (SERIAL,))


def test_looking_reports_the_wrong_label_once_the_frames_end() -> None:
    found = look_for([picture(pouch("WRONG00000000000", "b"))] * 3, EXPECTED)
    assert found is not None
    assert CodeNote.OTHER_SERIAL in found.notes


def test_looking_takes_the_best_of_a_few_frames_and_then_stops() -> None:
    blind = picture(pouch(), blur_sigma=8.0)
    frames = iter([blind, blind, picture(pouch()), blind])
    found = look_for(frames, EXPECTED)
    assert found is not None and found.serials == (SERIAL,)
    assert len(list(frames)) == 1


def test_looking_ends_after_its_tries_with_the_best_it_saw() -> None:
    touching = picture(Scene("t", LABEL, TABLETS), touching=True)
    frames = iter([touching] * 5)
    found = look_for(frames, EXPECTED)
    assert found is not None
    assert (found.serials, found.certain) == ((SERIAL,), False)
    assert len(list(frames)) == 2


def test_looking_at_nothing_finds_nothing() -> None:
    assert look_for([], EXPECTED) is None
    assert look_for([Frame(1, 0.0, b"\xff\xd8 damaged")], EXPECTED) is None


def test_a_code_of_any_frame_counts_and_is_never_outvoted() -> None:
    other = picture(pouch("WRONG00000000000", "b"))
    found = look_for([other, picture(pouch()), picture(pouch())], EXPECTED)
    assert found is not None and set(found.serials) == {SERIAL, "WRONG00000000000"}
    assert CodeNote.SEVERAL_SERIALS in found.notes


def test_a_content_is_proven_only_by_a_frame_that_shows_the_pouch_s_own_code() -> None:
    blank = label(SERIAL, "")
    blank[50:160, 500:630] = 0
    late = picture(Scene("late", blank, TABLETS))
    touching = picture(Scene("now", label(SERIAL), TABLETS), touching=True)
    assert inspect(late, EXPECTED).count == 2 and not inspect(late, EXPECTED).certain
    found = look_for([late, touching, touching], EXPECTED)
    assert found is not None and found.serials == (SERIAL,) and not found.certain


def test_frames_of_one_pouch_that_show_different_contents_are_not_certain() -> None:
    one = picture(Scene("one", label(SERIAL), TABLETS[:1]))
    found = inspect_frames([picture(pouch()), one], EXPECTED)
    assert found is not None and not found.certain and FrameNote.DISAGREE in found.notes


@pytest.mark.parametrize(("spoil", "note"), [
    (lambda pixels: pixels // 12, FrameNote.BLACK), (lambda pixels: np.vstack((pixels[:300], np.roll(pixels[300:], 90, axis=1))), FrameNote.TORN),
])
def test_black_and_torn_frames_prove_nothing(spoil: Callable[[Colour], Colour], note: FrameNote) -> None:
    spoilt = Frame(1, 0.0, None, spoil(pixels_of(picture(pouch()))))
    inspection = inspect(spoilt, EXPECTED)
    assert note in inspection.notes and not inspection.certain
    found = look_for([spoilt, picture(pouch())], EXPECTED)
    assert found is not None and found.certain and note not in found.notes, "another frame is whole"


def test_glare_that_lies_elsewhere_in_each_frame_hides_nothing_of_the_code() -> None:
    """A stripe over the code in each of three frames, in another place: no frame alone is read, joined they are."""
    plain = pixels_of(picture(pouch()))
    (read,) = [read for read in inspect(picture(pouch()), EXPECTED).reads if read.identifier == "]d1"]
    left, top = (int(min(point[axis] for point in read.polygon)) for axis in (0, 1))
    frames = []
    for number in range(3):
        glared = plain.copy()
        glared[top - 20:top + 120, left + 25 * number:left + 25 * number + 22] = 255
        frames.append(Frame(number + 1, 0.0, None, glared))
    assert all(not inspect(frame, EXPECTED).data_matrix for frame in frames)
    found = look_for(frames, EXPECTED)
    assert found is not None and found.data_matrix == (SERIAL,) and len(found.frames) == 3


def numbered(*pictures: Frame) -> list[Frame]:
    return [replace(frame, sequence=number) for number, frame in enumerate(pictures, 1)]


def test_one_certain_frame_silences_no_frame_that_shows_a_fragment_or_a_tablet_more() -> None:
    plain = picture(pouch())
    pixels = pixels_of(plain).copy()
    pixels[870:890, 630:650] = 225
    fragment = Frame(1, 0.0, None, pixels)
    assert not inspect(fragment, EXPECTED).certain
    third = picture(Scene("three", label(SERIAL), (*TABLETS, lying("#50a060", "oval", 12))))
    for doubtful in (fragment, third):
        for order in ((doubtful, doubtful, plain), (doubtful, plain, plain), (plain, doubtful, plain)):
            found = inspect_frames(numbered(*order), EXPECTED)
            assert found is not None and not found.certain


def test_glare_in_the_window_is_the_one_doubt_that_another_light_takes_away() -> None:
    plain = picture(pouch())
    pixels = pixels_of(plain).copy()
    pixels[870:900, 630:720] = 255
    shining = Frame(1, 0.0, None, pixels)
    assert not inspect(shining, EXPECTED).certain
    found = inspect_frames(numbered(shining, plain), EXPECTED)
    assert found is not None and found.certain and found.count == 2


def test_a_label_of_the_pouch_before_in_the_very_place_of_this_one_is_no_late_picture() -> None:
    """Two labels on one pouch, of which each light hides one: first only the other code is seen, then only the own."""
    before = "BEFORE0000000000"
    frames = numbered(picture(pouch(before)), picture(pouch()), picture(pouch()))
    found = look_for(frames, EXPECTED, before=before)
    assert found is not None and not found.certain and FrameNote.BEFORE in found.notes
    assert len(found.frames) == 3, "the picture of the other code is evidence too, and one frame alone does not end it"


def test_a_torn_frame_s_code_proves_nothing_of_frames_that_show_none() -> None:
    whole = pixels_of(picture(pouch()))
    torn = Frame(1, 0.0, None, np.vstack((whole[:300], np.roll(whole[300:], 90, axis=1))))
    assert inspect(torn, EXPECTED).data_matrix == (SERIAL,) and FrameNote.TORN in inspect(torn, EXPECTED).notes
    blank = label(SERIAL, "")
    blank[50:160, 500:630] = 0
    uncoded = picture(Scene("late", blank, TABLETS))
    found = look_for(numbered(torn, uncoded, uncoded), EXPECTED)
    assert found is not None and not found.certain


def test_a_copy_of_the_own_code_is_told() -> None:
    raster = label(SERIAL)
    raster[180:280, 380:480] = 0
    raster[190:270, 390:470] = raster[60:140, 520:600]
    found = inspect(picture(Scene("copy", raster, TABLETS)), EXPECTED)
    assert FrameNote.COPY in found.notes and not found.certain


def test_corners_of_the_linear_code_are_those_of_the_whole_frame() -> None:
    frame = picture(Scene("n", label("ABCDEF012345"), TABLETS))
    linear = [read for read in inspect(frame, EXPECTED).reads if read.identifier == "]C0"]
    if second_reader_missing() is None:
        (read,) = linear
        assert read_label_left(frame) < min(x for x, _ in read.polygon) and min(y for _, y in read.polygon) > 300


def read_label_left(frame: Frame) -> float:
    box = inspect(frame, EXPECTED).content.label
    assert box is not None
    return box[0]
