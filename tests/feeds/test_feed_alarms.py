"""Silence, stumps and failures: an alarm once a cause, in both languages, and no order ends by any of them."""

from dataclasses import replace

from hub.domain.orders import LineState
from hub.domain.refusals import Refusal
from hub.services.feeds import (
    ABSENT,
    FAILING,
    HELD,
    LATE,
    UNLISTED,
    check_feeds,
    clear_alarm,
    end_held,
    feed_failed,
    hold_sheet,
    note_unlisted,
    pull_worked,
    refuse_stump,
    sheet_came,
)
from tests.feeds.feed_world import SOURCE, FeedWorld, csv_sheet
from tests.services.small_world import order_line


def came(fed: FeedWorld, orders: int, name: str = "sheet") -> None:
    fed.world.do(lambda unit: sheet_came(unit, fed.world.house, SOURCE, name, orders))


def check(fed: FeedWorld) -> int:
    return fed.world.do(lambda unit: check_feeds(unit, fed.world.house))


def test_a_sheet_that_is_not_there_in_time_is_an_alarm_once(fed: FeedWorld) -> None:
    fed.later(minutes=29)
    assert check(fed) == 0  # yesterday's was due before the hub was there
    fed.later(minutes=1)
    assert check(fed) == 1
    assert check(fed) == 0
    assert fed.kinds() == [ABSENT]
    alarm = fed.alarms()[-1]
    assert alarm.text.startswith("The sheet of hospital was due by 06:30 on 02.03.2026 and is not here (never).")
    assert alarm.said("ru").startswith("Лист hospital ожидался к 06:30 02.03.2026 и не пришёл (не было ни одного).")


def test_the_next_sheet_ends_the_alarm_and_a_late_one_is_told(fed: FeedWorld) -> None:
    fed.later(minutes=72)
    check(fed)
    came(fed, 10)
    assert fed.kinds() == [LATE]
    assert "came 42 min late (due by 06:30)" in fed.alarms()[0].text
    assert "с опозданием на 42 мин" in fed.alarms()[0].text_ru
    assert check(fed) == 0
    fed.later(minutes=5)
    came(fed, 10, "again")  # a second one of the same morning is not late
    assert fed.alarms() == []


def test_a_late_sheet_does_not_stand_for_the_next_days(fed: FeedWorld) -> None:
    fed.later(hours=4)
    came(fed, 10)
    fed.later(hours=20, minutes=29)
    assert check(fed) == 0
    fed.later(minutes=1)
    assert check(fed) == 1
    assert fed.kinds() == [LATE, ABSENT]
    assert "last at 10:00 on 02.03.2026" in fed.alarms()[1].text


def test_silence_and_failures_end_no_order(fed: FeedWorld) -> None:
    fed.world.sheet(order_line("o1"), order_line("o2", 2))
    before = fed.orders()
    check(fed)
    fed.later(hours=8)
    check(fed)
    fed.world.do(lambda unit: feed_failed(unit, SOURCE, "the server answers 503", "сервер отвечает 503"))
    fed.world.do(lambda unit: note_unlisted(unit, SOURCE, {"o1"}, "2026-03-02"))
    assert fed.orders() == before
    assert {order.state for order in before.values()} == {LineState.ACTIVE}
    assert fed.kinds() == [ABSENT, FAILING, UNLISTED]
    unlisted = fed.alarms()[2]
    assert "does not list 1 orders in force any more; they stay in force" in unlisted.text
    assert "o2 metformin" in unlisted.text
    assert "o1" not in unlisted.text
    assert "Они остаются в силе" in unlisted.text_ru


def test_a_failure_is_one_alarm_until_it_works_again(fed: FeedWorld) -> None:
    for reason in ("timed out", "the server answers 503", "timed out"):
        fed.world.do(lambda unit, reason=reason: feed_failed(unit, SOURCE, reason, "сбой"))
        fed.later(minutes=5)
    assert fed.kinds() == [FAILING]
    assert fed.feed().problem == "timed out"
    fed.world.do(lambda unit: pull_worked(unit, SOURCE))
    assert (fed.kinds(), fed.feed().problem) == ([], "")
    fed.world.do(lambda unit: feed_failed(unit, SOURCE, "timed out", "нет ответа"))
    assert fed.kinds() == [FAILING]


def test_orders_that_are_listed_again_are_no_question_any_more(fed: FeedWorld) -> None:
    fed.world.sheet(order_line("o1"), order_line("o2", 2))
    fed.world.do(lambda unit: note_unlisted(unit, SOURCE, {"o1"}, "2026-03-02"))
    assert fed.world.do(lambda unit: note_unlisted(unit, SOURCE, {"o1", "o2"}, "2026-03-03")) == 0
    assert fed.alarms() == []


def test_a_person_clears_an_alarm_with_a_reason_but_no_held_sheet(fed: FeedWorld) -> None:
    fed.world.do(lambda unit: feed_failed(unit, SOURCE, "timed out", "нет ответа"))
    stump = Refusal("suspiciously-small", "few", "мало")
    fed.world.do(lambda unit: hold_sheet(unit, SOURCE, "x.csv", "ab" * 32, stump))
    failing, held = fed.alarms()
    assert (held.text, held.text_ru) == ("The sheet x.csv of hospital is held and not taken in. few", "Лист x.csv источника hospital задержан и не принят. мало")

    def clear(alarm: str, reason: str) -> object:
        answer = fed.world.do(lambda unit: clear_alarm(unit, alarm, reason), "u-pharmacist")
        return answer.code if isinstance(answer, Refusal) else answer

    assert clear(failing.id, "  ") == "reason"
    assert clear("nothing", "seen") == "unknown-alarm"
    assert clear(held.id, "seen") == "sheet-held"
    assert clear(failing.id, "the cable") == replace(failing, closed=True)
    assert clear(failing.id, "the cable") == "unknown-alarm"
    assert fed.kinds() == [HELD]
    came(fed, 10)
    assert fed.kinds() == [HELD]  # a newer sheet does not answer for it
    assert fed.world.do(lambda unit: end_held(unit, "ab" * 32, "discarded")) == replace(held, closed=True)
    assert fed.world.do(lambda unit: end_held(unit, "ab" * 32, "discarded")).code == "unknown-sheet"  # type: ignore[union-attr]


def test_a_stump_of_a_sheet_is_refused_until_somebody_confirmed_it(fed: FeedWorld) -> None:
    desk, world = fed.intake, fed.world
    assert world.do(lambda unit: desk.sheet(unit, SOURCE, "a.csv", csv_sheet("1", "2", "3", "4", "5")))["orders"] == 5
    before = fed.orders()
    stump = csv_sheet("1", "2")
    refused = world.do(lambda unit: desk.sheet(unit, SOURCE, "b.csv", stump))
    assert refused.code == "suspiciously-small"
    assert refused.text.startswith("b.csv: it has 2 orders, hospital usually sends 5;")
    assert refused.text_ru.startswith("b.csv: в листе назначений 2, обычно источник hospital присылает 5;")
    assert fed.orders() == before
    assert fed.feed().counts == (5,)
    assert world.do(lambda unit: desk.sheet(unit, SOURCE, "b.csv", stump, confirmed=True))["orders"] == 2
    assert fed.feed().counts == (5, 2)
    assert set(fed.orders()) == set(before)
    assert all(order.state is LineState.ACTIVE for order in fed.orders().values())
    assert world.do(lambda unit: refuse_stump(unit, world.house, SOURCE, "c", 2)) is None
