"""Validation: what becomes of one line of a sheet, with every check that was made and every reason.

The order of judgement: what is not ours at all (department, class) is excluded before anything else is asked of it; what the
regulation does not let anybody dispense is rejected to the senior nurse; what needs a person's eye goes to review; only then
the schedule decides between as-needed, once, not packable and scheduled.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import chain

from hub.domain.allergies import ALLERGY_SOURCE, AllergyHit, Strength, allergy_hits, allergy_reason
from hub.domain.divided_doses import are_gives_of_one, is_divided
from hub.domain.dose_checks import maxima_of_unknown_drug
from hub.domain.drugs import Drug, DrugClass, DrugDirectory
from hub.domain.duplicates import OtherOrder, Twin, duplicate_doubts, duplicate_remarks, twins_of
from hub.domain.lanes import RULE_NOT_PACKED
from hub.domain.line_content import HouseRules, LineContent, content_of
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
from hub.domain.regulation_checks import ORDER_1088_CHECKS, course_check, over_by_dosages, signature_check
from hub.domain.releases import is_infusion, meant, rules_meant
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
    once_due,
    schedule_for,
)
from hub.domain.strengths import RULE_CONTAINER
from hub.domain.weekly_orders import weekly_beside

ORDER_1088_EXCLUDED = "Kemerovo order 1088, appendix 1"
MIXTURE_PREFIX = "mixture:"

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


@dataclass(frozen=True, slots=True)
class _Case:
    """What one judgement looks at."""

    line: OrderLine
    patient: Patient
    stay: Stay | None
    drug: Drug | None
    content: LineContent
    settings: SourceSettings
    confirmed_at: datetime | None
    now: datetime
    slots: tuple[IntakeSlot, ...]
    planned_from: datetime | None
    hits: tuple[AllergyHit, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    twins: tuple[Twin, ...] = ()
    table: FrequencyTable | None = None
    infused: bool = False

    @property
    def schedule(self) -> Schedule | Reason:
        """What the line's dosages mean, or why nobody can tell."""
        return self.content.schedule

    def kind_of(self, line: OrderLine) -> ScheduleKind | None:
        """Return what kind of schedule another line of the same patient has, None where nobody can tell."""
        schedule = self.schedule_of(line)
        return schedule.kind if schedule is not None else None

    def divides(self, line: OrderLine) -> bool:
        """Tell whether another line of the same patient gives its doses at other times than this one, as parts of one dose or of one order."""
        own, other = self.schedule_of(self.line), self.schedule_of(line)
        if own is None or other is None:
            return False
        return is_divided(own, other) or are_gives_of_one(self.line.id, line.id, own, other)

    def schedule_of(self, line: OrderLine) -> Schedule | None:
        """Return what another line of the same patient means at its ward, None where nobody can tell."""
        if line is self.line:
            return self.schedule if isinstance(self.schedule, Schedule) else None
        if self.table is None:
            return None
        schedule = schedule_for(line.dosages, self.table, self.stay.department if self.stay is not None else "", self.slots)
        return schedule if isinstance(schedule, Schedule) else None


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
) -> LineDecision:
    """Decide a line: exactly one outcome, every check of the regulation beside it, and at least one reason.

    `last_confirmed_at` is when a sheet last carried the order; None counts from when it was written. `planned_from` is the
    moment, in the hospital's zone, from which the sheet's doses are planned; None: nothing is said of it. `rulings` are what
    pharmacists ruled about the order by name; those that stand for the line as it is now count. `beside` are the patient's orders
    in force, of which two may double each other.
    """
    drug = directory.get(line.drug)
    standing = tuple(ruling for ruling in rulings if stands(ruling, line, patient.allergies))
    infused, rules, line = is_infusion(line, standing), rules_meant(rules, line, standing), meant(line, standing)
    content = content_of(line, drug, stay.department if stay is not None else "", HouseRules(table, slots, rules, settings))
    twins = tuple(twins_of(line, drug, beside, now)) if drug is not None else ()
    case = _Case(
        line, patient, stay, drug, content, settings, last_confirmed_at, now, slots, planned_from, _hits(patient, drug, settings), standing,
        twins, table, infused,
    )  # fmt: skip
    course, signature = course_check(line, settings, last_confirmed_at, now, content.schedule), signature_check(line, settings)
    checks = (content.dose, content.frequency, course, signature, _allergy_check(case))
    stages = (
        (Outcome.EXCLUDED, _exclusions(case)),
        (Outcome.REJECTED, chain(_rejections(case, checks), weekly_beside(line, drug, beside, case.schedule_of, now))),
        (Outcome.NEEDS_REVIEW, _doubts(case)),
    )
    for outcome, found in stages:
        if reasons := tuple(found):
            return LineDecision(outcome, reasons, checks)
    outcome, reasons = _by_schedule(case)
    return LineDecision(outcome, (*reasons, *_remarks(case)), checks)


def _allergy_check(case: _Case) -> Check:
    if case.patient.allergies is None and not case.settings.allergies_provided:
        return Check("allergies", True, f"allergies not checked: source '{case.settings.name}' does not tell of them")
    open_hits = [hit for hit in case.hits if ruling_that_passes(hit, case.rulings) is None]
    if open_hits:
        return Check("allergies", False, "; ".join(_allergy_reason(case, hit).text for hit in open_hits))
    passed = "; ".join(f"'{hit.allergy}' was let pass by a pharmacist" for hit in case.hits)
    return Check("allergies", True, passed or "no known allergy matches")


