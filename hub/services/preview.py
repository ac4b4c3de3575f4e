"""A file is looked at before it counts: what every line would become, what was understood of its schedule, and its first doses.

Nothing is written. The judgement is that of taking the file in (`receive_sheet.decision_of`); words and doses are given for
every line whose timing can be understood, also where its outcome is another one, so that a person can check the reading.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hub.domain.codes import CodeTable, translated
from hub.domain.drugs import Drug
from hub.domain.expander import LONGEST_WINDOW
from hub.domain.identifiers import DrugCode, OrderId, PatientId
from hub.domain.orders import (
    IN_FORCE,
    LineState,
    OrderLine,
    OrderSheet,
    Outcome,
    Patient,
    Reason,
    Reject,
    SourceSettings,
    Stay,
    has_ended,
)
from hub.domain.planning import begun
from hub.domain.quantities import Quantity, fraction_text
from hub.domain.records import CodeKind
from hub.domain.refusals import Refusal
from hub.domain.releases import meant, rules_meant
from hub.domain.rulings import Ruling, ruling_that_releases, stands
from hub.domain.schedule import Moments, Schedule, ScheduleKind, expand, once_due, schedule_for
from hub.domain.schedule_rules import HOUSE_RULES, ScheduleRules, rules_of, rules_told
from hub.domain.schedule_words import in_words
from hub.domain.validation import unsupported_reasons
from hub.services.house import House
from hub.services.orders_beside import beside_by_patient
from hub.services.ports import UnitOfWork
from hub.services.receive_sheet import Desk, decision_of
from hub.services.standing_rulings import Rulings, standing_rulings

LANGUAGES = ("ru", "en")
_IN_FORCE_OUTCOMES = frozenset({Outcome.SCHEDULED, Outcome.ONCE, Outcome.PRN, Outcome.NOT_PACKABLE})
SHOWN_FOR = timedelta(days=7)
MOST_DOSES = 2_000


@dataclass(frozen=True, slots=True)
class Known:
    """What is known before the file is read: the directory, and of earlier sheets patients, stays, orders in force, rulings and answered codes."""

    drugs: Mapping[DrugCode, Drug]
    patients: Mapping[PatientId, Patient] = field(default_factory=dict)
    stays: Mapping[PatientId, Stay] = field(default_factory=dict)
    codes: Mapping[str, CodeTable] = field(default_factory=dict)
    in_force: tuple[OrderLine, ...] = ()
    waiting: tuple[OrderLine, ...] = ()
    rulings: Rulings = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PreviewDose:
    """One dose as the order says it; `dose` None where the line has no dose that can be read."""

    due: datetime
    dose: Quantity | None


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """What a line would become. `words` by language, empty where nobody can tell the schedule; `more` doses are not listed."""

    line: OrderLine
    department: str
    outcome: Outcome
    reasons: tuple[Reason, ...]
    words: Mapping[str, str]
    doses: tuple[PreviewDose, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class SheetPreview:
    """What a file would become; every line of it is here, in its order. `unread` are the entries that are no line at all, `rules` those of its schedules."""

    name: str
    source: str
    at: datetime
    lines: tuple[PreviewLine, ...]
    unread: tuple[Reject, ...] = ()
    rules: ScheduleRules = HOUSE_RULES

    @property
    def outcomes(self) -> dict[str, int]:
        """Return how many lines have each outcome; they sum to the lines."""
        counted = Counter(line.outcome for line in self.lines)
        return {outcome.value: counted[outcome] for outcome in Outcome if counted[outcome]}

    @property
    def rejects(self) -> tuple[PreviewLine, ...]:
        """Return the lines that go back to the senior nurse."""
        return tuple(line for line in self.lines if line.outcome is Outcome.REJECTED)


def known_of(unit: UnitOfWork) -> Known:
    """Return what a hub knows of drugs, patients and stays."""
    return Known(
        drugs={drug.code: drug for drug in unit.drugs.where()},
        patients={patient.id: patient for patient in unit.patients.where()},
        stays={stay.patient: stay for stay in unit.stays.where()},
        codes=_answered(unit),
        in_force=tuple(order.line for order in unit.orders.where(state=list(IN_FORCE)) if not has_ended(order, unit.now)),
        waiting=tuple(order.line for order in unit.orders.where(state=LineState.NEEDS_REVIEW)),
        rulings=standing_rulings(unit),
    )


def _answered(unit: UnitOfWork) -> Mapping[str, CodeTable]:
    tables: dict[str, dict[tuple[CodeKind, str], str]] = {}
    for entry in unit.code_entries.where():
        if entry.meaning:
            tables.setdefault(entry.source, {})[entry.kind, entry.code] = entry.meaning
    return tables


def preview_sheet(known: Known, sheet: OrderSheet, house: House, now: datetime) -> SheetPreview | Refusal:
    """Return what a sheet or a changes feed would become at `now`; the lines of a feed are judged at their own times.

    What brings both its lines and the same as dated changes (HL7 v2) is shown by its lines, as the last message leaves them.
    """
    settings = house.sources.get(sheet.source)
    if settings is None:
        sources = ", ".join(sorted(house.sources))
        return Refusal("unknown-source", f"Nobody has set up the source '{sheet.source}'; known are {sources}.", f"Источник «{sheet.source}» не настроен; известны: {sources}.")
    codes = {**house.codes.get(sheet.source, {}), **known.codes.get(sheet.source, {})}
    desk = Desk(house, settings, known.drugs, frozenset(), dict(known.patients), dict(known.stays), house.sheet_window(now), codes, known.rulings)
    for patient in sheet.patients:
        _met(desk, patient)
    desk.stays.update({stay.patient: stay for stay in sheet.stays})
    written = tuple(translated(line, codes) for line in sheet.lines)
    ids = {line.id for line in written}
    others = [line for line in (*known.in_force, *known.waiting) if line.id not in ids]
    desk = replace(desk, beside=beside_by_patient(house, known.drugs, known.rulings, [*written, *others], _standing(written, known.in_force), _standing(written, known.waiting)))
    lines = tuple(_previewed(desk, line, now) for line in written) or tuple(_changed(desk, sheet, known))
    return SheetPreview(sheet.name, sheet.source, now, lines, sheet.rejects, house.rules_for(sheet.source))


def _met(desk: Desk, patient: Patient) -> None:
    before = desk.patients.get(patient.id)
    allergies = patient.allergies if patient.allergies is not None or before is None else before.allergies
    desk.patients[patient.id] = replace(patient, allergies=allergies)


def _standing(written: Iterable[OrderLine], in_force: Iterable[OrderLine]) -> set[OrderId]:
    """Return the orders that stand (or wait) as they did: those of which the file says nothing else than before."""
    lines = {line.id: line for line in written}
    return {before.id for before in in_force if (line := lines.get(before.id)) is None or _is_unchanged(line, before)}


def _is_unchanged(line: OrderLine, before: OrderLine) -> bool:
    return replace(line, version=before.version, sheet=before.sheet, position=before.position) == before


def _changed(desk: Desk, sheet: OrderSheet, known: Known) -> Iterator[PreviewLine]:
    """Yield the lines of a feed, each judged by what was known at its time."""
    beside: dict[PatientId, dict[OrderId, OrderLine]] = {}
    for line in (*known.waiting, *known.in_force):
        beside.setdefault(line.patient, {})[line.id] = line
    standing, waiting = ({line.id: line for line in lines} for lines in (known.in_force, known.waiting))
    for change in sheet.changes:
        if change.patient is not None:
            _met(desk, change.patient)
        if change.stay is not None:
            desk.stays[change.stay.patient] = change.stay
        if change.line is not None:
            at = change.at.astimezone(desk.house.zone)
            line = translated(change.line, desk.codes)
            beside.setdefault(line.patient, {})[line.id] = line
            stand = _standing([line], standing.values())
            waits = _standing([line], waiting.values())
            others = beside_by_patient(desk.house, desk.drugs, desk.rulings, beside[line.patient].values(), stand, waits)
            previewed = _previewed(replace(desk, window=desk.house.day_window(at), beside=others), line, at)
            for lines, outcomes in ((standing, _IN_FORCE_OUTCOMES), (waiting, {Outcome.NEEDS_REVIEW})):
                lines.pop(line.id, None)
                if previewed.outcome in outcomes:
                    lines[line.id] = line
            yield previewed


def _previewed(desk: Desk, line: OrderLine, now: datetime) -> PreviewLine:
    decision = decision_of(desk, line, now)
    stay = desk.stays.get(line.patient)
    department = stay.department if stay is not None else ""
    rulings = [ruling for ruling in desk.rulings.get(line.id, ()) if stands(ruling, line, ())]
    reasons = _with_open_questions(decision.reasons, line, _meaning(desk.house, desk.settings, line, department, rulings), rulings)
    schedule = understood(desk.house, desk.settings, line, department, rulings)
    if schedule is None:
        return PreviewLine(line, department, decision.outcome, reasons, _each_in_words(desk, line, department), ())
    as_meant = meant(line, rulings)
    doses = first_doses(desk.house, as_meant, schedule, now)
    words = {language: schedule_in_words(desk.house, as_meant, schedule, language) for language in LANGUAGES}
    return PreviewLine(line, department, decision.outcome, reasons, words, doses[:MOST_DOSES], len(doses) > MOST_DOSES)


def _with_open_questions(
    reasons: tuple[Reason, ...], line: OrderLine, schedule: Schedule | Reason, rulings: Sequence[Ruling]
) -> tuple[Reason, ...]:
    """Return the reasons of an outcome with what could not be honoured of the line, so that it is mended in one go.

    A line that is refused for another reason (over, stopped, no dose) has not come so far as to be asked about.
    """
    if line.unreadable:
        return reasons
    noted = (reason for reason in unsupported_reasons(line) if ruling_that_releases(reason, rulings) is None)
    own = [*noted, *([schedule] if isinstance(schedule, Reason) else [])]
    known = {reason.text for reason in reasons}
    return (*reasons, *(reason for reason in own if reason.text not in known))


def _each_in_words(desk: Desk, line: OrderLine, department: str) -> dict[str, str]:
    """Return what every dosage says by itself, where only their sum cannot be told (another route, another measure); else nothing."""
    own = [understood(desk.house, desk.settings, replace(line, dosages=(dosage,)), department) for dosage in line.dosages]
    if len(own) < 2 or None in own:
        return {}
    beside = {"ru": "; отдельно: ", "en": "; separately: "}
    return {
        language: beside[language].join(in_words(one, dosage.dose, language) for one, dosage in zip(own, line.dosages, strict=True) if one is not None)
        for language in LANGUAGES
    }


def schedule_in_words(house: House, line: OrderLine, schedule: Schedule, language: str) -> str:
    """Return a line's schedule in words, with the end of the line itself where one is written."""
    said = in_words(schedule, line.dose, language)
    told = schedule.kind is ScheduleKind.ONCE or any(course.ends_at is not None for course in schedule.courses)
    if line.ends_at is None or told:
        return said
    ends_at = line.ends_at.astimezone(house.zone)
    if (ends_at.hour, ends_at.minute) == (23, 59):
        return f"{said}, {'по' if language == 'ru' else 'through'} {ends_at:%d.%m.%Y}"
    return f"{said}, {'до' if language == 'ru' else 'until'} {ends_at:%d.%m.%Y %H:%M}"


