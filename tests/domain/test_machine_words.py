"""Every question about machines and labels has its Russian: whole, with the same names and numbers."""

import re

import pytest

from hub.domain.machine_words import QUESTIONS_RU
from hub.domain.recorded_words import in_russian

ASKED = (
    ("packager-1 let a pouch out that was not verified.", "packager-1 выпустил непроверенный пакет."),
    ("Cassette 3 gave 2 more than the books say it held.", "Кассета 3 выдала на 2 больше, чем числилось."),
    (
        "packager-1 was told that 2 fell; a person here had counted 1.",
        "packager-1 получил ответ, что упало 2; здесь человек насчитал 1.",
    ),
    (
        "Throw away what came; once this is settled it is printed anew.",
        "Выбросьте то, что вышло; после решения она будет напечатана снова.",
    ),
    (
        "Throw away what came; once this is settled a new label with another number is printed, and the old one is refused.",
        "Выбросьте то, что вышло; после решения будет напечатана новая этикетка с другим номером, а прежнюю система не примет.",
    ),
    ("packager-1 speaks of job j-7 (dropped), which packager-2 has.", "packager-1 сообщает о задании j-7 (dropped), а оно у packager-2."),
)


@pytest.mark.parametrize(("english", "russian"), ASKED)
def test_a_question_is_told_in_russian(english: str, russian: str) -> None:
    assert in_russian(english) == russian


@pytest.mark.parametrize(("pattern", "russian"), QUESTIONS_RU)
def test_the_russian_names_all_that_the_english_names(pattern: str, russian: str) -> None:
    groups = re.compile(pattern).groups
    assert {int(place) for place in re.findall(r"\{(\d)\}", russian)} == set(range(groups))
    assert re.search("[а-яё]", russian)
