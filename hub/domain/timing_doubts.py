"""What a person is asked about a repetition that keeps every rule and still does not say on which days or at which hours."""

from hub.domain.counted_words import span_text
from hub.domain.orders import Reason
from hub.domain.timing import Repeat, Span
from hub.domain.timing_rules import RULE_CONTRADICTION, RULE_UNCLEAR, reason


def differs(repeat: Repeat, times: int) -> Reason:
    """Return that a number of times is not that of the times or days written beside it."""
    english, russian = _often(repeat)
    return reason(
        RULE_CONTRADICTION, f"the frequency is {english}, and the times or days written beside it are {times}: which ones are meant?",
        f"кратность — {russian}, а времён или дней рядом указано {times}: какие имеются в виду?",
    )  # fmt: skip


def unclear(repeat: Repeat) -> Reason:
    """Return that nobody can tell the days or times of so many times in a period, with what stands beside it."""
    english, russian = _often(repeat)
    beside = _beside(repeat)
    if not beside:
        return reason(
            RULE_UNCLEAR, f"'{english}' does not say on which days or at which hours: ask for days of the week, dates or an interval",
            f"«{russian}» не говорит, по каким дням или часам: уточните дни недели, даты или промежуток",
        )  # fmt: skip
    return reason(
        RULE_UNCLEAR, f"nobody can tell the days or times of '{english}' with the {', '.join(words for words, _ in beside)} beside it",
        f"по «{russian}» и тому, что указано рядом ({', '.join(words for _, words in beside)}), нельзя назвать дни и время",
    )  # fmt: skip


def without_period(repeat: Repeat) -> Reason:
    """Return that a number of times beside days of the week may be of each day or of all of them."""
    often, days = repeat.frequency, len(repeat.weekdays)
    return reason(
        RULE_UNCLEAR, f"{often} × stands beside {days} days of the week without a period: is it {often} × on each of these days, or in all?",
        f"{often} × указано рядом с днями недели ({days}) без периода: это {often} × в каждый из этих дней или всего?",
    )  # fmt: skip


def _often(repeat: Repeat) -> tuple[str, str]:
    """Return the number of times with its period: `2 × in 1 month`, `2 × за 1 месяц`."""
    often = f"{repeat.frequency or 1} ×"
    if repeat.period is None or repeat.period_unit is None:
        return often, often
    span = Span(repeat.period, repeat.period_unit)
    return f"{often} in {span_text(span, span, 'en')}", f"{often} за {span_text(span, span, 'ru')}"


def _beside(repeat: Repeat) -> tuple[tuple[str, str], ...]:
    """Return what stands beside a period, in English and in Russian."""
    written = (
        (repeat.weekdays, ("days of the week", "дни недели")), (repeat.times, ("clock times", "время на часах")),
        (repeat.when, (f"events {' '.join(repeat.when)}", f"события {' '.join(repeat.when)}")),
    )  # fmt: skip
    return tuple(words for value, words in written if value)
