"""Every reason says the same in both languages and names its source; every rule and refusal stands once in the list of rules."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from hub.domain.allergies import Strength
from hub.domain.bedside import RefusalCode
from hub.domain.doses import Lane
from hub.domain.drugs import Coating, Drug, DrugClass, Form, Storage
from hub.domain.identifiers import DrugCode
from hub.domain.lane_words import why_lane, why_lane_of
from hub.domain.orders import LineState, OrderStatus, Outcome
from hub.domain.people import Action, Role
from hub.domain.people_words import ACTIONS_RU, ROLES_RU
from hub.domain.recorded_words import in_russian
from hub.domain.refusal_words import REFUSALS
from hub.domain.refusals import SOURCES
from hub.domain.rulings import RulingKind
from hub.domain.verdict_words import VerdictRule

HUB = Path(__file__).parents[2] / "hub"
RULES_PAGE = HUB.parent / "docs" / "rules.md"
FOLDERS = ("domain", "services")
PASSED_ON = re.compile(r"\w+(\.\w+)*\.(rule|name|value|rc)")
CONSTANT = re.compile(r'^([A-Z][A-Z_]*) = "([^"\n]*)"$', re.MULTILINE)
ROW = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
Call = tuple[Path, str, ast.Call]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def constants_of(path: Path) -> dict[str, str]:
    """Return the texts that a module gives a name in capitals."""
    return dict(CONSTANT.findall(path.read_text(encoding="utf-8")))


@cache
def constants() -> dict[str, set[str]]:
    """Return the same of all modules: a name may stand for several texts."""
    found: dict[str, set[str]] = {}
    for path in HUB.rglob("*.py"):
        for name, value in constants_of(path).items():
            found.setdefault(name, set()).add(value)
    return found


@cache
def calls_of(path: Path) -> list[tuple[str, ast.Call]]:
    """Return the calls in a file, each by the name that is called."""
    made = (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call))
    return [(call.func.id, call) for call in made if isinstance(call.func, ast.Name)]


def calls(name: str, folders: tuple[str, ...] = FOLDERS) -> Iterator[Call]:
    """Yield the calls of a name as (file, place, call)."""
    for folder in folders:
        for path in sorted((HUB / folder).rglob("*.py")):
            for called, call in calls_of(path):
                if called == name:
                    yield path, f"{path.relative_to(HUB)}:{call.lineno}", call


def named_by(path: Path, argument: ast.expr) -> set[str]:
    """Return the names that an argument stands for; empty where it is passed on from another rule or code."""
    if isinstance(argument, ast.Constant):
        return {str(argument.value)}
    if isinstance(argument, ast.IfExp):
        return named_by(path, argument.body) | named_by(path, argument.orelse)
    text = ast.unparse(argument)
    if text.startswith("RefusalCode."):
        return {RefusalCode[text.partition(".")[2]].value}
    if isinstance(argument, ast.Name) and argument.id.isupper():
        own = constants_of(path).get(argument.id)
        return {own} if own is not None else constants()[argument.id]
    assert isinstance(argument, ast.Name) or PASSED_ON.fullmatch(text), text
    return set()


def rules_of_code() -> set[str]:
    found = {rule.value for rule in (*Strength, *RulingKind, *VerdictRule)}
    for name in ("Reason", "reason", "Check"):
        for path, _, call in calls(name):
            found |= named_by(path, call.args[0])
    for folder in FOLDERS:
        for path in (HUB / folder).rglob("*.py"):
            found |= {value for name, value in constants_of(path).items() if name.startswith("RULE_")}
    return found


def codes_of_code() -> set[str]:
    made = calls("Refusal", ("domain", "services", "web", "adapters"))
    return {code for path, _, call in made for code in named_by(path, call.args[0])}


def part(title: str) -> str:
    text = RULES_PAGE.read_text(encoding="utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize(("where", "call"), [(where, call) for _, where, call in calls("Reason")])
def test_a_reason_has_both_sentences_and_a_source(where: str, call: ast.Call) -> None:
    assert len(call.args) >= 4 and {keyword.arg for keyword in call.keywords} <= {"about"}, where
    english, source, russian = (ast.unparse(argument) for argument in call.args[1:4])
    assert source not in ("''", '""'), where
    if isinstance(call.args[1], ast.Constant):
        assert not re.search("[а-яё]", english.lower()), where
    if isinstance(call.args[3], ast.Constant | ast.JoinedStr) and isinstance(call.args[1], ast.Constant):
        assert re.search("[а-яё]", russian.lower()), where


def test_every_rule_is_listed_once_and_no_other() -> None:
    listed = ROW.findall(part("Rules"))
    assert sorted(listed) == sorted(set(listed))
    assert set(listed) == rules_of_code()


def test_every_refusal_is_listed_once_with_its_source() -> None:
    listed = ROW.findall(part("Refusals"))
    assert sorted(listed) == sorted(set(listed)) and set(listed) == set(REFUSALS)
    for code, (english, _) in REFUSALS.items():
        assert f"| `{code}` | {english} | {SOURCES[code]} |" in part("Refusals"), code


def test_every_refusal_of_the_code_has_words_and_a_source() -> None:
    assert codes_of_code() - set(REFUSALS) == set()
    assert all(SOURCES.get(code) for code in REFUSALS)
    assert all(re.search("[а-яё]", russian.lower()) and not re.search("[а-яё]", english.lower()) for english, russian in REFUSALS.values())


def test_a_role_and_a_deed_have_russian_words() -> None:
    assert set(ROLES_RU) == set(Role) and set(ACTIONS_RU) == set(Action)


@pytest.mark.parametrize(
    ("recorded", "russian"),
    [
        ("the order was stopped", "назначение отменено"),
        ("the patient died at 10:00 on 02.03.2026", "пациент умер 02.03.2026 в 10:00"),
        ("the patient moved to Surgery, room 5", "пациент переведён: Surgery, палата 5"),
        ("the order was stopped; came back opened", "назначение отменено; вернулась вскрытой"),
        ("not given in time; expired on 2026-03-01", "не дана вовремя; срок годности истёк 2026-03-01"),
        ("refused: stays in the ward's stock", "пациент отказался: остаётся в запасе отделения"),
        ("dropped on the floor", "dropped on the floor"),
    ],
)
def test_a_recorded_reason_is_told_in_russian_and_a_person_s_own_words_stay(recorded: str, russian: str) -> None:
    assert in_russian(recorded) == russian


def test_reasons_of_an_order_are_told_in_their_own_russian() -> None:
    known = {"the course is over": "курс окончен"}
    assert in_russian("the course is over; came back opened", known) == "курс окончен; вернулась вскрытой"


@pytest.mark.parametrize("state", [*OrderStatus, *LineState, *Outcome])
def test_every_way_an_order_ends_has_its_russian(state: OrderStatus | LineState | Outcome) -> None:
    if state.value not in ("scheduled", "once", "draft"):
        assert in_russian(f"the order is {state.value}") != f"the order is {state.value}"


def test_every_lane_says_why_and_the_tray_says_which_of_its_reasons() -> None:
    tablet = Drug(
        code=DrugCode("X"), inn="x", trade_name="X", form=Form.TABLET, strength="5 mg", unit="tablet", group="", drug_class=DrugClass.ORDINARY,
        high_alert=False, hazardous=False, look_alike_group="", storage=Storage.ROOM, divisible_by=1, prepack_allowed=False, price=None,
        coating=Coating.PLAIN,
    )  # fmt: skip
    assert all(why_lane_of(lane, tablet, "PO").text_ru and why_lane(lane).source for lane in Lane)
    assert "maker's package" in why_lane_of(Lane.TRAY, tablet, "PO").text
