"""Orders: ids, controls, doses, timings of both styles, and that nothing is dropped."""

from collections.abc import Callable
from datetime import time
from fractions import Fraction

import pytest
from hl7_messages import PID, PV1, RXE, at, message, order, rde

from hub.domain.orders import OrderLine, OrderSheet, OrderStatus
from hub.domain.quantities import Quantity
from hub.domain.timing import PeriodUnit, Repeat, Span, Timing
from tests.said import english

Line = Callable[..., OrderLine]
Sheet = Callable[..., OrderSheet]
SEVEN_DAYS = Span(Fraction(7), PeriodUnit.DAY)


def test_a_whole_order(line_of: Line) -> None:
    orc = "F1^PHARM||||||20260302060000|||D9^Петров^Пётр"
    line = line_of(rde(*order(orc=orc, tq1="1||BID^Twice a day^HL70335|||7^D|20260302080000||R")))
    assert (line.id, line.patient, line.drug, line.drug_text) == ("his:HIS:A1", "P1", "MET500", "Metformin 500 mg")
    assert (line.dose, line.route, line.timing) == ((Quantity(Fraction(1), "tablet"),) * 2, "PO", Timing(code="BID"))
    assert (line.starts_at, line.ends_at, line.dosages[0].lasts) == (at("2026-03-02 08:00"), None, (SEVEN_DAYS, SEVEN_DAYS))
    assert (line.authored_at, line.signed_by, line.status, line.stat) == (at("2026-03-02 06:00"), "Петров Пётр", OrderStatus.ACTIVE, False)
    assert (english(line.unsupported), english(line.unreadable), line.position) == ((), "", "message 1, order 1")


@pytest.mark.parametrize(
    ("number", "orc", "rxe_15", "expected"),
    [
        ("A1", "F1", "", "his:A1"), ("A1^HIS", "", "", "his:HIS:A1"), ("A1^^1.2.3^ISO", "", "", "his:1.2.3:A1"), ("", "F1^PH", "", "his:filler:PH:F1"),
        ("", "", "RX9", "his:rx:RX9"),
    ],
)  # fmt: skip
def test_an_order_is_known_by_its_number(line_of: Line, number: str, orc: str, rxe_15: str, expected: str) -> None:
    assert line_of(rde(*order(number, orc=orc, rxe=RXE + "|" * 9 + rxe_15))).id == expected


def test_an_order_without_any_number_is_known_by_what_it_is(line_of: Line) -> None:
    first, again = (line_of(rde(*order("", tq1="1||BID||||20260302"), control=control)).id for control in ("C1", "C2"))
    other = line_of(rde(*order("", tq1="1||BID||||20260303"))).id
    assert first == again != other


def test_orders_that_share_a_number_are_told_apart_by_group_and_drug(sheet_of: Sheet) -> None:
    other = RXE.replace("MET500", "WAR5")
    in_groups = sheet_of(rde(*order("R1", orc="|R1_01"), *order("R1", orc="|R1_02"))).lines
    without = sheet_of(rde(*order("R1"), *order("R1", rxe=other), *order("R1", rxe=other))).lines
    assert [line.id for line in in_groups] == ["his:R1/R1_01", "his:R1/R1_02"]
    assert [line.id for line in without] == ["his:R1/MET500", "his:R1/WAR5", "his:R1/WAR5/2"]


@pytest.mark.parametrize(
    ("control", "status"),
    [
        ("NW", OrderStatus.ACTIVE), ("OP", OrderStatus.ACTIVE), ("RE", OrderStatus.ACTIVE), ("XO", OrderStatus.ACTIVE), ("RL", OrderStatus.ACTIVE),
        ("CA", OrderStatus.CANCELLED), ("DC", OrderStatus.STOPPED), ("HD", OrderStatus.ON_HOLD), ("OD", OrderStatus.STOPPED),
    ],
)  # fmt: skip
def test_what_the_sender_asks_for(line_of: Line, control: str, status: OrderStatus) -> None:
    assert line_of(rde(*order(control=control))).status is status


def test_a_group_number_that_counts_on_is_part_of_the_orders_number(line_of: Line) -> None:
    assert line_of(rde(*order("77", orc="|77_02"))).id == "his:77/77_02"
    assert line_of(rde(*order("77", orc="|G5"))).id == "his:77"


