"""People who may be mixed up, and rows that are no lines: told, counted and never in the way of the other lines."""

from dataclasses import replace
from typing import Any

from hub.domain.identifiers import PatientId
from hub.domain.namesakes import doubts_about_people
from hub.domain.orders import OrderSheet, Patient, Reject, Stay
from hub.domain.words import Words
from hub.services.receive_sheet import receive_sheet
from hub.services.sheet_oddities import name_alerts
from hub.services.ward_round import round_of
from tests.services.small_world import PATIENTS, SIX, STAYS, World, order_line

FIRST, SECOND = PATIENTS[0], PATIENTS[1]


def told(patients: tuple[Patient, ...], stays: tuple[Stay, ...] = STAYS) -> list[tuple[str, tuple[str, ...]]]:
    return [(doubt.reason.rule, doubt.patients) for doubt in doubts_about_people(patients, stays)]


def taken_in(world: World, patients: tuple[Patient, ...], stays: tuple[Stay, ...] = STAYS, rejects: tuple[Reject, ...] = ()) -> Any:
    sheet = OrderSheet("hospital", world.fresh("sheet"), world.fresh("sha"), patients, stays, (order_line("a"),), rejects=rejects)
    return world.do(lambda unit: receive_sheet(unit, sheet, world.house))


def in_one_room() -> tuple[tuple[Patient, ...], tuple[Stay, ...]]:
    """Return two patients of one family name, written differently, in one room, and a third one elsewhere."""
    people = (replace(FIRST, family="Семёнова"), replace(SECOND, family="СЕМЕНОВА"), replace(PATIENTS[2], family="Семенова"))
    return people, (STAYS[0], replace(STAYS[1], department=STAYS[0].department, room=f" {STAYS[0].room}"), STAYS[2])


def test_namesakes_in_one_room_are_flagged_and_their_lines_go_on(world: World) -> None:
    people, stays = in_one_room()
    result = taken_in(world, people, stays)
    assert result.outcomes == {"scheduled": 1}
    (incident,) = world.all("incidents")
    assert incident.kind == "namesakes" and incident.subject == "p1, p2"
    assert "W-1, W-2" in incident.text and "однофамильцы" in incident.text_ru and "емёнова" not in incident.text + incident.text_ru
    assert world.do(lambda unit: name_alerts(unit, STAYS[0].department)) == {"p1", "p2"}
    assert world.do(lambda unit: name_alerts(unit, STAYS[2].department)) == frozenset()
    taken_in(world, people, stays)
    assert len(world.all("incidents")) == len(world.facts("incident-opened")) == 1, "the next day's sheet opens it no second time"


def test_the_round_tells_of_a_namesake_beside_the_bed(world: World) -> None:
    people, stays = in_one_room()
    taken_in(world, people, stays)
    world.at("06:15")
    (row,) = world.do(lambda unit: round_of(unit, STAYS[0].department, world.now.replace(hour=9)))
    assert row["name_alert"] is True and row["born"] == str(FIRST.birth_date)
    taken_in(world, people, (stays[0], replace(stays[1], room="99"), stays[2]))
    (row,) = world.do(lambda unit: round_of(unit, STAYS[0].department, world.now.replace(hour=9)))
    assert row["name_alert"] is False


def test_a_namesake_who_left_or_lies_in_no_room_is_none() -> None:
    people, stays = in_one_room()
    assert told(people, (stays[0], replace(stays[1], room=""))) == []
    assert told(people, (stays[0], replace(stays[1], finished_at=SIX))) == []


def test_a_patient_without_a_name_is_flagged_and_a_feed_without_names_once() -> None:
    nameless = replace(FIRST, family="", given="")
    assert told((nameless, SECOND)) == [("no-name", ("p1",))]
    everybody = tuple(replace(patient, family="", given="") for patient in PATIENTS[:4])
    assert told(everybody) == [("no-name", ("p1", "p2", "p3", "p4"))]


def test_one_wristband_code_for_two_patients_is_flagged() -> None:
    twice = replace(SECOND, code=" w-1 ")
    assert told((FIRST, twice)) == [("one-code-for-two", ("p1", "p2"))]
    (doubt,) = doubts_about_people((FIRST, twice), STAYS)
    assert doubt.reason.text and doubt.reason.text_ru and doubt.reason.source


def test_plain_people_raise_no_doubt() -> None:
    assert told(PATIENTS) == [] == told((), ())
    assert told((replace(FIRST, id=PatientId("x")),)) == []


def test_every_reject_is_in_the_ledger_and_somebody_is_told(world: World) -> None:
    rejects = tuple(Reject(f"day.csv line {number}", "dose" if number == 3 else "", Words("it is cut off", "строка обрезана")) for number in range(2, 9))
    assert taken_in(world, PATIENTS, rejects=rejects).orders == 1
    facts = world.facts("row-rejected")
    assert [fact["position"] for fact in facts] == [f"day.csv line {number}" for number in range(2, 9)] and facts[1]["field"] == "dose"
    (incident,) = world.all("incidents")
    assert incident.text.startswith("7 entries of sheet1 could not be read") and "line 3 (dose): it is cut off" in incident.text
    assert incident.text.endswith("… +2") and "не прочитано записей: 7" in incident.text_ru
    assert "day.csv строка 3 (dose): строка обрезана" in incident.text_ru and (facts[0]["reason"], facts[0]["reason_ru"]) == ("it is cut off", "строка обрезана")
