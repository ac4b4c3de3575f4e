"""The machine tried with known-bad pouches, over frames of the simulated optics and the real store."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from camera_plant import lying, picture
from camera_rasters import label

from hub.adapters.evidence import EvidenceFolder
from hub.adapters.known_bad_trials import KnownBadTrials
from hub.adapters.writer import Writer
from hub.domain.known_bad import Judge, TrialKind, TrialResult
from hub.domain.looking import StationRules
from hub.domain.packs import PackJob, Verdict
from hub.domain.references import MeasuredLook, ReferenceState, TabletReference
from hub.domain.verification import SeenPouch
from hub.known_bad_command import run_known_bad
from hub.services.station_figures import misses_view
from hub.services.verify_pack import verify_pack
from simulators.camera.scene import Scene
from tests.services.small_world import World, order_line

LOOKS = {"PLAIN": "#ffffff round 9", "ALERT": "#3060b0 round 9", "TWIN": "#c03030 oval 14"}
WALL = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def evidence(tmp_path: Path) -> EvidenceFolder:
    return EvidenceFolder(tmp_path / "evidence")


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[tuple[World, list[PackJob]]]:
    """Offer two pouches of two white tablets, made and before the camera's verdict."""
    world = World(tmp_path)
    world.do(lambda unit: unit.lots.put_many([replace(lot, look=LOOKS[lot.item]) for lot in unit.lots.where() if lot.item in LOOKS]))
    world.sheet(order_line("a", 1, units=2), order_line("b", 2, units=2))
    world.at("06:15")
    world.machine.fetch()
    yield world, [world.job_of("a"), world.job_of("b")]
    world.close()


def passed(world: World, job: PackJob, evidence: EvidenceFolder, tablets: int = 2) -> None:
    """Record that a pouch passed, with a frame kept that shows its label and so many white tablets."""
    frame = picture(Scene(job.pack, label(job.pack), tuple(lying() for _ in range(tablets))))
    digest = evidence.keep(frame.evidence())
    world.machine.make(job)
    seen = SeenPouch((job.pack,), (), 2, True, world.machine.sensors(job))
    assert world.do(lambda unit: verify_pack(unit, job.id, seen, (digest,))) is Verdict.PASS
    world.machine.finish(job, Verdict.PASS)


def trials_of(world: World, evidence: EvidenceFolder, **rules: int) -> KnownBadTrials:
    return KnownBadTrials(world.writer, evidence, StationRules(**rules), lambda: WALL)


def test_every_wrong_list_is_found_beside_the_frames_and_nothing_else_changes(jobs: tuple[World, list[PackJob]], evidence: EvidenceFolder) -> None:
    world, made = jobs
    for job in made:
        passed(world, job, evidence)
    books = [world.all(table) for table in ("packs", "doses", "jobs", "reviews", "cassettes")]
    trials = trials_of(world, evidence)
    assert [trials.work() for _ in range(3)] == [True, True, False] and trials.left_out == 0
    recorded = world.all("trials")
    assert {trial.kind for trial in recorded} == set(TrialKind) and len(recorded) == 8
    assert {(trial.judge, trial.result) for trial in recorded} == {(Judge.MACHINE, TrialResult.FOUND)}
    assert all(trial.answer in {"FAIL", "LOOK"} for trial in recorded) and len(world.facts("trial-decided")) == 8
    assert [world.all(table) for table in ("packs", "doses", "jobs", "reviews", "cassettes")] == books
    assert world.do(misses_view)["machine_together"]["told"] == "0 in 2 missed: so few tell nothing"


def test_what_the_picture_cannot_tell_is_counted_as_missed(jobs: tuple[World, list[PackJob]], evidence: EvidenceFolder) -> None:
    """The typed looks of the other lots are apart, but their confirmed references say that they look like the tablets in the frame."""
    world, made = jobs
    passed(world, made[0], evidence)
    white = MeasuredLook(9000, 9000, 785, (250, 250, 250), (250, 250, 250))
    others = [lot for lot in world.all("lots") if lot.item in ("ALERT", "TWIN")]
    references = [TabletReference(lot.id, lot.item, ReferenceState.CONFIRMED, look=white) for lot in others]
    world.do(lambda unit: unit.tablet_references.put_many(references))
    assert trials_of(world, evidence).work()
    assert [(trial.kind, trial.answer) for trial in world.all("trials", result=TrialResult.MISSED)] == [(TrialKind.OTHER_LOOK, "PASS")]
    machine = world.do(misses_view)["machine_together"]
    assert (machine["misses"], machine["trials"]) == (1, 1), "three lists beside the frames of one pouch"


def test_frames_that_do_not_pass_with_their_own_list_prove_nothing(jobs: tuple[World, list[PackJob]], evidence: EvidenceFolder) -> None:
    world, made = jobs
    passed(world, made[0], evidence, tablets=3)
    trials = trials_of(world, evidence)
    assert [trials.work(), trials.work()] == [True, False]
    assert trials.left_out == 1 and world.all("trials") == []


def test_it_rests_while_a_pouch_lies_there_and_when_the_days_number_is_reached(jobs: tuple[World, list[PackJob]], evidence: EvidenceFolder) -> None:
    world, made = jobs
    passed(world, made[0], evidence)
    world.machine.make(made[1])
    assert not trials_of(world, evidence).work() and world.all("trials") == []
    world.machine.finish(made[1], world.machine.look(made[1]))
    assert not trials_of(world, evidence, machine_trials_a_day=0).work()
    assert trials_of(world, evidence, machine_trials_a_day=4).work()
    passed_day = [replace(trial, made_at=trial.made_at - timedelta(hours=2)) for trial in world.all("trials")]
    world.do(lambda unit: unit.trials.put_many(passed_day))
    assert not trials_of(world, evidence, machine_trials_a_day=4).work()


def test_frames_that_are_gone_are_not_tried(jobs: tuple[World, list[PackJob]], evidence: EvidenceFolder) -> None:
    world, made = jobs
    passed(world, made[0], evidence)
    (fact,) = [fact for fact in world.facts("pack-verified") if fact["evidence"]]
    assert evidence.remove(fact["evidence"][0])
    assert not trials_of(world, evidence).work() and world.all("trials") == []


def test_the_command_tries_a_hub_that_does_not_run_and_no_other(jobs: tuple[World, list[PackJob]], evidence: EvidenceFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world, made = jobs
    passed(world, made[0], evidence)
    store = tmp_path / "dosehub.sqlite"
    store.touch()
    assert run_known_bad(tmp_path / "nowhere", 10, "ru", as_json=False) == 2
    assert "нет системы" in capsys.readouterr().err
    world.close()
    (tmp_path / "hub.sqlite").rename(store)
    assert run_known_bad(tmp_path, 10, "en", as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["machine_together"]["trials"] == 1 and told["machine_together"]["misses"] == 0 and told["left_out"] == 0
    assert run_known_bad(tmp_path, 10, "ru", as_json=False) == 0
    assert "0 из " in capsys.readouterr().out
    running = Writer(store, lambda: WALL)
    try:
        assert run_known_bad(tmp_path, 10, "ru", as_json=False) == 2
        assert "/misses" in capsys.readouterr().err
    finally:
        running.close()
        world.reopen()