def test_a_new_order_never_takes_the_place_of_another_drug(sheet_of: Sheet) -> None:
    first, second = sheet_of(rde(), rde(*order(rxe=RXE.replace("MET500", "WAR5")), control="C2")).lines
    assert (first.id, first.drug, second.id, second.drug) == ("his:HIS:A1", "MET500", "his:HIS:A1/WAR5", "WAR5")


def test_a_quantity_that_is_what_was_dispensed_is_no_dose(line_of: Line) -> None:
    line = line_of(rde(*order(orc="||||10^BID^D4^^^R", rxe=RXE + "||||10|TAB", tq1="")))
    assert (line.timing, english(line.unsupported)) == (Timing(code="BID"), ())
    assert "dispensed in all 10 tablet" in line.note


def test_a_single_occurrence_that_fills_its_time_is_one_moment(line_of: Line) -> None:
    line = line_of(rde(*order(tq1="1||||||202603020800|202603021300|||||5^hr")))
    assert line.timing == Timing(events=(at("2026-03-02 08:00"),), repeat=Repeat(duration=Fraction(5), duration_unit=PeriodUnit.HOUR))
    unsure = line_of(rde(*order(tq1="1||||||202603020800|202603051300")))
    assert unsure.timing is None


def test_a_message_without_any_time_still_has_its_orders(line_of: Line) -> None:
    text = rde().replace("|20260302063000+0300|", "||")
    assert line_of(text).timing == Timing(code="BID")


def test_an_unknown_control_is_a_line_that_says_so_and_touches_no_order(sheet_of: Sheet) -> None:
    first, second = sheet_of(rde(), rde(*order(control="ZZ"))).lines
    assert (first.id, english(first.unreadable)) == ("his:HIS:A1", "")
    assert (second.id, english(second.unreadable)) == ("his:HIS:A1/message 2, order 1", "ORC-1 is ZZ, which is no order, change, stop or hold")


def test_a_status_that_ends_a_new_order_is_asked_about(line_of: Line) -> None:
    line = line_of(rde(*order(orc="||CM")))
    assert (line.status, english(line.unsupported)) == (OrderStatus.ACTIVE, ("ORC-1 NW orders what ORC-5 CM ends",))
    assert line_of(rde(*order(control="SC", orc="||DC"))).status is OrderStatus.STOPPED


def test_an_order_that_others_replace_ends(sheet_of: Sheet) -> None:
    old, new = sheet_of(rde(*order("A1", control="RP"), *order("A2", control="RO"))).lines
    assert (old.status, new.status) == (OrderStatus.STOPPED, OrderStatus.ACTIVE)


def test_a_stop_without_content_takes_the_rest_from_the_message_before(sheet_of: Sheet) -> None:
    (held,) = sheet_of(rde(), rde("ORC|HD|A1^HIS", control="C2")).lines
    (stopped,) = sheet_of(rde(), rde("ORC|DC|A1^HIS", control="C2")).lines
    (later,) = sheet_of(rde(), rde("ORC|DC|A1^HIS|||||||||||||20260305120000", control="C2")).lines
    assert (held.status, held.drug, held.timing) == (OrderStatus.ON_HOLD, "MET500", Timing(code="BID"))
    assert (stopped.status, stopped.position) == (OrderStatus.STOPPED, "message 2, order 1")
    assert (later.status, later.ends_at) == (OrderStatus.ACTIVE, at("2026-03-05 12:00"))


def test_a_release_of_an_order_that_is_not_in_the_file_is_for_a_person(line_of: Line) -> None:
    released, held = line_of(rde("ORC|RL|A1")), line_of(rde("ORC|HD|A1"))
    assert (released.id, english(released.unreadable)[:18]) == ("his:A1/message 1, order 1", "the order goes on,")
    assert (held.id, held.status, english(held.unsupported)) == ("his:A1", OrderStatus.ON_HOLD, ("no drug is named",))


def test_the_changes_of_a_file_are_complete(sheet_of: Sheet) -> None:
    changes = sheet_of(rde(), rde("ORC|HD|A1^HIS|||||||||||||20260304120000", control="C2")).changes
    held = changes[-1]
    assert (held.at, held.line and held.line.status, held.line and held.line.drug) == (at("2026-03-04 12:00"), OrderStatus.ON_HOLD, "MET500")


