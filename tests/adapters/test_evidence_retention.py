"""Evidence with its verdicts: on the disk before them, removed by rule in batches, and told ever after."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.adapters.evidence import EvidenceFolder
from hub.adapters.evidence_retention import EvidenceRetention
from hub.adapters.stray_files import StrayFiles
from hub.domain.evidence import EvidenceRules, KeptFrame
from hub.domain.identifiers import DrugCode, LotId, PackSerial, UserId
from hub.domain.known_bad import Judge, Trial, TrialKind
from hub.domain.packs import PackJob, PackState, Verdict
from hub.domain.references import MeasuredLook, ReferenceState, TabletReference, TabletSample
from hub.domain.verification import SeenPouch
from hub.domain.words import Words
from hub.services.evidence import MOST_AT_ONCE, evidence_board, frames_of, name_frames, why_not_shown
from hub.services.references import pictures_named
from hub.services.reject_packs import Decision, decide_review
from hub.services.verify_pack import verify_pack, verify_with_evidence
from tests.services.small_world import PHARMACIST, World, order_line

WALL = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RULES = EvidenceRules(pass_share=50, pass_days=30, doubt_days=90)
FULL = Words("the disk is full", "диск заполнен")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> EvidenceFolder:
    return EvidenceFolder(tmp_path / "evidence")


def at_camera(world: World) -> tuple[PackJob, SeenPouch]:
    world.sheet(order_line("a"))
    world.at("06:15")
    job = world.machine.fetch()[0]
    world.machine.make(job)
    return job, SeenPouch((job.pack,), (), 1, True, world.machine.sensors(job))


def keep(world: World, folder: EvidenceFolder, verdict: Verdict, *frames: bytes, pack: str = "P") -> tuple[str, ...]:
    digests = folder.keep_all(frames).digests
    world.do(lambda unit: name_frames(unit, PackSerial(pack), verdict, digests))
    return digests


def turn(world: World, folder: EvidenceFolder) -> bool:
    return EvidenceRetention(world.writer, folder, RULES).work()


def later(world: World, days: int) -> None:
    world.now += timedelta(days=days)


def test_a_verdict_that_keeps_its_frames_is_not_recorded_before_them(world: World) -> None:
    job, seen = at_camera(world)
    wrong = SeenPouch(("OTHER",), (), 1, True, seen.sensor_counts)
    assert world.do(lambda unit: verify_with_evidence(unit, job.id, wrong, None)) is None
    assert world.facts("pack-verified") == [] and world.get("packs", job.pack).verdict is None
    assert world.do(lambda unit: verify_pack(unit, job.id, wrong, ("ab" * 32, "cd" * 32))) is Verdict.FAIL
    assert world.facts("pack-verified")[0]["evidence"] == ["ab" * 32, "cd" * 32]
    assert [frame.digest for frame in world.do(lambda unit: frames_of(unit, job.pack))] == ["ab" * 32, "cd" * 32]


def test_a_pass_outside_of_the_sample_is_recorded_without_frames(world: World) -> None:
    job, seen = at_camera(world)
    assert world.do(lambda unit: verify_with_evidence(unit, job.id, seen, None, pass_share=10**40)) is Verdict.PASS
    assert world.facts("pack-verified")[0]["evidence"] == [] and world.all("kept_frames") == []


def test_a_pass_in_the_sample_asks_for_its_frames(world: World) -> None:
    job, seen = at_camera(world)
    assert world.do(lambda unit: verify_with_evidence(unit, job.id, seen, None, pass_share=1)) is None
    assert world.do(lambda unit: verify_pack(unit, job.id, seen, ("ab" * 32,))) is Verdict.PASS


def test_where_the_frames_cannot_be_kept_nothing_passes_and_a_person_hears_why(world: World) -> None:
    job, seen = at_camera(world)
    assert world.do(lambda unit: verify_pack(unit, job.id, seen, (), FULL)) is Verdict.LOOK
    (review,) = world.all("reviews", decision="")
    assert review.reasons[-1] == "its frames could not be kept: the disk is full"
    assert review.said("ru")[-1] == "снимки не удалось сохранить: диск заполнен"
    assert world.get("packs", job.pack).state is PackState.QUARANTINED


def test_a_fail_stays_a_fail_where_the_frames_cannot_be_kept(world: World) -> None:
    job, seen = at_camera(world)
    wrong = SeenPouch(("OTHER",), (), 1, True, seen.sensor_counts)
    assert world.do(lambda unit: verify_pack(unit, job.id, wrong, (), FULL)) is Verdict.FAIL
    assert "the disk is full" in world.facts("pack-verified")[0]["reasons"][-1]


def test_each_verdict_has_its_own_time(world: World, folder: EvidenceFolder) -> None:
    (passed,), (failed,) = keep(world, folder, Verdict.PASS, b"passed"), keep(world, folder, Verdict.FAIL, b"failed")
    later(world, 30)
    assert not turn(world, folder)
    later(world, 1)
    assert turn(world, folder) and not turn(world, folder)
    assert (folder.read(passed), folder.read(failed)) == (None, b"failed")
    assert world.facts("evidence-removed") == [{"digests": [passed], "verdicts": ["PASS"], "days": 30}]
    later(world, 60)
    assert turn(world, folder) and folder.read(failed) is None
    assert world.facts("evidence-removed")[1] == {"digests": [failed], "verdicts": ["FAIL"], "days": 90}


def test_a_turn_removes_a_batch_and_comes_again(world: World, folder: EvidenceFolder) -> None:
    keep(world, folder, Verdict.PASS, *(b"%d" % number for number in range(MOST_AT_ONCE + 7)))
    later(world, 31)
    assert turn(world, folder) and turn(world, folder) and not turn(world, folder)
    assert [len(fact["digests"]) for fact in world.facts("evidence-removed")] == [MOST_AT_ONCE, 7]


def test_what_an_open_review_names_stays_until_it_is_decided(world: World, folder: EvidenceFolder) -> None:
    job, seen = at_camera(world)
    digests = folder.keep_all((b"one", b"two")).digests
    world.do(lambda unit: verify_pack(unit, job.id, SeenPouch((), (), 1, True, seen.sensor_counts), digests))
    (others,) = keep(world, folder, Verdict.LOOK, b"other", pack="Q")
    later(world, 91)
    assert turn(world, folder) and not turn(world, folder)
    assert [folder.read(digest) for digest in (*digests, others)] == [b"one", b"two", None]
    (review,) = world.all("reviews", decision="")
    decision = Decision(review.id, False, "", "seen", UserId(PHARMACIST))
    world.do(lambda unit: decide_review(unit, decision, world.house), PHARMACIST)
    assert turn(world, folder) and folder.read(digests[0]) is None


def test_a_picture_of_two_packs_stays_as_long_as_one_needs_it(world: World, folder: EvidenceFolder) -> None:
    keep(world, folder, Verdict.PASS, b"frozen", pack="P")
    (digest,) = keep(world, folder, Verdict.FAIL, b"frozen", pack="Q")
    later(world, 31)
    assert not turn(world, folder) and folder.read(digest) == b"frozen"
    later(world, 60)
    assert turn(world, folder) and folder.read(digest) is None


def test_a_frame_that_was_gone_from_the_disk_before_its_record_is_told_the_next_time(world: World, folder: EvidenceFolder) -> None:
    (digest,) = keep(world, folder, Verdict.PASS, b"one")
    folder.remove(digest)
    later(world, 31)
    assert turn(world, folder)
    assert world.facts("evidence-removed")[0]["digests"] == [digest]


def test_what_the_disk_does_not_let_go_is_not_recorded_as_removed(world: World, folder: EvidenceFolder, tmp_path: Path) -> None:
    (digest,) = keep(world, folder, Verdict.PASS, b"one")
    path = tmp_path / "evidence" / f"{digest}.jpg"
    path.unlink()
    path.mkdir()
    later(world, 31)
    assert not turn(world, folder)
    assert world.facts("evidence-removed") == []


def aged(folder: EvidenceFolder, tmp_path: Path, name: str, frame: bytes, hours: int) -> str:
    """Keep a frame that was put there so many hours ago by the wall's clock."""
    digest = folder.keep(frame)
    at = (WALL - timedelta(hours=hours)).timestamp()
    os.utime(tmp_path / name / f"{digest}.jpg", (at, at))
    return digest


