"""Validation: what becomes of one line of a sheet, with every check that was made and every reason.

The order of judgement: what is not ours at all (department, class) is excluded before anything else is asked of it; what the
regulation does not let anybody dispense is rejected to the senior nurse; what needs a person's eye goes to review; only then
the schedule decides between as-needed, once, not packable and scheduled.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import chain

from hub.domain.allergies import ALLERGY_SOURCE, AllergyHit, Strength, allergy_hits, allergy_reason
from hub.domain.dose_checks import maxima_of_unknown_drug
from hub.domain.dose_sums import sum_doubts
from hub.domain.drugs import Drug, DrugClass, DrugDirectory
from hub.domain.duplicates import OtherOrder, duplicate_doubts, duplicate_remarks, summed, twins_of
from hub.domain.line_case import Case
from hub.domain.line_content import HouseRules, content_of
from hub.domain.line_outcomes import by_schedule
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
from hub.domain.regulation_checks import (
    ORDER_1088_CHECKS,
    RULE_UNCONFIRMED,
    course_check,
    over_by_dosages,
    signature_check,
    unconfirmed,
)
from hub.domain.releases import RULE_NOTED, is_infusion, meant, rules_meant
from hub.domain.rulings import (
    PASSING,
    Ruling,
    RulingKind,
    ruling_reason,
    ruling_that_passes,
    ruling_that_releases,
    stands,
)
from hub.domain.schedule import (
    HOUSE_RULES,
    FrequencyTable,
    IntakeSlot,
    Schedule,
    ScheduleKind,
    ScheduleRules,
    expand,
    moment_outside,
    within,
)
from hub.domain.schedule_rules import rules_of
from hub.domain.weekly_orders import GivenDose, weekly_beside, weekly_days, weekly_given
from hub.domain.words import Topic

ORDER_1088_EXCLUDED = "Kemerovo order 1088, appendix 1"

_REFUSED_STATUSES = {
    OrderStatus.STOPPED: ("the order was stopped", "назначение отменено"),
    OrderStatus.CANCELLED: ("the order was cancelled", "назначение аннулировано"),
    OrderStatus.COMPLETED: ("the order is completed", "назначение выполнено"),
    OrderStatus.ENTERED_IN_ERROR: ("the order was entered in error", "назначение внесено ошибочно"),
    OrderStatus.DRAFT: ("the order is a draft and not in force yet", "назначение — черновик и ещё не действует"),
}
_CLASSES_RU = {
    DrugClass.NARCOTIC: "наркотическое средство", DrugClass.PSYCHOTROPIC: "психотропное вещество",
    DrugClass.POTENT: "сильнодействующее вещество", DrugClass.TOXIC: "ядовитое вещество",
}  # fmt: skip


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
    rulings: Iterable[Ruling] = (),
    beside: Sequence[OtherOrder] = (),
    rules: ScheduleRules = HOUSE_RULES,
    given: Sequence[GivenDose] = (),
) -> LineDecision:
    """Decide a line: exactly one outcome, every check of the regulation beside it, and at least one reason.

    `last_confirmed_at` is when its source last carried the order; None counts from when it was written. An open-ended order that nobody
    confirmed for the days of its source is a doubt. `planned_from` is the
    moment, in the hospital's zone, from which the sheet's doses are planned; None: nothing is said of it. `rulings` are what
    pharmacists ruled about the order by name; those that stand for the line as it is now count. `beside` are the patient's orders
    in force, of which two may double each other; `given` what the patient's ended orders gave in the last week.
    """
    drug = directory.get(line.drug)
    standing = tuple(ruling for ruling in rulings if stands(ruling, line, patient.allergies))
    infused, rules, line = is_infusion(line, standing), rules_meant(rules, line, standing), meant(line, standing)
    content = content_of(line, drug, stay.department if stay is not None else "", HouseRules(table, slots, rules, settings))
    twins = tuple(twins_of(line, drug, beside, now)) if drug is not None else ()
    confirmed_at, zone = _confirmed_at(last_confirmed_at, standing), planned_from.tzinfo if planned_from is not None else None
    case = Case(
        line, patient, stay, drug, content, settings, confirmed_at, now, slots, planned_from, _hits(patient, drug, settings, directory), standing,
        twins, table, infused, unconfirmed(line, settings, confirmed_at, now, content.schedule, zone), beside, rules_of(rules, settings),
    )  # fmt: skip
    course, signature = course_check(line, settings, confirmed_at, now, content.schedule), signature_check(line, settings)
    checks = (content.dose, content.frequency, course, signature, _allergy_check(case))
    stages = (
        (Outcome.EXCLUDED, _exclusions(case)),
        (Outcome.REJECTED, chain(
            _rejections(case, checks), weekly_beside(line, drug, beside, case.schedule_of, now, slots, case.zone),
            weekly_given(line, drug, given, content.schedule, now, slots, case.zone) if given else (),
        )),
        (Outcome.NEEDS_REVIEW, _doubts(case)),
    )  # fmt: skip
    for outcome, found in stages:
        if reasons := tuple(found):
            return LineDecision(outcome, reasons, checks)
    outcome, reasons = by_schedule(case)
    return LineDecision(outcome, (*reasons, *_remarks(case)), checks)


def _confirmed_at(last_confirmed_at: datetime | None, rulings: Iterable[Ruling]) -> datetime | None:
    """Return when an order was confirmed last, by its source or by a pharmacist who released that nobody had."""
    moments = (ruling.at for ruling in rulings if ruling.rule == RULE_UNCONFIRMED)
    return max((moment for moment in (last_confirmed_at, *moments) if moment is not None), default=None)


def _allergy_check(case: Case) -> Check:
    if case.patient.allergies is None and not case.settings.allergies_provided:
        return Check("allergies", True, f"allergies not checked: source '{case.settings.name}' does not tell of them")
    open_hits = [hit for hit in case.hits if ruling_that_passes(hit, case.rulings) is None]
    if open_hits:
        return Check("allergies", False, "; ".join(_allergy_reason(case, hit).text for hit in open_hits))
    passed = "; ".join(f"'{hit.allergy}' was let pass by a pharmacist" for hit in case.hits)
    return Check("allergies", True, passed or "no known allergy matches")


def _hits(patient: Patient, drug: Drug | None, settings: SourceSettings, directory: DrugDirectory) -> tuple[AllergyHit, ...]:
    """Return the allergies that speak against a line; that nobody told of any, where the source must, is one without a text."""
    if patient.allergies is None:
        return (AllergyHit("", Strength.SAME),) if settings.allergies_provided else ()
    return allergy_hits(patient.allergies, drug, directory) if drug is not None else ()


def _allergy_reason(case: Case, hit: AllergyHit) -> Reason:
    if not hit.allergy:
        name = case.settings.name
        russian = f"источник «{name}» должен сообщать об аллергиях и не сообщил"
        return Reason(hit.strength.value, f"source '{name}' should tell of allergies and does not", ALLERGY_SOURCE, russian)
    assert case.drug is not None
    return allergy_reason(hit, case.drug)


def is_excluded_department(department: str, settings: SourceSettings) -> bool:
    """Tell whether a department keeps its own procedures: its name holds one of the source's texts, in any case of letters."""
    return _is_excluded(department, settings.excluded_departments)


