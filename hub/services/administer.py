"""At the bedside: patient, pack and nurse identified, every check passed, and only then given; or not given, with the reason."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from hub.domain.bedside import GiveWindow, check_give, check_ward_dose, windows_for
from hub.domain.doses import TERMINAL_DOSE_STATES, WARD_LANES, DoseState, PlannedDose
from hub.domain.identifiers import DoseId, LotId, OrderId
from hub.domain.orders import Order, OrderLine, Patient, Reason, Stay
from hub.domain.packs import Pack, PackState
from hub.domain.refusals import Refusal
from hub.domain.schedule import Schedule
from hub.domain.state_words import state_ru
from hub.domain.stock import StockMove, patient_account, ward_account
from hub.services.call_off import withdraw
from hub.services.endings import doses_of, end_dose, give_pack, move_pack
from hub.services.house import House
from hub.services.ports import UnitOfWork
from hub.services.replaced_labels import replaced_label
from hub.services.source_scans import source_code

NOT_GIVEN_REASONS = frozenset({"refused", "asleep", "absent", "fasting", "vomited", "held"})


@dataclass(frozen=True, slots=True)
class BedsideScan:
    """What a nurse scanned: the wristband, and a pack's label or a dose of the ward list with a source pack."""

    patient_code: str
    pack_code: str = ""
    dose: DoseId | None = None
    source_code: str = ""


def give(unit: UnitOfWork, scan: BedsideScan, house: House) -> tuple[PlannedDose, ...] | Refusal:
    """Record a pack as given, or refuse in plain words (invariants 6 and 7)."""
    found = _scanned(unit, scan)
    if isinstance(found, Refusal):
        return found
    patient, pack = found
    doses = doses_of(unit, pack) or _doses_once_in(unit, pack)
    stay, orders = unit.stays.get(patient.id), _orders_of(unit, doses)
    recalled = _recalled(unit, {content.lot for content in pack.contents})
    refused = check_give(
        unit.now.astimezone(house.zone), patient, pack, doses, orders, stay, recalled, _windows(unit, orders, stay, house)
    )
    return refused if refused is not None else give_pack(unit, pack, doses)


def _doses_once_in(unit: UnitOfWork, pack: Pack) -> list[PlannedDose]:
    """Return the doses of a pack that another one replaces, so that its refusal says what became of it."""
    return [dose for dose_id in pack.doses if (dose := unit.doses.get(dose_id)) is not None]


def _windows(unit: UnitOfWork, orders: Mapping[OrderId, Order], stay: Stay | None, house: House) -> Mapping[OrderId, GiveWindow]:
    department = stay.department if stay is not None else ""

    def schedule_of(line: OrderLine) -> Schedule | Reason:
        return house.schedule_of(line, department, unit.rulings.where(order=line.id, ended_at=None))

    return windows_for(orders.values(), schedule_of, house.timing)


def _scanned(unit: UnitOfWork, scan: BedsideScan) -> tuple[Patient, Pack] | Refusal:
    patient = _wearer(unit, scan.patient_code)
    if isinstance(patient, Refusal):
        return patient
    pack = unit.packs.get(scan.pack_code)
    if pack is None:
        return Refusal("unknown-pack", "This code is no pack of ours. Do not give it; keep it for the pharmacy.", "Этот код не нашей упаковки. Не давайте её, отложите для аптеки.")
    replaced = replaced_label(unit, scan.pack_code)
    return replaced if replaced is not None else (patient, pack)


def _wearer(unit: UnitOfWork, code: str) -> Patient | Refusal:
    """Return whose wristband carries a code; a code that two patients carry identifies neither of them."""
    patients = unit.patients.where(code=code)
    if not patients:
        return Refusal("unknown-patient", "This wristband belongs to no patient of the sheet.", "Этого браслета нет ни у одного пациента из листа.")
    if len(patients) > 1:
        return Refusal("unknown-patient", f"{len(patients)} patients carry this wristband's code: ask for a new wristband first.", f"Код этого браслета у {len(patients)} пациентов: сначала попросите новый браслет.")
    return patients[0]


def _orders_of(unit: UnitOfWork, doses: list[PlannedDose]) -> dict[OrderId, Order]:
    found = (unit.orders.get(dose.order) for dose in doses)
    return {order.id: order for order in found if order is not None}


def _recalled(unit: UnitOfWork, lots: set[LotId]) -> frozenset[LotId]:
    return frozenset(lot.id for lot_id in lots if (lot := unit.lots.get(lot_id)) is not None and lot.recalled)


