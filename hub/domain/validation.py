"""Validation: what becomes of one line of a sheet, with every check that was made and every reason.

The order of judgement: what is not ours at all (department, class) is excluded before anything else is asked of it; what the
regulation does not let anybody dispense is rejected to the senior nurse; what needs a person's eye goes to review; only then
the schedule decides between as-needed, once, not packable and scheduled.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache

from hub.domain.doses import Lane
from hub.domain.drugs import Drug, DrugClass, DrugDirectory
from hub.domain.lanes import RULE_NOT_PACKED, implausible_amount, lane_of, packed_units
from hub.domain.orders import (
    Check,
    LineDecision,
    OrderLine,
    OrderStatus,
    Outcome,
    Patient,
    Reason,
    SourceSettings,
    Stay,
)
from hub.domain.quantities import Quantity
from hub.domain.schedule import FrequencyTable, IntakeSlot, Schedule, ScheduleKind, once_due, schedule_for
from hub.domain.strengths import RULE_CONTAINER, units_for

ORDER_1088_CHECKS = "Kemerovo order 1088, section II.1"
ORDER_1088_EXCLUDED = "Kemerovo order 1088, appendix 1"
MIXTURE_PREFIX = "mixture:"
_SHORTEST_STEM = 6
_NO_ALLERGIES = frozenset(
    {"", "-", "no", "none", "nka", "nkda", "нет", "отрицает", "не отягощен", "не отягощён", "no known allergies"}
)
_WORDS = re.compile(r"[^\W\d_]+")

_REFUSED_STATUSES = {
    OrderStatus.STOPPED: "the order was stopped",
    OrderStatus.CANCELLED: "the order was cancelled",
    OrderStatus.COMPLETED: "the order is completed",
    OrderStatus.ENTERED_IN_ERROR: "the order was entered in error",
    OrderStatus.DRAFT: "the order is a draft and not in force yet",
}


@dataclass(frozen=True, slots=True)
class _Case:
    """What one judgement looks at."""

    line: OrderLine
    patient: Patient
    stay: Stay | None
    drug: Drug | None
    schedule: Schedule | Reason | None
    settings: SourceSettings
    confirmed_at: datetime | None
    now: datetime
    slots: tuple[IntakeSlot, ...]
    planned_from: datetime | None


def decide_line(
    line: OrderLine,
    patient: Patient,
    stay: Stay | None,
    directory: DrugDirectory,
    table: FrequencyTable,
    slots: tuple[IntakeSlot, ...],
    settings: SourceSettings,
    last_confirmed_at: datetime | None,
    now: datetime,
    planned_from: datetime | None = None,
) -> LineDecision:
    """Decide a line: exactly one outcome, every check of the regulation beside it, and at least one reason.

    `last_confirmed_at` is when a sheet last carried the order; None counts from when it was written. `planned_from` is the
    moment, in the hospital's zone, from which the sheet's doses are planned; None: nothing is said of it.
    """
    schedule = None
    if line.timing is not None:
        schedule = schedule_for(line.timing, table, stay.department if stay is not None else "", slots)
    case = _Case(line, patient, stay, directory.get(line.drug), schedule, settings, last_confirmed_at, now, slots, planned_from)
    checks = (*regulation_checks(line, settings, last_confirmed_at, now, schedule), _allergy_check(case))
    stages = (
        (Outcome.EXCLUDED, _exclusions(case)),
        (Outcome.REJECTED, _rejections(case, checks)),
        (Outcome.NEEDS_REVIEW, _doubts(case)),
    )
    for outcome, found in stages:
        if reasons := tuple(found):
            return LineDecision(outcome, reasons, checks)
    outcome, reasons = _by_schedule(case)
    return LineDecision(outcome, (*reasons, *_remarks(case)), checks)


def confirmed_until(line: OrderLine, settings: SourceSettings, last_confirmed_at: datetime | None) -> datetime | None:
    """Return until when an order may be planned: its own end, or `reconfirm_days` after it was last confirmed; None: no limit."""
    confirmed = last_confirmed_at or line.authored_at or line.starts_at
    if line.ends_at is not None or settings.reconfirm_days is None or confirmed is None:
        return line.ends_at
    return confirmed + timedelta(days=settings.reconfirm_days)


def regulation_checks(
    line: OrderLine,
    settings: SourceSettings,
    last_confirmed_at: datetime | None,
    now: datetime,
    schedule: Schedule | Reason | None = None,
) -> tuple[Check, ...]:
    """Return the four checks of order 1088, section II.1 (dose, frequency, course, signature), each by itself.

    An order that has no dose times (sliding scale, infusion, protocol) may leave its dose to the protocol.
    """
    by_protocol = isinstance(schedule, Schedule) and schedule.kind is ScheduleKind.CONTINUOUS
    return (
        _dose_check(line, by_protocol),
        _frequency_check(line),
        _course_check(line, settings, last_confirmed_at, now),
        _signature_check(line, settings),
    )


def _dose_check(line: OrderLine, by_protocol: bool) -> Check:
    if by_protocol and (line.dose is None or line.dose[1].amount == 0):
        return Check("dose", True, f"the dose is left to what '{line.timing.code if line.timing else ''}' says")
    if line.dose is None:
        return Check("dose", False, "no dose is written")
    low, high = line.dose
    if low.amount.numerator <= 0 or (high is not low and high.amount < low.amount):
        return Check("dose", False, f"the dose {low} to {high} is not a dose")
    return Check("dose", True, f"dose {low}" if high is low or low == high else f"dose {low} to {high}")


def _frequency_check(line: OrderLine) -> Check:
    timing = line.timing
    if timing is None or not (timing.prn or timing.slots or (timing.code or "").strip()):
        return Check("frequency", False, "no frequency is written")
    return Check(
        "frequency",
        True,
        f"frequency {timing.code}" if timing.code else "frequency by slots" if timing.slots else "when needed",
    )


def _course_check(
    line: OrderLine, settings: SourceSettings, last_confirmed_at: datetime | None, now: datetime
) -> Check:
    if line.ends_at is not None:
        return Check("course", True, f"course until {line.ends_at.isoformat()}")
    if settings.course_required:
        return Check("course", False, f"no course is written, and source '{settings.name}' must write one")
    open_ended = f"course not required by source '{settings.name}': open-ended until stopped"
    if settings.reconfirm_days is None:
        return Check("course", True, open_ended)
    open_ended += f", re-confirmed every {settings.reconfirm_days} days"
    until = confirmed_until(line, settings, last_confirmed_at)
    if until is not None and now > until:
        return Check("course", False, f"{open_ended}; not re-confirmed since {until.isoformat()}")
    return Check("course", True, open_ended)


def _signature_check(line: OrderLine, settings: SourceSettings) -> Check:
    if line.signed_by.strip():
        return Check("signature", True, f"signed by {line.signed_by.strip()}")
    if settings.signature_required:
        return Check("signature", False, f"no signature, and source '{settings.name}' must bring one")
    return Check("signature", True, f"signature not required by source '{settings.name}'")


def _allergy_check(case: _Case) -> Check:
    if case.patient.allergies is None:
        if case.settings.allergies_provided:
            return Check("allergies", False, f"source '{case.settings.name}' should tell of allergies and does not")
        return Check("allergies", True, f"allergies not checked: source '{case.settings.name}' does not tell of them")
    hit = next(
        (text for text in case.patient.allergies if case.drug is not None and is_allergic_to(text, case.drug)), None
    )
    if hit is not None:
        return Check("allergies", False, f"the patient's allergy '{hit}' matches this drug")
    return Check("allergies", True, "no known allergy matches")


def is_excluded_department(department: str, settings: SourceSettings) -> bool:
    """Tell whether a department keeps its own procedures: its name holds one of the source's texts, in any case of letters."""
    name = department.casefold()
    return any(text in name for text in _excluded(settings.excluded_departments))


