"""A sheet comes in: every line gets one named outcome, and the doses of the day are planned."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from hub.domain.codes import CodeTable, translated
from hub.domain.doses import PlannedDose
from hub.domain.drugs import Drug
from hub.domain.duplicates import OtherOrder
from hub.domain.identifiers import DrugCode, OrderId, PatientId
from hub.domain.orders import (
    IN_FORCE,
    LineDecision,
    Order,
    OrderLine,
    OrderSheet,
    Outcome,
    Patient,
    SourceSettings,
    Stay,
    is_in_force,
)
from hub.domain.planning import plan_line, trolley_order
from hub.domain.records import Import
from hub.domain.refusals import Refusal
from hub.domain.releases import meant
from hub.domain.schedule import Schedule
from hub.domain.validation import decide_line
from hub.domain.weekly_orders import GivenDose
from hub.services.code_tables import ask_about_codes, code_table
from hub.services.feeds import sends_sheets
from hub.services.house import House
from hub.services.line_facts import changed_fact, decided_fact, planned_fact
from hub.services.order_edits import (
    as_shown,
    is_packed,
    is_same_line,
    order_edited,
    order_fell,
    shown_again,
    stay_changed,
)
from hub.services.order_versions import as_before, is_over, state_of, version_of
from hub.services.orders_beside import orders_beside
from hub.services.ports import UnitOfWork
from hub.services.returned_lines import Ward, sort_returns
from hub.services.sheet_oddities import note_oddities
from hub.services.sheets_again import OLDER, known_today, refuse_again
from hub.services.spared_doses import not_before, wanted
from hub.services.standing_rulings import Rulings, end_fallen_rulings, standing_rulings
from hub.services.weekly_given import given_weekly


@dataclass(frozen=True, slots=True)
class SheetResult:
    """What became of a sheet: `outcomes` sums to `orders`."""

    orders: int
    outcomes: Mapping[str, int]
    planned: int


@dataclass(frozen=True, slots=True)
class Desk:
    """What is looked up again and again while lines are decided and planned.

    `confirmed`: when orders were confirmed last that are judged again; all others are confirmed by what is decided now. `given`: what ended
    orders gave in the last week of drugs that are given once a week.
    """

    house: House
    settings: SourceSettings
    drugs: Mapping[DrugCode, Drug]
    with_cassette: frozenset[DrugCode]
    patients: dict[PatientId, Patient]
    stays: dict[PatientId, Stay]
    window: tuple[datetime, datetime]
    codes: CodeTable = field(default_factory=dict)
    rulings: Rulings = field(default_factory=dict)
    beside: Mapping[PatientId, Sequence[OtherOrder]] = field(default_factory=dict)
    back: frozenset[PatientId] = frozenset()
    confirmed: Mapping[OrderId, datetime] = field(default_factory=dict)
    given: Mapping[PatientId, Sequence[GivenDose]] = field(default_factory=dict)


def open_desk(unit: UnitOfWork, source: str, house: House) -> Desk | Refusal:
    """Read directory, cassettes, patients and stays once; refuse a source that nobody has set up."""
    settings = house.sources.get(source)
    if settings is None:
        return Refusal(
            "unknown-source", f"Nobody has set up the source '{source}'; known are {', '.join(sorted(house.sources))}.",
            f"Источник «{source}» не настроен; известны: {', '.join(sorted(house.sources))}.",
        )
    return Desk(
        house=house,
        settings=settings,
        drugs={drug.code: drug for drug in unit.drugs.where()},
        with_cassette=frozenset(cassette.item for cassette in unit.cassettes.where()),
        patients={patient.id: patient for patient in unit.patients.where()},
        stays={stay.patient: stay for stay in unit.stays.where()},
        window=_window(unit, house),
        codes=code_table(unit, source, house),
        rulings=standing_rulings(unit),
    )


def _window(unit: UnitOfWork, house: House) -> tuple[datetime, datetime]:
    """Return the due times that are planned now: before six those of the coming day too, unless its sheet will still come and plan them."""
    newest = unit.imports.where(kind="sheet", order_by="-received_at", limit=1)
    early = [sheet for sheet in newest if house.is_early(sheet.received_at) and house.local_date(sheet.received_at) == house.local_date(unit.now)]
    return house.sheet_window(unit.now) if early or not newest else house.day_window(unit.now)


def receive_sheet(unit: UnitOfWork, sheet: OrderSheet, house: House) -> SheetResult | Refusal:
    """Take in a sheet once a working day; the same content again is refused as known and changes nothing."""
    return receive_parts(unit, replace(sheet, lines=(), announced=len(sheet.lines)), [sheet.lines], house)


def receive_parts(
    unit: UnitOfWork, sheet: OrderSheet, parts: Iterable[Sequence[OrderLine]], house: House, *, again: bool = False
) -> SheetResult | Refusal:
    """Take in a sheet whose lines come in parts, so that memory does not grow with them; all lines of a patient are in one part.

    `sheet` has the people, announces the count of lines and has none itself. The caller's decision is all of it or, by what a part raises, nothing.
    `again`: a pharmacist takes in a sheet of today that a newer one has overtaken.
    """
    desk = open_desk(unit, sheet.source, house)
    if isinstance(desk, Refusal):
        return desk
    known = known_today(unit, house, sheet.sha256)
    if known is not None:
        parts = tuple(parts) if again else parts
        refused = refuse_again(unit, known, sheet, parts, desk.codes, desk.stays)
        if not (again and refused.code == OLDER):
            return refused
    desk = replace(desk, window=house.sheet_window(unit.now))
    desk = replace(desk, back=_take_people(unit, desk, sheet))
    outcomes, planned = Counter[str](), 0
    for lines in parts:
        orders = _take_lines(unit, desk, lines, sheet.sha256)
        outcomes.update(order.outcome.value for order in orders)
        planned += plan_orders(unit, desk, orders)
    return SheetResult(outcomes.total(), dict(outcomes), planned)


def _take_people(unit: UnitOfWork, desk: Desk, sheet: OrderSheet) -> frozenset[PatientId]:
    """Enter the people of a sheet, act on who moved or left, and write down that the sheet came.

    Returns the patients who had left and are shown again: what the sheet lists of them is planned anew, and the ward is asked.
    """
    back = shown_again(unit, desk.house, desk.stays, sheet)
    sheet = replace(sheet, stays=tuple(as_shown(stay, desk.stays.get(stay.patient), unit.now) for stay in sheet.stays))
    moves = [(before, stay) for stay in sheet.stays if (before := desk.stays.get(stay.patient)) not in (None, stay)]
    newly_allergic = register(unit, desk, sheet.patients, sheet.stays)
    for before, stay in moves:
        if before is not None:
            stay_changed(unit, desk.settings, desk.house, desk.stays, before, stay, unit.now)
    unit.imports.put(Import(sheet.sha256, sheet.source, sheet.name, "sheet", unit.now, sheet.announced))
    unit.record(
        "sheet-received",
        {"sheet": sheet.name, "source": sheet.source, "sha256": sheet.sha256, "orders": sheet.announced, "rejects": len(sheet.rejects)},
    )
    note_oddities(unit, sheet)
    judge_for_allergies(unit, desk, newly_allergic)
    return back


def _take_lines(unit: UnitOfWork, desk: Desk, written: Sequence[OrderLine], sha256: str) -> list[Order]:
    """Act on what edited lines had on its way, then decide all of them."""
    lines = [translated(line, desk.codes) for line in written]
    known = _known_orders(unit, lines)
    for line in lines if known else ():
        before = known.get(line.id)
        if before is not None and (line.patient in desk.back or not is_same_line(line, before)):
            order_edited(unit, desk.house, desk.stays, before, line, unit.now)
    return decide_lines(unit, desk, lines, sha256, known)


def _known_orders(unit: UnitOfWork, lines: Sequence[OrderLine]) -> Mapping[OrderId, Order]:
    """Return the orders that the hub holds under the ids of some lines."""
    if len(lines) == 1:
        only = unit.orders.get(lines[0].id)
        return {} if only is None else {only.id: only}
    return {order.id: order for order in unit.orders.where(id=[line.id for line in lines])}


def register(unit: UnitOfWork, desk: Desk, patients: Iterable[Patient], stays: Iterable[Stay]) -> list[PatientId]:
    """Enter patients and where they lie; allergies that are known already stay known.

    Returns the patients of whom an allergy is told that was not known.
    """
    newly_allergic = []
    for patient in patients:
        before = desk.patients.get(patient.id)
        allergies = patient.allergies if patient.allergies is not None or before is None else before.allergies
        desk.patients[patient.id] = replace(patient, allergies=allergies)
        if before is not None and set(allergies or ()) - set(before.allergies or ()):
            newly_allergic.append(patient.id)
    for stay in stays:
        desk.stays[stay.patient] = stay
    unit.patients.put_many(desk.patients[patient.id] for patient in patients)
    unit.stays.put_many(stays)
    return newly_allergic


def judge_for_allergies(unit: UnitOfWork, desk: Desk, patients: Collection[PatientId]) -> list[Order]:
    """Judge the orders in force of patients with new allergies again; returns those that are not packed any more.

    An order that stays in force keeps its version and its doses; of the others every dose is acted on at once.
    """
    if not patients:
        return []
    known = unit.orders.where(patient=list(patients), state=list(IN_FORCE))
    judged = [(before, _judged_by_its_source(unit, desk, before)) for before in known if is_packed(before)]
    fallen = [order for _, order in judged if not is_packed(order)]
    unit.orders.put_many(fallen)
    unit.record_many("line-decided", [decided_fact(order, desk.settings, None) for order in fallen])
    end_fallen_rulings(unit, desk.rulings, desk.patients, [order for _, order in judged])
    for order in fallen:
        order_fell(unit, desk.house, desk.stays, order, unit.now)
    return fallen


def _judged_by_its_source(unit: UnitOfWork, desk: Desk, before: Order) -> Order:
    settings = desk.house.sources.get(before.line.source, desk.settings)
    return replace(_decided(unit, replace(desk, settings=settings), before.line), stopped_at=before.stopped_at, first_seen_at=before.first_seen_at, not_before=before.not_before)


def decide_lines(
    unit: UnitOfWork, desk: Desk, lines: Iterable[OrderLine], sha256: str | None, known: Mapping[OrderId, Order] | None = None,
    *, for_the_day: bool = False,
) -> list[Order]:
    """Give every line its outcome; an unchanged line keeps its version, a changed one gets the next.

    `sha256` names the file that brought the lines; None where known lines are judged again, which gives them the next version, or, where
    nothing is new but the day (`for_the_day`), leaves it.
    A line that was stopped and comes again unchanged stays stopped: an older list must not bring an order back. `known` are the
    orders of these lines where the caller looked them up.
    """
    orders, facts, fallen, asked = [], [], [], []
    lines = tuple(lines)
    known = _known_orders(unit, lines) if known is None else known
    confirmed = _last_confirmed(unit, desk, known) if sha256 is None else {}
    desk = replace(desk, beside=orders_beside(unit, desk.house, desk.drugs, desk.rulings, lines, known), confirmed=confirmed, given=given_weekly(unit, desk.drugs, lines))
    for line in lines:
        before = known.get(line.id)
        anew = before is not None and ((sha256 is None and not for_the_day) or (line.patient in desk.back and is_in_force(before, unit.now)))
        version = before.version + 1 if before is not None and anew else version_of(line, before)
        order = _decided(unit, desk, line if line.version == version else replace(line, version=version))
        if before is not None and before.version == version:
            order = as_before(order, before)
        order = _continued(unit, desk, order, before)
        if sha256 is None and before is not None:
            order = replace(order, stopped_at=before.stopped_at)
        orders.append(order)
        facts.append({**decided_fact(order, desk.settings, sha256), **changed_fact(order, before)})
        if order.outcome is Outcome.NEEDS_REVIEW:
            stay = desk.stays.get(order.patient)
            asked.append((order, before, stay.department if stay is not None else ""))
        if before is not None and is_packed(before) and not is_packed(order):
            fallen.append(order)
    unit.orders.put_many(orders)
    unit.record_many("line-decided", facts)
    ask_about_codes(unit, desk.house, desk.drugs, asked)
    end_fallen_rulings(unit, desk.rulings, desk.patients, orders)
    sort_returns(unit, Ward(desk.patients, desk.stays), [order for order in orders if not (for_the_day and is_over(order))])
    for order in fallen:
        if for_the_day and is_over(order):
            continue
        order_fell(unit, desk.house, desk.stays, order, unit.now)
    return orders


def _last_confirmed(unit: UnitOfWork, desk: Desk, known: Mapping[OrderId, Order]) -> Mapping[OrderId, datetime]:
    """Return when known orders of a source that only sends messages were told of last; each whole sheet confirms those of other sources."""
    if desk.settings.reconfirm_days is None or not known or sends_sheets(unit, desk.house, desk.settings.name):
        return {}
    told = {change.subject: change.at for change in unit.newest_changes.where(subject=[f"order:{name}" for name in known])}
    return {name: told.get(f"order:{name}") or order.line.authored_at or order.first_seen_at or order.decided_at for name, order in known.items()}


def decision_of(desk: Desk, line: OrderLine, now: datetime) -> LineDecision:
    """Return what becomes of a line at a moment, from what the desk knows: the same whether it is taken in or only looked at."""
    house = desk.house
    patient = desk.patients.get(line.patient) or Patient(line.patient, "", "", "", None)
    return decide_line(
        line,
        patient,
        desk.stays.get(line.patient),
        desk.drugs,
        house.frequencies,
        house.slots,
        desk.settings,
        desk.confirmed.get(line.id, now),
        now,
        max(desk.window[0], now).astimezone(house.zone),
        desk.rulings.get(line.id, ()),
        desk.beside.get(line.patient, ()),
        house.schedule_rules,
        desk.given.get(line.patient, ()),
    )


def _decided(unit: UnitOfWork, desk: Desk, line: OrderLine) -> Order:
    decision = decision_of(desk, line, unit.now)
    return Order(
        id=line.id, version=line.version, line=line, outcome=decision.outcome, state=state_of(line, decision), reasons=decision.reasons,
        patient=line.patient, decided_at=unit.now, checks=decision.checks, first_seen_at=unit.now,
    )  # fmt: skip


def _continued(unit: UnitOfWork, desk: Desk, order: Order, before: Order | None) -> Order:
    """Return a decided order with what stays known of it: when a sheet first brought it, its announced end, and what was given of it lately."""
    if before is None:
        return order
    stay = desk.stays.get(order.patient)
    held_until = not_before(unit, desk.house, stay.department if stay is not None else "", order, before)
    announced = before.stopped_at if before.stopped_at is not None and before.stopped_at > unit.now else order.stopped_at
    return replace(order, first_seen_at=before.first_seen_at or before.decided_at, not_before=held_until, stopped_at=announced)


def planned_from(unit: UnitOfWork, desk: Desk) -> datetime:
    """Return the moment from which doses are planned: now, or the beginning of the day's window."""
    return max(desk.window[0], unit.now)


