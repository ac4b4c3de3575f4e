"""The camera station: a pouch that lies there is looked at, the verdict recorded, and the frame of every doubt kept.

The stream only shows; `hub.domain.verification` judges. No picture, a frozen one or a foreign code is LOOK or FAIL, never PASS.
"""

import hashlib
import logging

from devices.barcode_camera.content import ContentNote
from devices.barcode_camera.inspect import CodeNote, Expected, Inspection, look_for
from devices.barcode_camera.stream import CameraStream
from hub.adapters.evidence import EvidenceFolder
from hub.adapters.expected_content import expected_looks
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.packs import JobState, PackJob, Verdict
from hub.domain.verification import CameraState, ExpectedPouch, SeenPouch, verify_pouch
from hub.services.verify_pack import expected_pouch, verify_pack

_log = logging.getLogger(__name__)
LOOKS_S = 3.0
EVIDENCE_SHARE = 50
Counts = tuple[tuple[int, int], ...]
"""(asked, counted) of each drop of a job."""


class CameraStation:
    """Verifies the pouches of one packager, one after the other; `work` returns True while one lies there."""

    def __init__(self, writer: Writer, stream: CameraStream, evidence: EvidenceFolder) -> None:
        self._writer = writer
        self._stream = stream
        self._evidence = evidence
        self._newest_frame = 0

    def work(self) -> bool:
        """Verify the pouch that lies at the camera, if there is one."""
        waiting = self._writer.submit_read(_at_camera).result()
        for job, expected, sensors in waiting:
            self._verify(job, expected, sensors)
        return bool(waiting)

    def _verify(self, job: PackJob, expected: Expected, sensors: Counts) -> None:
        newest = self._stream.latest()
        seen_through = self._newest_frame if newest is None else max(self._newest_frame, newest.sequence - 1)
        inspection = look_for(self._stream.frames_after(timeout_s=LOOKS_S, sequence=seen_through), expected)
        seen = _seen(inspection, expected, sensors, self._stream)
        evidence = ""
        if inspection is not None:
            self._newest_frame = inspection.sequence
            if _worth_keeping(seen, expected_pouch(job)) or job.reason:
                evidence = self._evidence.keep(inspection.frame_jpeg)
        self._writer.submit("system", lambda unit: verify_pack(unit, job.id, seen, evidence)).result(timeout=30)


def _worth_keeping(seen: SeenPouch, expected: ExpectedPouch) -> bool:
    """Keep the frame of every pouch that does not pass, and a sample of those that do."""
    passed = verify_pouch(expected, seen)[0] is Verdict.PASS
    return not passed or int(hashlib.sha256(expected.serial.encode()).hexdigest(), 16) % EVIDENCE_SHARE == 0


def _seen(inspection: Inspection | None, expected: Expected, sensors: Counts, stream: CameraStream) -> SeenPouch:
    if inspection is None:
        _log.warning(
            "no frame of the pouch: the camera is %s (%s)", stream.health().state.value, stream.health().reason
        )
        return SeenPouch(sensor_counts=sensors, camera=CameraState.DOWN)
    matrices = tuple(read.payload for read in inspection.reads if read.symbology.startswith("]d"))
    linear = tuple(read.payload for read in inspection.reads if read.symbology.startswith("]C"))
    camera = CameraState.EMPTY if ContentNote.NO_POUCH in inspection.notes and not matrices else CameraState.OK
    doubts = _doubts(inspection, sum(asked for asked, _ in sensors) - len(expected.tablets))
    return SeenPouch(matrices, linear, inspection.count, inspection.certain, sensors, camera, doubts)


def _doubts(inspection: Inspection, unknown_looks: int) -> tuple[str, ...]:
    """Return in plain words what the picture shows that was not planned; the codes' own contents are judged elsewhere.

    A second reader that is not installed is no doubt about a pouch.
    """
    notes = [note for note in inspection.notes if isinstance(note, ContentNote) or note is CodeNote.FOREIGN_CODE]
    unknown = [f"nobody recorded what {unknown_looks} of the tablets should look like"] if unknown_looks > 0 else []
    return (*(note.value for note in notes), *unknown)


def _at_camera(unit: SqlUnitOfWork) -> list[tuple[PackJob, Expected, Counts]]:
    found = []
    for job in unit.jobs.where(state=JobState.RUNNING):
        pack = unit.packs.get(job.pack)
        if job.at_camera is None or pack is None or pack.verdict is not None:
            continue
        counted = tuple(
            (fill.count, int(sum(content.units for content in pack.contents if content.dose == fill.dose)))
            for fill in job.fills
        )
        found.append((job, Expected(pack.serial, expected_looks(unit, job)), counted))
    return sorted(found, key=lambda item: item[0].at_camera or (0, 0))
