"""Why a dose is due at its time, goes by its lane and stands where it does; and why it goes by that lane, by itself."""

from collections.abc import Iterator

from hub.domain.doses import WARD_LANES, DoseState, PlannedDose
from hub.domain.lane_words import RULE_LANE, why_lane_of
from hub.domain.lanes import piece_text
from hub.domain.orders import LineState, Order, Reason
from hub.domain.recorded_words import in_russian
from hub.domain.refusals import Refusal
from hub.domain.schedule import cut_of
from hub.domain.state_words import state_ru
from hub.services.house import House
from hub.services.ports import UnitOfWork
from hub.services.views import drug_name
from hub.services.why_answers import (
    LEDGER,
    MOST_GROUNDS,
    Ground,
    Why,
    clock,
    not_known,
    of_dose,
    of_lane,
    of_order,
    of_pack,
    of_patient,
    reasons_in_russian,
    when_and_who,
)
from hub.services.why_line import understood_of
from hub.services.why_pack import RULE_ENDED, WITH_REASON, ended_pack

RULE_DUE = "due-time"
RULE_STAT = "stat"
RULE_DOSE_STATE = "dose-state"
RULE_LATE_CHANGE = "late-change"
_TABLE = "frequencies.csv: the ward's time-table"
_LATE = "docs/late-changes.md"
_CUTS = "cut times of the intake slots"
_NEVER_MADE = (DoseState.CANCELLED, DoseState.MISSED, DoseState.UNFULFILLABLE, DoseState.RETURNED, DoseState.WASTED, DoseState.LOST, DoseState.NOT_GIVEN)


def why_dose(unit: UnitOfWork, house: House, dose_id: str) -> Why | Refusal:
    """Return why a dose is due then, goes that way, and is in its state."""
    dose = unit.doses.get(dose_id)
    if dose is None:
        return _unknown(dose_id)
    order = unit.orders.get(dose.order)
    due, lane, state = _due(unit, house, dose, order), lane_reason(unit, dose, order), state_of(unit, house, dose, order)
    english = f"{drug_name(unit, dose.drug)}: {due.text}; {lane.text}; {state.text}"
    russian = f"{drug_name(unit, dose.drug)}: {due.said('ru')}; {lane.said('ru')}; {state.said('ru')}"
    first = state if dose.state in _NEVER_MADE or state.rule == RULE_ENDED else due
    also = (due, lane, state, *_stat(unit, house, dose, order), *_held_back(order, dose))
    return Why("dose", dose.id, Reason(first.rule, english, first.source, russian), also, (), _grounds(unit, house, dose, order))


def why_lane(unit: UnitOfWork, house: House, dose_id: str) -> Why | Refusal:
    """Return which rule chose the lane of a dose."""
    dose = unit.doses.get(dose_id)
    if dose is None:
        return _unknown(dose_id)
    order = unit.orders.get(dose.order)
    reason = lane_reason(unit, dose, order)
    named = drug_name(unit, dose.drug)
    told = Reason(
        reason.rule, f"{piece_text(dose.units)} × {named}: {reason.text}", reason.source,
        f"{piece_text(dose.units)} × {named}: {reason.said('ru')}",
    )  # fmt: skip
    return Why("lane", dose.id, told, tuple(_drug_facts(unit, dose)), (), (of_dose(house, dose), *([of_order(order)] if order is not None else [])))


def _unknown(dose_id: str) -> Refusal:
    return Refusal("unknown-dose", f"There is no dose {dose_id}.", f"Дозы {dose_id} нет.")


def lane_reason(unit: UnitOfWork, dose: PlannedDose, order: Order | None) -> Reason:
    """Return which rule chose the lane of a dose; of a drug or order that is gone, only what the records still say."""
    if dose.reason.startswith("no cassette holds"):
        return Reason(RULE_LANE, f"by hand into the tray: {dose.reason}", "books of the cassettes", f"вручную в лоток: {in_russian(dose.reason)}")
    drug = unit.drugs.get(dose.drug)
    if drug is None or order is None:
        english = f"by the lane {dose.lane.value}: why is not known any more, drug or order is not in the records"
        return not_known(english, f"путь «{state_ru(dose.lane)}»: почему, уже не известно, препарата или назначения нет в записях")
    return why_lane_of(dose.lane, drug, order.line.route)


