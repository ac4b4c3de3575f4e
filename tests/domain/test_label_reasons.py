"""What the labels refuse is told in Russian: every kind of refusal, as the labels themselves say it."""

from dataclasses import replace

import pytest

from hub.domain.label_reasons import label_reason_ru
from hub.domain.recorded_words import in_russian
from labels.documents import BadgeLabel, Language
from labels.errors import LabelError
from labels.layout import plan_label
from labels.template_file import template_of

BADGE = BadgeLabel(code="B-1", language=Language.RUSSIAN, name="Анна", role="Провизор")


def refused(**changes: str) -> str:
    """Return what the labels say of a badge that is wrong in one field."""
    with pytest.raises(LabelError) as found:
        plan_label(replace(BADGE, **changes))
    return str(found.value)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "王"}, "имя: в шрифте этикетки нет знака '王' (U+738B) из '王'"),
        ({"name": " "}, "имя: должно стоять на этикетке, но не заполнено"),
        ({"name": "Щ" * 90}, "имя или заголовок: "),
        ({"name": "Анна " * 60}, "имя или заголовок: "),
        ({"code": "Б-1"}, "код: сканеры читают от 1 до 20 знаков"),
    ],
)
def test_a_refusal_names_field_and_reason_in_russian(changes: dict[str, str], told: str) -> None:
    english = refused(**changes)
    assert label_reason_ru(english).startswith(told)
    assert in_russian(f"its label cannot be drawn: {english}").startswith(f"этикетку нельзя напечатать: {told}")


def test_a_template_that_is_not_there_and_an_unknown_sentence() -> None:
    with pytest.raises(LabelError) as found:
        template_of(BADGE.kind_of_label, 33)
    assert label_reason_ru(str(found.value)) == "нет шаблона badge-33, есть badge-60, badge-80"
    assert label_reason_ru("x-1.toml: note: missing") == "шаблон x-1.toml, note: missing"
    assert label_reason_ru("something new") == "something new"
    assert label_reason_ru("it does not read back as itself: nothing") == "код с рисунка не читается как он сам (nothing)"
