"""The machine tried with known-bad pouches: kept frames of a pouch that passed are judged again beside a list that is wrong.

The drop sensor is taken to agree with the wrong list, so that code and picture stand alone. A pouch whose frames do not pass with its own
list proves nothing of a miss, and is left out. Nothing is changed but the trials and their ledger facts.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from devices.barcode_camera.content import STATION, StationGeometry, TabletLook
from devices.barcode_camera.frame import Frame
from devices.barcode_camera.inspect import Expected, inspect_frames
from devices.barcode_camera.stream import CameraHealth, CameraState
from hub.adapters.camera_station import seen_pouch
from hub.adapters.evidence import EvidenceFolder
from hub.adapters.expected_content import look_of_lot
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.identifiers import derived_id
from hub.domain.known_bad import GoodCase, Judge, Trial, TrialKind, TrialResult
from hub.domain.looking import StationRules
from hub.domain.packs import JobState, Verdict
from hub.domain.verification import ExpectedPouch, verify_pouch
from hub.services.camera_at_hand import CAMERA
from hub.services.known_bad import good_cases, machine_trials_left, record_machine_trial, wrong_lists

REMEMBERED = 10_000
_LIVE = CameraHealth(CameraState.LIVE, "", frames=0, bad_frames=0, connections=1)


@dataclass(frozen=True, slots=True)
class _Case:
    """A pouch with kept frames, each list that it is judged by (its own under None), and the looks of each list."""

    good: GoodCase
    lists: dict[TrialKind | None, GoodCase]
    looks: dict[TrialKind | None, tuple[TabletLook, ...]]
    geometry: StationGeometry


class KnownBadTrials:
    """Tries the machine with one kept pouch after the other, each once, at most so many trials a day, and never while a pouch waits."""

    def __init__(self, writer: Writer, evidence: EvidenceFolder, rules: StationRules, now: Callable[[], datetime]) -> None:
        self._writer = writer
        self._evidence = evidence
        self._rules = rules
        self._now = now
        self._left_out: set[tuple[str, ...]] = set()

    @property
    def left_out(self) -> int:
        """How many pouches do not pass with their own list from the kept frames alone."""
        return len(self._left_out)

    def work(self) -> bool:
        """Try one pouch; True where there may be another one. Rests while a pouch lies at the camera or the day's number is reached."""
        at = self._now()
        case = self._writer.submit_read(lambda unit: self._next(unit, at)).result()
        if case is None:
            return False
        if self._judge(case, None) is not Verdict.PASS:
            self._left_out.add(case.good.evidence)
            return len(self._left_out) < REMEMBERED
        verdicts = {kind: self._judge(case, kind) for kind in case.lists if kind is not None}
        self._writer.submit("system", lambda unit: self._record(unit, case, verdicts, at)).result(timeout=30)
        return True

    def _next(self, unit: SqlUnitOfWork, at: datetime) -> _Case | None:
        if _pouch_waits(unit) or machine_trials_left(unit, self._rules, at) <= 0:
            return None
        cases = good_cases(unit)
        untried = (good for good in cases if good.evidence not in self._left_out and not _is_tried(unit, good))
        good = next((good for good in untried if self._is_kept(good)), None)
        return self._case(unit, cases, good) if good is not None else None

    def _is_kept(self, good: GoodCase) -> bool:
        return all(self._evidence.read(digest) is not None for digest in good.evidence)

    def _case(self, unit: SqlUnitOfWork, cases: list[GoodCase], good: GoodCase) -> _Case:
        lists: dict[TrialKind | None, GoodCase] = {None: good}
        lists.update(wrong_lists(unit, cases, good).items())
        looks = {kind: _looks(unit, listed) for kind, listed in lists.items()}
        set_up = unit.camera_set_ups.get(CAMERA)
        geometry = STATION if set_up is None else replace(STATION, pixels_per_mm=float(set_up.figures.pixels_per_mm))
        return _Case(good, lists, looks, geometry)

    def _judge(self, case: _Case, kind: TrialKind | None) -> Verdict:
        """Return the verdict on the kept frames beside one list; a frame that is no longer there is not seen."""
        listed, count = case.lists[kind], sum(line.count for line in case.lists[kind].expected)
        expected = Expected(listed.serial, case.looks[kind])
        kept = (self._evidence.read(digest) for digest in case.good.evidence)
        frames = (Frame(number, 0.0, jpeg=jpeg) for number, jpeg in enumerate(kept, 1) if jpeg is not None)
        seen = seen_pouch(inspect_frames(frames, expected, case.geometry), expected, ((count, count),), _LIVE)
        return verify_pouch(ExpectedPouch(listed.serial, count), seen)[0]

    def _record(self, unit: SqlUnitOfWork, case: _Case, verdicts: dict[TrialKind, Verdict], at: datetime) -> None:
        for kind, verdict in verdicts.items():
            listed = case.lists[kind]
            trial = Trial(_trial_id(case.good, kind), Judge.MACHINE, kind, listed.evidence, listed.serial, listed.expected, at, TrialResult.OPEN)
            record_machine_trial(unit, trial, verdict)


def _pouch_waits(unit: SqlUnitOfWork) -> bool:
    return any(job.at_camera is not None for job in unit.jobs.where(state=JobState.RUNNING))


def _trial_id(good: GoodCase, kind: TrialKind) -> str:
    return derived_id("machine-trial", good.serial, *good.evidence, kind.value, digits=16)


def _is_tried(unit: SqlUnitOfWork, good: GoodCase) -> bool:
    return any(unit.trials.get(_trial_id(good, kind)) is not None for kind in TrialKind)


def _looks(unit: SqlUnitOfWork, listed: GoodCase) -> tuple[TabletLook, ...]:
    return tuple(look_of_lot(unit, line.lot) for line in listed.expected for _ in range(line.count))