def _drug_facts(unit: UnitOfWork, dose: PlannedDose) -> Iterator[Reason]:
    """Yield what the directory says of the drug, as far as a lane depends on it."""
    drug = unit.drugs.get(dose.drug)
    if drug is None:
        return
    facts = (
        (drug.hazardous, "hazardous", "опасный препарат"), (True, f"kept {drug.storage.value}", f"хранение: {_STORED[drug.storage.value]}"),
        (drug.parts > 1, f"may be split into {drug.parts} parts", f"можно делить на частей: {drug.parts}"),
        (not drug.prepack_allowed, "stays in its maker's package", "перефасовывать нельзя"),
        (unit.cassettes.count(item=drug.code) > 0, "has a cassette now", "сейчас есть кассета"),
    )  # fmt: skip
    english = ", ".join((drug.form.value, *(told for holds, told, _ in facts if holds)))
    russian = ", ".join(told for holds, _, told in facts if holds)
    yield Reason("drug-directory", f"the directory says: {english}", "drug directory", f"по справочнику: {russian}")


_STORED = {"room": "при комнатной температуре", "cold": "в холодильнике", "dark": "в защищённом от света месте"}


def _due(unit: UnitOfWork, house: House, dose: PlannedDose, order: Order | None) -> Reason:
    due = clock(house, dose.due)
    if order is None:
        return not_known(f"due {due}; its order is not in the records", f"время {due}; назначения в записях нет")
    if order.version != dose.version:
        return Reason(
            RULE_DUE, f"due {due} by version {dose.version} of its order, which says something else since version {order.version}", _TABLE,
            f"время {due} по версии {dose.version} назначения; с версии {order.version} оно другое",
        )  # fmt: skip
    understood = understood_of(unit, house, order)
    return Reason(RULE_DUE, f"due {due}, as its order is {understood.text}", understood.source, f"время {due}: назначение {understood.said('ru')}")


def _stat(unit: UnitOfWork, house: House, dose: PlannedDose, order: Order | None) -> Iterator[Reason]:
    """Yield why a dose is made at once and by hand, where it is."""
    if not dose.stat:
        return
    pack = unit.packs.get(dose.pack) if dose.pack is not None else None
    english, russian, source = "the records do not say why", "почему, в записях нет", LEDGER
    cut = cut_of(house.slot_named(dose.slot), house.slot_day(dose), house.zone)
    if order is not None and order.line.stat:
        english, russian, source = "the order is urgent", "назначение срочное", "priority of the order"
    elif pack is not None and pack.replaces is not None:
        english, russian, source = f"its first pack {pack.replaces} died", f"первая упаковка {pack.replaces} погибла", _LATE
    elif order is not None and order.decided_at > cut:
        english, russian, source = f"it came after the cut at {clock(house, cut)}", f"она появилась после отсечки {clock(house, cut)}", _CUTS
    yield Reason(RULE_STAT, f"made at once and by hand: {english}", source, f"готовится сразу и вручную: {russian}")


def _held_back(order: Order | None, dose: PlannedDose) -> Iterator[Reason]:
    if order is not None and order.state is LineState.ON_HOLD and dose.state in (DoseState.PLANNED, DoseState.FROZEN, DoseState.PACKED):
        yield Reason("on-hold", "kept back: its order is on hold until it is resumed", _LATE, "отложена: назначение приостановлено до возобновления")


def state_of(unit: UnitOfWork, house: House, dose: PlannedDose, order: Order | None) -> Reason:
    """Return why a dose is in its state, by whom and when it was brought there."""
    if dose.state is DoseState.PLANNED:
        cut = clock(house, cut_of(house.slot_named(dose.slot), house.slot_day(dose), house.zone))
        return Reason(RULE_DOSE_STATE, f"planned: waits for the cut of its slot at {cut}", _CUTS, f"запланирована: ждёт отсечки своего приёма в {cut}")
    if dose.state in (DoseState.FROZEN, DoseState.PACKED):
        return _on_its_way(unit, house, dose)
    fact = unit.newest_fact(f"dose-{dose.state.value}", dose=dose.id)
    told, told_ru = when_and_who(unit, house, fact)
    if dose.state is DoseState.GIVEN:
        return Reason(RULE_DOSE_STATE, f"given ({told})", LEDGER, f"дана ({told_ru})")
    reason = str(fact.data.get("reason") or "") if fact is not None else dose.reason
    if not reason:
        return not_known(f"{dose.state.value}, and nobody recorded why ({told})", f"{state_ru(dose.state)}, причина не записана ({told_ru})")
    russian = in_russian(reason, reasons_in_russian([order] if order is not None else []))
    return Reason(RULE_LATE_CHANGE, f"{dose.state.value.replace('-', ' ')}: {reason} ({told})", _LATE, f"{state_ru(dose.state)}: {russian} ({told_ru})")


