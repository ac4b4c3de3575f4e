"""Every refusal says the same in both languages, and where the rule behind it is written."""

import ast
from pathlib import Path

import pytest

from hub.domain.packs import PackState
from hub.domain.refusals import SOURCES, Refusal
from hub.domain.state_words import state_ru

HUB = Path(__file__).parents[2] / "hub"
# What a broken connection says is passed on as it is; an error of a file says both sentences itself.
PASSED_ON = {"self.trouble"}
BOTH_OF_A_FILE = ["str(error)", "error.in_russian()"]


def _made() -> list[tuple[str, ast.Call]]:
    found = []
    for path in sorted(HUB.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refusal":
                found.append((f"{path.relative_to(HUB)}:{node.lineno}", node))
    return found


def _literal(argument: ast.expr) -> str:
    """Return the letters that an argument itself has, without what is put into it."""
    parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
    return "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))


@pytest.mark.parametrize(("where", "call"), _made(), ids=lambda each: each if isinstance(each, str) else "")
def test_a_refusal_is_written_in_both_languages(where: str, call: ast.Call) -> None:
    words = [ast.unparse(argument) for argument in call.args]
    if len(words) == 2 and words[1] in PASSED_ON:
        return
    assert len(words) == 3, f"{where}: {words}"
    if words[1:] == BOTH_OF_A_FILE:
        return
    english, russian = words[1:]
    assert not any("а" <= letter <= "я" for letter in english.lower())
    # What is written elsewhere (a variable, another answer's words) is held there.
    if any(letter.isalpha() for letter in _literal(call.args[2])):
        assert any("а" <= letter <= "я" for letter in russian.lower())


def test_it_is_told_with_its_source_and_falls_back_to_english() -> None:
    refusal = Refusal("recalled", "hand it back", "верните её")
    assert refusal.said("ru") == "верните её"
    assert refusal.told() == {"refused": "recalled", "reason": "hand it back", "reason_ru": "верните её", "source": SOURCES["recalled"]}
    assert Refusal("unheard-of", "no").said("ru") == "no"
    assert Refusal("unheard-of", "no").source == ""


def test_every_state_of_a_pack_has_a_russian_word() -> None:
    assert all(state_ru(state) != state.value for state in PackState)
