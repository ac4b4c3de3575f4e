"""From the hub's records to the documents of labels, in the language of the house."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.adapters.label_words import dose_words, form_text, grouped
from hub.domain.custody import Trolley
from hub.domain.doses import Lane, PlannedDose
from hub.domain.drugs import Drug, Storage
from hub.domain.orders import Patient
from hub.domain.packs import Pack
from hub.domain.people import User
from hub.domain.people_words import ROLES_RU
from hub.domain.stock import Cassette
from hub.domain.tall_names import TallNames, written_tall
from hub.domain.words import Words
from hub.services.house import House
from hub.services.house_labels import CardWords, Manifest
from labels.documents import (
    BadgeLabel,
    CommandLabel,
    DoseLine,
    DrawerLabel,
    ItemKind,
    ItemLabel,
    Language,
    ManifestLabel,
    ManifestRow,
    Mark,
    PouchLabel,
)
from labels.errors import LabelError

KINDS = {
    Lane.AMPOULE: ItemKind.AMPOULES,
    Lane.HALF_TABLET: ItemKind.HALF_TABLET,
    Lane.LIQUID: ItemKind.LIQUID,
    Lane.COLD: ItemKind.COLD,
    Lane.HAZARDOUS: ItemKind.HAZARDOUS,
    Lane.TRAY: ItemKind.TABLETS,
}


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """What a pack's label tells, as the store has it; `tall` are the names that are written apart."""

    pack: Pack
    patient: Patient
    lines: tuple[tuple[Drug, PlannedDose], ...]
    rules: str
    lots: str
    tall: TallNames


def pack_document(facts: LabelFacts, house: House) -> PouchLabel | ItemLabel:
    """Return the label of a pack; raises LabelError where a fact that it must name is missing."""
    pack, patient = facts.pack, facts.patient
    if pack.expires_on is None:
        raise LabelError("the pack has no expiry")
    common: dict[str, Any] = {
        "serial": pack.serial, "language": _language(house), "department": pack.department,
        "patient": patient.full_name or patient.code or patient.id, "birth_date": patient.birth_date,
        "slot": _slot(pack.slot, house), "due": pack.due.astimezone(house.zone).replace(tzinfo=None),
        "lines": tuple(_line(drug, dose.dose_text, facts.tall, house.language) for drug, dose in facts.lines), "rules": facts.rules,
        "expiry": pack.expires_on, "lot_set": facts.lots, "marks": _marks_of_pack(patient, [drug for drug, _ in facts.lines]),
        "position": pack.part, "total": pack.parts,
    }  # fmt: skip
    if pack.job is not None:
        return PouchLabel(room=pack.room, **common)
    return ItemLabel(kind=KINDS[pack.lane], ward=pack.room, **common)


def tray_document(trolley: Trolley, house: House) -> ItemLabel:
    """Return the label of a department's tray (order 1088, section II: one tray a department): no patient, no drug."""
    return ItemLabel(
        serial=trolley.label, language=_language(house), kind=ItemKind.TRAY, department=trolley.department,
        slot=_slot(trolley.slot, house), due=_delivery(trolley, house),
    )  # fmt: skip


def drawer_document(cassette: Cassette, drug: Drug, tall: TallNames, house: House) -> DrawerLabel:
    """Return the label of a cassette's drawer."""
    return DrawerLabel(
        code=str(cassette.id), language=_language(house), cassette=str(cassette.id), slot=str(cassette.slot), device=cassette.device,
        drug=drug_text(drug, tall), strength=grouped(drug.strength), form=form_text(drug.form, house.language), marks=_marks([drug]),
    )  # fmt: skip


def badge_document(user: User, house: House) -> BadgeLabel:
    """Return the badge of a person."""
    role = ROLES_RU[user.role] if house.language == "ru" else user.role.value.replace("-", " ")
    return BadgeLabel(code=user.badge, language=_language(house), name=user.name, role=role[:1].upper() + role[1:])


def command_document(code: str, card: CardWords, house: House) -> CommandLabel:
    """Return the card of a command."""
    return CommandLabel(code=code, language=_language(house), deed=_said(card.deed, house), place=_said(card.place, house))


def manifest_document(manifest: Manifest, made_at: datetime, house: House) -> ManifestLabel:
    """Return the list that goes with a trolley, on one page as long as it takes."""
    trolley = manifest.trolley
    return ManifestLabel(
        serial=trolley.label, language=_language(house), department=trolley.department, slot=_slot(trolley.slot, house),
        due=_delivery(trolley, house), made_at=made_at.astimezone(house.zone).replace(tzinfo=None),
        rows=tuple(ManifestRow(line.room, line.patient, line.packs, line.wanted) for line in manifest.lines),
    )  # fmt: skip


def drug_text(drug: Drug, tall: TallNames) -> str:
    """Return the generic name first (ASHP), the trade name behind it where it is another, both told apart from their like."""
    generic, trade = written_tall(drug.inn, tall), written_tall(drug.trade_name, tall)
    return generic if trade.casefold() in ("", generic.casefold()) else f"{generic} ({trade})"


def _language(house: House) -> Language:
    return Language.RUSSIAN if house.language == "ru" else Language.ENGLISH


def _said(words: Words, house: House) -> str:
    return words.ru if house.language == "ru" else words.en


def _slot(name: str, house: House) -> str:
    slot = house.slot_named(name)
    return slot.label_ru if house.language == "ru" else slot.label_en


def _delivery(trolley: Trolley, house: House) -> datetime:
    return datetime.combine(trolley.day, house.slot_named(trolley.slot).delivery)


def _line(drug: Drug, text: str, tall: TallNames, language: str) -> DoseLine:
    return DoseLine(drug_text(drug, tall), grouped(drug.strength), form_text(drug.form, language), dose_words(text, language), drug.high_alert)


def _marks_of_pack(patient: Patient, drugs: list[Drug]) -> frozenset[Mark]:
    return _marks(drugs) | ({Mark.ALLERGIES_NOT_CHECKED} if patient.allergies is None else set())


def _marks(drugs: list[Drug]) -> frozenset[Mark]:
    held = {
        Mark.HIGH_ALERT: any(drug.high_alert for drug in drugs),
        Mark.LOOK_ALIKE: any(drug.look_alike_group for drug in drugs),
        Mark.LIGHT_SENSITIVE: any(drug.storage is Storage.DARK for drug in drugs),
        Mark.HAZARDOUS: any(drug.hazardous for drug in drugs),
        Mark.COLD: any(drug.storage is Storage.COLD for drug in drugs),
    }
    return frozenset(mark for mark, is_so in held.items() if is_so)
