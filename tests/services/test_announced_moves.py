"""A move that is told of before it happens: it waits for its time, and newer news make it a question."""

from dataclasses import replace
from datetime import datetime, timedelta

from hub.domain.orders import LineState, SheetChange, Stay
from tests.services.small_world import SIX, World, order_line
from tests.services.test_discharges import open_doses, stay_of, told

TWICE = order_line("a", code="BID")
AT_TEN = SIX.replace(hour=10)


def announced(world: World, at: datetime, department: str, room: str = "5") -> Stay:
    there = stay_of(world, department=department, room=room)
    told(world, SheetChange(at, stay=there))
    return there


def wards(world: World) -> list[str]:
    return [dose.department for dose in open_doses(world)]


def test_a_transfer_of_later_moves_nobody_before_its_time_and_then_everything(world: World) -> None:
    world.sheet(TWICE)
    before = world.get("stays", "p1")
    there = announced(world, AT_TEN, "Surgery")
    assert world.get("stays", "p1") == before and set(wards(world)) == {before.department}
    (fact,) = world.facts("move-announced")
    assert (fact["to"], fact["patient"]) == ("Surgery", "p1") and world.facts("patient-moved") == []
    world.at("09:59")
    assert world.get("stays", "p1") == before
    world.at("10:00")
    assert world.get("stays", "p1") == there and wards(world)[-1] == "Surgery"
    world.tick()
    assert [fact["to"] for fact in world.facts("patient-moved")] == ["Surgery"] and world.all("reviews") == []


def test_an_announced_move_into_a_ward_with_its_own_procedure_ends_the_doses_then(world: World) -> None:
    world.sheet(TWICE)
    announced(world, AT_TEN, "Intensive care")
    assert len(open_doses(world)) == 2
    world.at("10:00")
    assert world.get("orders", "a").state is LineState.EXCLUDED and open_doses(world) == []


def test_newer_news_make_it_a_question_in_both_languages_and_nobody_is_moved(world: World) -> None:
    world.sheet(TWICE)
    announced(world, AT_TEN, "Surgery")
    world.now += timedelta(hours=1)
    told(world, SheetChange(world.now, stay=stay_of(world, department="Therapy", room="7")))
    world.at("10:00")
    assert world.get("stays", "p1").department == "Therapy"
    (review,) = world.all("reviews")
    assert review.kind == "move-announced" and "Surgery, room 5 at 10:00" in review.said("en")[0]
    assert "Surgery, палата 5" in review.said("ru")[0] and review.said("ru")[1] == "Спросите отделение, где лежит пациент."
    world.tick()
    assert len(world.all("reviews")) == 1 and len(world.facts("move-not-made")) == 1


def test_a_patient_who_left_is_not_moved_back(world: World) -> None:
    world.sheet(TWICE)
    announced(world, AT_TEN, "Surgery")
    world.now += timedelta(hours=1)
    world.discharge(1)
    world.at("10:00")
    assert world.get("stays", "p1").finished_at is not None and world.all("reviews") == []
    assert world.facts("move-not-made")[0]["because"] == "the patient left before"


def test_two_moves_are_made_one_after_the_other(world: World) -> None:
    world.sheet(TWICE)
    announced(world, AT_TEN, "Surgery")
    announced(world, AT_TEN + timedelta(hours=2), "Therapy", "8")
    world.at("10:00")
    assert world.get("stays", "p1").department == "Surgery"
    world.at("12:30")
    assert world.get("stays", "p1").room == "8" and world.all("reviews") == []


def test_an_admission_that_is_announced_begins_at_its_time(world: World) -> None:
    world.sheet(TWICE)
    world.discharge(1)
    told(world, SheetChange(AT_TEN, stay=stay_of(world, finished_at=None, encounter="e-2")))
    assert world.get("stays", "p1").finished_at is not None
    world.at("10:00")
    stay = world.get("stays", "p1")
    assert stay.finished_at is None and stay.encounter == "e-2"


def test_a_move_that_is_told_with_a_discharge_leaves_the_discharge_announced(world: World) -> None:
    world.sheet(TWICE)
    leaves = SIX.replace(hour=18)
    told(world, SheetChange(AT_TEN, stay=stay_of(world, department="Surgery", finished_at=leaves)))
    stay = world.get("stays", "p1")
    assert stay.finished_at == leaves and stay.department == "Cardiology" and len(open_doses(world)) == 1
    world.at("10:00")
    assert world.get("stays", "p1") == replace(stay, department="Surgery")
