"""The outcome of a line that is ours, allowed and clear: its schedule decides between as-needed, once, not packable and scheduled."""

from collections.abc import Iterator

from hub.domain.lanes import RULE_NOT_PACKED
from hub.domain.line_case import Case
from hub.domain.orders import Outcome, Reason
from hub.domain.regulation_checks import ORDER_1088_CHECKS
from hub.domain.schedule import Schedule, ScheduleKind, first_slot_on, once_due, singles_due
from hub.domain.strengths import RULE_CONTAINER

MIXTURE_PREFIX = "mixture:"


def by_schedule(case: Case) -> tuple[Outcome, tuple[Reason, ...]]:
    """Return the outcome of a line that is ours, allowed and clear."""
    schedule = case.schedule
    assert isinstance(schedule, Schedule)
    if schedule.kind is ScheduleKind.PRN:
        return Outcome.PRN, (
            Reason(
                "prn",
                "given when needed, from ward stock: as-needed doses are not packed ahead",
                "as-needed doses mostly come back",
                "даётся при необходимости, из запаса отделения: такие дозы заранее не упаковываются",
            ),
        )
    if schedule.kind is ScheduleKind.CONTINUOUS:
        return Outcome.NOT_PACKABLE, (
            Reason(
                "no-dose-times",
                f"'{_code(case)[0]}' has no dose times (infusion, protocol, as directed)",
                "frequencies.csv",
                f"у «{_code(case)[1]}» нет времени приёма (инфузия, протокол, по указанию)",
            ),
        )
    if case.infused:
        return Outcome.NOT_PACKABLE, (
            Reason(
                "infusion", "an infusion: prepared and given at the ward, not packed", "ruling of a pharmacist",
                "инфузия: готовится и вводится в отделении, не фасуется",
            ),
        )  # fmt: skip
    if case.line.note.strip().casefold().startswith(MIXTURE_PREFIX):
        return Outcome.NOT_PACKABLE, (
            Reason(
                "mixture", "several drugs are mixed for one dose: prepared at the ward", "note of the order",
                "для одной дозы смешиваются несколько препаратов: готовится в отделении",
            ),
        )
    problem = case.content.uncounted
    if problem is not None:
        stays_out = problem.rule in {RULE_CONTAINER, RULE_NOT_PACKED}
        return (Outcome.NOT_PACKABLE if stays_out else Outcome.NEEDS_REVIEW), (problem,)
    if schedule.kind is ScheduleKind.ONCE:
        return Outcome.ONCE, (_once_reason(case),)
    by, by_ru = _code(case)
    scheduled = Reason("scheduled", f"complete, ours, and due by '{by}'", ORDER_1088_CHECKS, f"всё указано, доза наша, время по «{by_ru}»")
    return Outcome.SCHEDULED, (scheduled, *_missed_opening(case, schedule))


def _missed_opening(case: Case, schedule: Schedule) -> Iterator[Reason]:
    """Yield that the single dose with which a schedule begins is over before the doses that are planned now."""
    since, start = case.planned_from, case.line.starts_at or case.line.authored_at
    if since is None or since.tzinfo is None or start is None or not schedule.opens_with_single:
        return
    if case.line.starts_at is not None and case.line.starts_on_day:
        start = first_slot_on(start.astimezone(since.tzinfo).date(), case.slots, since.tzinfo)
    at = singles_due(schedule, start, since.tzinfo)[0]
    if at >= since:
        return
    yield Reason(
        "first-dose", f"the single first dose was due at {at:%H:%M on %d.%m.%Y}, before the doses that are planned now: it is not planned",
        "schedule of the order", f"первая разовая доза была назначена на {at:%d.%m.%Y %H:%M}, до планируемых доз: она не планируется",
    )  # fmt: skip


def _once_reason(case: Case) -> Reason:
    since = case.planned_from
    if since is not None and since.tzinfo is not None:
        assert isinstance(case.schedule, Schedule)
        due = singles_due(case.schedule, once_due(case.line, since, case.slots, since.tzinfo), since.tzinfo)[0]
        if due < since:
            day = f"before this day's doses (from {since:%H:%M on %d.%m.%Y})"
            text = f"given once; was due at {due:%H:%M on %d.%m.%Y}, {day}: not planned again"
            told = f"даётся однократно; срок был {due:%d.%m.%Y в %H:%M}, до доз этого дня (с {since:%d.%m.%Y %H:%M}): снова не планируется"
            return Reason("once", text, "frequencies.csv", told)
    return _once_to_come(case)


def _once_to_come(case: Case) -> Reason:
    """Return how a single dose to come is given: at the start or at the time that its code names, and whether it may be repeated."""
    assert isinstance(case.schedule, Schedule)
    course = case.schedule.courses[0]
    when, when_ru = ("at the time of its code", "во время, которое назначено кодом") if course.editions else ("at the order's start", "в начале назначения")
    again = (course.permission.count_max or 1) - 1
    more = f"; the order lets it be repeated {again} ×: that is not planned, a person decides" if again > 0 else ""
    more_ru = f"; назначение допускает повтор {again} ×: он не планируется, решает человек" if again > 0 else ""
    return Reason("once", f"given once, {when}{more}", "frequencies.csv", f"даётся однократно, {when_ru}{more_ru}")


def _code(case: Case) -> tuple[str, str]:
    """Return by what the times come about, in English and in Russian."""
    timing = case.line.timing
    if timing is not None and timing.code:
        return timing.code, timing.code
    return ("slots of the day", "приёмы дня") if timing is not None and timing.slots else ("the written timing", "написанный режим")
