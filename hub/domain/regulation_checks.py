"""The regulation's separate checks of a line (order 1088, section II.1): dose, frequency, course, signature, each by itself."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from hub.domain.counted_words import range_text
from hub.domain.orders import Check, OrderLine, Reason, SourceSettings
from hub.domain.schedule import Schedule, ScheduleKind, ends_by_itself
from hub.domain.timing import Dosage, Timing

ORDER_1088_CHECKS = "Kemerovo order 1088, section II.1"
RULE_UNCONFIRMED = "not-confirmed"
_LONGEST_QUOTE = 200


def confirmed_until(
    line: OrderLine, settings: SourceSettings, last_confirmed_at: datetime | None, schedule: Schedule | Reason
) -> datetime | None:
    """Return until when an order may be planned: its own end, or `reconfirm_days` after it was last confirmed; None: no limit.

    An order whose dosages all end by what they say (so many days, so many doses) has its end there and needs no confirming.
    """
    confirmed = last_confirmed_at or line.authored_at or line.starts_at
    if line.ends_at is not None or (isinstance(schedule, Schedule) and schedule.is_bounded) or settings.reconfirm_days is None or confirmed is None:
        return line.ends_at
    return confirmed + timedelta(days=settings.reconfirm_days)


def unconfirmed(
    line: OrderLine, settings: SourceSettings, last_confirmed_at: datetime | None, now: datetime, schedule: Schedule | Reason, zone: tzinfo | None
) -> Reason | None:
    """Return why an open-ended order goes to a person: nobody confirmed it for the days of its source; None where it has a course or is confirmed."""
    until = confirmed_until(line, settings, last_confirmed_at, schedule)
    if line.ends_at is not None or settings.course_required or until is None or now <= until:
        return None
    about, until = until.astimezone(UTC).isoformat(), until.astimezone(zone) if zone is not None else until
    return Reason(
        RULE_UNCONFIRMED, f"the order has no end and was not confirmed since {until:%H:%M on %d.%m.%Y}: ask the prescriber whether it still holds",
        ORDER_1088_CHECKS, f"у назначения нет срока, и оно не подтверждено с {until:%d.%m.%Y %H:%M}: спросите врача, действует ли оно",
        about=about,
    )  # fmt: skip


def over_by_dosages(line: OrderLine, schedule: Schedule | Reason, now: datetime, zone: tzinfo | None) -> datetime | None:
    """Return since when a line without an end of its own gives nothing any more, None where it still does or nobody can tell."""
    begins = line.starts_at or line.authored_at
    if line.ends_at is not None or begins is None or zone is None or not isinstance(schedule, Schedule) or schedule.kind is ScheduleKind.ONCE:
        return None
    over = ends_by_itself(schedule, begins, zone)
    return over.astimezone(zone) if over is not None and over <= now else None


def dose_check(dosage: Dosage, schedule: Schedule | Reason) -> Check:
    """Return whether a line's first dosage has a dose; one without dose times (sliding scale, infusion) may leave it to its protocol."""
    by_protocol = isinstance(schedule, Schedule) and schedule.kind is ScheduleKind.CONTINUOUS
    if by_protocol and (dosage.dose is None or dosage.dose[1].amount == 0):
        return Check("dose", True, f"the dose is left to what '{dosage.timing.code if dosage.timing else ''}' says")
    if dosage.dose is None:
        return Check("dose", False, f"no dose is written that can be read{_only(dosage.text, 'en')}", f"нет дозы, которую можно прочитать{_only(dosage.text, 'ru')}")
    low, high = dosage.dose
    if low.amount.numerator <= 0 or (high is not low and high.amount < low.amount):
        return Check("dose", False, f"the dose {low} to {high} is not a dose", f"доза от {low} до {high} — не доза")
    return Check("dose", True, f"dose {low}" if high is low or low == high else f"dose {range_text(low, high)}")


def _only(text: str, language: str) -> str:
    """Return what stands in words instead, for the person who asks the ward."""
    said = text.strip()[:_LONGEST_QUOTE]
    if not said:
        return ""
    return f", only the text '{said}'" if language == "en" else f", есть только текст «{said}»"


def frequency_check(dosages: Sequence[Dosage]) -> Check:
    """Return whether any dosage says how often."""
    written = [dosage.timing for dosage in dosages if dosage.timing is not None and dosage.timing.is_written]
    if not written:
        return Check("frequency", False, "no frequency is written", "кратность не указана")
    return Check("frequency", True, "; ".join(dict.fromkeys(_frequency_text(timing) for timing in written)))


def _frequency_text(timing: Timing) -> str:
    if timing.code:
        return f"frequency {timing.code}"
    return "frequency by slots" if timing.slots else "when needed" if timing.prn else "frequency as written"


def course_check(
    line: OrderLine, settings: SourceSettings, last_confirmed_at: datetime | None, now: datetime, schedule: Schedule | Reason
) -> Check:
    """Return whether a course is written, or need not be by the source's settings and is still confirmed."""
    if line.ends_at is not None:
        return Check("course", True, f"course until {line.ends_at.isoformat()}")
    if isinstance(schedule, Schedule) and schedule.is_bounded:
        return Check("course", True, "course by what its dosages say", "курс указан в самих дозировках")
    if settings.course_required:
        russian = f"курс не указан, а источник «{settings.name}» обязан его указывать"
        return Check("course", False, f"no course is written, and source '{settings.name}' must write one", russian)
    open_ended = f"course not required by source '{settings.name}': open-ended until stopped"
    if settings.reconfirm_days is None:
        return Check("course", True, open_ended)
    open_ended += f", re-confirmed every {settings.reconfirm_days} days"
    until = confirmed_until(line, settings, last_confirmed_at, schedule)
    if until is not None and now > until:
        russian = f"курс без срока, подтверждается каждые {settings.reconfirm_days} дн.; не подтверждён с {until:%d.%m.%Y %H:%M}"
        return Check("course", False, f"{open_ended}; not re-confirmed since {until.isoformat()}", russian)
    return Check("course", True, open_ended)


def signature_check(line: OrderLine, settings: SourceSettings) -> Check:
    """Return whether a line is signed, or need not be by the source's settings."""
    if line.signed_by.strip():
        return Check("signature", True, f"signed by {line.signed_by.strip()}")
    if settings.signature_required:
        russian = f"нет подписи, а источник «{settings.name}» обязан её передавать"
        return Check("signature", False, f"no signature, and source '{settings.name}' must bring one", russian)
    return Check("signature", True, f"signature not required by source '{settings.name}'")
