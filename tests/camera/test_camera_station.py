"""The camera station with a real camera and the real store: what the picture doubts reaches the verdict and the reviewer."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from camera_plant import LABEL, CameraProcess, camera_process, look, lying, picture, tablet

from devices.barcode_camera.capture import CaptureSettings
from devices.barcode_camera.content import ContentNote
from devices.barcode_camera.decode import CodeRead
from devices.barcode_camera.inspect import CodeNote, Expected, Inspection, inspect, inspect_frames
from devices.barcode_camera.set_up import measure
from devices.barcode_camera.stream import CameraHealth, CameraState
from hub.adapters.camera_desk import CameraDesk
from hub.adapters.camera_station import CameraStation, seen_pouch
from hub.adapters.evidence import EvidenceFolder
from hub.domain.identifiers import LotId, PackSerial
from hub.domain.packs import PackJob, PackState, Verdict
from hub.domain.verification import ExpectedPouch, SeenPouch, verify_pouch
from hub.services.camera_at_hand import CAMERA
from simulators.camera.scene import Scene
from tests.services.small_world import World, order_line

SERIAL = PackSerial("ABCDEF0123456789")
WHITE, RED = "#ffffff", "#c03030"
WANTED = Expected(SERIAL, (look(), look()))
LIVE = CameraHealth(CameraState.LIVE, "", frames=0, bad_frames=0, connections=1)
OUTLINE_DOUBT = "outline of one expected tablet"


def wait_until(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, "waited in vain"
        threading.Event().wait(0.005)


def seen_of(inspection: Inspection | None, expected: Expected = WANTED) -> SeenPouch:
    return seen_pouch(inspection, expected, ((2, 2),), LIVE)


def verdict_on(inspection: Inspection | None, expected: Expected = WANTED) -> tuple[Verdict, str]:
    verdict, reasons = verify_pouch(ExpectedPouch(SERIAL, 2), seen_of(inspection, expected))
    return verdict, "; ".join(reason.text for reason in reasons)


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
    another = CodeRead(b"X3R9AA", "DataMatrix", "]d1", ((0, 0), (9, 0), (9, 9), (0, 9)), "zxing-cpp/half", None)
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


@pytest.fixture(autouse=True)
def time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a look all the time it needs on a busy machine: it ends with its frames, and only a camera at fault lets it run out."""
    monkeypatch.setattr("hub.adapters.camera_station.LOOKS_S", 30.0)


class Bench:
    """A small hospital whose pouches are laid before a real camera; its plain lot was seen to be white and round."""

    def __init__(self, folder: Path, camera: CameraProcess, lights: str = "") -> None:
        self.world = World(folder)
        self.camera = camera
        self.evidence = EvidenceFolder(folder / "evidence")
        self.desk = CameraDesk(self.world.writer, CaptureSettings(camera.stream), lights)
        self.desk.start()
        wait_until(lambda: self.desk.stream.health().state is CameraState.LIVE)
        self.station = CameraStation(self.world.writer, self.desk, self.evidence)
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


    def close(self) -> None:
        self.desk.stop()
        self.world.close()


@pytest.fixture
def bench(tmp_path: Path, camera: CameraProcess) -> Iterator[Bench]:
    made = Bench(tmp_path, camera)
    yield made
    made.close()


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
    frame = bench.evidence.read(review.evidence[0])
    assert frame is not None and frame.startswith(b"\xff\xd8")


def test_every_frame_of_a_doubtful_pouch_is_kept_and_nothing_older_than_its_event_is_used(bench: Bench) -> None:
    newest = bench.desk.stream.latest()
    bench.lay(tablet(), tablet(broken=True))
    (review,) = bench.world.all("reviews")
    kept = [bench.evidence.read(digest) for digest in review.evidence]
    assert len(set(review.evidence)) == 3 and newest is not None and newest.jpeg not in kept


