"""Look-alike names on labels: capitals where they differ, in both alphabets, and found as before."""

from dataclasses import replace

import pytest

from hub.domain.codes import code_form
from hub.domain.drugs import Drug
from hub.domain.identifiers import DrugCode
from hub.domain.look_alikes import bare_name
from hub.domain.tall_names import tall_names_of, written_tall
from tests.services.small_world import PLAIN


def drug(code: str, inn: str, group: str, trade: str = "") -> Drug:
    return replace(PLAIN, code=DrugCode(code), inn=inn, trade_name=trade, look_alike_group=group)


@pytest.mark.parametrize(
    ("first", "second", "tall"),
    [
        ("Prednisone", "Prednisolone", ("predniSONE", "predniSOLONE")),
        ("Vinblastine sulfate", "Vincristine sulfate", ("vinBLAstine sulfate", "vinCRIstine sulfate")),
        ("Винбластин", "Винкристин", ("винБЛАстин", "винКРИстин")),
        ("Метопролол", "Бисопролол", ("МЕТопролол", "БИСопролол")),
    ],
)
def test_names_of_a_group_are_written_apart(first: str, second: str, tall: tuple[str, str]) -> None:
    names = tall_names_of([drug("1", first, "g"), drug("2", second, "g")])
    assert (written_tall(first, names), written_tall(second, names)) == tall


def test_names_that_nobody_confirmed_stay_as_they_are() -> None:
    names = tall_names_of([drug("1", "Prednisone", ""), drug("2", "Prednisolone", ""), drug("3", "Prednisolone", "g")])
    assert names == {}
    assert written_tall("Prednisone", names) == "Prednisone"


def test_names_that_have_nothing_in_common_are_not_written_in_capitals_throughout() -> None:
    assert tall_names_of([drug("1", "Zantac", "g"), drug("2", "Копринол", "g")]) == {}


def test_a_strength_of_one_drug_makes_no_pair_of_it_with_itself() -> None:
    assert tall_names_of([drug("1", "Prednisone", "g", "Deltasone"), drug("2", "Prednisone", "g", "Rayos")]) == {}


def test_capitals_of_the_directory_itself_are_kept() -> None:
    names = tall_names_of([drug("1", "Hydroxyzine", "g"), drug("2", "hydrALAZINE", "g")])
    assert written_tall("hydrALAZINE", names) == "hydrALAZINE"
    assert written_tall("Hydroxyzine", names) != "Hydroxyzine"


def test_an_abbreviation_in_capitals_keeps_them() -> None:
    names = tall_names_of([drug("1", "АЦЦ Лонг", "g"), drug("2", "Азалонг", "g")])
    assert "АЦЦ" in written_tall("АЦЦ Лонг", {"ацц лонг": "ацц лоНГ"})
    assert "АЦЦ" in written_tall("АЦЦ Лонг", names)
    assert written_tall("ПРЕДНИЗОЛОН", {"преднизолон": "преднизОЛОН"}) == "преднизОЛОН"


def test_a_letter_whose_capital_is_another_one_stays() -> None:
    assert written_tall("µпрепарат", {bare_name("µпрепарат"): bare_name("µпрепарат").upper()})[0] == "µ"


def test_yo_stays_and_the_name_is_found_as_before() -> None:
    names = tall_names_of([drug("1", "Алёзина", "g"), drug("2", "Алезона", "g")])
    tall = written_tall("Алёзина", names)
    assert tall.casefold() == "алёзина"
    assert tall != "Алёзина"
    assert code_form(tall) == code_form("Алёзина")
    assert bare_name(tall) == bare_name("Алёзина")
