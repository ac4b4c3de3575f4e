"""The camera station: a pouch that lies there is looked at, the verdict recorded, and the frames of every doubt kept.

It only shows; `hub.domain.verification` judges. A camera that is not live, a picture seen to be black or torn, one that cannot be looked
into or a foreign code is LOOK or FAIL, never PASS. Not every shifted line is seen (docs/camera.md has the measured share): what a torn
picture shows must still prove code, count and looks.
"""

import logging
import time
from collections import deque
from dataclasses import replace

from devices.barcode_camera.codes import DATA_MATRIX
from devices.barcode_camera.content import STATION, ContentNote, StationGeometry
from devices.barcode_camera.decode import read_data_matrix_cheaply
from devices.barcode_camera.frame import Frame
from devices.barcode_camera.inspect import CodeNote, Expected, FrameNote, Inspection, look_for
from devices.barcode_camera.looks import LookSource
from devices.barcode_camera.set_up import SetUpMeasure, measure
from devices.barcode_camera.stream import CameraHealth
from devices.barcode_camera.stream import CameraState as StreamState
from devices.barcode_camera.takes import takes
from hub.adapters.camera_desk import CameraDesk, figures_of
from hub.adapters.evidence import EvidenceFolder, Kept
from hub.adapters.expected_content import ExpectedContent, expected_content, with_expected
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.camera_words import camera_words
from hub.domain.evidence import EvidenceRules
from hub.domain.packs import JobState, PackJob, Verdict
from hub.domain.verification import CameraState, SeenPouch, reading_of, sorted_codes
from hub.services.camera_at_hand import CAMERA
from hub.services.maintenance import camera_seen, print_seen
from hub.services.verify_pack import verify_pack, verify_with_evidence

_log = logging.getLogger(__name__)
LOOKS_S = 3.0
NO_PICTURE = "no picture came that can be looked into"
MEASURES = 5
"""Pouches whose median is compared with the accepted set-up: one that lies askew says nothing of the camera."""
Counts = tuple[tuple[int, int], ...]
"""(asked, counted) of each drop of a job."""


class CameraStation:
    """Verifies the pouches of one packager, one after the other; `work` returns True while one lies there."""

    def __init__(
        self, writer: Writer, desk: CameraDesk, evidence: EvidenceFolder, pass_share: int = EvidenceRules().pass_share,
        pictures: EvidenceFolder | None = None,
    ) -> None:
        """`pictures` keeps those of tablets whose look is learned; None: nothing is learned."""
        self._writer = writer
        self._desk = desk
        self._evidence = evidence
        self._pictures = pictures
        self._pass_share = pass_share
        self._newest_frame = 0
        self._before = ""
        self._measures: deque[SetUpMeasure] = deque(maxlen=MEASURES)

    def work(self) -> bool:
        """Verify the pouch that lies at the camera, if there is one."""
        waiting = self._writer.submit_read(_at_camera).result()
        for job, expected, sensors, content in waiting:
            self._verify(job, expected, sensors, content)
        return bool(waiting)

    def _verify(self, job: PackJob, expected: Expected, sensors: Counts, content: ExpectedContent) -> None:
        with self._desk.turn:
            inspection = self._look(expected)
        seen = with_expected(seen_pouch(inspection, expected, sensors, self._desk.stream.health()), content, inspection, self._pictures)
        if inspection is not None:
            self._newest_frame = inspection.sequence
        self._decide(job, seen, inspection)
        if inspection is not None:
            self._take_measure(inspection, expected.serial)
        self._before = expected.serial
        self._desk.report()

    def _look(self, expected: Expected) -> Inspection | None:
        """Take frames under each light until they prove enough; none that came before now, when the pouch is known to lie there."""
        lights = self._desk.lights
        frames = self._desk.stream.frames_after(timeout_s=LOOKS_S, sequence=self._newest_frame, arrived_s=time.monotonic())
        try:
            return look_for(takes(frames, lights), expected, self._geometry(), before=self._before)
        except Exception:  # noqa: BLE001 - nothing is in the way of a verdict
            # Whatever a picture does to its readers, the pouch gets a verdict: a person looks.
            _log.exception("the pictures of %s could not be looked into", expected.serial)
            return None
        finally:
            lights.show(lights.plan[0])

    def _geometry(self) -> StationGeometry:
        """Give the scale of the accepted set-up, the station's usual one where none was accepted."""
        set_up = self._writer.submit_read(lambda unit: unit.camera_set_ups.get(CAMERA)).result()
        return STATION if set_up is None else replace(STATION, pixels_per_mm=float(set_up.figures.pixels_per_mm))

    def _take_measure(self, inspection: Inspection, serial: str) -> None:
        """Measure the camera by the frame in which this pouch's code is read; it comes after the verdict and never in its way."""
        try:
            found = next(filter(None, (_measured(frame, serial) for frame in reversed(inspection.frames))), None)
        except Exception:  # noqa: BLE001 - nothing is in the way of a verdict
            _log.exception("the camera was not measured by %s", serial)
            return
        if found is not None:
            self._measures.append(found)

    def _decide(self, job: PackJob, seen: SeenPouch, inspection: Inspection | None) -> None:
        """Record the verdict; all frames of one that keeps its evidence are on the disk before that."""
        share = self._pass_share

        def decide(unit: SqlUnitOfWork) -> Verdict | None:
            verdict = verify_with_evidence(unit, job.id, seen, None, pass_share=share)
            self._follow(unit, job, verdict, inspection)
            return verdict

        if self._writer.submit("system", decide).result(timeout=30) is not None:
            return
        kept = self._evidence.keep_all(frame.evidence() for frame in inspection.frames) if inspection is not None else Kept()

        def decide_with_evidence(unit: SqlUnitOfWork) -> None:
            self._follow(unit, job, verify_pack(unit, job.id, seen, kept.digests, kept.trouble), inspection)

        self._writer.submit("system", decide_with_evidence).result(timeout=30)

    def _follow(self, unit: SqlUnitOfWork, job: PackJob, verdict: Verdict | None, inspection: Inspection | None) -> None:
        """Follow the quality of print of what passed, and the place of the camera; both raise a ticket before pouches fail."""
        if verdict is None or inspection is None:
            return
        own = inspection.own_matrix(job.pack)
        if verdict is Verdict.PASS and own is not None and own.quality is not None:
            print_seen(unit, job.device, job.pack, own.quality)
        if len(self._measures) == MEASURES:
            camera_seen(unit, CAMERA, figures_of(tuple(self._measures)))


