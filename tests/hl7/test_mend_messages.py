"""Dated changes, visits, allergies and shared numbers of messages: nothing acts before its time, on another visit or on half of a number."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hl7_messages import DRUGS, FEED, MOSCOW, PID, PV1, adt, message, order, rde

from hub.adapters.bookkeeping import Setting
from hub.adapters.feeds.hl7_desk import MessageDesk
from hub.adapters.intake.hl7.problems import Problem
from hub.adapters.intake.hl7.reading import MessageReader, read_hl7
from hub.domain.orders import LineState, OrderLine, OrderSheet, SourceSettings
from tests.said import english
from tests.services.small_world import World

HIS = SourceSettings("his", False, False, 3, False, ("intensive care",), 3)
TWICE = "1||BID||||20260302060000"
RXE = "RXE||PLAIN^metformin|1||TAB"
OTHER = "RXE||TWIN^carvedilol|1||TAB"
CLINIC = "PV1|1|O|CLINIC^1^1||||||||||||||||V9"


class Feed:
    """A source of messages without a wire; `ask` returns the problem of a message, or None."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder, stocked=False)
        self.world.house = replace(self.world.house, sources={"his": HIS})
        self.world.at("06:35")
        self.desk = MessageDesk("his", self.world.house)
        self.number = 0

    def ask(self, text: str) -> Problem | None:
        self.number += 1
        data = text.replace("|C1|", f"|K{self.number}|").replace("|D1|", f"|K{self.number}|").encode()

        def taken(unit: Any) -> Problem | None:
            drugs = {drug.code: drug for drug in unit.drugs.where()}
            read = MessageReader("", HIS, drugs, MOSCOW).read(data, "")
            return self.desk.take(unit, read, hashlib.sha256(data).hexdigest()).verdict.problem

        return self.world.do(taken)

    def doses(self, name: str = "his:A1") -> list[tuple[int, int]]:
        """Return hour and units of the doses of an order that are still wanted."""
        found = self.world.all("doses", order=name, state=["planned", "frozen", "packed"], order_by="due")
        return [(dose.due.astimezone(MOSCOW).hour, dose.units) for dose in found]

    def state(self, name: str = "his:A1") -> LineState:
        return LineState(self.world.get("orders", name).state)

    def asked(self, kind: str) -> list[str]:
        return [review.reasons[0] for review in self.world.all("reviews", kind=kind)]


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    feed = Feed(tmp_path)
    yield feed
    feed.world.close()


def plain(number: str = "A1", control: str = "NW", orc: str = "", rxe: str = RXE, tq1: str = TWICE) -> str:
    return rde(*order(number, control=control, rxe=rxe, tq1=tq1, orc=orc))


def later(text: str, sent: str) -> str:
    """Return a message that was sent at another minute of the second of March."""
    return text.replace("20260302063000+0300", f"20260302{sent}00+0300")


def dated(control: str, when: str, number: str = "A1") -> str:
    """Return a change without content whose ORC-15 is set."""
    return rde(f"ORC|{control}|{number}{'|' * 13}{when}")


def edited(when: str = "", tq1: str = TWICE, units: int = 2) -> str:
    return plain(control="XO", orc="|" * 12 + when if when else "", rxe=RXE.replace("|1|", f"|{units}|"), tq1=tq1)


@pytest.mark.parametrize("when", ["20260302", "202603020625"])
def test_a_change_that_holds_from_today_or_from_some_minutes_ago_counts(feed: Feed, when: str) -> None:
    feed.ask(plain())
    feed.world.at("06:45")
    assert feed.ask(later(edited(when), "0640")) is None and feed.doses() == [(8, 2), (20, 2)]
    assert feed.ask(later(dated("HD", when), "0641")) is None and feed.state() is LineState.ON_HOLD
    assert feed.ask(later(dated("DC", when), "0642")) is None and feed.state() is LineState.STOPPED
    assert feed.doses() == []


def test_a_change_that_was_said_before_newer_news_stays_overtaken(feed: Feed) -> None:
    feed.ask(later(plain(), "0634"))
    assert feed.ask(later(edited("20260302"), "0620")) is None
    assert feed.doses() == [(8, 1), (20, 1)]


@pytest.mark.parametrize("change", [edited("202603030800"), dated("HD", "202603030800"), edited(tq1="1||BID||||20260303080000")])
def test_a_change_of_tomorrow_leaves_today_and_is_asked_about(feed: Feed, change: str) -> None:
    feed.ask(plain())
    assert feed.ask(change) is None
    assert feed.doses() == [(8, 1), (20, 1)] and feed.state() is LineState.ACTIVE
    (told,) = feed.asked("change-announced")
    assert "from 08:00 on 03.03.2026" in told
    assert feed.world.get("orders", "his:A1").stopped_at == datetime(2026, 3, 3, 8, tzinfo=MOSCOW)


