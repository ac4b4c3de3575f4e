"""Lines that wait for a pharmacist: the most urgent first, with all that is needed to decide; and how many wait for what."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.domain.allergies import AllergyHit, allergy_hits, allergy_reason
from hub.domain.codes import unknown_codes
from hub.domain.drugs import Drug
from hub.domain.duplicates import substance
from hub.domain.identifiers import DrugCode
from hub.domain.orders import IN_FORCE, LineState, Order, Patient, Reason, Stay
from hub.domain.planning import anchor_of, begun
from hub.domain.quantities import Quantity, fraction_text
from hub.domain.releases import (
    Remedy,
    correction_in_review,
    doubts_of,
    meant,
    offered_doses,
    remedy_of,
    with_duration,
)
from hub.domain.rulings import PASSING, Ruling, about_of, ruling_reason, ruling_that_passes, stands
from hub.domain.schedule import Schedule, ScheduleKind, expand, in_words, once_due, schedule_for
from hub.domain.schedule_rules import DurationMeaning
from hub.services.code_tables import example_of, known_to
from hub.services.house import House
from hub.services.ports import UnitOfWork

LANGUAGES = ("en", "ru")
MOST_READ = 5_000
MOST_ROWS = 500
MOST_BESIDE = 20
MOST_RULED = 100
MOST_DAYS = 92
MOST_RULINGS = 100_000
LOOKED_AHEAD = timedelta(hours=48)
_READINGS: Mapping[str, DurationMeaning] = {"course": DurationMeaning.COURSE, "infusion": DurationMeaning.DOSE}
_BESIDE = (*IN_FORCE, LineState.NEEDS_REVIEW)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A line that waits, with what is known beside it; `due` is None where nobody can tell."""

    order: Order
    patient: Patient | None
    stay: Stay | None
    drug: Drug | None
    rulings: tuple[Ruling, ...]
    schedule: Schedule | Reason
    due: datetime | None

    @property
    def department(self) -> str:
        return self.stay.department if self.stay is not None else ""

    @property
    def high_alert(self) -> bool:
        return self.drug is not None and self.drug.high_alert


def waiting_count(unit: UnitOfWork) -> int:
    """Return how many lines wait for a pharmacist."""
    return unit.orders.count(state=LineState.NEEDS_REVIEW)


def review_board(unit: UnitOfWork, house: House, department: str = "", limit: int = 200) -> dict[str, Any]:
    """Return the waiting lines by department: the department of the most urgent line first, in each the most urgent line first.

    Urgent first, then by the next due time (one that nobody can tell counts as now), then high-alert drugs. Patients by code, room
    and bed. `more` lines come up once others are decided.
    """
    orders = unit.orders.where(state=LineState.NEEDS_REVIEW, order_by="decided_at,id", limit=MOST_READ)
    drugs = {drug.code: drug for drug in unit.drugs.where()}
    lines = [_waiting(unit, house, drugs, order) for order in orders]
    lines = sorted((line for line in lines if not department or line.department == department), key=lambda line: _urgency(line, unit.now))
    shown = lines[: max(1, min(limit, MOST_ROWS))]
    groups: dict[str, list[dict[str, Any]]] = {}
    for line in shown:
        groups.setdefault(line.department, []).append(_row(unit, house, drugs, line))
    waiting = waiting_count(unit) if not department else len(lines)
    return {
        "waiting": waiting, "more": waiting - len(shown), "department": department,
        "departments": [{"department": name, "lines": rows} for name, rows in groups.items()], "ruled": _ruled(unit, department),
    }  # fmt: skip


def _ruled(unit: UnitOfWork, department: str) -> list[dict[str, Any]]:
    """Return the rulings by which lines go on now, the newest first: each can be taken back."""
    standing = unit.rulings.where(ended_at=None, kind=list(PASSING), order_by="-at,id", limit=MOST_READ)
    rows: list[dict[str, Any]] = []
    for ruling in standing:
        order = unit.orders.get(ruling.order)
        if order is None or order.state not in IN_FORCE or len(rows) == MOST_RULED:
            continue
        patient, stay = unit.patients.get(order.patient), unit.stays.get(order.patient)
        ward = stay.department if stay is not None else ""
        if not department or ward == department:
            rows.append({
                "order": order.id, "patient": patient.code if patient is not None else "", "department": ward,
                "drug": order.line.drug_text or order.line.drug, "at": ruling.at, **_ruling(ruling),
            })  # fmt: skip
    return rows


