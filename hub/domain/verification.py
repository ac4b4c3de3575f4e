"""Verification of a pouch: what its own codes, the machine's drop sensor and the picture say together.

The codes and the sensor carry the safety; the picture can stop a pouch and never accept one. A `LOOK` is for a person's eye.
"""

from dataclasses import dataclass
from enum import StrEnum

from hub.domain.identifiers import PackSerial
from hub.domain.packs import Verdict


class CameraState(StrEnum):
    """Whether the station saw the pouch at all."""

    OK = "ok"
    DOWN = "down"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class ExpectedPouch:
    """What the job says should lie before the camera: its serial and its tablets in all."""

    serial: PackSerial
    count: int


@dataclass(frozen=True, slots=True)
class SeenPouch:
    """What was read and counted.

    `tablets` is the picture's count (None: it cannot tell) and `certain` whether it separates every tablet; `sensor_counts`
    are (asked, counted) of each drop that the machine reported, `wrong_drops` say in plain words what its records have
    against the plan, and `doubts` what the picture shows that is not as planned.
    """

    data_matrix: tuple[str, ...] = ()
    code_128: tuple[str, ...] = ()
    tablets: int | None = None
    certain: bool = False
    sensor_counts: tuple[tuple[int, int], ...] = ()
    camera: CameraState = CameraState.OK
    doubts: tuple[str, ...] = ()
    wrong_drops: tuple[str, ...] = ()


def verify_pouch(expected: ExpectedPouch, seen: SeenPouch) -> tuple[Verdict, tuple[str, ...]]:
    """Return the verdict on a pouch and every reason for it; a reason to fail outweighs a reason to look.

    Call it when every event of the job up to the camera's has been taken in: a drop that the machine did not record cannot be
    proven by anybody's eye, so a missing record fails the pouch.

    PASS needs the pouch's own Data Matrix, no code that says otherwise, each drop counted as asked and in sum as expected, and
    a picture that shows each tablet alone and whole, as many as expected, with no doubt left: for the
    drop sensor and for a guess a half is a whole tablet. An unread Code 128 counts for nothing.
    """
    failures = (*_wrong_codes(expected, seen), *_wrong_drops(expected, seen), *_wrong_picture(expected, seen))
    if failures:
        return Verdict.FAIL, failures
    doubts = (*_doubtful_codes(seen), *_doubtful_picture(expected, seen), *seen.doubts)
    if doubts:
        return Verdict.LOOK, doubts
    return Verdict.PASS, (f"its own code was read, and {expected.count} counted by the drop sensor",)


def _wrong_codes(expected: ExpectedPouch, seen: SeenPouch) -> tuple[str, ...]:
    reasons = []
    matrix = set(seen.data_matrix)
    if len(matrix) > 1:
        reasons.append(f"{len(matrix)} different Data Matrix codes are in sight")
    elif matrix and matrix != {expected.serial}:
        reasons.append(f"the label says {seen.data_matrix[0]}, not {expected.serial}")
    if set(seen.code_128) - {expected.serial}:
        reasons.append("the Code 128 contradicts the pouch's serial")
    return tuple(reasons)


def _wrong_drops(expected: ExpectedPouch, seen: SeenPouch) -> tuple[str, ...]:
    reasons = list(seen.wrong_drops) or [
        f"the drop sensor counted {counted} where {asked} were asked for"
        for asked, counted in seen.sensor_counts
        if asked != counted
    ]
    asked_in_all = sum(asked for asked, _ in seen.sensor_counts)
    if not reasons and asked_in_all != expected.count:
        reasons.append(f"the machine's records tell of {asked_in_all} dropped, {expected.count} are expected")
    return tuple(reasons)


def _wrong_picture(expected: ExpectedPouch, seen: SeenPouch) -> tuple[str, ...]:
    if seen.camera is not CameraState.OK or not seen.certain or seen.tablets in {None, expected.count}:
        return ()
    return (f"the picture shows {seen.tablets}, {expected.count} are expected",)


def _doubtful_codes(seen: SeenPouch) -> tuple[str, ...]:
    if seen.camera is CameraState.DOWN:
        return ("the camera does not answer",)
    if seen.camera is CameraState.EMPTY:
        return ("no pouch is in sight",)
    return () if seen.data_matrix else ("no Data Matrix could be read",)


def _doubtful_picture(expected: ExpectedPouch, seen: SeenPouch) -> tuple[str, ...]:
    if seen.camera is not CameraState.OK or seen.certain:
        return ()
    if seen.tablets is None:
        return ("the picture cannot tell how many there are",)
    if seen.tablets == expected.count:
        return (f"the picture does not show each of the {expected.count} alone and whole",)
    return (f"the picture seems to show {seen.tablets}, {expected.count} are expected",)