@lru_cache(maxsize=64)
def _excluded(departments: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.strip().casefold() for name in departments)


def _exclusions(case: _Case) -> Iterator[Reason]:
    if case.stay is not None and is_excluded_department(case.stay.department, case.settings):
        yield Reason(
            "excluded-department",
            f"not ours: department '{case.stay.department}' keeps its own procedure",
            ORDER_1088_EXCLUDED,
        )
    drug_class = case.drug.drug_class if case.drug is not None else None
    if case.drug is not None and drug_class not in {None, DrugClass.ORDINARY}:
        yield Reason(
            "excluded-class",
            f"not ours: '{case.drug.inn}' is {drug_class}, which keeps its own procedure",
            ORDER_1088_EXCLUDED,
        )


def _rejections(case: _Case, checks: tuple[Check, ...]) -> Iterator[Reason]:
    line = case.line
    if line.unreadable:
        yield Reason("unreadable", f"the line cannot be read: {line.unreadable}", "format of the sheet", f"строка не читается: {line.unreadable}")
        return
    if line.status in _REFUSED_STATUSES:
        yield Reason("status", _REFUSED_STATUSES[line.status], "FHIR R4 MedicationRequest.status")
    for check in checks:
        if not check.passed and check.name != "allergies":
            yield Reason(check.name, check.text, ORDER_1088_CHECKS)
    if line.starts_at is not None and line.ends_at is not None and line.ends_at < line.starts_at:
        yield Reason("course-order", "the course ends before it starts", ORDER_1088_CHECKS)
    elif line.ends_at is not None and line.ends_at < case.now:
        yield Reason("course-over", f"the course is over since {line.ends_at.isoformat()}", ORDER_1088_CHECKS)
    finished = case.stay.finished_at if case.stay is not None else None
    if finished is not None and finished <= case.now:
        yield Reason(
            "discharged",
            f"the patient's stay ended at {finished.isoformat()}",
            "list of discharged patients, order 1088, section II",
        )


