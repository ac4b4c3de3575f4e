"""What an answer to "why?" is made of, and the sentences that several answers share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.doses import PlannedDose
from hub.domain.ledger import LedgerEntry
from hub.domain.orders import Order, OrderLine, Reason
from hub.domain.state_words import state_ru
from hub.domain.words import place_ru
from hub.services.house import House
from hub.services.ports import UnitOfWork

MOST_GROUNDS = 20
RULE_NOT_KNOWN = "not-known"
LEDGER = "ledger"


@dataclass(frozen=True, slots=True)
class Ground:
    """What an answer rests on; `kind` is one that may be asked about in turn, or empty where it is only told."""

    kind: str
    id: str
    text: str
    text_ru: str


@dataclass(frozen=True, slots=True)
class Why:
    """An answer: one sentence with rule and source, what else decided, the settings in force, and what it rests on."""

    kind: str
    id: str
    reason: Reason
    also: tuple[Reason, ...] = ()
    settings: tuple[Reason, ...] = ()
    rests_on: tuple[Ground, ...] = ()


def clock(house: House, moment: datetime) -> str:
    """Return a moment in the hospital's zone: `08:00 02.03.2026`."""
    return f"{moment.astimezone(house.zone):%H:%M %d.%m.%Y}"


def not_known(english: str, russian: str) -> Reason:
    """Return that the records do not say why; nothing is guessed."""
    return Reason(RULE_NOT_KNOWN, english, LEDGER, russian)


def when_and_who(unit: UnitOfWork, house: House, fact: LedgerEntry | None) -> tuple[str, str]:
    """Return in both languages where a fact stands in its file, if it came by one, when it was recorded and by whom.

    A fact that is not there is said to be none.
    """
    if fact is None:
        return "the ledger has no entry of it", "в журнале записи об этом нет"
    at = clock(house, datetime.fromisoformat(fact.at.replace("Z", "+00:00")))
    name, name_ru = named(unit, fact.actor)
    place, place_russian = told_place(fact.data["sheet"], fact.data["position"]) if fact.data.get("sheet") and fact.data.get("position") else ("", "")
    comma = ", " if place else ""
    return f"{place}{comma}{at}, {name}, ledger entry {fact.seq}", f"{place_russian}{comma}{at}, {name_ru}, запись журнала {fact.seq}"


def named(unit: UnitOfWork, actor: str) -> tuple[str, str]:
    """Return who did something: a person by name and role, the hub itself, or a device."""
    if actor == "system":
        return "the hub by itself", "система сама"
    user = unit.users.get(actor)
    if user is not None:
        return f"{user.name} ({user.role.value.replace('-', ' ')})", user.name
    return actor.removeprefix("device:"), actor.removeprefix("device:")


def reasons_in_russian(orders: Sequence[Order]) -> Mapping[str, str]:
    """Return the Russian of the reasons of some orders by their English, joined and apart: what a dose ended of may quote them."""
    known = {reason.text: reason.text_ru for order in orders for reason in order.reasons if reason.text_ru}
    joined = {"; ".join(each.text for each in order.reasons): "; ".join(each.said("ru") for each in order.reasons) for order in orders}
    return {**known, **{english: russian for english, russian in joined.items() if english}}


def of_dose(house: House, dose: PlannedDose) -> Ground:
    """Return a dose as something to ask about."""
    due = clock(house, dose.due)
    return Ground("dose", dose.id, f"dose due {due}, {dose.state.value}", f"доза на {due}, {state_ru(dose.state)}")


def of_lane(dose: PlannedDose) -> Ground:
    """Return the lane of a dose as something to ask about."""
    return Ground("lane", dose.id, f"its lane: {dose.lane.value}", f"путь фасовки: {state_ru(dose.lane)}")


def of_pack(serial: str, english: str = "pack", russian: str = "упаковка") -> Ground:
    """Return a pack as something to ask about."""
    return Ground("pack", serial, f"{english} {serial}", f"{russian} {serial}")


def of_order(order: Order) -> Ground:
    """Return an order as something to ask about."""
    drug = order.line.drug_text or order.line.drug
    return Ground(
        "line", order.id, f"the order, version {order.version}: {drug}", f"назначение, версия {order.version}: {drug}",
    )  # fmt: skip


def of_place(line: OrderLine) -> Ground:
    """Return where a line stands in the file that brought it."""
    english, russian = told_place(line.sheet, line.position)
    return Ground("", "", f"source {line.source}, {english}", f"источник {line.source}, {russian}")


def told_place(sheet: str, position: str) -> tuple[str, str]:
    """Return a place in a file in both languages; many positions name their file themselves."""
    place = position if position.startswith(sheet) else f"{sheet}: {position}"
    return place, place_ru(place)


def of_patient(unit: UnitOfWork, patient_id: object) -> Ground:
    """Return the patient by the wristband's code, never by name."""
    patient = unit.patients.get(patient_id)
    code = patient.code if patient is not None and patient.code else "?"
    return Ground("", "", f"patient {code}", f"пациент {code}")