def test_a_frame_without_a_record_goes_after_a_day_and_that_is_told(world: World, folder: EvidenceFolder, tmp_path: Path) -> None:
    stray, fresh = aged(folder, tmp_path, "evidence", b"stray", 25), aged(folder, tmp_path, "evidence", b"fresh", 23)
    (recorded,) = keep(world, folder, Verdict.LOOK, b"recorded")
    aged(folder, tmp_path, "evidence", b"recorded", 1000)
    (tmp_path / "evidence" / "notes.jpg").touch()
    retention = EvidenceRetention(world.writer, folder, RULES, lambda: WALL)
    aged(folder, tmp_path, "evidence", b"recorded", 1000)
    assert retention.work() and not retention.work()
    assert [folder.read(digest) for digest in (stray, fresh, recorded)] == [None, b"fresh", b"recorded"]
    assert world.facts("evidence-removed") == [{"digests": [stray], "verdicts": [], "days": 1}]
    assert (tmp_path / "evidence" / "notes.jpg").exists()


def test_a_frame_that_is_kept_anew_is_no_stray(folder: EvidenceFolder, tmp_path: Path) -> None:
    digest = aged(folder, tmp_path, "evidence", b"again", 1000)
    assert list(folder.older_than(WALL - timedelta(days=1))) == [digest]
    folder.keep(b"again")
    assert list(folder.older_than(WALL - timedelta(days=1))) == []