def _doubts(case: _Case) -> Iterator[Reason]:
    """Yield what a pharmacist must look at before anything is done with the line."""
    line, drug = case.line, case.drug
    for what in line.unsupported:
        yield Reason(
            "unsupported", f"the source wrote something this reader may not ignore: {what}", "FHIR R4 modifier elements"
        )
    if drug is None:
        yield Reason(
            "unknown-drug", f"the drug '{line.drug or line.drug_text}' is not in the directory", "drug directory"
        )
    elif drug.drug_class is None:
        yield Reason(
            "blank-class", f"the legal class of '{drug.inn}' is left blank in the directory", ORDER_1088_EXCLUDED
        )
    if line.status is OrderStatus.UNKNOWN:
        yield Reason(
            "status", "the source does not know whether the order is in force", "FHIR R4 MedicationRequest.status"
        )
    if case.stay is None:
        yield Reason("unknown-stay", "nobody told where the patient lies", "sheet")
    allergy = _allergy_check(case)
    if not allergy.passed:
        yield Reason("allergy", allergy.text, "patient's allergies, directory INN, trade name and group")
    if isinstance(case.schedule, Reason):
        yield case.schedule


def _by_schedule(case: _Case) -> tuple[Outcome, tuple[Reason, ...]]:
    """Return the outcome of a line that is ours, allowed and clear."""
    schedule = case.schedule
    assert isinstance(schedule, Schedule)
    if schedule.kind is ScheduleKind.PRN:
        return Outcome.PRN, (
            Reason(
                "prn",
                "given when needed, from ward stock: as-needed doses are not packed ahead",
                "as-needed doses mostly come back",
            ),
        )
    if schedule.kind is ScheduleKind.CONTINUOUS:
        return Outcome.NOT_PACKABLE, (
            Reason(
                "no-dose-times",
                f"'{_code(case)}' has no dose times (infusion, protocol, as directed)",
                "frequencies.csv",
            ),
        )
    if case.line.note.strip().casefold().startswith(MIXTURE_PREFIX):
        return Outcome.NOT_PACKABLE, (
            Reason("mixture", "several drugs are mixed for one dose: prepared at the ward", "note of the order"),
        )
    problem = _counting_problem(case, schedule)
    if problem is not None:
        stays_out = problem.rule in {RULE_CONTAINER, RULE_NOT_PACKED}
        return (Outcome.NOT_PACKABLE if stays_out else Outcome.NEEDS_REVIEW), (problem,)
    if schedule.kind is ScheduleKind.ONCE:
        return Outcome.ONCE, (_once_reason(case),)
    return Outcome.SCHEDULED, (Reason("scheduled", f"complete, ours, and due by '{_code(case)}'", ORDER_1088_CHECKS),)


