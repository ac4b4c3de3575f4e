"""The senior nurse's queue: every rejected line, with what to correct, until a corrected one comes or a person closes it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hub.domain.identifiers import UserId
from hub.domain.orders import Order, OrderLine, OrderStatus, Outcome
from hub.domain.returned_lines import ReturnState
from hub.domain.words import Words
from hub.services.returned_lines import close_return, error_statistics, mark_seen, pass_on, returned_queue, totals
from tests.services.small_world import World, order_line, with_dosage

SENIOR = UserId("u-senior")
BAD = with_dosage(order_line("a", signed_by="Smirnova"), dose=None)


def queue(world: World, department: str = "", **more: Any) -> list[dict[str, Any]]:
    return world.do(lambda unit: returned_queue(unit, department, **more))


def waiting(world: World) -> Any:
    (line,) = world.all("returned_lines", state=["open", "seen", "passed-on"])
    return line


def test_a_rejected_line_waits_for_its_department_with_place_reason_and_what_to_correct(world: World) -> None:
    world.sheet(replace(BAD, sheet="day.csv", position="line 7"), with_dosage(order_line("b", 3), dose=None), order_line("c", 4))
    (row,) = queue(world, "Cardiology")
    assert (row["place"], row["patient"], row["room"], row["bed"], row["nurse"], row["state"]) == ("day.csv: line 7", "W-1", "10", "1", "Smirnova", "open")
    (reason,) = row["reasons"]
    assert reason["rule"] == "dose" and reason["text_ru"] and "unit" in reason["correct"] and "единиц" in reason["correct_ru"]
    assert "Family1" not in str(row), "no names on lists"
    assert [each["order"] for each in queue(world)] == ["a", "b"] and [each["order"] for each in queue(world, "Therapy")] == ["b"]


def test_what_could_not_be_read_is_told_before_what_is_missing_because_of_it(world: World) -> None:
    cell = Words("the scheme cannot be read: '1-1'", "схема не читается: «1-1»")
    world.sheet(replace(with_dosage(order_line("a"), timing=None), unsupported=(cell,)))
    (row,) = queue(world)
    first, *others = row["reasons"]
    assert first["rule"] == "unsupported" and "'1-1'" in first["text"] and "«1-1»" in first["text_ru"]
    assert others and "unsupported" not in [reason["rule"] for reason in others]


def test_the_same_bad_line_again_is_not_returned_twice(world: World) -> None:
    world.sheet(BAD)
    world.sheet(BAD)
    assert len(queue(world)) == 1 and len(world.facts("line-returned")) == 1


def test_a_corrected_line_closes_it_with_what_changed(world: World) -> None:
    world.sheet(BAD)
    world.sheet(order_line("a", signed_by="Smirnova"))
    assert queue(world) == []
    (closed,) = queue(world, closed=True)
    assert (closed["closed_because"], closed["corrected_by"]) == ("corrected", "a")
    assert closed["changed"] == [{"field": "dose", "field_ru": "доза", "before": "", "after": "1 tablet", "dosage": 1}]
    (decided,) = [fact for fact in world.facts("line-decided") if "changed" in fact]
    assert decided["version"] == 2 and decided["changed"] == closed["changed"]
    (fact,) = world.facts("return-closed")
    assert fact["changed"] == closed["changed"]


def test_a_correction_under_another_order_id_is_found_by_patient_and_drug(world: World) -> None:
    world.sheet(BAD, order_line("evening", code="QPM"))
    assert len(queue(world)) == 1, "another order of the same drug in the same file corrects nothing"
    world.now += timedelta(minutes=5)
    world.sheet(order_line("b", 2), order_line("other", drug="TWIN"), order_line("evening", code="QPM"))
    assert len(queue(world)) == 1, "nor does another patient's line, another drug, or an order that was there before"
    world.stop(order_line("evening", code="QPM"))
    world.sheet(order_line("new"))
    assert queue(world) == [] and world.all("returned_lines")[0].corrected_by == "new"


def test_a_correction_by_the_changes_feed_closes_it_too(world: World) -> None:
    world.sheet(BAD)
    world.change(line=order_line("a", signed_by="Smirnova"))
    assert queue(world) == []


def test_a_correction_that_is_wrong_again_is_returned_again(world: World) -> None:
    world.sheet(BAD)
    world.sheet(replace(BAD, ends_at=world.now.replace(year=2025)))
    assert [row["version"] for row in queue(world)] == [2]
    assert queue(world, closed=True)[0]["closed_because"] == "returned-again"
    world.sheet(order_line("a"))
    assert queue(world) == [] and len(queue(world, closed=True)) == 2


def test_seen_passed_on_and_closed_are_facts_of_a_person(world: World) -> None:
    world.sheet(BAD)
    identity = waiting(world).id
    world.do(lambda unit: mark_seen(unit, identity, SENIOR), SENIOR)
    world.do(lambda unit: mark_seen(unit, identity, UserId("u-second")), "u-second")
    assert (waiting(world).state, waiting(world).seen_by) == (ReturnState.SEEN, SENIOR), "the first who saw it"
    assert world.do(lambda unit: pass_on(unit, identity, " ", SENIOR)).code == "to"
    world.do(lambda unit: pass_on(unit, identity, "Dr Ivanov", SENIOR), SENIOR)
    assert (waiting(world).state, waiting(world).passed_to) == (ReturnState.PASSED_ON, "Dr Ivanov")
    assert world.do(lambda unit: close_return(unit, identity, "", SENIOR)).code == "reason"
    world.do(lambda unit: close_return(unit, identity, "the doctor dropped the order", SENIOR), SENIOR)
    assert world.all("returned_lines")[0].closed_by == SENIOR and queue(world) == []
    assert world.do(lambda unit: pass_on(unit, identity, "x", SENIOR)).code == "closed"
    assert world.do(lambda unit: mark_seen(unit, "nothing", SENIOR)).code == "unknown-line"
    assert [entry["actor"] for entry in world.ledger("return-seen", "return-passed-on", "return-closed")] == [SENIOR] * 3


def test_an_order_that_its_doctor_ended_asks_for_nothing_and_is_no_error(world: World) -> None:
    world.sheet(order_line("a", status=OrderStatus.STOPPED), order_line("b", 2, status=OrderStatus.DRAFT))
    assert [row["order"] for row in queue(world)] == ["b"]
    (ended,) = queue(world, closed=True)
    assert (ended["order"], ended["closed_because"]) == ("a", "nothing-to-correct")
    assert [count.rule for count in world.do(lambda unit: error_statistics(unit, world.house))] == ["status"]


def test_errors_are_counted_by_ward_rule_day_and_nurse(world: World) -> None:
    def unsigned(order: str, patient: int, **changes: Any) -> OrderLine:
        return with_dosage(order_line(order, patient, **changes), dose=None)

    world.sheet(unsigned("a", 1, signed_by="Smirnova"), unsigned("b", 3, signed_by="Petrova"), unsigned("c", 4, signed_by="Petrova", code=""))
    world.at("06:00", days=1)
    world.sheet(unsigned("d", 4, signed_by="Petrova"))
    counts = world.do(lambda unit: error_statistics(unit, world.house))
    told = [(count.day.day, count.department, count.rule, count.nurse, count.lines) for count in counts]
    assert told == [
        (3, "Therapy", "dose", "Petrova", 1), (2, "Cardiology", "dose", "Smirnova", 1), (2, "Therapy", "dose", "Petrova", 2), (2, "Therapy", "frequency", "Petrova", 1),
    ]  # fmt: skip
    assert totals(counts)[0] == {"department": "Therapy", "rule": "dose", "lines": 3}
    assert [count.day.day for count in world.do(lambda unit: error_statistics(unit, world.house, days=1))] == [3]
    assert {count.department for count in world.do(lambda unit: error_statistics(unit, world.house, "Cardiology"))} == {"Cardiology"}


def test_a_line_in_review_is_the_pharmacist_s_and_waits_in_no_ward(world: World) -> None:
    world.sheet(order_line("a", unsupported=(Words("a rate", "скорость введения"),)))
    order = world.get("orders", "a")
    assert isinstance(order, Order) and order.outcome is Outcome.NEEDS_REVIEW
    assert world.all("returned_lines") == []