def give_from_ward(unit: UnitOfWork, scan: BedsideScan, house: House) -> tuple[PlannedDose, ...] | Refusal:
    """Record an injection or ward-stock dose as given, from a source pack of the right drug, with the same checks."""
    patient = _wearer(unit, scan.patient_code)
    dose = unit.doses.get(scan.dose)
    code = source_code(unit, house, scan.source_code)
    if isinstance(patient, Refusal):
        return patient
    if isinstance(code, Refusal):
        return code
    source = unit.source_packs.get(code)
    if dose is None or source is None or source.item != dose.drug:
        return Refusal("unknown-pack", "The scanned source pack does not hold the drug of this dose.", "В отсканированной исходной упаковке не тот препарат.")
    stay, orders = unit.stays.get(patient.id), _orders_of(unit, [dose])
    refused = check_ward_dose(
        unit.now.astimezone(house.zone), patient, dose, unit.lots.get(source.lot), orders, stay, _recalled(unit, {source.lot}),
        _windows(unit, orders, stay, house),
    )  # fmt: skip
    if refused is not None:
        return refused
    lot = _ward_lot(unit, dose, source.lot)
    if lot is None:
        return Refusal("no-stock", f"The ward's stock of {dose.drug}, lot {source.lot}, is used up by the books.", f"Запас {dose.drug} серии {source.lot} в отделении по учёту израсходован.")
    unit.move(
        StockMove(dose.drug, lot, ward_account(dose.department), patient_account(patient.id), dose.units),
        "given",
        dose=dose.id,
    )
    return (end_dose(unit, dose, DoseState.GIVEN),)


def _ward_lot(unit: UnitOfWork, dose: PlannedDose, lot: LotId) -> LotId | None:
    return lot if unit.held(ward_account(dose.department), lot) >= dose.units > Fraction(0) else None


def not_given(unit: UnitOfWork, scan: BedsideScan, reason: str) -> tuple[PlannedDose, ...] | Refusal:
    """Record that a dose was not given; a pack is held for its return, a ward dose returns to the ward's stock at once."""
    if reason not in NOT_GIVEN_REASONS:
        return Refusal("reason", f"Choose a reason: {', '.join(sorted(NOT_GIVEN_REASONS))}.", f"Выберите причину: {', '.join(sorted(NOT_GIVEN_REASONS))}.")
    if scan.dose is not None:
        return _ward_not_given(unit, scan, reason)
    found = _scanned(unit, scan)
    if isinstance(found, Refusal):
        return found
    patient, pack = found
    if pack.patient != patient.id:
        return Refusal("wrong-patient", "This pack is for another patient.", "Эта упаковка для другого пациента.")
    if pack.state is not PackState.RECEIVED:
        return Refusal("not-received", f"This pack is {pack.state.value}; it cannot be recorded as not given.", f"Упаковка: {state_ru(pack.state)}; отметить её как не данную нельзя.")
    move_pack(unit, pack, PackState.HELD, reason)
    return tuple(_mark(unit, dose, reason) for dose in doses_of(unit, pack))


def _ward_not_given(unit: UnitOfWork, scan: BedsideScan, reason: str) -> tuple[PlannedDose, ...] | Refusal:
    patient, dose = _wearer(unit, scan.patient_code), unit.doses.get(scan.dose)
    if isinstance(patient, Refusal):
        return patient
    if dose is None:
        return Refusal("unknown-pack", "This dose is not planned.", "Такая доза не запланирована.")
    if dose.patient != patient.id:
        return Refusal("wrong-patient", f"This dose is not for {patient.full_name}.", f"Эта доза не для пациента {patient.full_name}.")
    if dose.lane not in WARD_LANES:
        return Refusal("not-yours", "This dose comes in a pack of its own: scan the pack.", "Эта доза приходит в своей упаковке: отсканируйте упаковку.")
    if dose.state in TERMINAL_DOSE_STATES:
        return Refusal("already-given", "This dose has ended already.", "С этой дозой уже покончено.")
    withdraw(unit, dose)
    marked = _mark(unit, dose, reason)
    return (end_dose(unit, marked, DoseState.RETURNED, f"{reason}: stays in the ward's stock"),)


def _mark(unit: UnitOfWork, dose: PlannedDose, reason: str) -> PlannedDose:
    if dose.state in TERMINAL_DOSE_STATES:
        return dose
    marked = replace(dose, state=DoseState.NOT_GIVEN, reason=reason)
    unit.doses.put(marked)
    unit.record("dose-not-given", {"dose": dose.id, "reason": reason})
    return marked