@lru_cache(maxsize=4096)
def _is_excluded(department: str, excluded: tuple[str, ...]) -> bool:
    name = department.casefold()
    return any(text.strip().casefold() in name for text in excluded)


def _exclusions(case: Case) -> Iterator[Reason]:
    if case.stay is not None and is_excluded_department(case.stay.department, case.settings):
        yield Reason(
            "excluded-department",
            f"not ours: department '{case.stay.department}' keeps its own procedure",
            ORDER_1088_EXCLUDED,
            f"не наше: в отделении «{case.stay.department}» свой порядок",
        )
    drug_class = case.drug.drug_class if case.drug is not None else None
    if case.drug is not None and drug_class not in {None, DrugClass.ORDINARY}:
        yield Reason(
            "excluded-class",
            f"not ours: '{case.drug.inn}' is {drug_class}, which keeps its own procedure",
            ORDER_1088_EXCLUDED,
            f"не наше: «{case.drug.inn}» — {_CLASSES_RU.get(drug_class, drug_class)}, для них свой порядок",
        )


def _is_one_dose(case: Case) -> bool:
    """Tell whether a day's times give one dose in all within the line's bounds: a weekly drug written on the sheet of its one day."""
    line, schedule = case.line, case.schedule
    if line.starts_at is None or line.ends_at is None or not isinstance(schedule, Schedule) or schedule.kind is not ScheduleKind.REGULAR:
        return False
    if line.ends_at - line.starts_at >= timedelta(days=1) or any(course.permission.frequency for course in schedule.courses):
        return False
    zone = (case.planned_from or case.now).tzinfo or line.starts_at.tzinfo
    return zone is not None and len(expand(schedule, line.starts_at, line.ends_at, line.starts_at, line.ends_at + timedelta(seconds=1), zone)) == 1


def _rejections(case: Case, checks: tuple[Check, ...]) -> Iterator[Reason]:
    line = case.line
    if line.unreadable:
        yield Reason("unreadable", f"the line cannot be read: {line.unreadable.en}", "format of the sheet", f"строка не читается: {line.unreadable.ru}")
        return
    if line.status in _REFUSED_STATUSES:
        english, russian = _REFUSED_STATUSES[line.status]
        yield Reason("status", english, "FHIR R4 MedicationRequest.status", russian)
    yield from (ruling_reason(ruling) for ruling in case.rulings if ruling.kind is RulingKind.REFUSED)
    for check in checks:
        if not check.passed and check.name != "allergies" and (check.name != "course" or case.unconfirmed is None):
            yield Reason(check.name, check.text, ORDER_1088_CHECKS, check.text_ru)
    yield from (() if case.content.weekly and _is_one_dose(case) else case.content.weekly) or weekly_days(line, case.drug, case.schedule, case.now, case.slots, case.zone)
    if line.starts_at is not None and line.ends_at is not None and line.ends_at < line.starts_at:
        yield Reason("course-order", "the course ends before it starts", ORDER_1088_CHECKS, "курс кончается раньше, чем начинается")
    elif line.ends_at is not None and line.ends_at < case.now:
        russian = f"курс окончен {line.ends_at:%d.%m.%Y в %H:%M}"
        yield Reason("course-over", f"the course is over since {line.ends_at.isoformat()}", ORDER_1088_CHECKS, russian)
    elif (over := over_by_dosages(line, case.schedule, case.now, (case.planned_from or case.now).tzinfo)) is not None:
        yield Reason(
            "course-over", f"the course that its dosages say is over since {over:%H:%M on %d.%m.%Y}", ORDER_1088_CHECKS,
            f"курс, указанный в дозировках, окончен {over:%d.%m.%Y в %H:%M}",
        )  # fmt: skip
    finished = case.stay.finished_at if case.stay is not None else None
    if finished is not None and finished <= case.now:
        yield Reason(
            "discharged",
            f"the patient's stay ended at {finished.isoformat()}",
            "list of discharged patients, order 1088, section II",
            f"пациент выбыл {finished:%d.%m.%Y в %H:%M}",
        )