def _urgency(line: _Waiting, now: datetime) -> tuple[bool, datetime, bool, str]:
    return (not line.order.line.stat, line.due or now, not line.high_alert, line.order.id)


def _waiting(unit: UnitOfWork, house: House, drugs: Mapping[DrugCode, Drug], order: Order) -> _Waiting:
    patient, stay = unit.patients.get(order.patient), unit.stays.get(order.patient)
    allergies = patient.allergies if patient is not None else ()
    rulings = tuple(ruling for ruling in unit.rulings.where(order=order.id, ended_at=None, order_by="at,id") if stands(ruling, order.line, allergies))
    schedule = house.schedule_of(order.line, stay.department if stay is not None else "", rulings)
    return _Waiting(order, patient, stay, drugs.get(order.line.drug), rulings, schedule, _next_due(house, order, schedule, unit.now))


def _next_due(house: House, order: Order, schedule: Schedule | Reason, now: datetime) -> datetime | None:
    if isinstance(schedule, Reason) or schedule.kind not in (ScheduleKind.REGULAR, ScheduleKind.ONCE):
        return None
    read, starts_at = begun(order.line, schedule, anchor_of(order), house.slots, house.zone)
    if read.kind is ScheduleKind.ONCE:
        starts_at = once_due(order.line, now, house.slots, house.zone)
    times = expand(read, starts_at, order.line.ends_at, now, now + LOOKED_AHEAD, house.zone)
    return min((due for due, _ in times), default=None)


def _row(unit: UnitOfWork, house: House, drugs: Mapping[DrugCode, Drug], line: _Waiting) -> dict[str, Any]:
    order, stay = line.order, line.stay
    codes = [word for _, word in unknown_codes(order.line, known_to(house, drugs, line.department))]
    return {
        "order": order.id, "version": order.version, "patient": line.patient.code if line.patient is not None else "", "department": line.department,
        "room": stay.room if stay is not None else "", "bed": stay.bed if stay is not None else "", "source": order.line.source,
        "position": _place(order), "drug": order.line.drug_text or order.line.drug, "named": _named(line.drug),
        "high_alert": line.high_alert, "stat": order.line.stat, "due": line.due, "since": order.decided_at, "signed_by": order.line.signed_by,
        "written": example_of(order.line), "note": order.line.note, "words": _words(line), "codes": codes,
        "doubts": [_doubt(house, line, doubt, codes) for doubt in doubts_of(order)], "beside": _beside(unit, house, drugs, line),
        "rulings": [_ruling(ruling) for ruling in line.rulings if ruling.kind in PASSING],
    }  # fmt: skip


def _place(order: Order) -> str:
    sheet, position = order.line.sheet, order.line.position
    return position if position.startswith(sheet) else f"{sheet}: {position}"


def _named(drug: Drug | None) -> str:
    return " ".join(part for part in (drug.inn, drug.trade_name, drug.strength) if part) if drug is not None else ""


def _words(line: _Waiting) -> dict[str, str]:
    """Return what was understood of a line, by language; empty where nobody can tell."""
    if isinstance(line.schedule, Reason):
        return {}
    dose = meant(line.order.line, line.rulings).dose
    return {language: in_words(line.schedule, dose, language) for language in LANGUAGES}


def _doubt(house: House, line: _Waiting, doubt: Reason, codes: Iterable[str]) -> dict[str, Any]:
    """Return one reason why a line waits, and what a person can do about it."""
    remedy, more = _remedy(house, line, doubt, codes)
    english, russian = correction_in_review(doubt.rule)
    return {
        "rule": doubt.rule, "about": about_of(doubt), "text": doubt.text, "text_ru": doubt.said("ru"), "source": doubt.source, "remedy": remedy.value,
        "needs_second": line.high_alert, "correct": english, "correct_ru": russian, "allergy": "", "doses": [], "readings": {}, **more,
    }  # fmt: skip


def _remedy(house: House, line: _Waiting, doubt: Reason, codes: Iterable[str]) -> tuple[Remedy, dict[str, Any]]:
    remedy = remedy_of(doubt)
    if remedy is Remedy.ALLERGY:
        hit = _hit(line, doubt)
        return (remedy, {"allergy": hit.allergy, "needs_second": hit.is_critical or line.high_alert}) if hit is not None else (Remedy.CORRECT, {})
    if remedy is Remedy.CODE and not any(codes):
        return Remedy.CORRECT, {}
    if remedy is Remedy.DOSE and line.order.line.dose is not None and line.drug is not None:
        return remedy, {"doses": [_choice(dose) for dose in offered_doses(line.order.line.dose, line.drug)]}
    if remedy is Remedy.DURATION:
        return remedy, {"readings": {name: _reading(house, line, meaning) for name, meaning in _READINGS.items()}}
    return remedy, {}