@pytest.mark.parametrize(
    ("tq1", "timing"),
    [
        ("1||BID", Timing(code="BID")), ("1||^^^^6^h", Timing(repeat=Repeat(1, period=Fraction(6), period_unit=PeriodUnit.HOUR))),
        ("1|||0600~1800", Timing(repeat=Repeat(times=(time(6), time(18))))), ("1||BID|0600~1800", Timing(repeat=Repeat(times=(time(6), time(18))))),
        ("1||~~TID", Timing(code="TID")), ("1||BID||||||PRN", Timing(code="BID", prn=True)), ("1||||||||PRN", Timing(prn=True)),
        ("1||BID|||X6", Timing(code="BID", repeat=Repeat(count=6))), ("1||BID|||||||||||10", Timing(code="BID", repeat=Repeat(count=10))),
        ("1||^^^^^^^HS^30^min", Timing(repeat=Repeat(when=("HS",), offset_minutes=30))),
        ("1||Q8H||||||||||20^min", Timing(code="Q8H", repeat=Repeat(duration=Fraction(20), duration_unit=PeriodUnit.MINUTE))),
    ],
)  # fmt: skip
def test_timing_segments(line_of: Line, tq1: str, timing: Timing) -> None:
    line = line_of(rde(*order(tq1=tq1)))
    assert (line.timing, english(line.unsupported)) == (timing, ())


@pytest.mark.parametrize(
    ("orc_7", "timing"),
    [
        ("^3 times daily^^20260302", Timing(repeat=Repeat(3, period=Fraction(1), period_unit=PeriodUnit.DAY))),
        ("^Every 6 hours^^20260302", Timing(repeat=Repeat(1, period=Fraction(6), period_unit=PeriodUnit.HOUR))),
        ("1^BID^D4^20260302^^R", Timing(code="BID")), ("^Q24H&0600^^20260302^^ROU", Timing(repeat=Repeat(times=(time(6),)))),
        ("1^Q8H^X3^20260302", Timing(code="Q8H", repeat=Repeat(count=3))), ("^QID&0600,1000,1400,1800^^20260302",
         Timing(repeat=Repeat(times=(time(6), time(10), time(14), time(18))))),
    ],
)  # fmt: skip
@pytest.mark.parametrize("field", ["ORC-7", "RXE-1"])
def test_the_older_timing_type(line_of: Line, field: str, orc_7: str, timing: Timing) -> None:
    orc, rxe = (f"||||{orc_7}", RXE) if field == "ORC-7" else ("", RXE.replace("RXE|", f"RXE|{orc_7}", 1))
    line = line_of(rde(*order(orc=orc, rxe=rxe, tq1=""), version="2.3"))
    assert (line.timing, english(line.unsupported), line.starts_at, line.starts_on_day) == (timing, (), at("2026-03-02 00:00"), True)


def test_several_patterns_and_timings(line_of: Line) -> None:
    together = line_of(rde(*order(tq1="1||QAM~QHS")))
    after = line_of(rde(*order(tq1="1||Q8H|||2^D||||||S"), "TQ1|2||BID"))
    beside = line_of(rde(*order(tq1="1||QAM|||||||||A"), "TQ1|2||QHS"))
    unsaid = line_of(rde(*order(tq1="1||QAM"), "TQ1|2||QHS"))
    assert [dosage.timing for dosage in together.dosages] == [Timing(code="QAM"), Timing(code="QHS")]
    assert [(dosage.sequence, dosage.timing and dosage.timing.code) for dosage in after.dosages] == [(1, "Q8H"), (2, "BID")]
    assert [dosage.sequence for dosage in beside.dosages] == [None, None]
    assert (english(together.unsupported), english(after.unsupported), english(beside.unsupported)) == ((), (), ())
    assert english(unsaid.unsupported) == ("2 timings with the conjunction none",)


