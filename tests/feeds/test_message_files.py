"""Files of HL7 v2 messages are news like those of a connection: never a list that something is missing from."""

from datetime import timedelta

import pytest

from hub.domain.orders import LineState
from hub.domain.refusals import Refusal
from hub.services.feeds import sheet_came
from hub.services.sheet_oddities import REJECTED_ROWS
from tests.feeds.feed_world import SOURCE, FeedWorld, csv_sheet

PID = "PID|1||{0}^^^H^MR||Fam{0}^Ann||19500412|F"
PV1 = "PV1|1|I|Therapy^10^1||||||||||||||||{}"
NAME = "day.hl7"


def message(kind: str, control: str, *segments: str, at: str = "20260302053000+0300") -> str:
    return "\r".join([f"MSH|^~\\&|HIS|H|HUB|P|{at}||{kind}|{control}|P|2.5", *segments]) + "\r"


def order(number: str = "A1", patient: str = "p1", orc: str = "NW", units: int = 1, at: str = "20260302053000+0300", visit: str = "") -> str:
    return message(
        "RDE^O11", f"{number}{orc}{units}", PID.format(patient), PV1.format(visit), f"ORC|{orc}|{number}", f"RXE||PLAIN^Metformin|{units}||tablet", "TQ1|1||BID", "RXR|PO",
        at=at,
    )  # fmt: skip


def adt(event: str, patient: str = "p1", visit: str = "", at: str = "20260302054000+0300") -> str:
    return message(f"ADT^{event}", f"{event}{patient}", f"EVN|{event}|{at}", PID.format(patient), PV1.format(visit), at=at)


def batch(*messages: str) -> bytes:
    return f"BHS|^~\\&|HIS\r{''.join(messages)}BTS|{len(messages)}\r".encode()


def take(fed: FeedWorld, data: bytes | str) -> dict[str, object] | Refusal:
    content = data.encode() if isinstance(data, str) else data
    return fed.world.do(lambda unit: fed.intake.sheet(unit, SOURCE, NAME, content))


@pytest.fixture
def usual(fed: FeedWorld) -> FeedWorld:
    """A feed that usually sends ten orders."""
    fed.world.do(lambda unit: sheet_came(unit, fed.world.house, SOURCE, "before", 10))
    return fed


def test_a_file_of_movements_is_no_stump_and_leaves_the_usual_count(usual: FeedWorld) -> None:
    answer = take(usual, adt("A01"))
    assert not isinstance(answer, Refusal) and answer["changes"] == 2
    assert usual.feed().counts == (10,) and usual.feed().name == NAME
    assert usual.world.get("stays", "p1").department == "Therapy"
    assert [found.kind for found in usual.world.all("imports")] == ["changes"]


def test_the_preview_of_such_a_file_warns_of_nothing_and_misses_no_order(usual: FeedWorld) -> None:
    usual.world.do(lambda unit: usual.intake.sheet(unit, SOURCE, "s.csv", csv_sheet(*"123456")))
    looked = usual.world.do(lambda unit: usual.intake.looked_at(unit, "sheet", SOURCE, NAME, order().encode()))
    assert looked["warning"] is None and looked["unlisted"] == []
    assert [(line["order"], line["outcome"], line["change"]) for line in looked["lines"]] == [("hospital:A1", "scheduled", "new")]


def test_a_batch_of_whole_orders_counts_and_may_be_a_stump(usual: FeedWorld) -> None:
    stump = take(usual, batch(order("A1"), order("A2")))
    assert isinstance(stump, Refusal) and stump.code == "suspiciously-small"
    assert not isinstance(take(usual, batch(*(order(f"B{number}") for number in range(9)))), Refusal)
    assert usual.feed().counts == (10, 9)
    assert not isinstance(take(usual, batch(order("C1"), adt("A03"))), Refusal)
    assert usual.feed().counts == (10, 9)


def test_orders_before_six_are_planned_for_the_whole_coming_day_where_no_sheet_comes(fed: FeedWorld) -> None:
    fed.world.now -= timedelta(minutes=20)
    take(fed, order())
    assert [dose.due.astimezone(fed.world.house.zone).hour for dose in fed.world.all("doses", order_by="due")] == [8, 20]


