"""The camera station with a real camera and the real store: what the picture doubts reaches the verdict and the reviewer."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from camera_plant import LABEL, CameraProcess, camera_process, look, lying, picture, tablet

from devices.barcode_camera.content import ContentNote
from devices.barcode_camera.decode import CodeRead
from devices.barcode_camera.inspect import CodeNote, Expected, Inspection, inspect
from devices.barcode_camera.stream import CameraStream
from hub.adapters.camera_station import CameraStation, _seen
from hub.adapters.evidence import EvidenceFolder
from hub.domain.identifiers import LotId, PackSerial
from hub.domain.packs import PackJob, PackState, Verdict
from hub.domain.verification import ExpectedPouch, SeenPouch, verify_pouch
from simulators.camera.scene import Scene
from tests.services.small_world import World, order_line

SERIAL = PackSerial("ABCDEF0123456789")
WHITE, RED = "#ffffff", "#c03030"
WANTED = Expected(SERIAL, (look(), look()))
OUTLINE_DOUBT = "outline of one expected tablet"


def seen_of(inspection: Inspection | None, expected: Expected = WANTED) -> SeenPouch:
    return _seen(inspection, expected, ((2, 2),), CameraStream("never-opened"))


def verdict_on(inspection: Inspection | None, expected: Expected = WANTED) -> tuple[Verdict, str]:
    verdict, reasons = verify_pouch(ExpectedPouch(SERIAL, 2), seen_of(inspection, expected))
    return verdict, "; ".join(reasons)


@pytest.fixture(scope="module")
def good() -> Inspection:
    """Offer what a frame of two white tablets shows."""
    return inspect(picture(Scene("good", LABEL, (lying(), lying()))), WANTED)


def test_two_whole_white_tablets_pass(good: Inspection) -> None:
    assert verdict_on(good)[0] is Verdict.PASS


def test_a_red_tablet_in_a_white_ones_place_is_looked_at() -> None:
    red = inspect(picture(Scene("red", LABEL, (lying(), lying(RED)))), WANTED)
    assert red.certain and red.count == 2, "only its colour is wrong"
    verdict, reasons = verdict_on(red)
    assert verdict is Verdict.LOOK and "colour" in reasons


@pytest.mark.parametrize("number", range(4))
def test_a_broken_tablet_is_looked_at_though_the_count_is_right(number: int) -> None:
    broken = inspect(picture(Scene(f"broken-{number}", LABEL, (lying(), lying(broken=True)))), WANTED)
    verdict, reasons = verdict_on(broken)
    assert verdict is Verdict.LOOK and OUTLINE_DOUBT in reasons


def test_touching_tablets_are_looked_at_with_the_reason() -> None:
    touching = inspect(picture(Scene("touching", LABEL, (lying(), lying())), touching=True), WANTED)
    assert verdict_on(touching)[0] is Verdict.LOOK and OUTLINE_DOUBT in verdict_on(touching)[1]


@pytest.mark.parametrize("note", [note for note in ContentNote if note is not ContentNote.NO_POUCH])
def test_each_doubt_about_the_content_reaches_the_reviewer_in_plain_words(note: ContentNote, good: Inspection) -> None:
    assert verdict_on(replace(good, notes=(note,))) == (Verdict.LOOK, note.value)


def test_a_foreign_code_is_looked_at_and_an_absent_second_reader_is_no_doubt(good: Inspection) -> None:
    assert verdict_on(replace(good, notes=(CodeNote.FOREIGN_CODE,)))[0] is Verdict.LOOK
    assert verdict_on(replace(good, notes=(CodeNote.NO_SECOND_READER,)))[0] is Verdict.PASS


def test_several_serials_in_sight_fail(good: Inspection) -> None:
    another = CodeRead("X3R9AA", "]d1", None, "zxing-cpp/half")
    both = replace(good, reads=(*good.reads, another), notes=(CodeNote.SEVERAL_SERIALS,))
    assert verdict_on(both)[0] is Verdict.FAIL


def test_a_look_that_nobody_recorded_makes_the_picture_no_witness() -> None:
    half_known = Expected(SERIAL, (look(),))
    scene = Scene("unknown", LABEL, (lying(), lying("#3060b0", "capsule", 18)))
    verdict, reasons = verdict_on(inspect(picture(scene), half_known), half_known)
    assert verdict is Verdict.LOOK and "nobody recorded what 1 of the tablets" in reasons


@pytest.fixture(scope="module")
def camera() -> Iterator[CameraProcess]:
    with camera_process("--fps", "10") as process:
        yield process


@pytest.fixture(scope="module")
def stream(camera: CameraProcess) -> Iterator[CameraStream]:
    with CameraStream(camera.stream) as running:
        deadline_s = time.monotonic() + 10
        while running.latest() is None:
            assert time.monotonic() < deadline_s, "the camera sends nothing"
            threading.Event().wait(0.005)
        yield running


class Bench:
    """A small hospital whose pouches are laid before a real camera; its plain lot was seen to be white and round."""

    def __init__(self, folder: Path, camera: CameraProcess, stream: CameraStream) -> None:
        self.world = World(folder)
        self.camera = camera
        self.evidence = EvidenceFolder(folder / "evidence")
        self.station = CameraStation(self.world.writer, stream, self.evidence)
        lot = self.world.get("lots", LotId("PLAIN/P1"))
        self.world.do(lambda unit: unit.lots.put(replace(lot, look=f"{WHITE} round 9")))
        self.world.sheet(order_line(folder.name, units=2))  # another serial in each test: frames are told apart by it
        self.world.at("06:15")
        self.job: PackJob = self.world.machine.fetch()[0]

    def lay(self, *tablets: dict[str, Any], counted: int = 2) -> None:
        self.world.machine.make(self.job, [counted])
        self.camera.lay(self.job.pack, list(tablets), self.world.fresh(f"{self.job.pack}-"))
        assert self.station.work()

    @property
    def state(self) -> PackState:
        state = self.world.get("packs", self.job.pack).state
        assert isinstance(state, PackState)
        return state


@pytest.fixture
def bench(tmp_path: Path, camera: CameraProcess, stream: CameraStream) -> Iterator[Bench]:
    made = Bench(tmp_path, camera, stream)
    yield made
    made.world.close()


def test_a_right_pouch_is_verified(bench: Bench) -> None:
    bench.lay(tablet(), tablet())
    assert bench.state is PackState.VERIFIED and bench.world.all("reviews") == []


@pytest.mark.parametrize(("wrong", "word"), [(tablet(RED), "colour"), (tablet(broken=True), OUTLINE_DOUBT)])
def test_a_wrong_tablet_waits_for_a_person_with_its_picture_and_its_reason(
    bench: Bench, wrong: dict[str, Any], word: str
) -> None:
    bench.lay(tablet(), wrong)
    assert bench.state is PackState.QUARANTINED
    (review,) = bench.world.all("reviews")
    assert word in "; ".join(review.reasons)
    frame = bench.evidence.read(review.evidence)
    assert frame is not None and frame.startswith(b"\xff\xd8")