@pytest.mark.parametrize(
    ("segments", "told"),
    [
        (order(tq1="1|2|BID"), "a quantity of 2 each time beside the amount to give"),
        (order(tq1="1||TID|0600~1800"), "the times 0600 1800 beside the pattern TID"),
        (order(tq1="1||BID|||5^M"), "a duration of 5 M"),
        (order(tq1="1||BID||||2026"), "a start that cannot be read: 2026"),
        (order(tq1="1||BID||||||P"), "priority P"),
        (order(tq1="1||BID|||||||if the pulse is above 60"), "a condition: if the pulse is above 60"),
        (order(tq1="1||BID^DW^1"), "calendar alignment DW"),
        (order(tq1="1||BID^^^^8^h"), "a period of 8 h beside the pattern BID"),
        ((*order(), "TQ2|1|S|A9"), "TQ2: the order depends on another one"),
        ((*order(), "RXR|IV"), "2 routes to choose from"),
        (order(rxe=RXE + "|" * 17 + "5|ml/h"), "a rate: 5 ml/h"),
        (order(rxe="RXE|||1||TAB"), "no drug is named"),
        (order(rxe="RXE||MET500^x^L^WAR5^y|1||TAB"), "the codes MET500 and WAR5 are of different drugs"),
        (order(rxe="RXE||MET500|one||TAB"), "RXE-3 is no amount: 'one' is not an amount where the decimal sign is None"),
        (order(rxe="RXE||MET500|2|1|TAB"), "an amount from 2 to 1"),
        (order(rxe="RXE||MET500|1"), "RXE-5: the amount 1 has no unit"),
        (order(rxe="RXE||MET500|1||TAB||po bid x 5d", tq1=""), "what is wanted is only in words: po bid x 5d"),
        (order(orc="||||1^TID", tq1="1||BID"), "TQ1 of RXE and ORC-7 differ in patterns"),
        ((*order(), "RXQ|1"), "a segment RXQ"),
    ],
)  # fmt: skip
def test_what_has_no_exact_form_is_named(line_of: Line, segments: tuple[str, ...], told: str) -> None:
    unsupported = english(line_of(rde(*segments)).unsupported)
    assert any(words.startswith(told[:24]) for words in unsupported), unsupported


def test_a_range_of_doses(line_of: Line) -> None:
    line = line_of(rde(*order(rxe="RXE||MET500|1|2|TAB")))
    assert line.dose == (Quantity(Fraction(1), "tablet"), Quantity(Fraction(2), "tablet"))


def test_a_mixture_says_so_first(line_of: Line) -> None:
    line = line_of(rde(*order(), "RXC|B|NS^saline|100|ML", "RXC|A|KCL^potassium chloride|20|MEQ"))
    assert line.note.startswith("mixture: saline 100 mL + potassium chloride 20 mEq")


def test_notes_are_kept_and_local_segments_are_named(line_of: Line) -> None:
    line = line_of(rde(*order(rxe=RXE + "|^after a meal", rxr="PO||||") , "NTE|1||call me", "ZRX|1|x", "ZPI"))
    assert line.note == "form Tablet | after a meal | call me | segments of the sender's own: ZRX, ZPI"


def test_what_is_wanted_at_once(line_of: Line) -> None:
    assert line_of(rde(*order(tq1="1||ONCE||||||S"))).stat
    assert line_of(rde(*order(tq1="1||STAT"))).stat
    assert not line_of(rde()).stat


def test_an_order_message_of_the_prescriber(line_of: Line) -> None:
    one_or_two = (Quantity(Fraction(1), "tablet"), Quantity(Fraction(2), "tablet"))
    for kind in ("OMP^O09^OMP_O09", "ORM^O01"):
        line = line_of(message(PID, PV1, "ORC|NW|A1||||||", "TQ1|1||BID", "RXO|MET500^Metformin|1|2|TAB|TAB", "RXR|PO", kind=kind))
        assert (line.drug, line.dose, line.timing, english(line.unsupported)) == ("MET500", one_or_two, Timing(code="BID"), ())


def test_a_give_is_one_dose_at_its_moment(sheet_of: Sheet) -> None:
    give = "RXG|{}|||MET500^Metformin|1||TAB"
    parts = [part for n in (1, 2) for part in ("ORC|NW|A1", give.format(n), f"TQ1|1||||||202603021{n}00", "RXR|PO")]
    first, second = sheet_of(message(PID, PV1, *parts, kind="RGV^O15")).lines
    assert (first.id, first.timing) == ("his:A1/give/1", Timing(events=(at("2026-03-02 11:00"),)))
    assert (second.id, second.timing) == ("his:A1/give/2", Timing(events=(at("2026-03-02 12:00"),)))


def test_a_give_of_an_order_that_is_scheduled_itself_is_asked_about(sheet_of: Sheet) -> None:
    give = message(PID, "ORC|NW|A1^HIS", "RXG|1||^^^202603021100|MET500|1||TAB", kind="RGV^O15", control="C2")
    _, line = sheet_of(rde(), give).lines
    assert english(line.unsupported) == ("a give of an order that is in this file itself: it would be planned twice",)