def plan_orders(unit: UnitOfWork, desk: Desk, orders: Iterable[Order]) -> int:
    """Plan the doses of the day's window that are not planned yet; returns how many."""
    doses = {dose.id: dose for dose in _missing_doses(unit, desk, orders)}
    planned = sorted(doses.values(), key=trolley_order)
    unit.doses.put_many(planned)
    unit.record_many("dose-planned", [planned_fact(dose) for dose in planned])
    return len(planned)


def _missing_doses(unit: UnitOfWork, desk: Desk, orders: Iterable[Order]) -> Iterator[PlannedDose]:
    """Yield the doses of orders in the day's window, from now on, that do not exist yet.

    What an earlier version gave is not given again, for the same time or too soon after it.
    """
    due = [(order, schedule, doses) for order in orders for schedule, doses in _due_doses(unit, desk, order) if doses]
    known = defaultdict(list)
    for dose in unit.doses.where(order=[order.id for order, _, _ in due]) if due else ():
        known[dose.order].append(dose)
    for order, schedule, doses in due:
        yield from wanted(unit, desk.house, order, schedule, doses, known[order.id])


def _due_doses(unit: UnitOfWork, desk: Desk, order: Order) -> Iterator[tuple[Schedule, tuple[PlannedDose, ...]]]:
    """Yield the schedule of an order with its doses in the day's window, from now on; nothing where no times are known."""
    stay, drug, house = desk.stays.get(order.patient), desk.drugs.get(order.line.drug), desk.house
    if stay is None or drug is None or not is_packed(order):
        return
    rulings = desk.rulings.get(order.id, ())
    schedule = house.schedule_of(order.line, stay.department, rulings)
    if isinstance(schedule, Schedule):
        as_meant = replace(order, line=meant(order.line, rulings)) if rulings else order
        yield schedule, plan_line(
            as_meant, drug, schedule, stay, desk.settings, house.slots, planned_from(unit, desk), desk.window[1], house.zone,
            has_cassette=drug.code in desk.with_cassette, last_confirmed_at=unit.now,
        )  # fmt: skip
