"""A drop from another cassette fails its pouch, is booked as it happened, and locks both cassettes until somebody has looked."""

from dataclasses import replace
from fractions import Fraction

import pytest

from hub.domain.identifiers import UserId
from hub.domain.packs import PackJob, PackState, Verdict
from hub.domain.stock import Cassette
from hub.services.reject_packs import Decision, decide_review
from tests.services.small_world import PHARMACIST, World, order_line


@pytest.fixture
def job(world: World) -> PackJob:
    """Offer a job for two tablets out of cassette 1 that was sent to the machine."""
    world.sheet(order_line("a", units=2))
    world.at("06:15")
    return world.machine.fetch()[0]


def make(world: World, job: PackJob, cassette: int, asked: int = 2, counted: int = 2) -> None:
    world.machine.say("accepted", job.id)
    world.machine.say("dropped", job.id, 0, cassette=cassette, asked=asked, counted=counted, remaining=0)
    world.machine.say("at-camera", job.id, 0)


def balances(world: World) -> dict[str, Fraction]:
    """Return the sum over all accounts of each lot."""
    rows = world.do(lambda unit: unit.connection.execute("SELECT lot, numerator, denominator FROM balances").fetchall())
    sums: dict[str, Fraction] = {}
    for lot, above, below in rows:
        sums[lot] = sums.get(lot, Fraction(0)) + Fraction(above, below)
    return sums


def cassette(world: World, number: int) -> Cassette:
    found = world.get("cassettes", number)
    assert isinstance(found, Cassette)
    return found


def decide(world: World, review: str, accept: bool) -> None:
    decision = Decision(review, accept, "", "seen", UserId(PHARMACIST))
    world.do(lambda unit: decide_review(unit, decision, world.house), PHARMACIST)


def test_a_drop_from_another_cassette_fails_though_count_and_picture_agree(world: World, job: PackJob) -> None:
    make(world, job, cassette=2)
    assert world.machine.look(job) is Verdict.FAIL
    (reason,) = world.facts("pack-verified")[0]["reasons"]
    assert "from cassette 2" in reason and "cassette 1 was planned" in reason
    assert world.get("packs", job.pack).state is PackState.REVOKED


def test_the_books_say_what_fell_of_which_drug_and_lot(world: World, job: PackJob) -> None:
    make(world, job, cassette=2)
    assert world.held("cassette:2", "ALERT/A1") == 28 == cassette(world, 2).count
    assert world.held("cassette:1", "PLAIN/P1") == 30 == cassette(world, 1).count
    assert world.held(f"pack:{job.pack}", "ALERT/A1") == 2 and world.held(f"pack:{job.pack}", "PLAIN/P1") == 0
    assert cassette(world, 1).reserved == 0 and cassette(world, 2).reserved == 0
    world.machine.finish(job, world.machine.look(job))
    world.reject_all()
    assert world.held("waste", "ALERT/A1") == 2 and set(balances(world).values()) == {0}


def test_both_cassettes_are_locked_for_new_packs_until_a_person_accepts_each(world: World, job: PackJob) -> None:
    make(world, job, cassette=2)
    reviews = {review.subject: review for review in world.all("reviews", kind="wrong-cassette")}
    assert set(reviews) == {"1", "2"} and cassette(world, 1).reason and cassette(world, 2).reason
    world.sheet(order_line("b", 2), order_line("c", 3, "ALERT"))
    world.tick()
    assert [world.pack_of(order).job for order in "bc"] == [None, None], "both are packed by hand"
    decide(world, reviews["1"].id, accept=True)
    decide(world, reviews["2"].id, accept=False)
    assert cassette(world, 1).reason == "" and cassette(world, 2).reason


def test_a_second_wrong_drop_asks_about_a_locked_cassette_no_second_time(world: World) -> None:
    world.sheet(order_line("a", units=2), order_line("b", 2, units=2))
    world.at("06:15")
    for each in world.machine.fetch():
        make(world, each, cassette=2)
    assert len(world.all("reviews", kind="wrong-cassette")) == 2


def test_a_cassette_that_gives_more_than_its_books_hold_gives_it_from_its_own_surplus(world: World, job: PackJob) -> None:
    emptied = replace(cassette(world, 3), layers=())
    world.do(lambda unit: unit.cassettes.put(emptied))
    make(world, job, cassette=3)
    assert world.held("surplus", "TWIN/T1") == -2 and world.held(f"pack:{job.pack}", "TWIN/T1") == 2
    assert world.held("cassette:3", "TWIN/T1") == 30 and set(balances(world).values()) == {0}


def test_a_cassette_that_nobody_knows_takes_nothing_from_the_books_of_another(world: World, job: PackJob) -> None:
    make(world, job, cassette=77)
    assert world.machine.look(job) is Verdict.FAIL
    assert world.held("cassette:1", "PLAIN/P1") == 30 and world.held("surplus", "PLAIN/P1") == -2
    kinds = sorted((review.kind, review.subject) for review in world.all("reviews") if review.kind != "pouch-failed")
    assert kinds == [("surplus", "77"), ("wrong-cassette", "1")]


def test_a_machine_that_was_asked_for_another_number_fails_the_pouch(world: World, job: PackJob) -> None:
    make(world, job, cassette=1, asked=3)
    assert world.machine.look(job) is Verdict.FAIL
    assert "asked for 3" in world.facts("pack-verified")[0]["reasons"][0]
    assert cassette(world, 1).reason == ""


def test_the_pouch_is_made_anew_by_hand_once_it_is_destroyed(world: World, job: PackJob) -> None:
    make(world, job, cassette=2)
    world.machine.finish(job, world.machine.look(job))
    world.reject_all()
    again = world.pack_of("a")
    assert again.replaces == job.pack and again.job is None
