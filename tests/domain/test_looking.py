"""How long a pouch is looked at, and the codes of the command cards."""

from datetime import datetime, timedelta, timezone

import pytest

from hub.domain.commands import CARDS, REASONS, StationCommand, card_of, reason_words
from hub.domain.identifiers import UserId
from hub.domain.looking import Look, StationRules, figures_of, median, too_quick
from labels.serial import ALPHABET, SERIAL_LENGTH, check_value, is_valid_serial
from tests.said import english

AT = datetime(2026, 3, 2, 9, 0, tzinfo=timezone(timedelta(hours=3)))


def look(case: str, took_ms: int = 0, decision: str = "", person: str = "a", least_s: int = 5) -> Look:
    decided_at = AT + timedelta(milliseconds=took_ms) if decision else None
    return Look(case, UserId(person), AT, least_s, decided_at, decision)


@pytest.mark.parametrize(("after_ms", "words"), [(0, "0.0 s"), (4_999, "4.9 s"), (-60_000, "0.0 s")])
def test_it_is_too_quick_below_the_least_time_and_with_a_clock_set_back(after_ms: int, words: str) -> None:
    said = too_quick(look("c"), AT + timedelta(milliseconds=after_ms))
    assert said is not None and words in english(said) and "at least 5 s" in said.en and words.replace(".", ",")[:-2] in said.ru


def test_the_least_time_itself_is_enough() -> None:
    assert too_quick(look("c"), AT + timedelta(seconds=5)) is None
    rules = StationRules(least_s=3, least_high_alert_s=9)
    assert (rules.least_of(is_high_alert=False), rules.least_of(is_high_alert=True)) == (3, 9)


def test_figures_tell_the_median_and_what_is_near_the_least_time() -> None:
    looks = [look("1", 5_100, "accept"), look("2", 7_500, "accept"), look("3", 20_000, "accept"), look("4", 500, "reject"), look("5"), look("6", 9_000, "accept", "b")]
    first, second = figures_of(looks)
    assert (first.person, first.decided, first.accepted, first.median_ms, first.near_least) == ("a", 4, 3, 6_300, 2)
    assert (second.decided, second.median_ms, second.near_least) == (1, 9_000, 0)
    assert median([]) == 0 and median([3, 1, 2]) == 2


def test_each_card_proves_itself_and_is_no_serial() -> None:
    assert len({card.code for card in CARDS}) == len(CARDS)
    for card in CARDS:
        assert card.code.startswith("CMD") and ALPHABET[check_value(card.code[:-1])] == card.code[-1]
        assert len(card.code) != SERIAL_LENGTH and not is_valid_serial(card.code)
        assert english(card.words) and card_of(card.code) is card
    assert card_of("CMDACCEPTX") is None and card_of("") is None


def test_every_command_has_a_card_and_every_reason_one_of_its_own() -> None:
    assert {card.command for card in CARDS} == set(StationCommand)
    assert sorted(card.reason for card in CARDS if card.command is StationCommand.REASON) == sorted(REASONS)
    assert reason_words("broken").ru == "таблетка сломана" and reason_words("wet").said("ru") == "wet"
