"""Named rules that a written repetition must keep before anybody may ask what it means."""

from collections.abc import Iterator
from fractions import Fraction

from hub.domain.orders import Reason
from hub.domain.timing import Repeat

RULE_FREQUENCY = "frequency"
RULE_VALUE = "timing-value"
RULE_RANGE = "timing-range"
RULE_CONTRADICTION = "timing-contradiction"
RULE_UNCLEAR = "timing-unclear"
RULE_DURATION = "timing-duration"
RULE_SEQUENCE = "dosage-sequence"
RULE_DOSAGES = "dosages"
FHIR_TIMING = "FHIR R4 Timing"
WITHOUT_OFFSET = frozenset({"C", "CM", "CD", "CV"})
MOST_COUNT = 1000
MOST_TIMES = 100
LONGEST_PERIOD = 1000


def reason(rule: str, text: str, text_ru: str, source: str = FHIR_TIMING) -> Reason:
    """Return a reason with both sentences, of the FHIR Timing where nothing else is named."""
    return Reason(rule, text, source, text_ru)


def broken_rule(repeat: Repeat) -> Reason | None:
    """Return the first rule that a repetition breaks, or None (invariants tim-1 to tim-10 of FHIR Timing)."""
    return next(_broken(repeat), None)


def _broken(repeat: Repeat) -> Iterator[Reason]:
    yield from _broken_invariants(repeat)
    yield from _units_alone(repeat)
    yield from _bad_values(repeat)
    yield from _bad_ranges(repeat)


def _broken_invariants(repeat: Repeat) -> Iterator[Reason]:
    if repeat.duration is not None and repeat.duration_unit is None:
        yield reason("tim-1", f"a duration of {repeat.duration} has no unit of time", f"у длительности {repeat.duration} нет единицы времени")
    if repeat.period is not None and repeat.period_unit is None:
        yield reason("tim-2", f"a period of {repeat.period} has no unit of time", f"у периода {repeat.period} нет единицы времени")
    if repeat.duration is not None and repeat.duration < 0:
        yield reason("tim-4", f"the duration {repeat.duration} is negative", f"длительность {repeat.duration} отрицательная")
    if repeat.period is not None and repeat.period < 0:
        yield reason("tim-5", f"the period {repeat.period} is negative", f"период {repeat.period} отрицательный")
    if repeat.period_max is not None and repeat.period is None:
        yield reason("tim-6", f"a longest period of {repeat.period_max} stands without a period", f"наибольший период {repeat.period_max} указан без периода")
    if repeat.duration_max is not None and repeat.duration is None:
        yield reason("tim-7", f"a longest duration of {repeat.duration_max} stands without a duration", f"наибольшая длительность {repeat.duration_max} указана без длительности")
    if repeat.count_max is not None and repeat.count is None:
        yield reason("tim-8", f"a largest count of {repeat.count_max} stands without a count", f"наибольшее число раз {repeat.count_max} указано без числа раз")
    if repeat.offset_minutes is not None:
        if not repeat.when:
            yield reason("tim-9", f"an offset of {repeat.offset_minutes} min stands without an event", f"сдвиг {repeat.offset_minutes} мин указан без события дня")
        if meal := next((code for code in repeat.when if code in WITHOUT_OFFSET), None):
            yield reason("tim-9", f"an offset cannot be counted from '{meal}' (with a meal)", f"сдвиг нельзя отсчитать от «{meal}» (во время еды)")
    if repeat.times and repeat.when:
        yield reason("tim-10", "clock times and events of the day exclude each other", "время на часах и события дня исключают друг друга")


def _units_alone(repeat: Repeat) -> Iterator[Reason]:
    if repeat.period_unit is not None and repeat.period is None:
        yield reason(RULE_VALUE, f"the unit '{repeat.period_unit}' stands without a period", f"единица «{repeat.period_unit}» указана без периода")
    if repeat.duration_unit is not None and repeat.duration is None:
        yield reason(RULE_VALUE, f"the unit '{repeat.duration_unit}' stands without a duration", f"единица «{repeat.duration_unit}» указана без длительности")
    if repeat.frequency_max is not None and repeat.frequency is None:
        yield reason(RULE_RANGE, f"'up to {repeat.frequency_max} times' says no least number of times", f"«до {repeat.frequency_max} раз» не называет наименьшее число раз")


def _bad_values(repeat: Repeat) -> Iterator[Reason]:
    for name, russian, value, most in (
        ("frequency", "частота", repeat.frequency, MOST_TIMES),
        ("period", "период", repeat.period, LONGEST_PERIOD),
        ("count", "число раз", repeat.count, MOST_COUNT),
        ("duration", "длительность", repeat.duration, 10 * LONGEST_PERIOD),
    ):
        if value is not None and not 0 < value <= most:
            yield reason(RULE_VALUE, f"the {name} {value} is not between 1 and {most}", f"{russian} {value} вне пределов 1–{most}")
    if any(day not in range(7) for day in repeat.weekdays):
        yield reason(RULE_VALUE, "a day of the week is not one of the seven", "день недели не из семи")
    for name, russian, values in (("a clock time", "время", repeat.times), ("an event", "событие дня", repeat.when), ("a day", "день недели", repeat.weekdays)):
        if len(set(values)) < len(values):
            yield reason(RULE_VALUE, f"{name} is written twice", f"{russian} указано дважды")


def _bad_ranges(repeat: Repeat) -> Iterator[Reason]:
    ranges: tuple[tuple[str, str, int | Fraction | None, int | Fraction | None], ...] = (
        ("frequency", "частоты", repeat.frequency, repeat.frequency_max),
        ("period", "периода", repeat.period, repeat.period_max),
        ("count", "числа раз", repeat.count, repeat.count_max),
        ("duration", "длительности", repeat.duration, repeat.duration_max),
    )
    for name, russian, least, most in ranges:
        if least is not None and most is not None and most < least:
            yield reason(RULE_RANGE, f"the largest {name} {most} is less than the least {least}", f"верхний предел {russian} {most} меньше нижнего {least}")