def _on_its_way(unit: UnitOfWork, house: House, dose: PlannedDose) -> Reason:
    if dose.state is DoseState.FROZEN:
        english = f"in batch {dose.batch} and not packed yet" if dose.lane not in WARD_LANES else f"in batch {dose.batch}: the ward's stock is asked for"
        russian = f"в партии {dose.batch}, ещё не упакована" if dose.lane not in WARD_LANES else f"в партии {dose.batch}: запрошена в запас отделения"
        return Reason(RULE_DOSE_STATE, english, _CUTS, russian)
    told, told_ru = when_and_who(unit, house, unit.newest_fact("dose-packed", dose=dose.id))
    if dose.pack is None:
        return Reason(RULE_DOSE_STATE, f"issued to the ward's stock ({told})", LEDGER, f"выдана в запас отделения ({told_ru})")
    pack = unit.packs.get(dose.pack)
    if pack is not None and pack.state in WITH_REASON:
        dead = ended_pack(unit, house, pack)
        english = f"packed in {pack.serial}, which is {pack.state.value}: {dead.text}"
        return Reason(dead.rule, english, dead.source, f"упакована в {pack.serial}, а она {state_ru(pack.state)}: {dead.said('ru')}")
    return Reason(RULE_DOSE_STATE, f"packed in {dose.pack} ({told})", LEDGER, f"упакована в {dose.pack} ({told_ru})")


def _grounds(unit: UnitOfWork, house: House, dose: PlannedDose, order: Order | None) -> tuple[Ground, ...]:
    packs = [pack.serial for pack in unit.packs.where(patient=dose.patient, order_by="serial") if dose.id in pack.doses]
    grounds = [of_order(order)] if order is not None else []
    grounds += [of_lane(dose), *(of_pack(serial) for serial in packs[:MOST_GROUNDS]), *_others(unit, house, dose)]
    return (*grounds, *_cause(unit, house, dose), of_patient(unit, dose.patient))


def _others(unit: UnitOfWork, house: House, dose: PlannedDose) -> Iterator[Ground]:
    """Yield the doses of other versions of the order for the same time: what was planned anew."""
    for other in unit.doses.where(order=dose.order, due=dose.due, order_by="version"):
        if other.id != dose.id:
            word, word_ru = ("planned anew as", "запланирована заново:") if other.version > dose.version else ("planned before as", "раньше была:")
            named = of_dose(house, other)
            yield Ground("dose", other.id, f"{word} {named.text}", f"{word_ru} {named.text_ru}")


def _cause(unit: UnitOfWork, house: House, dose: PlannedDose) -> Iterator[Ground]:
    """Yield the change that ended a dose, where the ledger names one of its order or its patient."""
    pack = unit.packs.get(dose.pack) if dose.pack is not None else None
    if dose.state not in _NEVER_MADE and (pack is None or pack.state not in WITH_REASON):
        return
    for kind, members in (("order-changed", {"order": dose.order}), ("patient-moved", {"patient": dose.patient}),
                          ("patient-discharged", {"patient": dose.patient}), ("patient-died", {"patient": dose.patient})):  # fmt: skip
        fact = unit.newest_fact(kind, **members)
        if fact is not None:
            told, told_ru = when_and_who(unit, house, fact)
            english, russian = _CHANGES[kind]
            yield Ground("", "", f"{english} ({told})", f"{russian} ({told_ru})")


_CHANGES = {
    "order-changed": ("the newest change of its order", "последнее изменение назначения"), "patient-moved": ("the patient's newest move", "последний перевод пациента"),
    "patient-discharged": ("the patient's discharge", "выписка пациента"), "patient-died": ("the patient's death", "смерть пациента"),
}  # fmt: skip
