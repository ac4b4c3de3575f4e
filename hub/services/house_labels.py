"""Labels of the house that somebody asks for: badges, cassette drawers, command cards, the list that goes with a trolley."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hub.domain.commands import CARDS
from hub.domain.custody import Trolley
from hub.domain.identifiers import PatientId, TrolleyId
from hub.domain.packs import Pack
from hub.domain.planning import natural_order
from hub.domain.records import Print
from hub.domain.refusals import Refusal
from hub.domain.words import Words
from hub.services.house import House
from hub.services.make_packs import PrintedLabel
from hub.services.ports import UnitOfWork
from hub.services.trolleys import found_trolley, view_trolley

MOST_TOLD = 1000


class HouseLabel(StrEnum):
    """What may be asked for."""

    BADGE = "badge"
    DRAWER = "drawer"
    COMMAND = "command"
    MANIFEST = "manifest"


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """One wish: `subject` is the person's id, the cassette's number, the command's code, or the trolley; `event` makes it one of its own."""

    label: HouseLabel
    subject: str
    event: str


@dataclass(frozen=True, slots=True)
class CardWords:
    """What a command card says: what is done, and on which page."""

    deed: Words
    place: Words


_STATION = Words("Review station", "Место проверки")
_TROLLEY = Words("Trolley's page", "Страница тележки")
COMMANDS: Mapping[str, CardWords] = {
    **{card.code: CardWords(card.words, _STATION) for card in CARDS},
    "SEAL": CardWords(Words("Seal the trolley", "Опломбировать тележку"), _TROLLEY),
    "DISPATCH": CardWords(Words("Send the trolley", "Отправить тележку"), _TROLLEY),
    "RECEIVE": CardWords(Words("Receive the trolley", "Принять тележку"), _TROLLEY),
    "CLOSE": CardWords(Words("Close the round", "Закрыть обход"), _TROLLEY),
}
"""Every command that a page takes by scan, by its code."""


@dataclass(frozen=True, slots=True)
class ManifestLine:
    """A patient of a trolley: full name, drawer, packs that lie in it, and packs that belong there."""

    room: str
    patient: str
    packs: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What lies in a trolley, by drawer and patient."""

    trolley: Trolley
    lines: tuple[ManifestLine, ...]


def manifest_of(unit: UnitOfWork, trolley_id: str) -> Manifest | Refusal:
    """Return what a trolley holds now and what is still missing; packs that must come out are in neither."""
    trolley = found_trolley(unit, trolley_id)
    if trolley is None:
        return Refusal("unknown", f"There is no trolley {trolley_id}.", f"Тележки {trolley_id} нет.")
    view = view_trolley(unit, trolley)
    pulled = {pack.serial for pack in view.pull}
    aboard = [pack for pack in view.packs if pack.serial not in pulled]
    belonging = [*aboard, *(pack for pack, _ in view.missing)]
    if not belonging:
        return Refusal("empty", f"No pack belongs to trolley {trolley.id}.", f"К тележке {trolley.id} не относится ни одна упаковка.")
    places = sorted({(pack.drawer, pack.patient) for pack in belonging}, key=lambda place: (natural_order(place[0]), place[1]))
    return Manifest(trolley, tuple(_line(unit, drawer, patient, aboard, belonging) for drawer, patient in places))


def _line(unit: UnitOfWork, drawer: str, patient_id: PatientId, aboard: Sequence[Pack], belonging: Sequence[Pack]) -> ManifestLine:
    patient = unit.patients.get(patient_id)
    name = (patient.full_name or patient.code) if patient is not None else ""
    packs, wanted = (sum(pack.drawer == drawer and pack.patient == patient_id for pack in some) for some in (aboard, belonging))
    return ManifestLine(drawer, name or patient_id, packs, wanted)


def queue_labels(unit: UnitOfWork, house: House, request: LabelRequest, labels: Sequence[PrintedLabel]) -> dict[str, Any]:
    """Hand drawn labels to the label printer and write down that they were asked for."""
    for label in labels:
        unit.prints.put(Print(label.pack, house.printer, label.digest, label.width, label.height, label.raster))
    unit.record("label-asked", {"label": request.label.value, "subject": request.subject, "sheets": len(labels), "device": house.printer})
    return {"label": request.label.value, "subject": request.subject, "sheets": len(labels)}


def label_board(unit: UnitOfWork) -> dict[str, Any]:
    """Return all that may be asked for: people, cassettes, commands and trolleys that are not closed; at most a thousand of each."""
    drugs = {drug.code: drug for drug in unit.drugs.where()}
    return {
        "badges": [
            {"subject": user.id, "name": user.name, "role": user.role.value}
            for user in unit.users.where(order_by="name", limit=MOST_TOLD) if user.active
        ],
        "drawers": [
            {
                "subject": str(cassette.id), "slot": cassette.slot, "device": cassette.device,
                "name": f"{drugs[cassette.item].inn} {drugs[cassette.item].strength}" if cassette.item in drugs else cassette.item,
            }
            for cassette in unit.cassettes.where(order_by="device,slot", limit=MOST_TOLD)
        ],
        "commands": [
            {"subject": code, "deed": card.deed.en, "deed_ru": card.deed.ru, "place": card.place.en, "place_ru": card.place.ru}
            for code, card in COMMANDS.items()
        ],
        "manifests": [_trolley(trolley) for trolley in unit.trolleys.where(state=["assembling", "sealed", "dispatched"], order_by="id", limit=MOST_TOLD)],
    }  # fmt: skip


def _trolley(trolley: Trolley) -> dict[str, Any]:
    subject: TrolleyId = trolley.id
    return {"subject": subject, "department": trolley.department, "slot": trolley.slot, "day": trolley.day.isoformat(), "state": trolley.state.value}
