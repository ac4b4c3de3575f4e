"""The review station: shown, looked at for long enough, decided once; and known-bad pouches that touch nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.domain.doses import DoseState
from hub.domain.identifiers import DrugCode, LotId, PackSerial, UserId
from hub.domain.known_bad import Judge, TrialKind, TrialResult
from hub.domain.looking import StationRules
from hub.domain.packs import PackJob, PackState, Verdict
from hub.domain.references import MeasuredLook, ReferenceState, TabletReference, TabletSample
from hub.domain.refusals import Refusal
from hub.domain.verification import SeenPouch
from hub.services.known_bad import trial_due
from hub.services.reject_packs import Decision
from hub.services.review_station import (
    Asked,
    CaseDecision,
    Station,
    decide_case,
    decide_elsewhere,
    queue_view,
    show_case,
)
from hub.services.station_figures import looking_view, misses_view
from hub.services.verify_pack import verify_pack
from tests.services.small_world import PHARMACIST, TECHNICIAN, World, order_line

WALL = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FRAMES = ("a" * 64, "b" * 64)
NO_TRIALS, ALWAYS = StationRules(one_in=0), StationRules(one_in=1)


class Person:
    """One person at the station, with the wall's clock in the test's hand."""

    def __init__(self, world: World, rules: StationRules = NO_TRIALS, name: str = PHARMACIST) -> None:
        self.world, self.name, self.at = world, name, WALL
        self.house = replace(world.house, station=rules)
        self.seen: dict[str, Any] = {}

    @property
    def station(self) -> Station:
        return Station(UserId(self.name), self.at, self.house, lambda digest: digest in FRAMES)

    def show(self, **asked: str) -> Any:
        shown = self.world.do(lambda unit: show_case(unit, self.station, Asked(**asked)), self.name)
        if not isinstance(shown, Refusal):
            self.seen = shown["case"] or {}
        return shown if isinstance(shown, Refusal) else shown["case"]

    def wait(self, seconds: float = 30) -> "Person":
        self.at += timedelta(seconds=seconds)
        return self

    def decide(self, decision: str, scanned: str = "", reason: str = "", **more: Any) -> Any:
        said = CaseDecision(self.seen["case"], self.seen["shown"], decision, scanned, reason, **more)
        return self.world.do(lambda unit: decide_case(unit, self.station, said), self.name)


def refused(answer: Any) -> str:
    assert isinstance(answer, Refusal), answer
    assert answer.text and answer.text_ru != answer.text
    return answer.code


@pytest.fixture
def jobs(world: World) -> list[PackJob]:
    """Four pouches that wait to be made: metformin twice, the high-alert drug, and metformin again."""
    world.sheet(order_line("a", 1, units=2), order_line("b", 2, units=2), order_line("c", 3, drug="ALERT"), order_line("d", 4))
    world.at("06:15")
    return [world.job_of(order) for order in "abcd"]


def fetched(world: World, job: PackJob) -> PackJob:
    world.machine.fetch()
    return job


def look_at(world: World, job: PackJob, **seen: Any) -> PackJob:
    """Have the camera not read the pouch: it waits for a person, after those before it."""
    world.now += timedelta(seconds=1)
    world.machine.run(fetched(world, job), **{"read": [], **seen})
    return job


def passed_with_frames(world: World, job: PackJob) -> None:
    """Have a pouch pass with its frames kept."""
    world.machine.make(fetched(world, job))
    seen = SeenPouch((job.pack,), (), sum(fill.count for fill in job.fills), True, world.machine.sensors(job))
    world.do(lambda unit: verify_pack(unit, job.id, seen, FRAMES))
    world.machine.finish(job, Verdict.PASS)


def test_a_case_shows_what_should_lie_there_and_no_patient(world: World, jobs: list[PackJob]) -> None:
    look_at(world, jobs[0])
    case = Person(world).show()
    assert (case["pack"], case["verdict"], case["may_accept"], case["least_s"]) == (jobs[0].pack, "LOOK", True, 5)
    assert [(line["name"], line["count"], line["lot"]) for line in case["expected"]] == [("Siofor 500 mg", 2, "P1")]
    assert case["counts"] == [{"name": "Siofor 500 mg", "asked": 2, "counted": 2}] and case["read"] == []
    assert "Data Matrix" in case["reasons"][0] and case["reasons_ru"][0] != case["reasons"][0]
    assert "Family1" not in str(case) and "p1" not in str(case)


def test_a_confirmed_reference_stands_beside_its_tablet(world: World, jobs: list[PackJob]) -> None:
    white = MeasuredLook(9000, 9000, 785, (250, 250, 250), (250, 250, 250))
    samples = tuple(TabletSample(PackSerial(crop), white, crop * 64, None, proven) for crop, proven in (("a", True), ("b", False), ("c", True)))
    learned = TabletReference(LotId("PLAIN/P1"), DrugCode("PLAIN"), ReferenceState.WAITING, samples, white)
    world.do(lambda unit: unit.tablet_references.put(learned))
    look_at(world, jobs[0])
    person = Person(world)
    assert person.show()["expected"][0]["references"] == []
    world.do(lambda unit: unit.tablet_references.put(replace(learned, state=ReferenceState.CONFIRMED)))
    assert person.show()["expected"][0]["references"] == ["c" * 64, "a" * 64]


def test_accepting_asks_for_the_least_time_and_then_for_the_pouchs_own_label(world: World, jobs: list[PackJob]) -> None:
    look_at(world, jobs[0])
    person = Person(world)
    person.show()
    assert refused(person.wait(4.9).decide("accept", jobs[0].pack)) == "too-quick"
    assert person.wait(0.1).decide("accept") == {"state": "scan", "pack": jobs[0].pack}
    assert refused(person.decide("accept", jobs[1].pack)) == "scan"
    assert world.dose("a").state is DoseState.FROZEN
    assert person.decide("accept", jobs[0].pack) == {"state": "accepted", "pack": jobs[0].pack}
    assert world.dose("a").state is DoseState.PACKED and world.facts("pack-released")[-1]["by"] == "review"
    assert [(fact["took_ms"], fact["least_s"]) for fact in world.facts("review-looked")] == [(5_000, 5)]
    assert refused(person.decide("accept", jobs[0].pack)) == "decided"
    assert person.show() is None


def test_a_high_alert_drug_is_looked_at_longer(world: World, jobs: list[PackJob]) -> None:
    look_at(world, jobs[2])
    person = Person(world)
    assert person.show()["high_alert"] and person.seen["least_s"] == 10
    assert refused(person.wait(9).decide("accept", jobs[2].pack)) == "too-quick"
    assert person.wait(1).decide("accept", jobs[2].pack)["state"] == "accepted"


def test_rejecting_is_never_too_quick_but_says_why(world: World, jobs: list[PackJob]) -> None:
    look_at(world, jobs[0])
    person = Person(world)
    person.show()
    assert refused(person.decide("reject")) == "reason"
    assert person.decide("reject", reason="broken")["state"] == "rejected"
    assert world.get("packs", jobs[0].pack).reason == "a tablet is broken"
    assert refused(person.show(pack=jobs[0].pack)) == "state", "it goes into the reject bin"


def test_a_pouch_is_made_anew_by_its_own_label_or_by_a_written_reason(world: World, jobs: list[PackJob]) -> None:
    for job in jobs[:2]:
        look_at(world, job)
    person = Person(world)
    person.show()
    assert person.decide("remake", reason="damaged")["state"] == "scan"
    assert refused(person.decide("remake", jobs[1].pack, "damaged")) == "scan"
    remade = person.decide("remake", jobs[0].pack, "damaged")
    assert remade["state"] == "remade" and world.get("packs", remade["remade_as"]).replaces == jobs[0].pack
    person.show()
    assert refused(person.decide("remake", unreadable=True)) == "reason"
    assert person.decide("remake", reason="label", unreadable=True)["state"] == "remade"
    assert world.get("packs", jobs[1].pack).state is PackState.DESTROYED


def test_a_pouch_that_failed_is_never_accepted(world: World, jobs: list[PackJob]) -> None:
    look_at(world, jobs[0], read=["OTHER"])
    person = Person(world)
    assert person.show()["may_accept"] is False
    assert refused(person.wait().decide("accept", jobs[0].pack)) == "failed"
    assert person.decide("remake", jobs[0].pack)["state"] == "remade"
    assert world.facts("pack-released") == []


def test_a_pouch_of_a_stopped_order_is_not_accepted(world: World, jobs: list[PackJob]) -> None:
    look_at(world, jobs[0])
    person = Person(world)
    person.show()
    world.stop(order_line("a", 1, units=2))
    assert refused(person.wait().decide("accept", jobs[0].pack)) == "stopped"
    assert [review.decision for review in world.all("reviews", subject=jobs[0].pack)] == [""]


def test_only_what_is_shown_now_is_decided(world: World, jobs: list[PackJob]) -> None:
    for job in jobs[:2]:
        look_at(world, job)
    person, other = Person(world), Person(world, name=TECHNICIAN)
    first = person.show()
    person.wait().show(after=first["case"])
    assert person.seen["pack"] == jobs[1].pack
    person.seen = first
    assert refused(person.decide("accept", jobs[0].pack)) == "look-again"
    assert person.show(pack=jobs[0].pack)["shown"] != first["shown"], "the time begins anew"
    other.seen = person.seen
    assert refused(other.wait().decide("accept", jobs[0].pack)) == "look-again", "it was not shown to that person"
    other.show()
    assert other.wait().decide("reject", reason="broken")["state"] == "rejected"
    assert refused(person.wait().decide("accept", jobs[0].pack)) == "decided"


def test_a_page_that_is_opened_again_goes_on_with_the_same_look(world: World, jobs: list[PackJob]) -> None:
    look_at(world, jobs[0])
    person = Person(world)
    first = person.show()
    assert person.wait(3).show() == first


def test_what_does_not_wait_is_refused_in_words(world: World, jobs: list[PackJob]) -> None:
    person = Person(world)
    assert person.show() is None and refused(person.show(pack="NOBODY")) == "unknown-pack"
    assert refused(person.show(pack=jobs[0].pack)) == "state" and refused(person.show(case="none")) == "unknown-review"


def test_urgent_pouches_come_first(world: World, jobs: list[PackJob]) -> None:
    for job in jobs[:2]:
        look_at(world, job)
    pack = world.get("packs", jobs[1].pack)
    world.do(lambda unit: unit.packs.put(replace(pack, stat=True)))
    person = Person(world, ALWAYS)
    assert person.show()["pack"] == jobs[1].pack
    queue = world.do(lambda unit: queue_view(unit, person.station))
    assert [(row["pack"], row["stat"]) for row in queue["cases"]] == [(jobs[1].pack, True), (jobs[0].pack, False)] and queue["waiting"] == 2


# ---- known-bad pouches ----


def tried(world: World, jobs: list[PackJob], rules: StationRules = ALWAYS) -> Person:
    """Have one pouch pass with its frames kept, and another one wait; show the next case."""
    passed_with_frames(world, jobs[0])
    look_at(world, jobs[1])
    person = Person(world, rules)
    person.show()
    return person


def books(world: World) -> Any:
    tables = {table: world.all(table) for table in ("packs", "doses", "jobs", "reviews", "lots", "cassettes")}
    return tables, [entry for entry in world.ledger() if entry["kind"] != "trial-decided"]


def test_a_known_bad_pouch_looks_like_any_other_and_touches_nothing(world: World, jobs: list[PackJob]) -> None:
    person = tried(world, jobs)
    real = Person(world, NO_TRIALS, TECHNICIAN).show()
    case, before = person.seen, books(world)
    assert case["frames"] == list(FRAMES) and set(case) == set(real) and case["case"] != real["case"] and len(case["case"]) == len(real["case"])
    answer = person.wait().decide("accept")
    assert answer["state"] == "test" and answer["result"] == "missed" and answer["told"].startswith("This was a test pouch: ")
    assert answer["told_ru"].startswith("Это был проверочный пакет: ")
    assert books(world) == before
    (fact,) = world.facts("trial-decided")
    assert (fact["judge"], fact["answer"], fact["result"], fact["took_ms"]) == ("person", "accept", "missed", 30_000)
    assert not {"pack", "dose", "subject"} & set(fact)
    assert refused(person.decide("accept")) == "decided"
    assert person.show()["pack"] == jobs[1].pack, "the real one comes next"
    assert person.wait().decide("accept", jobs[1].pack)["state"] == "accepted"


def test_its_list_is_wrong(world: World, jobs: list[PackJob]) -> None:
    person = tried(world, jobs)
    (trial,) = world.all("trials")
    true = [("Siofor 500 mg", 2)]
    shown = [(line["name"], line["count"]) for line in person.seen["expected"]]
    assert trial.kind in (TrialKind.ONE_MORE, TrialKind.ONE_LESS) and shown != true and person.seen["pack"] == jobs[0].pack


@pytest.mark.parametrize(("reason", "result"), [("content", "found"), ("not-found", "not-counted")])
def test_a_known_bad_pouch_that_is_rejected_was_found(world: World, jobs: list[PackJob], reason: str, result: str) -> None:
    person = tried(world, jobs)
    assert person.decide("reject", reason=reason)["result"] == result
    people = world.do(misses_view)["people_together"]
    assert (people["misses"], people["trials"]) == (0, int(result == "found"))


def test_a_known_bad_pouch_may_not_be_accepted_too_quickly_either(world: World, jobs: list[PackJob]) -> None:
    person = tried(world, jobs)
    assert refused(person.wait(1).decide("accept")) == "too-quick"
    assert world.all("trials")[0].result is TrialResult.OPEN


def test_urgent_work_takes_a_known_bad_pouch_back(world: World, jobs: list[PackJob]) -> None:
    person = tried(world, jobs)
    trial_case = person.seen
    pack = world.get("packs", jobs[1].pack)
    world.do(lambda unit: unit.packs.put(replace(pack, stat=True)))
    assert person.show()["pack"] == jobs[1].pack
    assert world.all("trials")[0].result is TrialResult.NOT_COUNTED
    person.seen = trial_case
    assert refused(person.wait().decide("accept")) == "look-again"


def test_one_known_bad_pouch_at_most_comes_before_a_review_and_so_many_a_shift(world: World, jobs: list[PackJob]) -> None:
    passed_with_frames(world, jobs[0])
    for job in (jobs[1], jobs[3]):
        look_at(world, job)
    person = Person(world, replace(ALWAYS, trials_a_shift=1))
    shown = []
    for _ in range(3):
        shown.append(person.show()["frames"] == list(FRAMES))
        person.wait().decide("reject", reason="content")
    assert shown == [True, False, False]


def test_going_on_and_coming_back_tells_nothing_of_it(world: World, jobs: list[PackJob]) -> None:
    person = tried(world, jobs)
    test_pouch = person.seen
    look_at(world, jobs[3])
    assert person.show(after=test_pouch["case"])["pack"] == jobs[3].pack, "it stands in the place of its review, which is not shown before it"
    again = person.wait(1).show(after=person.seen["case"])
    assert again["case"] == test_pouch["case"] and again["shown"] != test_pouch["shown"]
    queue = world.do(lambda unit: queue_view(unit, person.station))
    assert [row["pack"] for row in queue["cases"]] == [jobs[0].pack, jobs[3].pack]
    assert queue["waiting"] == len(world.all("reviews", decision=""))
    assert {frozenset(row) for row in queue["cases"]} == {frozenset({"case", "pack", "verdict", "stat"})}


def test_a_scanned_pouch_is_shown_itself_and_the_rate_may_be_none(world: World, jobs: list[PackJob]) -> None:
    passed_with_frames(world, jobs[0])
    look_at(world, jobs[1])
    assert Person(world, ALWAYS).show(pack=jobs[1].pack)["pack"] == jobs[1].pack
    assert Person(world, NO_TRIALS, TECHNICIAN).show()["pack"] == jobs[1].pack
    (trial,) = world.all("trials")
    assert (trial.result, trial.answer, trial.person) == (TrialResult.NOT_COUNTED, "skipped", PHARMACIST)
    (row,) = [row for row in world.do(misses_view)["people"] if row["kind"] == trial.kind.value]
    assert (row["skipped"], row["withdrawn"], row["not_found"], row["open"], row["trials"]) == (1, 0, 0, 0, 0)


def test_without_kept_frames_there_is_no_known_bad_pouch(world: World, jobs: list[PackJob]) -> None:
    world.machine.run(fetched(world, jobs[0]))
    look_at(world, jobs[1])
    assert Person(world, ALWAYS).show()["pack"] == jobs[1].pack and world.all("trials") == []


def test_the_rate_is_about_what_is_set(world: World, jobs: list[PackJob]) -> None:
    rules = StationRules(one_in=20)
    due = world.do(lambda unit: sum(trial_due(unit, rules, UserId(PHARMACIST), f"review-{number}", WALL) for number in range(2000)))
    assert 60 <= due <= 140


def test_the_head_sees_how_long_each_person_looks(world: World, jobs: list[PackJob]) -> None:
    look_at(world, jobs[0])
    person = Person(world)
    person.show()
    person.wait(6).decide("accept", jobs[0].pack)
    (row,) = world.do(looking_view)
    assert (row["person"], row["decided"], row["median_ms"], row["near_least"]) == (PHARMACIST, 1, 6_000, 1)


def test_nobody_accepts_a_pouch_elsewhere_without_a_timed_look_at_it_last(world: World, jobs: list[PackJob]) -> None:
    for job in jobs[:2]:
        look_at(world, job)
    first, second = sorted(world.all("reviews", decision=""), key=lambda review: review.subject != jobs[0].pack)

    def elsewhere(person: Person, accept: bool = True) -> Any:
        said = Decision(first.id, accept, jobs[0].pack, "damaged", UserId(person.name))
        return world.do(lambda unit: decide_elsewhere(unit, person.station, said), person.name)

    person, other = Person(world), Person(world, name=TECHNICIAN)
    assert refused(elsewhere(person)) == "not-looked-at", "never shown"
    other.show(case=first.id)
    assert refused(elsewhere(person.wait(60))) == "not-looked-at", "shown to somebody else"
    person.show(case=first.id)
    assert refused(elsewhere(person.wait(4.9))) == "too-quick"
    person.show(case=second.id)
    assert refused(elsewhere(person.wait(60))) == "not-looked-at", "another one was shown meanwhile"
    person.show(case=first.id)
    assert refused(elsewhere(person)) == "too-quick", "and the time begins anew"
    assert elsewhere(person.wait(5)).decision == "accept"
    assert [(fact["took_ms"], fact["least_s"]) for fact in world.facts("review-looked")] == [(5_000, 5)]


def test_rejecting_elsewhere_needs_no_look(world: World, jobs: list[PackJob]) -> None:
    look_at(world, jobs[0])
    (review,) = world.all("reviews", decision="")
    person = Person(world)
    said = Decision(review.id, False, "", "a tablet is broken", UserId(PHARMACIST))
    decided = world.do(lambda unit: decide_elsewhere(unit, person.station, said), PHARMACIST)
    assert not isinstance(decided, Refusal) and decided.decision == "reject"


def test_the_kinds_of_both_judges_are_kept_apart(world: World, jobs: list[PackJob]) -> None:
    tried(world, jobs).decide("reject", reason="content")
    (trial,) = world.all("trials")
    assert trial.judge is Judge.PERSON
    view = world.do(misses_view)
    assert [row["trials"] for row in view["people"] if row["kind"] == trial.kind.value] == [1]
    assert all(row["trials"] == 0 for row in view["machine"])
