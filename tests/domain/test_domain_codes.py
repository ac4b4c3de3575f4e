"""A source's own words: what they are replaced by, what is still asked, and which answers are none."""

from datetime import time
from fractions import Fraction

import pytest

from hub.domain.codes import Known, as_written, checked_meaning, clock_times, code_form, translated, unknown_codes
from hub.domain.identifiers import DrugCode, OrderId, PatientId
from hub.domain.orders import OrderLine, OrderStatus
from hub.domain.quantities import Quantity
from hub.domain.records import CodeKind
from hub.domain.refusals import Refusal
from hub.domain.timing import Dosage, PeriodUnit, Repeat, Timing

KNOWN = Known(lambda code: code in {"BID", "AS DIRECTED"}, {DrugCode("T001")})
TABLE = {
    (CodeKind.FREQUENCY, "1т 2 р"): "BID",
    (CodeKind.FREQUENCY, "при боли"): "PRN",
    (CodeKind.FREQUENCY, "капать"): "not-packed",
    (CodeKind.FREQUENCY, "8 и 20"): "08:00;20:00",
    (CodeKind.ROUTE, "через рот"): "внутрь",
    (CodeKind.UNIT, "т"): "tablet",
    (CodeKind.DRUG, "эгилок 25"): "T001",
}


def line(drug: str = "?Эгилок  25", unit: str = "Т.", route: str = "Через  рот", code: str = "1Т 2 р", dosages: int = 1) -> OrderLine:
    dosage = Dosage((Quantity(Fraction(1), unit.rstrip(".")),) * 2, Timing(code=code), route)
    return OrderLine(
        OrderId("o"), 1, "ward", "s", "1", PatientId("p"), DrugCode(drug), "Эгилок 25", (dosage,) * dosages, OrderStatus.ACTIVE, None, None, None, "Dr"
    )  # fmt: skip


def test_a_line_is_translated_and_keeps_what_was_written() -> None:
    original = line(dosages=2)
    ours = translated(original, TABLE)
    assert ours.drug == "T001" and {dosage.route for dosage in ours.dosages} == {"внутрь"}
    assert {dosage.dose[0].unit for dosage in ours.dosages if dosage.dose} == {"tablet"}
    assert ours.timing == Timing(code="BID")
    assert ours.written is not None and ("frequency", "1Т 2 р", "BID") in ours.written.taken and len(ours.written.taken) == 4
    assert as_written(ours) == original
    assert translated(ours, TABLE) == ours, "a table applied again finds the source's words, not ours"
    assert translated(ours, {}) == original, "without its table a line says what was written"


@pytest.mark.parametrize(
    ("code", "timing"),
    [
        ("при боли", Timing(code="PRN", prn=True)),
        ("капать", Timing(code="AS DIRECTED")),
        ("8 и 20", Timing(repeat=Repeat(period=Fraction(1), period_unit=PeriodUnit.DAY, times=(time(8), time(20))))),
        ("BID", Timing(code="BID")),
    ],
)
def test_a_frequency_may_mean_a_code_times_as_needed_or_not_packed(code: str, timing: Timing) -> None:
    assert translated(line(code=code), TABLE).timing == timing


def test_a_line_of_which_nothing_is_in_the_table_is_the_same_line() -> None:
    same = line("T001", "tablet", "внутрь", "BID")
    assert translated(same, TABLE) is same and same.written is None


def test_words_that_nobody_understands_are_asked_once_each() -> None:
    assert unknown_codes(line(dosages=2), KNOWN) == (
        (CodeKind.DRUG, "эгилок 25"), (CodeKind.FREQUENCY, "1т 2 р"), (CodeKind.ROUTE, "через рот"), (CodeKind.UNIT, "т"),
    )  # fmt: skip
    assert unknown_codes(translated(line(), TABLE), KNOWN) == ()
    assert unknown_codes(line("T001", "мг", "", "BID"), KNOWN) == (), "a route that is missing is no word to ask about"
    assert unknown_codes(line("T001", "мг", "внутрь", "по схеме врача " * 30), KNOWN) == (), "a sentence is read at its line"


@pytest.mark.parametrize(
    ("kind", "meaning", "kept"),
    [
        (CodeKind.FREQUENCY, "BID", "BID"), (CodeKind.FREQUENCY, "prn", "PRN"), (CodeKind.FREQUENCY, "Not-Packed", "not-packed"),
        (CodeKind.FREQUENCY, "20:00; 8:00", "08:00;20:00"), (CodeKind.ROUTE, "в/в", "в/в"), (CodeKind.UNIT, "таб.", "tablet"),
        (CodeKind.DRUG, " T001 ", "T001"),
    ],
)  # fmt: skip
def test_an_answer_that_is_known_is_kept_in_one_form(kind: CodeKind, meaning: str, kept: str) -> None:
    assert checked_meaning(kind, meaning, KNOWN) == kept


@pytest.mark.parametrize("kind", CodeKind)
@pytest.mark.parametrize("meaning", ["", "  ", "вздор", "25:00", "8:00;", "8:00;08:00", "T002", "x" * 101])
def test_an_answer_that_is_not_known_is_refused_in_both_languages(kind: CodeKind, meaning: str) -> None:
    refusal = checked_meaning(kind, meaning, KNOWN)
    assert isinstance(refusal, Refusal) and refusal.text and refusal.text_ru and refusal.text != refusal.text_ru


def test_not_packed_is_no_answer_where_the_table_has_no_code_for_it() -> None:
    assert isinstance(checked_meaning(CodeKind.FREQUENCY, "not-packed", Known(lambda _: False, ())), Refusal)


def test_clock_times_are_few_and_exact() -> None:
    assert clock_times("8:00;20:15") == (time(8), time(20, 15))
    assert clock_times(";".join(["08:00"] * 25)) == () == clock_times("08:60") == clock_times("24:00") == clock_times("٠٨:٠٠")


def test_words_are_compared_without_case_spaces_and_yo() -> None:
    assert code_form("  Приём   УТРОМ ") == code_form("прием утром")