def _reading(house: House, line: _Waiting, meaning: DurationMeaning) -> dict[str, str]:
    """Return a line in words, read with one meaning of its long duration; empty where it still cannot be told."""
    rules = with_duration(house.rules_for(line.order.line.source), meaning)
    schedule = schedule_for(line.order.line.dosages, house.frequencies, line.department, house.slots, rules)
    return {} if isinstance(schedule, Reason) else {language: in_words(schedule, line.order.line.dose, language) for language in LANGUAGES}


def _hit(line: _Waiting, doubt: Reason) -> AllergyHit | None:
    """Return the allergy that a reason tells of."""
    if line.patient is None or line.drug is None:
        return None
    hits = allergy_hits(line.patient.allergies or (), line.drug)
    same = (hit for hit in hits if allergy_reason(hit, line.drug).text == doubt.text and ruling_that_passes(hit, line.rulings) is None)
    return next(same, None)


def _choice(dose: Quantity) -> dict[str, str]:
    return {"amount": fraction_text(dose.amount), "en": str(dose), "ru": dose.in_russian()}


def _ruling(ruling: Ruling) -> dict[str, str]:
    reason = ruling_reason(ruling)
    return {"ruling": ruling.id, "kind": ruling.kind.value, "text": reason.text, "text_ru": reason.text_ru}


def _beside(unit: UnitOfWork, house: House, drugs: Mapping[DrugCode, Drug], line: _Waiting) -> list[dict[str, Any]]:
    """Return the patient's other orders of the same substance or group, in force or waiting too."""
    if line.drug is None:
        return []
    known = unit.orders.where(patient=line.order.patient, state=list(_BESIDE), order_by="id")
    others = [order for order in known if order.id != line.order.id and _is_alike(drugs.get(order.line.drug), line.drug)]
    return [_other(house, order, line.department) for order in others[:MOST_BESIDE]]


def _is_alike(other: Drug | None, drug: Drug) -> bool:
    if other is None:
        return False
    group = drug.group.strip().casefold()
    return substance(other.inn) == substance(drug.inn) or (bool(group) and other.group.strip().casefold() == group)


def _other(house: House, order: Order, department: str) -> dict[str, Any]:
    schedule = house.schedule_of(order.line, department)
    words = {} if isinstance(schedule, Reason) else {language: in_words(schedule, order.line.dose, language) for language in LANGUAGES}
    drug = order.line.drug_text or order.line.drug
    return {"order": order.id, "drug": drug, "written": example_of(order.line), "words": words, "state": order.state.value, "position": _place(order)}


def review_statistics(unit: UnitOfWork, house: House, days: int = 31) -> dict[str, Any]:
    """Return how many lines wait, by department and rule, and what pharmacists ruled in the last days, by rule and person.

    A line with two reasons counts in both; `waiting` and `in_force` count lines, so that blanket review and blanket release are seen.
    """
    orders = unit.orders.where(state=LineState.NEEDS_REVIEW)
    stays = {order.patient: unit.stays.get(order.patient) for order in orders}
    wards = {order.id: stay.department if (stay := stays[order.patient]) is not None else "" for order in orders}
    by_rule = Counter((wards[order.id], rule) for order in orders for rule in {reason.rule for reason in doubts_of(order)})
    by_ward = Counter(wards.values())
    return {
        "waiting": len(orders), "in_force": unit.orders.count(state=list(IN_FORCE)),
        "counts": [{"department": ward, "rule": rule, "lines": lines} for (ward, rule), lines in _most_first(by_rule)],
        "departments": [{"department": ward, "lines": lines} for ward, lines in _most_first(by_ward)],
        "rulings": _rulings(unit, house, max(1, min(days, MOST_DAYS))), "days": max(1, min(days, MOST_DAYS)),
    }  # fmt: skip


def _most_first(counted: Counter[Any]) -> list[tuple[Any, int]]:
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))


def _rulings(unit: UnitOfWork, house: House, days: int) -> list[dict[str, Any]]:
    first = house.local_date(unit.now) - timedelta(days=days - 1)
    made = unit.rulings.where(order_by="-at", limit=MOST_RULINGS)
    counted = Counter((ruling.kind.value, ruling.rule, ruling.by_name) for ruling in made if house.local_date(ruling.at) >= first)
    return [{"kind": kind, "rule": rule, "by": by, "rulings": number} for (kind, rule, by), number in _most_first(counted)]
