"""An alarm whose cause lasts stays open; one whose cause comes again after it was closed is raised anew."""

from hub.domain.refusals import Refusal
from hub.services.feeds import HELD, REFUSED, UNLISTED, clear_alarm, end_held, file_refused, hold_sheet, note_unlisted
from tests.feeds.feed_world import SOURCE, FeedWorld, csv_sheet
from tests.services.small_world import order_line

DIGEST = "ab" * 32
DAY = "2026-03-02"


def unlisted(fed: FeedWorld, *listed: str) -> None:
    fed.world.do(lambda unit: note_unlisted(unit, SOURCE, set(listed), DAY))


def test_the_question_about_unlisted_orders_stays_open_while_they_are_not_listed(fed: FeedWorld) -> None:
    fed.world.sheet(order_line("o1"), order_line("o2", 2))
    unlisted(fed, "o1")
    (first,) = fed.alarms()
    unlisted(fed, "o1")
    assert fed.alarms() == [first] and first.kind == UNLISTED
    unlisted(fed, "o1", "o2")
    assert fed.alarms() == []
    unlisted(fed, "o1")
    (again,) = fed.alarms()
    assert again.id != first.id and again.text == first.text


def test_other_orders_that_are_not_listed_are_another_question_of_the_same_day(fed: FeedWorld) -> None:
    fed.world.sheet(order_line("o1"), order_line("o2", 2))
    unlisted(fed, "o1")
    unlisted(fed, "o2")
    (alarm,) = fed.alarms()
    assert "o1 metformin" in alarm.text and "o2" not in alarm.text


def test_a_held_sheet_that_was_discarded_and_comes_again_asks_again(fed: FeedWorld) -> None:
    stump = Refusal("suspiciously-small", "few", "мало")
    for _ in range(3):
        for _ in range(2):
            fed.world.do(lambda unit: hold_sheet(unit, SOURCE, "stump.csv", DIGEST, stump))
        assert fed.kinds() == [HELD]
        fed.world.do(lambda unit: end_held(unit, DIGEST, "discarded"))
        assert fed.kinds() == []


def test_a_refused_file_that_is_sent_again_is_told_again(fed: FeedWorld) -> None:
    for _ in range(2):
        fed.world.do(lambda unit: file_refused(unit, SOURCE, "x.csv", DIGEST, Refusal("unreadable", "cut off", "обрывается")))
        (alarm,) = fed.alarms()
        assert alarm.kind == REFUSED
        fed.world.do(lambda unit, alarm=alarm: clear_alarm(unit, alarm.id, "asked the sender"))
    assert fed.alarms() == []


def test_an_older_sheet_from_the_folder_is_held(fed: FeedWorld) -> None:
    old, new = csv_sheet("1", "2"), csv_sheet("1", "2", amount="2")
    for data in (old, new, old):
        fed.desk.take(SOURCE, "ward.csv", data)
        fed.later(minutes=5)
    (alarm,) = fed.alarms()
    assert alarm.kind == HELD and "newer sheet changed" in alarm.text and fed.desk.held(alarm.id.rpartition(":")[2]) is not None
