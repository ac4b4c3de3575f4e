"""Unknown words of a source: asked once, answered once by a pharmacist, changed when the answer was wrong."""

from dataclasses import replace
from typing import Any

import pytest

from hub.adapters.intake.drug_match import drugs_like
from hub.domain.doses import DoseState
from hub.domain.drugs import Drug
from hub.domain.identifiers import DrugCode, UserId
from hub.domain.orders import LineState, OrderLine, Outcome
from hub.domain.quantities import Quantity
from hub.domain.records import CodeKind
from hub.domain.refusals import Refusal
from hub.services.codes import MOST_SHOWN, Answer, code_board, decide_code
from tests.services.small_world import PHARMACIST, World, order_line

STRANGE = "1т 2 р"


def answer(world: World, meaning: str, kind: CodeKind = CodeKind.FREQUENCY, code: str = STRANGE, source: str = "hospital") -> Any:
    told = Answer(source, kind, code, meaning, UserId(PHARMACIST))
    return world.do(lambda unit: decide_code(unit, world.house, told), PHARMACIST)


def board(world: World) -> dict[str, Any]:
    return world.do(lambda unit: code_board(unit, world.house, drugs_like))


def no_drugs(*_: Any) -> list[Drug]:
    return []


def strange(order: str, **changes: Any) -> OrderLine:
    return order_line(order, code=STRANGE.upper(), **changes)


def test_an_unknown_word_is_one_question_with_an_example_and_its_lines(world: World) -> None:
    world.sheet(strange("a"), strange("b", patient=2), order_line("c"))
    (entry,) = world.all("code_entries")
    assert (entry.kind, entry.code, entry.meaning, entry.lines) == (CodeKind.FREQUENCY, STRANGE, "", 2)
    assert entry.example == "metformin · 1 tablet PO 1Т 2 Р"
    world.sheet(strange("a"), strange("b", patient=2), strange("d", patient=3))
    (entry,) = world.all("code_entries")
    assert entry.lines == 3, "a line that comes again is not counted again"
    assert [fact["code"] for fact in world.facts("code-unknown")] == [STRANGE]
    (question,) = board(world)["questions"]
    assert (question["waiting"], question["lines"]) == (3, 3)


def test_lines_that_wait_for_nobody_ask_nothing(world: World) -> None:
    world.sheet(strange("a", signed_by="", ends_at=world.now.replace(year=2020)))
    assert world.get("orders", "a").outcome is Outcome.REJECTED and world.all("code_entries") == []


def test_an_answer_lets_every_waiting_line_go_at_once(world: World) -> None:
    world.sheet(strange("a"), strange("b", patient=2))
    assert world.get("orders", "a").state is LineState.NEEDS_REVIEW and world.all("doses") == []
    told = answer(world, "bid")
    assert (told.lines, told.waiting, told.planned) == (2, 0, 4)
    order = world.get("orders", "a")
    assert (order.outcome, order.line.timing.code, order.version) == (Outcome.SCHEDULED, "bid", 2)
    (decided,) = world.facts("code-decided")
    assert (decided["code"], decided["meaning"], decided["by"], decided["lines"]) == (STRANGE, "bid", PHARMACIST, 2)
    fact = next(fact for fact in world.facts("line-decided") if fact["order"] == "a" and fact["version"] == 2)
    assert fact["taken_for"] == [{"kind": "frequency", "written": STRANGE.upper(), "meaning": "bid"}]
    assert board(world)["questions"] == [] and board(world)["answered"][0]["by"] == PHARMACIST


def test_an_answer_holds_for_sheets_and_changes_that_come_later(world: World) -> None:
    world.sheet(strange("a"))
    answer(world, "08:00;20:00")
    world.sheet(strange("a"), strange("b", patient=2))
    order = world.get("orders", "a")
    assert (order.version, order.outcome) == (2, Outcome.SCHEDULED), "the same line on the next sheet is the same line"
    assert {dose.due.astimezone(world.now.tzinfo).hour for dose in world.all("doses", order="b")} == {8, 20}
    world.change(line=strange("c", patient=3))
    assert world.get("orders", "c").outcome is Outcome.SCHEDULED


@pytest.mark.parametrize(("meaning", "outcome"), [("PRN", Outcome.PRN), ("not-packed", Outcome.NOT_PACKABLE)])
def test_a_word_may_mean_that_nothing_is_packed_ahead(world: World, meaning: str, outcome: Outcome) -> None:
    world.sheet(strange("a"))
    answer(world, meaning)
    assert world.get("orders", "a").outcome is outcome and world.all("doses") == []