def test_a_change_of_this_evening_takes_the_evening_alone_and_counts_when_it_is_told_again(feed: Feed) -> None:
    feed.ask(plain())
    feed.ask(edited("202603021400"))
    assert feed.doses() == [(8, 1)]
    feed.world.at("14:05")
    assert feed.ask(later(edited(), "1405")) is None
    assert feed.doses() == [(8, 1), (20, 2)] or feed.doses() == [(20, 2)]
    assert feed.state() is LineState.ACTIVE


def test_a_stop_comes_through_after_an_announced_change(feed: Feed) -> None:
    feed.ask(plain())
    feed.ask(edited("202603021400"))
    assert feed.ask(dated("DC", "20260302")) is None
    assert feed.doses() == [] and feed.state() is LineState.STOPPED


def test_a_release_after_an_announced_hold_is_not_passed_over(feed: Feed) -> None:
    feed.ask(plain())
    feed.ask(dated("HD", "202603021400"))
    feed.world.at("14:05")
    assert feed.ask(later(rde("ORC|RL|A1"), "1405")) is None
    assert any("told of again as it was" in told for told in feed.asked("change-announced"))


def test_an_unknown_order_that_is_told_for_later_has_no_dose_before(feed: Feed) -> None:
    feed.ask(edited("202603021400"))
    assert feed.doses() == [(20, 2)]


def test_listed_allergies_outlive_what_messages_say(feed: Feed) -> None:
    feed.world.do(lambda unit: unit.settings.put(Setting("allergies:his", '{"P1": ["penicillin"]}')))
    feed.ask(adt("A01"))
    assert feed.world.get("patients", "P1").allergies == ("penicillin",)
    feed.ask(adt("A08", PID, PV1, "AL1|1|DA|NKDA"))
    assert feed.world.get("patients", "P1").allergies == ("penicillin",)


def test_single_allergies_are_added_and_taken_back_one_by_one(feed: Feed) -> None:
    told = []
    for segments in (
        ("AL1|1|DA|^penicillin|SV", "AL1|2|DA|^aspirin"), ("IAM|1||^latex||x|A",), ("IAM|1||^aspirin||x|D",), ("IAM|1||^penicillin||x|U",), ("IAM|1||^penicillin||x|D",),
        ("IAM|1||^latex||x|X",),
    ):  # fmt: skip
        feed.ask(adt("A08", PID, PV1, *segments))
        told.append(feed.world.get("patients", "P1").allergies)
    severe = "penicillin (severity severe)"
    assert told == [(severe, "aspirin"), (severe, "aspirin", "latex"), (severe, "latex"), (severe, "latex", "penicillin"), ("latex",), ("latex",)]


def test_a_visit_to_a_clinic_moves_and_ends_no_stay_in_a_ward(feed: Feed) -> None:
    feed.ask(adt("A01"))
    feed.ask(plain())
    here = feed.world.get("stays", "P1")
    for event in ("A04", "A08", "A02", "A13", "A03"):
        assert feed.ask(adt(event, PID, CLINIC)) is None
        assert feed.world.get("stays", "P1") == here
    assert feed.ask(message(PID, CLINIC, *order("A2", rxe=OTHER, tq1=TWICE))) is None
    assert feed.world.get("stays", "P1") == here and len(feed.doses()) == 2 and len(feed.doses("his:A2")) == 2
    assert any("the visit V9 is not the stay V7" in fact["reason"] for fact in feed.world.facts("row-rejected"))


def test_news_of_another_visit_to_a_ward_move_nobody_and_are_asked_about(feed: Feed) -> None:
    feed.ask(adt("A01"))
    here = feed.world.get("stays", "P1")
    problem = feed.ask(adt("A08", PID, PV1.replace("V7", "V6").replace("CARD", "SURG")))
    assert problem is not None and "no admission was told of" in problem.text and feed.world.get("stays", "P1") == here
    assert feed.ask(adt("A01", PID, PV1.replace("V7", "V8").replace("CARD", "SURG"))) is None
    assert feed.world.get("stays", "P1").department == "SURG"


def test_a_visit_to_a_clinic_opens_no_stay_that_is_over(feed: Feed) -> None:
    feed.ask(adt("A01"))
    feed.ask(adt("A03", told="20260302063100"))
    over = feed.world.get("stays", "P1")
    assert over.finished_at is not None
    feed.ask(adt("A04", PID, CLINIC))
    assert feed.world.get("stays", "P1") == over
    problem = feed.ask(adt("A13", PID, PV1.replace("V7", "V6")))
    assert problem is not None and str(problem.place) == "PV1-19"
    assert feed.world.get("stays", "P1") == over
    assert feed.ask(adt("A01", PID, PV1.replace("V7", "V8"), told="20260302063300")) is None
    assert feed.world.get("stays", "P1").finished_at is None


GIVES = [part for hour in ("09", "17") for part in ("ORC|NW|50", f"RXG|{hour}|||PLAIN|1||TAB", f"TQ1|1||||||20260302{hour}00", "RXR|PO")]