def test_an_open_test_nobody_comes_back_to_lets_its_frames_go(world: World, folder: EvidenceFolder) -> None:
    (digest,) = keep(world, folder, Verdict.PASS, b"one")
    trial = Trial("t", Judge.PERSON, TrialKind.ONE_MORE, (digest,), PackSerial("P"), (), WALL, person=UserId(PHARMACIST))
    world.do(lambda unit: unit.trials.put(trial))
    later(world, 31)
    assert not EvidenceRetention(world.writer, folder, RULES, lambda: WALL + timedelta(hours=12)).work()
    assert folder.read(digest) == b"one"
    assert EvidenceRetention(world.writer, folder, RULES, lambda: WALL + timedelta(hours=13)).work()
    assert folder.read(digest) is None and world.all("trials")[0].answer == "withdrawn"


@pytest.mark.parametrize("state", [ReferenceState.REJECTED, ReferenceState.RETIRED, ReferenceState.CONFIRMED])
def test_pictures_of_a_look_that_ended_go_when_their_days_are_over(world: World, folder: EvidenceFolder, tmp_path: Path, state: ReferenceState) -> None:
    pictures = EvidenceFolder(tmp_path / "references")
    crop, is_over = aged(pictures, tmp_path, "references", b"tablet", 100), state is not ReferenceState.CONFIRMED
    white = MeasuredLook(9000, 9000, 785, (250, 250, 250), (250, 250, 250))
    sample = TabletSample(PackSerial("P"), white, crop, None, True)
    ended = TabletReference(LotId("PLAIN/P1"), DrugCode("PLAIN"), state, (sample,), white, decided_at=world.now)
    world.do(lambda unit: unit.tablet_references.put(ended))
    strays = StrayFiles(world.writer, pictures, pictures_named, lambda: WALL)
    later(world, RULES.doubt_days)
    turn(world, folder)
    assert not strays.work() and pictures.read(crop) == b"tablet"
    later(world, 1)
    turn(world, folder)
    assert strays.work() is is_over and (pictures.read(crop) is None) is is_over
    assert [fact["digests"] for fact in world.facts("evidence-removed")] == ([[crop]] if is_over else [])


def test_why_a_picture_is_not_shown_is_told(world: World, folder: EvidenceFolder) -> None:
    (digest,) = keep(world, folder, Verdict.PASS, b"one")

    def why(*, is_damaged: bool = False) -> tuple[str, str, str]:
        refusal = world.do(lambda unit: why_not_shown(unit, digest, world.house, is_damaged=is_damaged))
        return refusal.code, refusal.text, refusal.text_ru

    assert why(is_damaged=True)[0] == "evidence-damaged"
    assert why()[0] == "evidence-missing"
    later(world, 31)
    turn(world, folder)
    assert why() == (
        "evidence-removed", "The picture was removed on 02.04.2026 by the rule of 30 days.", "Снимок удалён 02.04.2026 по правилу хранения: 30 дней.",
    )  # fmt: skip
    assert world.do(lambda unit: why_not_shown(unit, "ef" * 32, world.house, is_damaged=False)).code == "unknown"


def test_the_board_counts_what_is_kept_and_names_what_was_removed(world: World, folder: EvidenceFolder) -> None:
    keep(world, folder, Verdict.PASS, b"one")
    keep(world, folder, Verdict.LOOK, b"two", b"three", pack="Q")
    later(world, 31)
    turn(world, folder)
    board = world.do(lambda unit: evidence_board(unit, RULES))
    assert board["kept"] == {"PASS": 0, "FAIL": 0, "LOOK": 2}
    assert [(frame.pack, frame.days) for frame in board["removed"]] == [("P", 30)]
    assert isinstance(board["removed"][0], KeptFrame)