@pytest.mark.parametrize(("fault", "word", "word_ru"), [
    ("frozen", "same picture again", "один и тот же снимок"), ("black", "black", "чёрный"), ("torn", "torn", "разорван"),
    ("shifted", "torn", "разорван"), ("slow", "camera", "камера"), ("hang-up", "camera", "камера"), ("wrong-type", "camera", "камера"),
])
def test_under_no_fault_of_the_stream_a_right_pouch_passes_and_the_reason_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, fault: str, word: str, word_ru: str
) -> None:
    monkeypatch.setattr("hub.adapters.camera_station.LOOKS_S", 1.0)
    monkeypatch.setattr("devices.barcode_camera.stream.STALE_AFTER_S", 0.6)
    monkeypatch.setattr("devices.barcode_camera.stream.FAULT_HOLDS_S", 30.0)
    monkeypatch.setattr("devices.barcode_camera.stream.FROZEN_AFTER_S", 0.2)
    monkeypatch.setattr("devices.barcode_camera.stream.FROZEN_AFTER_FRAMES", 4)
    assert bench.camera.request("POST", "/fault", {"fault": fault})[0] == 200
    try:
        wait_until(lambda: bench.desk.stream.health().state is not CameraState.LIVE)
        bench.lay(tablet(), tablet())
    finally:
        assert bench.camera.request("POST", "/fault", {"fault": None})[0] == 200
    assert bench.state is PackState.QUARANTINED
    (review,) = bench.world.all("reviews")
    assert word in "; ".join(review.reasons) and word_ru in "; ".join(review.reasons_ru)
    board = json.loads(bench.world.get("devices", CAMERA).status)
    assert word in board["reason"] and word_ru in board["reason_ru"]


@pytest.fixture(scope="module")
def lit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[CameraProcess, str]]:
    """Offer a camera whose two lights hang on a relay board."""
    link = str(tmp_path_factory.mktemp("lights") / "relay")
    with camera_process("--fps", "20", "--lights-link", link) as process:
        yield process, link


def test_a_doubtful_pouch_is_looked_at_under_each_light_and_a_plain_one_under_the_first_alone(
    tmp_path: Path, lit: tuple[CameraProcess, str]
) -> None:
    bench = Bench(tmp_path, *lit)
    try:
        bench.lay(tablet(), tablet(broken=True))
        (review,) = bench.world.all("reviews")
        grey = [cv2.imdecode(np.frombuffer(bench.evidence.read(digest) or b"", np.uint8), 0).astype(int) for digest in review.evidence]
        first, second, both = grey
        brighter = first - second
        assert brighter[:, :300].mean() > 2 and brighter[:, -300:].mean() < -2, "each lights its own side more"
        assert both.mean() > max(first.mean(), second.mean())
        assert bench.desk.lights.trouble == ""
    finally:
        bench.close()


def test_a_relay_board_that_is_away_is_told_and_the_station_goes_on_with_the_light_there_is(tmp_path: Path, camera: CameraProcess) -> None:
    bench = Bench(tmp_path, camera, str(tmp_path / "no-board"))
    try:
        bench.lay(tablet(), tablet())
        assert bench.state is PackState.VERIFIED
        wait_until(lambda: "lights cannot be switched" in bench.world.get("devices", CAMERA).status)
    finally:
        bench.close()


def test_the_print_of_a_pouch_that_passed_is_followed(bench: Bench) -> None:
    bench.lay(tablet(), tablet())
    (quality,) = bench.world.all("print_qualities")
    assert quality.device == bench.job.device and quality.printed == 1 and 80 <= quality.last[0] <= 100


def test_a_picture_that_upsets_whoever_looks_into_it_is_looked_at_by_a_person(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def upset(*_: object, **__: object) -> None:
        raise cv2.error("no picture is like this one")

    monkeypatch.setattr("hub.adapters.camera_station.look_for", upset)
    bench.lay(tablet(), tablet())
    assert bench.state is PackState.QUARANTINED
    (review,) = bench.world.all("reviews")
    assert "no picture came that can be looked into" in "; ".join(review.reasons) and "снимк" in "; ".join(review.reasons_ru)


def test_a_measure_of_the_camera_that_fails_is_never_in_the_way_of_a_verdict(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def upset(*_: object) -> None:
        raise ValueError("an empty part of the picture")

    monkeypatch.setattr("hub.adapters.camera_station.measure", upset)
    bench.lay(tablet(), tablet())
    assert bench.state is PackState.VERIFIED


def test_the_camera_is_measured_by_the_frame_in_which_the_code_is_read(bench: Bench) -> None:
    shown = picture(Scene("read", LABEL, (lying(), lying())))
    inspection = inspect_frames([shown, picture(None)], WANTED)
    assert inspection is not None and len(inspection.frames) == 2
    bench.station._take_measure(inspection, SERIAL)
    own = inspection.own_matrix(SERIAL)
    assert own is not None and [round(found.pixels_per_module, 1) for found in bench.station._measures] == [round(measure(shown, own).pixels_per_module, 1)]
    bench.station._take_measure(replace(inspection, frames=inspection.frames[1:]), SERIAL)
    assert len(bench.station._measures) == 1, "a frame without the code measures nothing"