def test_an_order_known_by_its_gives_is_not_planned_beside_them_and_is_stopped_with_them(feed: Feed) -> None:
    assert feed.ask(message(PID, PV1, *GIVES, kind="RGV^O15")) is None
    problem = feed.ask(plain("50"))
    assert problem is not None and problem.text.startswith("single gives of the order his:50 are planned here")
    assert feed.world.get("orders", "his:50") is None
    assert feed.doses("his:50/give/09") == [(9, 1)]
    assert feed.ask(rde("ORC|DC|50")) is None
    assert feed.doses("his:50/give/09") == feed.doses("his:50/give/17") == []
    assert feed.ask(plain("50")) is None and len(feed.doses("his:50")) == 2


def test_two_orders_of_a_number_are_never_one(feed: Feed) -> None:
    feed.ask(plain("77"))
    both = rde(*order("77", control="XO", rxe=RXE, tq1=TWICE), *order("77", control="XO", rxe=OTHER, tq1=TWICE))
    problem = feed.ask(both)
    assert problem is not None and problem.text.startswith("a new order has the number of his:77")
    assert len(feed.doses("his:77")) == 2 and feed.world.get("orders", "his:77").line.drug == "PLAIN"


def test_a_stop_without_a_drug_stops_all_of_its_number(feed: Feed) -> None:
    feed.ask(rde(*order("7", rxe=RXE, tq1=TWICE), *order("7", rxe=OTHER, tq1=TWICE)))
    feed.ask(plain("71", rxe="RXE||ALERT^warfarin|1||TAB"))
    assert len(feed.doses("his:7/PLAIN")) == len(feed.doses("his:7/TWIN")) == 2
    assert feed.ask(rde("ORC|DC|7")) is None
    assert [feed.state("his:7/PLAIN"), feed.state("his:7/TWIN"), feed.state("his:71")] == [LineState.STOPPED, LineState.STOPPED, LineState.ACTIVE]


@pytest.mark.parametrize("control", ["RP", "XO", "NW"])
def test_an_order_that_does_not_say_what_it_is_is_refused(feed: Feed, control: str) -> None:
    feed.ask(plain("7"))
    problem = feed.ask(rde(f"ORC|{control}|7"))
    assert problem is not None and (str(problem.place), "without any RXE" in problem.text) == ("ORC-1", True)
    assert feed.state("his:7") is LineState.ACTIVE and len(feed.doses("his:7")) == 2


@pytest.mark.parametrize(
    ("text", "place", "code"),
    [(adt(event, PID), "PV1", "100") for event in ("A01", "A02", "A03", "A04", "A11", "A12", "A13")]
    + [(adt(event, PID, "PV1|1|I|||||||||||||||||V7"), "PV1-3", "101") for event in ("A01", "A02", "A12", "A13")],
)
def test_a_movement_without_its_visit_or_its_place_is_refused(text: str, place: str, code: str) -> None:
    problem = MessageReader("", FEED, DRUGS, MOSCOW).read(text.encode(), "").problem
    assert problem is not None and (str(problem.place), problem.code) == (place, code)


def test_news_and_a_notice_of_death_need_no_visit() -> None:
    reader = MessageReader("", FEED, DRUGS, MOSCOW)
    assert reader.read(adt("A08", PID).encode(), "").problem is None
    assert reader.read(adt("A03", PID + "|" * 21 + "202603020400|Y").encode(), "").problem is None


@pytest.mark.parametrize("field", [3, 4])
def test_several_amounts_are_named(line_of: Callable[..., OrderLine], field: int) -> None:
    rxe = "RXE||MET500|1~2||TAB" if field == 3 else "RXE||MET500|1|2~3|TAB"
    assert any(told.startswith(f"RXE-{field} has several amounts") for told in english(line_of(rde(*order(rxe=rxe))).unsupported))


def test_a_file_stops_all_of_a_number_and_keeps_two_orders_apart(sheet_of: Callable[..., OrderSheet]) -> None:
    war = "RXE||WAR5^warfarin|1||TAB"
    stopped = sheet_of(rde(*order("7"), *order("7", rxe=war)), rde("ORC|DC|7"))
    assert {line.id: line.status.value for line in stopped.lines} == {"his:7/MET500": "stopped", "his:7/WAR5": "stopped"}
    apart = sheet_of(rde(*order("7")), rde(*order("7", control="XO"), *order("7", control="XO", rxe=war)))
    assert {line.id: line.drug for line in apart.lines} == {"his:7": "MET500", "his:7/WAR5": "WAR5"}


def test_a_file_dates_an_end_of_tomorrow_as_an_end() -> None:
    data = (rde(*order("7")) + dated("DC", "202603031200", "7")).encode()
    sheet = read_hl7("f.hl7", data, FEED, DRUGS, zone=MOSCOW)
    (end,) = [change for change in sheet.changes if change.line is not None and change.line.status.value == "stopped"]
    assert (end.at, end.told_at) == (datetime(2026, 3, 3, 12, tzinfo=MOSCOW), datetime(2026, 3, 2, 6, 30, tzinfo=MOSCOW))