def _measured(frame: Frame, serial: str) -> SetUpMeasure | None:
    """Measure one frame by this pouch's own Data Matrix; None where this frame does not show it."""
    reads = read_data_matrix_cheaply(frame.grey, frame.half_grey)
    own = [read for read in reads if read.identifier == DATA_MATRIX and read.text == serial]
    return measure(frame, own[0]) if own else None


def seen_pouch(inspection: Inspection | None, expected: Expected, sensors: Counts, health: CameraHealth) -> SeenPouch:
    """Return what is said to the judge; what a camera shows that is not live counts for nothing, and why is said."""
    if inspection is None or health.state is not StreamState.LIVE:
        _log.warning("no witness of the pouch: the camera is %s (%s)", health.state.value, health.reason)
        fault = camera_words(health.state.value, health.reason).en
        return SeenPouch(sensor_counts=sensors, camera=CameraState.DOWN, doubts=(fault or NO_PICTURE,))
    matrices, linear, others = sorted_codes((read.identifier, read.payload) for read in inspection.reads)
    camera = CameraState.EMPTY if ContentNote.NO_POUCH in inspection.notes and not matrices else CameraState.OK
    doubts = _doubts(inspection, sum(asked for asked, _ in sensors) - sum(look.source is not LookSource.UNKNOWN for look in expected.tablets))
    return SeenPouch(
        matrices, linear, inspection.count, inspection.certain, sensors, camera, doubts, other_codes=others,
        strangers=inspection.content.strangers, readings=tuple(reading_of(read.text, read.symbology, read.reader) for read in inspection.reads),
    )


def _doubts(inspection: Inspection, unknown_looks: int) -> tuple[str, ...]:
    """Return in plain words what the picture shows that was not planned; the codes' own contents are judged elsewhere.

    A second reader that is not installed is no doubt about a pouch.
    """
    notes = [note for note in inspection.notes if isinstance(note, ContentNote | FrameNote) or note is CodeNote.FOREIGN_CODE]
    unknown = [f"nobody recorded what {unknown_looks} of the tablets should look like"] if unknown_looks > 0 else []
    return (*(note.value for note in notes), *unknown)


def _at_camera(unit: SqlUnitOfWork) -> list[tuple[PackJob, Expected, Counts, ExpectedContent]]:
    found = []
    for job in unit.jobs.where(state=JobState.RUNNING):
        pack = unit.packs.get(job.pack)
        if job.at_camera is None or pack is None or pack.verdict is not None:
            continue
        counted = tuple(
            (fill.count, int(sum(content.units for content in pack.contents if content.dose == fill.dose)))
            for fill in job.fills
        )
        content = expected_content(unit, job)
        found.append((job, Expected(pack.serial, content.looks), counted, content))
    return sorted(found, key=lambda item: item[0].at_camera or (0, 0))