def test_a_message_without_a_time_is_dated_when_it_comes(fed: FeedWorld) -> None:
    answer = take(fed, order(at=""))
    assert not isinstance(answer, Refusal) and answer["orders"] == 1
    assert fed.orders()["hospital:A1"].state is LineState.ACTIVE


def test_a_stop_that_says_no_more_ends_the_order_that_is_known(fed: FeedWorld) -> None:
    take(fed, order())
    stop = message("RDE^O11", "S1", PID.format("p1"), PV1.format(""), "ORC|DC|A1", at="20260302055000+0300")
    assert not isinstance(take(fed, stop), Refusal)
    assert fed.orders()["hospital:A1"].state is LineState.STOPPED and len(fed.orders()) == 1


def test_a_hold_that_says_no_more_keeps_what_is_known(fed: FeedWorld) -> None:
    take(fed, order(units=2))
    take(fed, message("RDE^O11", "S1", PID.format("p1"), PV1.format(""), "ORC|HD|A1", at="20260302055000+0300"))
    held = fed.orders()["hospital:A1"]
    assert held.state is LineState.ON_HOLD and held.line.dose is not None and held.line.dose[0].amount == 2


def test_an_order_number_of_another_patient_is_a_line_of_its_own_that_waits(fed: FeedWorld) -> None:
    take(fed, order())
    take(fed, order(patient="p2", orc="XO", at="20260302055000+0300"))
    mine, other = sorted(fed.orders().values(), key=lambda one: len(one.id))
    assert mine.patient == "p1" and mine.state is LineState.ACTIVE
    assert other.state is LineState.REJECTED and "another patient" in other.reasons[0].text


def test_the_end_of_another_visit_takes_nobody_away_and_is_named(fed: FeedWorld) -> None:
    take(fed, order(visit="V7"))
    answer = take(fed, adt("A08", visit="V7") + adt("A03", visit="V1", at="20260302055000+0300"))
    assert not isinstance(answer, Refusal) and answer["rejects"] == 1
    assert fed.world.get("stays", "p1").finished_at is None
    (incident,) = fed.world.all("incidents", kind=REJECTED_ROWS)
    assert "message 2" in incident.text and "V1" in incident.text and "сообщение 2" in incident.text_ru and "V7" in incident.text_ru


def test_a_give_of_an_order_that_is_known_is_not_planned_twice(fed: FeedWorld) -> None:
    take(fed, order())
    give = message(
        "RGV^O15", "G1", PID.format("p1"), PV1.format(""), "ORC|NW|A1", "RXG|1||1^^^20260302080000+0300|PLAIN^Metformin|1||tablet", "RXR|PO",
        at="20260302055000+0300",
    )  # fmt: skip
    take(fed, give)
    (waits,) = [found for found in fed.orders().values() if "/give/" in found.id]
    assert waits.state is LineState.NEEDS_REVIEW and "planned twice" in waits.reasons[0].text


def test_changes_bring_their_rejects_into_an_incident_and_the_answer(fed: FeedWorld) -> None:
    feed = b'{"at":"2026-03-02T06:00:00+03:00","resource":{"resourceType":"Patient","id":"p1"}}\n{"at":"?","resource":{}}\n'
    answer = fed.world.do(lambda unit: fed.intake.changes(unit, SOURCE, "c.ndjson", feed))
    assert answer["rejects"] == 1
    (incident,) = fed.world.all("incidents", kind=REJECTED_ROWS)
    assert "line 2" in incident.text and len(fed.world.facts("row-rejected")) == 1


def test_a_sheet_counts_its_rejects(fed: FeedWorld) -> None:
    broken = csv_sheet("1", "2") + b"\nTherapy;4;1\nTherapy;4;1;W-3;Family 3;01.01.1960;PLAIN;500 mg;1;tablet;PO;1;3\n"
    answer = take(fed, broken)
    assert not isinstance(answer, Refusal) and (answer["orders"], answer["rejects"]) == (3, 1)
    (fact,) = fed.world.facts("sheet-received")
    assert fact["rejects"] == 1