def test_a_wrong_answer_is_changed_and_doses_under_way_follow(world: World) -> None:
    world.sheet(strange("a"))
    answer(world, "BID")
    world.at("06:15")
    before = world.dose("a")
    assert before.state is not DoseState.PLANNED
    told = answer(world, "DAILY")
    assert told.lines == 1 and world.get("orders", "a").version == 3
    live = [dose for dose in world.all("doses", order="a") if dose.state in (DoseState.PLANNED, DoseState.FROZEN)]
    assert {dose.version for dose in live} == {3} and len(live) == 1
    assert [fact["was"] for fact in world.facts("code-decided")] == ["", "BID"]


def test_an_announced_end_is_kept_when_a_line_is_judged_again(world: World) -> None:
    world.sheet(strange("a"))
    answer(world, "BID")
    ends = world.now.replace(hour=12)
    world.do(lambda unit: unit.orders.put(replace(unit.orders.get("a"), stopped_at=ends)))
    answer(world, "TID")
    assert world.get("orders", "a").stopped_at == ends
    assert all(dose.due < ends for dose in world.all("doses", order="a", state=DoseState.PLANNED))


def test_lines_that_ended_stay_as_they_were_decided(world: World) -> None:
    world.sheet(strange("a"))
    answer(world, "BID")
    world.stop(strange("a"))
    assert answer(world, "TID").lines == 0
    assert world.get("orders", "a").line.timing.code == "BID"


def test_routes_units_and_drugs_are_asked_and_answered_too(world: World) -> None:
    line = order_line("a")
    low = Quantity(line.dosages[0].dose[0].amount, "штучка") if line.dosages[0].dose else None
    assert low is not None
    dosage = replace(line.dosages[0], dose=(low, low), route="через рот")
    world.sheet(replace(line, drug=DrugCode("?Siofor 500"), drug_text="Siofor 500", dosages=(dosage,)))
    assert {(entry.kind, entry.code) for entry in world.all("code_entries")} == {
        (CodeKind.DRUG, "siofor 500"), (CodeKind.ROUTE, "через рот"), (CodeKind.UNIT, "штучка"),
    }  # fmt: skip
    suggested = next(row for row in board(world)["questions"] if row["kind"] == "drug")["suggestions"]
    assert suggested[0]["code"] == "PLAIN", "the likest is offered first, and taken by nobody but a person"
    assert world.get("orders", "a").line.drug == "?Siofor 500"
    assert answer(world, "PLAIN", CodeKind.DRUG, "Siofor 500").waiting == 1
    assert answer(world, "таб", CodeKind.UNIT, "штучка").waiting == 1
    assert answer(world, "внутрь", CodeKind.ROUTE, "через рот").planned == 1
    order = world.get("orders", "a")
    assert (order.outcome, order.line.drug, order.line.route, order.line.dose[0].unit) == (Outcome.SCHEDULED, "PLAIN", "внутрь", "tablet")


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"meaning": "вздор"}, "meaning"), ({"code": "никем не спрошено"}, "unknown-code"), ({"source": "nobody"}, "unknown-source")],
)
def test_what_may_not_be_answered_is_refused_and_changes_nothing(world: World, changes: dict[str, str], code: str) -> None:
    world.sheet(strange("a"))
    refusal = answer(world, **{"meaning": "BID", **changes})
    assert isinstance(refusal, Refusal) and refusal.code == code
    assert world.get("orders", "a").state is LineState.NEEDS_REVIEW and world.facts("code-decided") == []


def test_the_table_that_the_house_wrote_down_holds_until_a_person_says_otherwise(world: World) -> None:
    world.house = replace(world.house, codes={"hospital": {(CodeKind.FREQUENCY, STRANGE): "BID"}})
    world.sheet(strange("a"))
    assert world.get("orders", "a").outcome is Outcome.SCHEDULED and world.all("code_entries") == []
    assert answer(world, "DAILY").lines == 1
    assert world.get("orders", "a").line.timing.code == "DAILY"
    world.sheet(strange("b", patient=2))
    assert world.get("orders", "b").line.timing.code == "DAILY"


def test_another_source_s_words_are_its_own(world: World) -> None:
    world.house = replace(world.house, sources={**world.house.sources, "other": replace(world.house.sources["hospital"], name="other")})
    world.sheet(strange("a"))
    world.sheet(replace(strange("b", patient=2), source="other"), source="other")
    assert answer(world, "BID").lines == 1
    assert world.get("orders", "b").state is LineState.NEEDS_REVIEW


def test_the_board_is_as_long_as_a_person_can_read(world: World) -> None:
    world.sheet(*(order_line(f"o{number}", code=f"слово {number}") for number in range(MOST_SHOWN + 3)))
    shown = board(world)
    assert (len(shown["questions"]), shown["more"]) == (MOST_SHOWN, 3)


def test_the_board_names_no_patient(world: World) -> None:
    world.sheet(strange("a"))
    told = str(world.do(lambda unit: code_board(unit, world.house, no_drugs)))
    assert not [word for word in ("W-1", "Family1", "'p1'") if word in told]