def _meaning(house: House, settings: SourceSettings, line: OrderLine, department: str, rulings: Sequence[Ruling] = ()) -> Schedule | Reason:
    """Return what a line's dosages mean at its ward, whatever becomes of the line."""
    rules = rules_meant(rules_of(house.schedule_rules, settings), line, rulings)
    return schedule_for(line.dosages, house.frequencies, department, house.slots, rules)


def understood(house: House, settings: SourceSettings, line: OrderLine, department: str, rulings: Sequence[Ruling] = ()) -> Schedule | None:
    """Return what a line's dosages mean at its ward.

    None where nobody can tell, also because a part of the timing could not be read: half a timing is another timing.
    """
    if not line.times_are_read:
        return None
    schedule = _meaning(house, settings, line, department, rulings)
    return schedule if isinstance(schedule, Schedule) else None


def first_doses(house: House, line: OrderLine, schedule: Schedule, now: datetime) -> tuple[PreviewDose, ...]:
    """Return the doses of the first seven days from the order's start; where they have none, of those from its first dose on."""
    begins = line.starts_at or line.authored_at or now
    found = doses_between(house, line, schedule, begins, begins + SHOWN_FOR)
    if found:
        return found
    begins = min((moment for moment in exact_moments(schedule) if moment >= begins), default=begins)
    later = doses_between(house, line, schedule, begins, begins + LONGEST_WINDOW)[:1]
    return doses_between(house, line, schedule, later[0].due, later[0].due + SHOWN_FOR) if later else ()


