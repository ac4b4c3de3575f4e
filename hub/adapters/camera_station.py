"""The camera station: a pouch that lies there is looked at, the verdict recorded, and the frame of every doubt kept.

The stream only shows; `hub.domain.verification` judges. No picture, a frozen one or a foreign code is LOOK or FAIL, never PASS.
"""

import hashlib
import logging
from pathlib import Path

from devices.camera.content import ContentNote, TabletLook
from devices.camera.inspect import CodeNote, Expected, Inspection, look_for
from devices.camera.stream import CameraStream
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.identifiers import LotId
from hub.domain.packs import Fill, JobState, Pack, PackJob, Verdict
from hub.domain.verification import CameraState, ExpectedPouch, SeenPouch, verify_pouch
from hub.services.verify_pack import expected_pouch, verify_pack

_log = logging.getLogger(__name__)
LOOKS_S = 3.0
EVIDENCE_SHARE = 50
Counts = tuple[tuple[int, int], ...]
"""(asked, counted) of each drop of a job."""


class EvidenceFolder:
    """Frames by their SHA-256; a file name holds nothing else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, frame: bytes) -> str:
        """Keep a frame and return its digest."""
        digest = hashlib.sha256(frame).hexdigest()
        path = self._folder / f"{digest}.jpg"
        if not path.exists():
            partial = path.with_suffix(".part")
            partial.write_bytes(frame)
            partial.rename(path)
        return digest

    def read(self, digest: str) -> bytes | None:
        """Return a frame, or None where there is none of that digest."""
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            return None
        path = self._folder / f"{digest}.jpg"
        return path.read_bytes() if path.exists() else None


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
        found.append((job, Expected(pack.serial, _looks(unit, job)), counted))
    return sorted(found, key=lambda item: item[0].at_camera or (0, 0))


def _looks(unit: SqlUnitOfWork, job: PackJob) -> tuple[TabletLook, ...]:
    """Return what each tablet of the plan should look like, by the lots of its drug that fell; an unknown look is left out."""
    pack = unit.packs.get(job.pack)
    assert pack is not None
    lots = [unit.lots.get(lot) for fill in job.fills for lot in _lots_of(unit, pack, fill)]
    return tuple(look for lot in lots if lot is not None and (look := read_look(lot.look)) is not None)


def _lots_of(unit: SqlUnitOfWork, pack: Pack, fill: Fill) -> list[LotId]:
    """Return the lot of each tablet of a fill: of those that fell, else of those that were chosen; never another drug's."""
    fell = [
        content.lot
        for content in pack.contents
        if content.dose == fill.dose and content.drug == fill.drug
        for _ in range(int(content.units))
    ]
    chosen = [lot for lot in pack.lots if (known := unit.lots.get(lot)) is not None and known.item == fill.drug]
    lots = (fell or chosen)[: fill.count]
    return lots + lots[-1:] * (fill.count - len(lots))


def read_look(text: str) -> TabletLook | None:
    """Read `#rrggbb shape size_mm`; None where the look was never recorded."""
    if not text:
        return None
    colour, shape, size = text.split(" ")
    return TabletLook.from_text(colour, shape, float(size))
