"""Pairs of names in the directory: what is shown of them, and what a pharmacist's decision changes."""

from dataclasses import replace

import pytest

from hub.domain.identifiers import CassetteId, DeviceId, DrugCode
from hub.domain.refusals import Refusal
from hub.domain.stock import Cassette, CassetteState
from hub.services.look_alikes import PairDecision, PairRuling, pair_board, rule_pair
from hub.services.set_up import enter_directory
from tests.services.small_world import PLAIN, World

VINCA = tuple(replace(PLAIN, code=DrugCode(f"V{number}"), inn=inn, trade_name="", group="") for number, inn in enumerate(("винбластин", "винкристин")))


def ruling(decision: PairDecision, first: str = "винбластин", second: str = "Винкристин") -> PairRuling:
    return PairRuling(first, second, decision, "seen on the shelf")


@pytest.fixture
def pharmacy(world: World) -> World:
    def enter(unit: object) -> None:
        unit.drugs.put_many(VINCA)  # type: ignore[attr-defined]
        for number, drug in enumerate(VINCA, start=40):
            place = Cassette(CassetteId(number), drug.code, DeviceId("packager-1"), number, 400, CassetteState.EMPTY)
            unit.cassettes.put(place)  # type: ignore[attr-defined]

    world.do(enter)
    return world


def shown(world: World) -> list[dict[str, object]]:
    return [row for row in world.do(pair_board) if row["first"] == "винбластин"]


def test_a_pair_is_shown_with_its_reasons_and_where_it_stands_side_by_side(pharmacy: World) -> None:
    (row,) = shown(pharmacy)
    assert (row["second"], row["tall_first"], row["tall_second"]) == ("винкристин", "винБЛАстин", "винКРИстин")
    assert row["first_items"] == ["V0"] and row["second_items"] == ["V1"] and row["confirmed"] is False
    assert row["neighbours"] == [{"device": "packager-1", "slots": [40, 41]}]
    assert "begin alike" in str(row["why"]) and "одинаково начинаются" in str(row["why_ru"])


def test_a_confirmed_pair_is_one_group_of_the_directory(pharmacy: World) -> None:
    assert pharmacy.do(lambda unit: rule_pair(unit, ruling(PairDecision.CONFIRM))) == 2
    assert {pharmacy.get("drugs", code).look_alike_group for code in ("V0", "V1")} == {"винбластин-винкристин"}
    assert shown(pharmacy)[0]["confirmed"] is True
    (fact,) = pharmacy.facts("look-alike-decided")
    assert (fact["decision"], fact["reason"], fact["drugs"]) == ("confirm", "seen on the shelf", ["V0", "V1"])


def test_a_dismissed_pair_is_not_flagged_any_more_until_it_is_confirmed(pharmacy: World) -> None:
    pharmacy.do(lambda unit: rule_pair(unit, ruling(PairDecision.DISMISS)))
    assert shown(pharmacy) == []
    pharmacy.do(lambda unit: rule_pair(unit, ruling(PairDecision.CONFIRM)))
    assert shown(pharmacy)[0]["confirmed"] is True
    assert pharmacy.get("drugs", "V0").told_apart == ""


def test_a_directory_that_is_entered_again_leaves_the_decision_standing(pharmacy: World) -> None:
    pharmacy.do(lambda unit: rule_pair(unit, ruling(PairDecision.DISMISS)))
    pharmacy.do(lambda unit: enter_directory(unit, "d.csv", VINCA))
    assert shown(pharmacy) == []


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [("винбластин", "гепарин", "no-pair"), ("винбластин", "винбластин", "no-pair"), ("clonidine", "clonazepam", "unknown-drug")],
)
def test_what_is_no_pair_of_the_directory_is_refused(pharmacy: World, first: str, second: str, code: str) -> None:
    refused = pharmacy.do(lambda unit: rule_pair(unit, ruling(PairDecision.CONFIRM, first, second)))
    assert isinstance(refused, Refusal) and (refused.code, bool(refused.text_ru)) == (code, True)
    assert pharmacy.facts("look-alike-decided") == []