def exact_moments(schedule: Schedule) -> Iterator[datetime]:
    """Yield the exact moments that a schedule names; they may be years after the order was written."""
    patterns = (pattern for course in schedule.courses for _, pattern in course.editions)
    for pattern in patterns:
        if isinstance(pattern, Moments):
            yield from pattern.moments


def doses_between(house: House, line: OrderLine, schedule: Schedule, begins: datetime, ends: datetime) -> tuple[PreviewDose, ...]:
    """Return the doses that a line says in [begins, ends), at most one more than are shown, whatever day it is now."""
    schedule, starts_at = begun(line, schedule, line.starts_at or line.authored_at or begins, house.slots, house.zone)
    if schedule.kind is ScheduleKind.ONCE:
        starts_at = once_due(line, starts_at, house.slots, house.zone)
    dose = line.dose[0] if line.dose is not None else None
    due_times = expand(schedule, starts_at, line.ends_at, begins, ends, house.zone)[: MOST_DOSES + 1]
    return tuple(PreviewDose(due, dose.times(factor) if dose is not None else None) for due, factor in due_times)


def preview_facts(preview: SheetPreview) -> dict[str, Any]:
    """Return a preview as JSON: `orders`, `outcomes` (they sum to `orders`), `lines` and `rejects`."""
    return {
        "file": preview.name, "source": preview.source, "at": preview.at.isoformat(), "orders": len(preview.lines), "outcomes": preview.outcomes,
        "schedule_rules": rules_told(preview.rules),
        "lines": [line_facts(line) for line in preview.lines],
        "rejects": [*(reject_facts(line) for line in preview.rejects), *(_unread_facts(preview.name, reject) for reject in preview.unread)],
    }  # fmt: skip


