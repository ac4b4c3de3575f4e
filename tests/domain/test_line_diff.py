"""A corrected line tells field by field what it says otherwise; what stands elsewhere only is no difference."""

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from hub.domain.identifiers import DrugCode, OrderId, PatientId
from hub.domain.line_diff import FieldChange, line_diff
from hub.domain.orders import OrderLine, OrderStatus
from hub.domain.quantities import Quantity
from hub.domain.timing import Dosage, PeriodUnit, Repeat, SlotDose, Span, Timing
from hub.domain.words import Words

TABLET = Quantity(Fraction(1), "tablet")
LINE = OrderLine(
    id=OrderId("o"), version=1, source="hospital", sheet="s", position="line 2", patient=PatientId("p"), drug=DrugCode("D"), drug_text="metformin",
    dosages=(Dosage((TABLET, TABLET), Timing(code="BID"), "PO"),), status=OrderStatus.ACTIVE, authored_at=None, starts_at=None, ends_at=None, signed_by="",
)  # fmt: skip


def dosage(**changes: object) -> OrderLine:
    return replace(LINE, dosages=(replace(LINE.dosages[0], **changes),))


def test_where_a_line_stands_is_no_difference() -> None:
    assert line_diff(LINE, replace(LINE, version=2, sheet="t", position="line 9", source="other", id=OrderId("new"))) == ()


def test_each_field_is_named_with_before_and_now() -> None:
    after = replace(LINE, signed_by="Smirnova", ends_at=datetime(2026, 3, 5, tzinfo=UTC), status=OrderStatus.ON_HOLD)
    assert line_diff(LINE, after) == (
        FieldChange("status", "active", "on-hold"), FieldChange("ends_at", "", "2026-03-05T00:00:00+00:00"), FieldChange("signed_by", "", "Smirnova"),
    )  # fmt: skip


def test_doses_ranges_times_and_lengths_are_told_in_words() -> None:
    half = Quantity(Fraction(1, 2), "tablet")
    told = {
        dosage(dose=(half, half)): ("dose", "1 tablet", "0.5 tablet"), dosage(dose=(half, TABLET)): ("dose", "1 tablet", "0.5 tablet – 1 tablet"),
        dosage(dose=None): ("dose", "1 tablet", ""), dosage(route="IV"): ("route", "PO", "IV"),
        dosage(timing=Timing(slots=(SlotDose("morning", Fraction(2)),), prn=True)): ("timing", "BID", "morning 2, prn"),
        dosage(timing=Timing(repeat=Repeat(frequency=3, period=Fraction(1), period_unit=PeriodUnit.DAY))): ("timing", "BID", "frequency=3 period=1 period_unit=d"),
        dosage(lasts=(Span(Fraction(5), PeriodUnit.DAY),) * 2): ("lasts", "", "5 d"),
    }  # fmt: skip
    for after, (field, before, now) in told.items():
        assert line_diff(LINE, after) == (FieldChange(field, before, now, 1),)


def test_a_second_dosage_is_told_as_such() -> None:
    second = Dosage((TABLET, TABLET), Timing(code="HS"), "PO")
    changes = line_diff(LINE, replace(LINE, dosages=(*LINE.dosages, second)))
    assert changes[0] == FieldChange("dosages", "1", "2")
    assert [(change.field, change.number, change.before) for change in changes[1:]] == [("dose", 2, ""), ("timing", 2, ""), ("route", 2, "")], "what is not written is no difference"


def test_every_field_has_a_russian_name() -> None:
    after = replace(LINE, patient=PatientId("q"), drug=DrugCode("E"), drug_text="x", note="n", stat=True, unsupported=(Words("u", "н"),), starts_on_day=True, unreadable=Words("r", "п"))
    assert all(change.field_ru != change.field for change in line_diff(LINE, after))


@given(st.sampled_from(["", "PO", "IV"]), st.sampled_from(["BID", "TID"]), st.text(max_size=5))
def test_a_difference_is_told_exactly_where_there_is_one_and_reads_the_other_way_round(route: str, code: str, note: str) -> None:
    after = replace(dosage(route=route, timing=Timing(code=code)), note=note)
    there, back = line_diff(LINE, after), line_diff(after, LINE)
    assert bool(there) == (after != LINE)
    assert [(change.field, change.after, change.before) for change in back] == [(change.field, change.before, change.after) for change in there]