def _hits(patient: Patient, drug: Drug | None, settings: SourceSettings) -> tuple[AllergyHit, ...]:
    """Return the allergies that speak against a line; that nobody told of any, where the source must, is one without a text."""
    if patient.allergies is None:
        return (AllergyHit("", Strength.SAME),) if settings.allergies_provided else ()
    return allergy_hits(patient.allergies, drug) if drug is not None else ()


def _allergy_reason(case: _Case, hit: AllergyHit) -> Reason:
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


def _exclusions(case: _Case) -> Iterator[Reason]:
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


def _rejections(case: _Case, checks: tuple[Check, ...]) -> Iterator[Reason]:
    line = case.line
    if line.unreadable:
        yield Reason("unreadable", f"the line cannot be read: {line.unreadable.en}", "format of the sheet", f"строка не читается: {line.unreadable.ru}")
        return
    if line.status in _REFUSED_STATUSES:
        english, russian = _REFUSED_STATUSES[line.status]
        yield Reason("status", english, "FHIR R4 MedicationRequest.status", russian)
    yield from (ruling_reason(ruling) for ruling in case.rulings if ruling.kind is RulingKind.REFUSED)
    for check in checks:
        if not check.passed and check.name != "allergies":
            yield Reason(check.name, check.text, ORDER_1088_CHECKS, check.text_ru)
    yield from case.content.weekly
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


def _doubts(case: _Case) -> Iterator[Reason]:
    """Yield what a pharmacist must look at before anything is done with the line, and has not released by name."""
    return (doubt for doubt in _found(case) if ruling_that_releases(doubt, case.rulings) is None)


def _found(case: _Case) -> Iterator[Reason]:
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
    for hit in case.hits:
        if ruling_that_passes(hit, case.rulings) is None:
            yield _allergy_reason(case, hit)
    yield from (ruling_reason(ruling) for ruling in case.rulings if ruling.kind is RulingKind.WITHDRAWN)
    if isinstance(case.schedule, Reason):
        yield case.schedule
    elif drug is None:
        yield from maxima_of_unknown_drug(line, case.schedule)
    else:
        yield from case.content.doubts
        yield from duplicate_doubts(line, case.twins, case.kind_of, case.divides)


def unsupported_reasons(line: OrderLine) -> Iterator[Reason]:
    """Yield what the source wrote of a line and no reader may ignore."""
    for what in line.unsupported:
        yield Reason(
            "unsupported", f"the source wrote something this reader may not ignore: {what.en}", "FHIR R4 modifier elements",
            f"источник указал то, что нельзя оставить без внимания: {what.ru}",
        )  # fmt: skip


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


def _missed_opening(case: _Case, schedule: Schedule) -> Iterator[Reason]:
    """Yield that the single dose with which a schedule begins is over before the doses that are planned now."""
    since, start = case.planned_from, case.line.starts_at or case.line.authored_at
    if since is None or start is None or not schedule.opens_with_single or start >= since:
        return
    at = start.astimezone(since.tzinfo)
    yield Reason(
        "first-dose", f"the single first dose was due at {at:%H:%M on %d.%m.%Y}, before the doses that are planned now: it is not planned",
        "schedule of the order", f"первая разовая доза была назначена на {at:%d.%m.%Y %H:%M}, до планируемых доз: она не планируется",
    )  # fmt: skip


def _once_reason(case: _Case) -> Reason:
    since = case.planned_from
    if since is not None and since.tzinfo is not None:
        due = once_due(case.line, since, case.slots, since.tzinfo)
        if due < since:
            day = f"before this day's doses (from {since:%H:%M on %d.%m.%Y})"
            text = f"given once; was due at {due:%H:%M on %d.%m.%Y}, {day}: not planned again"
            told = f"даётся однократно; срок был {due:%d.%m.%Y в %H:%M}, до доз этого дня (с {since:%d.%m.%Y %H:%M}): снова не планируется"
            return Reason("once", text, "frequencies.csv", told)
    return Reason("once", "given once, at the order's start", "frequencies.csv", "даётся однократно, в начале назначения")


def _code(case: _Case) -> tuple[str, str]:
    """Return by what the times come about, in English and in Russian."""
    timing = case.line.timing
    if timing is not None and timing.code:
        return timing.code, timing.code
    return ("slots of the day", "приёмы дня") if timing is not None and timing.slots else ("the written timing", "написанный режим")


def _rulings_in_use(case: _Case) -> tuple[Ruling, ...]:
    """Return the rulings by which a line goes on; a release whose matter is gone lets nothing pass."""
    if not case.rulings:
        return ()
    released = [ruling_that_releases(doubt, case.rulings) for doubt in _found(case)]
    return tuple(ruling for ruling in case.rulings if ruling.kind in PASSING and (ruling.kind is not RulingKind.RELEASED or ruling in released))


def _remarks(case: _Case) -> Iterator[Reason]:
    yield from (ruling_reason(ruling) for ruling in _rulings_in_use(case))
    yield from duplicate_remarks(case.line, case.twins, case.kind_of, case.divides)
    if case.line.status is OrderStatus.ON_HOLD:
        yield Reason(
            "on-hold", "on hold: nothing is packed or given until it is resumed", "FHIR R4 MedicationRequest.status",
            "приостановлено: до возобновления ничего не фасуется и не даётся",
        )  # fmt: skip
