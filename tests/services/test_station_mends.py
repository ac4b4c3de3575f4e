"""People and evidence at the review station: nothing is decided on another pouch, look or clock than the one that was meant."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.adapters.ledger_store import exported_lines
from hub.domain.identifiers import DrugCode, LotId, PackSerial, UserId
from hub.domain.known_bad import Judge, Trial, TrialKind, TrialResult, fits_reasons, looks_apart
from hub.domain.packs import PackJob, PackState, Verdict
from hub.domain.stock import written_look
from hub.domain.verification import SeenPouch
from hub.services.known_bad import POUCHES_TRIED, machine_pouches, make_trial, withdraw_left_behind
from hub.services.recall_lot import recall_lot
from hub.services.reject_packs import Decision
from hub.services.review_station import Station, decide_elsewhere, queue_view
from hub.services.station_cases import codes_read
from hub.services.station_figures import looking_view, misses_view
from hub.services.verify_pack import verify_pack
from simulators.check import read_ledger
from tests.services.small_world import PHARMACIST, TECHNICIAN, World, order_line
from tests.services.test_review_station import (
    ALWAYS,
    FRAMES,
    NO_TRIALS,
    WALL,
    Person,
    fetched,
    look_at,
    passed_with_frames,
    refused,
    tried,
)


@pytest.fixture
def jobs(world: World) -> Iterator[list[PackJob]]:
    world.sheet(order_line("a", 1, units=2), order_line("b", 2, units=2), order_line("c", 3, drug="ALERT"), order_line("d", 4))
    world.at("06:15")
    yield [world.job_of(order) for order in "abcd"]


def elsewhere(world: World, person: Person, accept: bool = True, scanned: str = "") -> Any:
    said = Decision(person.seen["case"], accept, scanned, "r", UserId(person.name))
    return world.do(lambda unit: decide_elsewhere(unit, person.station, said), person.name)


class Blind(Person):
    """A person at whose station every kept frame is gone."""

    @property
    def station(self) -> Station:
        return replace(super().station, is_kept=lambda _: False)


# ---- the search for a test pouch ----


def test_the_search_among_frames_that_are_gone_is_short(world: World, jobs: list[PackJob]) -> None:
    passed_with_frames(world, jobs[0])
    pack = world.get("packs", jobs[0].pack)
    (frame, _) = world.all("kept_frames")
    serials = [PackSerial(f"GONE{number:03d}") for number in range(100)]
    world.do(lambda unit: unit.packs.put_many([replace(pack, serial=serial) for serial in serials]))
    world.do(lambda unit: unit.kept_frames.put_many([replace(frame, digest=f"{number:064x}", pack=serial) for number, serial in enumerate(serials)]))
    asked: list[str] = []

    def is_kept(digest: str) -> bool:
        asked.append(digest)
        return False

    assert world.do(lambda unit: make_trial(unit, ALWAYS, UserId(PHARMACIST), "r", WALL, is_kept)) is None
    assert 0 < len(asked) <= POUCHES_TRIED


def test_a_review_is_searched_for_once(world: World, jobs: list[PackJob]) -> None:
    passed_with_frames(world, jobs[0])
    look_at(world, jobs[1])
    blind = Blind(world, ALWAYS)
    assert blind.show()["pack"] == jobs[1].pack
    assert Person(world, ALWAYS).show()["pack"] == jobs[1].pack, "what could not be made before the first showing is not made later"
    assert world.all("trials") == []


# ---- accepting what is not wanted any more ----


def test_a_recalled_pouch_is_accepted_nowhere(world: World, jobs: list[PackJob]) -> None:
    look_at(world, jobs[0])
    person = Person(world)
    person.show()
    person.wait()
    world.do(lambda unit: recall_lot(unit, DrugCode("PLAIN"), "P1", "maker", world.house))
    for scanned in ("", jobs[0].pack):
        assert refused(elsewhere(world, person, scanned=scanned)) == "stopped"
    assert world.facts("review-decided") == [] and world.do(looking_view) == []
    assert elsewhere(world, person, accept=False).decision == "reject"


def test_a_pouch_of_unknown_content_is_not_accepted(world: World, jobs: list[PackJob]) -> None:
    look_at(world, jobs[0])
    pack = world.get("packs", jobs[0].pack)
    world.do(lambda unit: unit.packs.put(replace(pack, job=None)))
    person = Person(world)
    assert person.show()["may_accept"] is False and person.seen["expected"] == []
    assert refused(person.wait().decide("accept", jobs[0].pack)) == "count"


# ---- a clock that is set back ----


def test_a_clock_set_back_locks_nobody_out(world: World, jobs: list[PackJob]) -> None:
    for job in jobs[:2]:
        look_at(world, job)
    person = Person(world)
    person.wait(3600).show()
    person.wait(10).decide("accept", jobs[0].pack)
    person.at -= timedelta(hours=1)
    person.show()
    assert refused(person.decide("accept", jobs[1].pack)) == "too-quick"
    assert person.wait(20).decide("accept", jobs[1].pack)["state"] == "accepted"
    assert [row["median_ms"] for row in world.do(looking_view)] == [15_000], "how long each look took is kept"


def test_a_look_that_lies_in_the_future_is_looked_at_again(world: World, jobs: list[PackJob]) -> None:
    look_at(world, jobs[0])
    person = Person(world)
    person.show()
    person.at -= timedelta(hours=1)
    assert refused(person.decide("accept", jobs[0].pack)) == "look-again"
    assert refused(elsewhere(world, person, scanned=jobs[0].pack)) == "not-looked-at"
    person.show()
    assert person.wait(6).decide("accept", jobs[0].pack)["state"] == "accepted"


# ---- another pouch's label ----


@pytest.mark.parametrize(("decision", "more"), [("remake", {"unreadable": True}), ("remake", {}), ("reject", {}), ("accept", {})])
def test_another_pouchs_label_decides_nothing(world: World, jobs: list[PackJob], decision: str, more: dict[str, Any]) -> None:
    for job in jobs[:2]:
        look_at(world, job)
    person = Person(world)
    person.show()
    assert refused(person.wait().decide(decision, jobs[1].pack, "broken", **more)) == "scan"
    assert {world.get("packs", job.pack).state for job in jobs[:2]} == {PackState.QUARANTINED}
    assert refused(elsewhere(world, person, accept=False, scanned=jobs[1].pack)) == "scan"


def test_another_pouchs_label_decides_no_test_either(world: World, jobs: list[PackJob]) -> None:
    person = tried(world, jobs)
    assert refused(person.wait().decide("accept", "WKJ4SJ9NDAGH-OTHER")) == "scan"
    assert world.all("trials")[0].result is TrialResult.OPEN


# ---- tests are not passed over, nor told ----


def test_going_on_does_not_pass_a_test_over(world: World, jobs: list[PackJob]) -> None:
    person = tried(world, jobs)
    test_pouch = person.seen["case"]
    assert person.show(after=test_pouch)["case"] == test_pouch
    person.show(pack=jobs[1].pack)
    assert person.wait().decide("accept", jobs[1].pack)["state"] == "accepted"
    assert person.show() is None and world.all("trials")[0].result is TrialResult.OPEN, "nothing waits: it is not shown"
    look_at(world, jobs[3])
    assert person.show()["case"] == test_pouch, "it comes back with the next pouch"
    assert world.do(lambda unit: queue_view(unit, person.station))["waiting"] == 1


def test_scanning_ones_own_open_test_answers_as_for_any_pouch(world: World, jobs: list[PackJob]) -> None:
    person = tried(world, jobs)
    test_pouch = person.seen
    assert person.show(pack=test_pouch["pack"])["case"] == test_pouch["case"]
    assert refused(Person(world, NO_TRIALS, TECHNICIAN).show(pack=test_pouch["pack"])) == "state"


def test_what_says_nothing_of_an_eye_is_counted_by_kind(world: World, jobs: list[PackJob]) -> None:
    kinds = {"skipped": 1, "withdrawn": 2, "reject": 1}
    made = [(answer, number) for answer, times in kinds.items() for number in range(times)]
    trials = [
        Trial(f"t{answer}{number}", Judge.PERSON, TrialKind.ONE_MORE, FRAMES, PackSerial("P"), (), WALL, TrialResult.NOT_COUNTED, answer=answer)
        for answer, number in made
    ]
    world.do(lambda unit: unit.trials.put_many([*trials, replace(trials[0], id="open", result=TrialResult.OPEN, answer="")]))
    rows = {row["kind"]: row for row in world.do(misses_view)["people"]}
    counted = [rows["one-more"][name] for name in ("skipped", "withdrawn", "not_found", "open", "trials")]
    assert counted == [1, 2, 1, 1, 0] and rows["one-less"]["skipped"] == 0


# ---- what a test is made of ----


def accepted_look(world: World, job: PackJob) -> None:
    """Have a person accept a pouch with kept frames whose code was not read."""
    world.now += timedelta(seconds=1)
    world.machine.make(fetched(world, job))
    seen = SeenPouch((), (), None, True, world.machine.sensors(job))
    assert world.do(lambda unit: verify_pack(unit, job.id, seen, FRAMES)) is Verdict.LOOK
    world.machine.finish(job, Verdict.LOOK)
    person = Person(world)
    person.show(pack=job.pack)
    assert person.wait().decide("accept", job.pack)["state"] == "accepted"


def test_a_test_of_a_pouch_that_somebody_accepted_has_its_own_reasons(world: World, jobs: list[PackJob]) -> None:
    accepted_look(world, jobs[0])
    (first,) = world.all("reviews")
    look_at(world, jobs[1])
    case = Person(world, ALWAYS, TECHNICIAN).show()
    (trial,) = world.all("trials")
    assert case["case"] == trial.id and case["frames"] == list(FRAMES)
    assert (tuple(case["reasons"]), tuple(case["reasons_ru"])) == (first.reasons, first.said("ru"))
    assert case["read"] == [] == world.do(lambda unit: codes_read(unit, jobs[0].pack))


def test_a_pouch_that_nobody_accepted_is_no_test(world: World, jobs: list[PackJob]) -> None:
    world.machine.make(fetched(world, jobs[0]))
    seen = SeenPouch((), (), 2, True, world.machine.sensors(jobs[0]))
    world.do(lambda unit: verify_pack(unit, jobs[0].id, seen, FRAMES))
    look_at(world, jobs[1])
    Person(world, ALWAYS).show()
    assert world.all("trials") == []


@pytest.mark.parametrize(("kind", "reason", "fits"), [
    (TrialKind.ONE_MORE, "the picture seems to show 2, 3 are expected", False), (TrialKind.ONE_LESS, "no Data Matrix could be read", True),
    (TrialKind.OTHER_LOOK, "the picture seems to show 2, 3 are expected", True), (TrialKind.OTHER_SERIAL, "no Data Matrix could be read", True),
    (TrialKind.OTHER_SERIAL, "the pouch moved between the pictures", False),
])  # fmt: skip
def test_a_wrong_list_does_not_contradict_the_reasons(kind: TrialKind, reason: str, fits: bool) -> None:
    assert fits_reasons(kind, (reason,)) is fits


# ---- frames that are held for a test ----


def test_an_open_test_is_withdrawn_after_a_shift(world: World, jobs: list[PackJob]) -> None:
    tried(world, jobs)
    assert world.do(lambda unit: withdraw_left_behind(unit, WALL + timedelta(hours=12))) == 0
    assert world.do(lambda unit: withdraw_left_behind(unit, WALL + timedelta(hours=12, seconds=1))) == 1
    (trial,) = world.all("trials")
    assert (trial.result, trial.answer) == (TrialResult.NOT_COUNTED, "withdrawn") and len(world.facts("trial-decided")) == 1


@pytest.mark.parametrize("show_again", [True, False])
def test_a_test_whose_frames_are_gone_is_no_miss(world: World, jobs: list[PackJob], show_again: bool) -> None:
    person = tried(world, jobs)
    person.__class__ = Blind
    if show_again:
        assert person.show()["pack"] == jobs[1].pack
    else:
        answer = person.wait().decide("accept")
        assert (answer["state"], answer["result"]) == ("test", "not-counted") and "counts for nothing" in answer["told"]
    (trial,) = world.all("trials")
    assert (trial.result, trial.answer) == (TrialResult.NOT_COUNTED, "withdrawn")


# ---- figures and words ----


def test_the_machine_is_counted_by_pouch(world: World) -> None:
    trials = [
        Trial(f"{pouch}{kind.value}", Judge.MACHINE, kind, (pouch * 64,), PackSerial("P"), (), WALL, result)
        for pouch, result in (("a", TrialResult.FOUND), ("b", TrialResult.MISSED)) for kind in (TrialKind.ONE_MORE, TrialKind.ONE_LESS)
    ]  # fmt: skip
    world.do(lambda unit: unit.trials.put_many(trials))
    misses = world.do(machine_pouches)
    assert (misses.misses, misses.trials) == (1, 2)


def test_what_was_decided_before_is_said_in_russian(world: World, jobs: list[PackJob]) -> None:
    look_at(world, jobs[0])
    person = Person(world)
    person.show()
    person.wait().decide("accept", jobs[0].pack)
    again = person.show(case=person.seen["case"])
    assert "accept" not in again.text_ru and "принято" in again.text_ru
    elsewhere_again = elsewhere(world, person, scanned=jobs[0].pack)
    assert refused(elsewhere_again) == "decided" and "accept" not in elsewhere_again.text_ru


@pytest.mark.parametrize("typed", ["white round 9", "#ffffff round", "#ffffff  round 9", "#ffffff round big", "#zzzzzz oval 9"])
def test_a_look_that_was_typed_in_another_way_stops_nothing(world: World, jobs: list[PackJob], typed: str) -> None:
    lot = world.get("lots", LotId("PLAIN/P1"))
    world.do(lambda unit: unit.lots.put(replace(lot, look=typed)))
    passed_with_frames(world, jobs[0])
    look_at(world, jobs[1])
    assert Person(world, ALWAYS).show()["expected"][0]["look"] is None
    assert not looks_apart(typed, "#000000 round 4") and written_look("#ffffff round 8.5") == {"colour": "#ffffff", "shape": "round", "size_mm": "8.5"}


# ---- the ledger ----


def test_the_independent_check_reads_a_ledger_of_looks_and_tests(world: World, jobs: list[PackJob], tmp_path: Path) -> None:
    person = tried(world, jobs)
    person.wait().decide("reject", reason="content")
    person.show()
    person.wait().decide("accept", jobs[1].pack)
    assert len(world.facts("trial-decided")) == len(world.facts("review-looked")) == 1
    export = tmp_path / "ledger.ndjson"
    export.write_bytes(b"".join(world.do(lambda unit: list(exported_lines(unit.connection)))))
    book, mismatches = read_ledger(export, unfinished=True)
    assert mismatches == [] and book.packs[jobs[1].pack].released_by == ["review"] and book.packs[jobs[0].pack].verdicts == ["PASS"]
