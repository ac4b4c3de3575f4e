"""Repeat patterns of table 0335: an exact meaning, or the code as it stands."""

from datetime import time
from fractions import Fraction

import pytest

from hub.adapters.intake.hl7.patterns import at_times, timing_of
from hub.domain.timing import PeriodUnit, Repeat, Timing


def per(count: int, unit: PeriodUnit, frequency: int = 1) -> Repeat:
    return Repeat(frequency, period=Fraction(count), period_unit=unit)


@pytest.mark.parametrize("code", ["BID", "TID", "QID", "QAM", "QPM", "QHS", "QOD", "Q6H", "Q8H", "Q12H", "Q24H", "Q2D", "Once", "STAT"])
def test_what_the_ward_has_a_code_for_stays_that_code(code: str) -> None:
    assert timing_of(code) == Timing(code=code.upper())


@pytest.mark.parametrize(
    ("code", "repeat"),
    [
        ("Q30M", per(30, PeriodUnit.MINUTE)), ("Q90S", per(90, PeriodUnit.SECOND)), ("Q5H", per(5, PeriodUnit.HOUR)), ("Q5D", per(5, PeriodUnit.DAY)),
        ("Q2W", per(2, PeriodUnit.WEEK)), ("Q1L", per(1, PeriodUnit.MONTH)), ("5ID", per(1, PeriodUnit.DAY, 5)), ("6ID", per(1, PeriodUnit.DAY, 6)),
        ("QJ1", Repeat(1, period=Fraction(1), period_unit=PeriodUnit.WEEK, weekdays=(0,))),
        ("Q2J135", Repeat(3, period=Fraction(2), period_unit=PeriodUnit.WEEK, weekdays=(0, 2, 4))),
        ("ACM", Repeat(when=("ACM",))), ("PC", Repeat(when=("PC",))), ("3 times daily", per(1, PeriodUnit.DAY, 3)),
        ("Every 6 hours", per(6, PeriodUnit.HOUR)), ("twice a day", per(1, PeriodUnit.DAY, 2)), ("every day", per(1, PeriodUnit.DAY)),
    ],
)  # fmt: skip
def test_what_the_standard_says_exactly_is_a_repetition(code: str, repeat: Repeat) -> None:
    assert timing_of(code) == Timing(repeat=repeat)


@pytest.mark.parametrize("code", ["QSHIFT", "U 0 8 * * 1", "1013044400000000", "ICM", "Q0H", "2ID", "4ID", "5-6ID", "3 times", "po bid x 5d", "Q6HR", "HS"])
def test_nothing_is_guessed(code: str) -> None:
    assert timing_of(code) == Timing(code=code)


@pytest.mark.parametrize(
    ("code", "timing"),
    [
        ("PRN", Timing(prn=True)), ("PRNQ6H", Timing(code="Q6H", prn=True)), ("PRN BID", Timing(code="BID", prn=True)),
        ("Q4H PRN", Timing(code="Q4H", prn=True)), ("every 5 hours as needed", Timing(repeat=per(5, PeriodUnit.HOUR), prn=True)),
        ("PRNXYZ", Timing(code="PRNXYZ")),
    ],
)  # fmt: skip
def test_when_needed(code: str, timing: Timing) -> None:
    assert timing_of(code) == timing


def test_explicit_times_must_be_as_many_as_the_pattern_asks_for() -> None:
    six, eighteen = time(6), time(18)
    assert at_times(timing_of("Q24H"), (six,)) == Timing(repeat=Repeat(times=(six,)))
    assert at_times(timing_of("BID"), (six, eighteen)) == Timing(repeat=Repeat(times=(six, eighteen)))
    assert at_times(timing_of("Q12H"), (six, eighteen)) == Timing(repeat=Repeat(times=(six, eighteen)))
    assert at_times(timing_of("QOD"), (six,)) == Timing(repeat=Repeat(1, period=Fraction(2), period_unit=PeriodUnit.DAY, times=(six,)))
    assert at_times(Timing(), (six,)) == Timing(repeat=Repeat(times=(six,)))
    assert at_times(timing_of("TID"), (six, eighteen)) is None
    assert at_times(timing_of("Q5H"), (six,)) is None
    assert at_times(timing_of("XYZ"), (six,)) is None