def _once_reason(case: _Case) -> Reason:
    since = case.planned_from
    if since is not None and since.tzinfo is not None:
        due = once_due(case.line, since, case.slots, since.tzinfo)
        if due < since:
            day = f"before this day's doses (from {since:%H:%M on %d.%m.%Y})"
            text = f"given once; was due at {due:%H:%M on %d.%m.%Y}, {day}: not planned again"
            return Reason("once", text, "frequencies.csv")
    return Reason("once", "given once, at the order's start", "frequencies.csv")


def _code(case: _Case) -> str:
    timing = case.line.timing
    return timing.code if timing is not None and timing.code else "slots of the day"


def _counting_problem(case: _Case, schedule: Schedule) -> Reason | None:
    """Return why the dose cannot be counted out into permitted units of some lane, or None."""
    line, drug = case.line, case.drug
    assert line.dose is not None and drug is not None
    low, high = line.dose
    factors = {factor.as_integer_ratio(): factor for _, factor in schedule.times} or {(1, 1): Fraction(1)}
    for factor in factors.values():  # pairs of integers are hashed ten times as fast as fractions
        counted = counted_dose(low.times(factor), drug, line.route)
        if isinstance(counted, Reason):
            return counted
    if low is not high and low != high:
        return Reason(
            "dose-range",
            f"the dose {low} to {high} must be settled before it is packed",
            "policy: a range of a scheduled dose is asked",
        )
    return None


def counted_dose(
    dose: Quantity, drug: Drug, route: str, has_cassette: bool = False
) -> tuple[Fraction, Fraction, Lane] | Reason:
    """Return (exact units, units that are packed, lane) of one dose, or why a person must decide."""
    exact = units_for(dose, drug)
    lane = lane_of(drug, exact if isinstance(exact, Fraction) else Fraction(1), route, has_cassette)
    if isinstance(lane, Reason) and lane.rule == RULE_NOT_PACKED:
        return lane
    if isinstance(exact, Reason):
        return exact
    if isinstance(lane, Reason):
        return lane
    packed = implausible_amount(drug, dose) or packed_units(drug, exact, lane)
    return packed if isinstance(packed, Reason) else (exact, packed, lane)


def _remarks(case: _Case) -> Iterator[Reason]:
    if case.line.status is OrderStatus.ON_HOLD:
        yield Reason(
            "on-hold", "on hold: nothing is packed or given until it is resumed", "FHIR R4 MedicationRequest.status"
        )


def is_allergic_to(allergy: str, drug: Drug) -> bool:
    """Tell whether an allergy's text names the drug's INN, trade name or group; cautious: word stems are compared.

    A false match costs a pharmacist's look, a missed one may cost a life; so inflected Russian words match by their stem.
    """
    told = " ".join(allergy.casefold().split())
    if told in _NO_ALLERGIES:
        return False
    names = [name.casefold().strip() for name in (drug.inn, drug.trade_name, drug.group) if len(name.strip()) >= 4]
    if any(name in told or (len(told) >= 4 and told in name) for name in names):
        return True
    allergens = [word for word in _WORDS.findall(told) if len(word) >= _SHORTEST_STEM]
    words = [word for name in names for word in _WORDS.findall(name) if len(word) >= _SHORTEST_STEM]
    return any(_same_stem(first, second) for first in allergens for second in words)


def _same_stem(first: str, second: str) -> bool:
    stem = max(_SHORTEST_STEM, min(len(first), len(second)) - 2)
    return first[:stem] == second[:stem]
