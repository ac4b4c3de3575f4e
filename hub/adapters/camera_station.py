"""The camera station: a pouch that lies there is looked at, the verdict recorded, and the frame of every doubt kept.

The stream only shows; `hub.domain.verification` judges. No picture, a frozen one or a foreign code is LOOK or FAIL, never PASS.
"""

import hashlib
import logging
from pathlib import Path

from devices.camera.content import ContentNote, TabletLook
from devices.camera.inspect import Expected, Inspection, look_for
from devices.camera.stream import CameraStream
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.identifiers import JobId
from hub.domain.packs import JobState, PackJob
from hub.domain.verification import CameraState, SeenPouch
from hub.services.verify_pack import verify_pack

_log = logging.getLogger(__name__)
LOOKS_S = 3.0
EVIDENCE_SHARE = 50


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
            self._verify(job.id, expected, sensors)
        return bool(waiting)

    def _verify(self, job: JobId, expected: Expected, sensors: tuple[tuple[int, int], ...]) -> None:
        inspection = look_for(self._stream.frames_after(timeout_s=LOOKS_S, sequence=self._newest_frame), expected)
        seen = _seen(inspection, sensors, self._stream)
        evidence = ""
        if inspection is not None:
            self._newest_frame = inspection.sequence
            if _worth_keeping(inspection, expected):
                evidence = self._evidence.keep(inspection.frame_jpeg)
        self._writer.submit("system", lambda unit: verify_pack(unit, job, seen, evidence)).result(timeout=30)


def _worth_keeping(inspection: Inspection, expected: Expected) -> bool:
    """Keep every doubtful frame and a sample of the clear ones."""
    clear = (
        inspection.serials == (expected.serial,) and inspection.certain and inspection.count == len(expected.tablets)
    )
    return not clear or int(hashlib.sha256(expected.serial.encode()).hexdigest(), 16) % EVIDENCE_SHARE == 0


def _seen(inspection: Inspection | None, sensors: tuple[tuple[int, int], ...], stream: CameraStream) -> SeenPouch:
    if inspection is None:
        _log.warning(
            "no frame of the pouch: the camera is %s (%s)", stream.health().state.value, stream.health().reason
        )
        return SeenPouch(sensor_counts=sensors, camera=CameraState.DOWN)
    matrices = tuple(read.payload for read in inspection.reads if read.symbology.startswith("]d"))
    linear = tuple(read.payload for read in inspection.reads if read.symbology.startswith("]C"))
    camera = CameraState.EMPTY if ContentNote.NO_POUCH in inspection.notes and not matrices else CameraState.OK
    return SeenPouch(matrices, linear, inspection.count, inspection.certain, sensors, camera)


def _at_camera(unit: SqlUnitOfWork) -> list[tuple[PackJob, Expected, tuple[tuple[int, int], ...]]]:
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
    """Return what each tablet of the plan should look like, by the lots that fell; an unknown look makes the picture no witness."""
    pack = unit.packs.get(job.pack)
    assert pack is not None
    looks: list[TabletLook] = []
    for fill in job.fills:
        lots = [
            content.lot for content in pack.contents if content.dose == fill.dose for _ in range(int(content.units))
        ]
        lots = (lots or list(pack.lots))[: fill.count]
        lots += lots[-1:] * (fill.count - len(lots))
        looks += [
            look
            for lot_id in lots
            if (lot := unit.lots.get(lot_id)) is not None and (look := read_look(lot.look)) is not None
        ]
    return tuple(looks)


def read_look(text: str) -> TabletLook | None:
    """Read `#rrggbb shape size_mm`; None where the look was never recorded."""
    if not text:
        return None
    colour, shape, size = text.split(" ")
    return TabletLook.from_text(colour, shape, float(size))