def line_facts(shown: PreviewLine) -> dict[str, Any]:
    """Return one line as JSON; amounts are exact text (`0.5`, `1/3`)."""
    line = shown.line
    return {
        "id": line.id, "position": line.position, "patient": line.patient, "department": shown.department, "drug": line.drug, "drug_text": line.drug_text,
        "outcome": shown.outcome.value, "reasons": [reason_facts(reason) for reason in shown.reasons], "schedule": dict(shown.words) or None,
        "doses": [_dose_facts(dose) for dose in shown.doses], "more_doses": shown.more, "note": line.note,
        "written": [dosage.text for dosage in line.dosages if dosage.text],
    }  # fmt: skip


def _dose_facts(dose: PreviewDose) -> dict[str, Any]:
    amount, unit = (fraction_text(dose.dose.amount), dose.dose.unit) if dose.dose is not None else (None, None)
    return {"due": dose.due.isoformat(), "amount": amount, "unit": unit}


def reason_facts(reason: Reason) -> dict[str, str]:
    """Return a reason as JSON, in both languages."""
    return {"rule": reason.rule, "text": reason.text, "text_ru": reason.said("ru"), "source": reason.source}


def reject_facts(shown: PreviewLine) -> dict[str, Any]:
    """Return where a rejected line stands, the members that are at fault, and why, in both languages."""
    return {
        "file": shown.line.sheet, "line": shown.line.position, "field": "; ".join(dict.fromkeys(_field(reason) for reason in shown.reasons)),
        "order": shown.line.id, "reasons": "; ".join(reason.said("en") for reason in shown.reasons),
        "reasons_ru": "; ".join(reason.said("ru") for reason in shown.reasons),
    }  # fmt: skip


def _unread_facts(name: str, reject: Reject) -> dict[str, Any]:
    return {"file": name, "line": reject.position, "field": reject.field, "order": "", "reasons": reject.reason.en, "reasons_ru": reject.reason.ru}


_FIELDS: Mapping[str, str] = {
    "course-order": "course", "course-over": "course", "discharged": "stay", "unreadable": "line", "frequency": "timing",
}  # fmt: skip


def _field(reason: Reason) -> str:
    return _FIELDS.get(reason.rule, reason.rule)
