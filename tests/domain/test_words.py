"""Words in both languages: everything that intake says stands in English and in Russian beside each other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.domain.words import Unfit, Words, place_ru, words_of

HUB = Path(__file__).parents[2] / "hub"
_LATIN, _CYRILLIC = re.compile(r"[A-Za-z]{2}"), re.compile(r"[А-Яа-яЁё]")


def _written() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(HUB.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "Words(" not in text and "Unfit(" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Words", "Unfit"):
                yield f"{path.relative_to(HUB)}:{node.lineno}", node


def _text(argument: ast.expr) -> str:
    """Return the letters that the code itself writes into an argument; what is put in between, by a name or a call, is not known here."""
    if isinstance(argument, ast.Call) and isinstance(argument.func, ast.Attribute) and argument.func.attr == "said":
        return ""
    if isinstance(argument, ast.Constant):
        return argument.value if isinstance(argument.value, str) else ""
    return " ".join(_text(part) for part in ast.iter_child_nodes(argument) if isinstance(part, ast.expr))


def _wrong(call: ast.Call) -> str:
    if len(call.args) != 2 or any(keyword.arg != "about" for keyword in call.keywords):
        return "it has to have two sentences"
    english, russian = map(_text, call.args)
    if _CYRILLIC.search(english):
        return f"English comes first: {english}"
    return f"there is no Russian beside: {english}" if _LATIN.search(english) and not _CYRILLIC.search(russian) else ""


def test_all_words_are_written_in_latin_letters_first_and_in_cyrillic_ones_second() -> None:
    written = list(_written())
    assert len(written) > 200
    assert [(where, wrong) for where, call in written if (wrong := _wrong(call))] == []


@pytest.mark.parametrize("code", ['Words("a rate", "a rate")', 'Words("скорость", "a rate")', 'Words("a rate")', 'Unfit(f"{x} is none", f"{x}")'])
def test_words_in_one_language_are_found(code: str) -> None:
    (call,) = (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call))
    assert _wrong(call)


def test_each_language_is_said() -> None:
    assert (Words("a rate", "скорость").said("en"), Words("a rate", "скорость").said("ru")) == ("a rate", "скорость")


def test_why_a_text_does_not_fit_is_told_in_both_languages() -> None:
    assert words_of(Unfit("'x' is not an amount", "«x» — не количество")) == Words("'x' is not an amount", "«x» — не количество")
    assert words_of(ValueError("no such day")) == Words("no such day", "значение не читается")
    assert str(Unfit("'x' is not an amount", "«x» — не количество")) == "'x' is not an amount"


@pytest.mark.parametrize(
    ("place", "russian"),
    [
        ("day.csv line 3", "day.csv строка 3"),
        ("entry 4 entry 2", "запись 4 запись 2"),
        ("entry 3, entry 5", "запись 3, запись 5"),
        ("message 1, order 2", "сообщение 1, назначение 2"),
        ("row 3", "строка 3"),
        ("order 5.csv line 3", "order 5.csv строка 3"),
        ("last line 5x", "last line 5x"),
        ("headline 5", "headline 5"),
        ("", ""),
    ],
)
def test_a_place_in_a_file_is_told_in_russian(place: str, russian: str) -> None:
    assert place_ru(place) == russian