def _doubts(case: Case) -> Iterator[Reason]:
    """Yield what a pharmacist must look at before anything is done with the line, and has not released by name."""
    return (doubt for doubt in _found(case) if ruling_that_releases(doubt, case.rulings) is None)


def _found(case: Case) -> Iterator[Reason]:
    """Yield what a pharmacist must look at, released or not."""
    line, drug = case.line, case.drug
    yield from unsupported_reasons(line)
    if drug is None:
        yield Reason(
            "unknown-drug", f"the drug '{line.drug or line.drug_text}' is not in the directory", "drug directory",
            f"препарата «{line.drug or line.drug_text}» нет в справочнике",
        )  # fmt: skip
    elif drug.drug_class is None:
        yield Reason(
            "blank-class", f"the legal class of '{drug.inn}' is left blank in the directory", ORDER_1088_EXCLUDED,
            f"в справочнике не указана группа учёта препарата «{drug.inn}»",
        )  # fmt: skip
    if line.status is OrderStatus.UNKNOWN:
        yield Reason(
            "status", "the source does not know whether the order is in force", "FHIR R4 MedicationRequest.status",
            "источник не знает, действует ли назначение",
        )  # fmt: skip
    if case.stay is None:
        yield Reason("unknown-stay", "nobody told where the patient lies", "sheet", "не указано, где лежит пациент")
    if case.unconfirmed is not None:
        yield case.unconfirmed
    for hit in case.hits:
        if ruling_that_passes(hit, case.rulings) is None:
            yield _allergy_reason(case, hit)
    yield from (ruling_reason(ruling) for ruling in case.rulings if ruling.kind is RulingKind.WITHDRAWN)
    if isinstance(case.schedule, Reason):
        yield case.schedule
        return
    yield from _moments_outside(line)
    if drug is None:
        yield from maxima_of_unknown_drug(line, case.schedule)
    else:
        yield from case.content.doubts
        yield from duplicate_doubts(line, case.twins, case.kind_of, case.divides)
        if case.twins:
            yield from sum_doubts(line, drug, case.schedule, summed(line, case.twins, case.kind_of, case.divides), case.schedule_of)


def _moments_outside(line: OrderLine) -> Iterator[Reason]:
    """Yield the first exact moment of a line that is outside the line's own bounds: it would silently never be given."""
    moments = [moment for dosage in line.dosages if dosage.timing is not None for moment in dosage.timing.events]
    outside = [moment for moment in moments if moment.tzinfo is not None and not within(moment, line.starts_at, line.ends_at)]
    if outside:
        yield moment_outside(min(outside))


def unsupported_reasons(line: OrderLine) -> Iterator[Reason]:
    """Yield what the source wrote of a line and no reader may ignore."""
    for what in line.unsupported:
        yield Reason(
            RULE_NOTED if what.about is Topic.NOTE else "unsupported", f"the source wrote something this reader may not ignore: {what.en}", "FHIR R4 modifier elements",
            f"источник указал то, что нельзя оставить без внимания: {what.ru}",
        )  # fmt: skip


def _rulings_in_use(case: Case) -> tuple[Ruling, ...]:
    """Return the rulings by which a line goes on; a release whose matter is gone lets nothing pass."""
    if not case.rulings:
        return ()
    released = [ruling_that_releases(doubt, case.rulings) for doubt in _found(case)]
    return tuple(ruling for ruling in case.rulings if ruling.kind in PASSING and (ruling.kind is not RulingKind.RELEASED or ruling in released))


def _remarks(case: Case) -> Iterator[Reason]:
    yield from (ruling_reason(ruling) for ruling in _rulings_in_use(case))
    yield from duplicate_remarks(case.line, case.twins, case.kind_of, case.divides)
    if case.line.status is OrderStatus.ON_HOLD:
        yield Reason(
            "on-hold", "on hold: nothing is packed or given until it is resumed", "FHIR R4 MedicationRequest.status",
            "приостановлено: до возобновления ничего не фасуется и не даётся",
        )  # fmt: skip
