"""Labels drawn for packs that wait for one: the facts of the pack, rendered, decoded again, and handed to the line."""

import base64
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from hub.adapters.label_words import dose_words, form_text
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.custody import Trolley, TrolleyState
from hub.domain.doses import Lane, PlannedDose
from hub.domain.drugs import Drug, Storage
from hub.domain.identifiers import PackSerial
from hub.domain.orders import Patient
from hub.domain.packs import Pack, PackState
from hub.domain.planning import natural_order
from hub.domain.records import Print
from hub.services.house import House
from hub.services.make_packs import PrintedLabel, label_ready
from hub.services.reject_packs import LABEL_REVIEW
from hub.services.reviews import open_review
from labels.documents import DoseLine, ItemKind, ItemLabel, Language, Mark, PouchLabel
from labels.errors import LabelError
from labels.proof import prove
from labels.render import render

_log = logging.getLogger(__name__)
AT_ONCE = 16
KINDS = {
    Lane.AMPOULE: ItemKind.AMPOULES,
    Lane.HALF_TABLET: ItemKind.HALF_TABLET,
    Lane.LIQUID: ItemKind.LIQUID,
    Lane.COLD: ItemKind.COLD,
    Lane.HAZARDOUS: ItemKind.HAZARDOUS,
    Lane.TRAY: ItemKind.TABLETS,
}


class Labeller:
    """Draws the labels of expected packs; `work` returns True while more wait."""

    def __init__(self, writer: Writer, house: House) -> None:
        self._writer = writer
        self._house = house

    def work(self) -> bool:
        """Draw up to sixteen labels; each is decoded again before it counts, and one that cannot be drawn is a question to a person."""
        self._draw_trays()
        waiting = self._writer.submit_read(lambda unit: _waiting(unit, self._house)).result()
        answers = [self._writer.submit("system", self._drawn(facts)) for facts in waiting]
        for answer in answers:
            answer.result()
        return len(waiting) == AT_ONCE

    def _draw_trays(self) -> None:
        """Draw the labels of trays whose trolley is being assembled; one that cannot be drawn is written by hand."""
        for trolley in self._writer.submit_read(_bare_trays).result():
            try:
                label = self._label(_tray_document(trolley, self._house))
            except LabelError as error:
                _log.error("the tray label of %s cannot be drawn: %s", trolley.id, error)
                continue
            tray = Print(label.pack, self._house.printer, label.digest, label.width, label.height, label.raster)
            self._writer.submit("system", partial(_keep_tray, tray)).result()

    def _drawn(self, facts: "LabelFacts") -> Callable[[SqlUnitOfWork], bool]:
        """Return the decision that follows from drawing one label."""
        try:
            return _take(self._label(_document(facts, self._house)), self._house)
        except ValueError as error:
            return partial(_undrawable, facts.pack.serial, f"its label cannot be drawn: {error}")

    def _label(self, document: PouchLabel | ItemLabel) -> PrintedLabel:
        raster = render(document)
        proof = prove(raster, document.serial)
        if not proof.passed:
            raise LabelError(f"it does not read back as itself but as {proof.text!r}")
        return PrintedLabel(
            PackSerial(document.serial),
            raster.digest().hex(),
            raster.width,
            raster.height,
            base64.b64encode(raster.bits).decode(),
        )


def _bare_trays(unit: SqlUnitOfWork) -> list[Trolley]:
    assembling = unit.trolleys.where(state=TrolleyState.ASSEMBLING, order_by="id")
    return [trolley for trolley in assembling if unit.prints.get(trolley.label) is None]


def _keep_tray(tray: Print, unit: SqlUnitOfWork) -> None:
    unit.prints.put(tray)


def _tray_document(trolley: Trolley, house: House) -> ItemLabel:
    """Return the label of a department's tray (order 1088, section II: one tray a department): no patient, no drug."""
    slot, russian = house.slot_named(trolley.slot), house.language == "ru"
    return ItemLabel(
        serial=trolley.label, language=Language.RUSSIAN if russian else Language.ENGLISH, kind=ItemKind.TRAY, department=trolley.department,
        slot=slot.label_ru if russian else slot.label_en, due=datetime.combine(trolley.day, slot.delivery),
    )  # fmt: skip


def _take(label: PrintedLabel, house: House) -> Callable[[SqlUnitOfWork], bool]:
    return lambda unit: label_ready(unit, label, house)


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """What a pack's label tells, as the store has it."""

    pack: Pack
    patient: Patient
    lines: tuple[tuple[Drug, PlannedDose], ...]
    rules: str
    lots: str


def _waiting(unit: SqlUnitOfWork, house: House) -> list[LabelFacts]:
    """Return the next labels: STAT first, then in the order in which trolleys are loaded and walked."""
    packs = [pack for pack in unit.packs.where(state=PackState.EXPECTED, label_digest="") if not pack.reason]
    return [_facts(unit, pack) for pack in sorted(packs, key=_packing_order)[:AT_ONCE]]


def _packing_order(pack: Pack) -> tuple[object, ...]:
    return (not pack.stat, pack.department, natural_order(pack.room), pack.patient, pack.due, pack.part, pack.serial)


def _facts(unit: SqlUnitOfWork, pack: Pack) -> LabelFacts:
    patient = unit.patients.get(pack.patient)
    assert patient is not None
    doses = [dose for dose_id in pack.doses if (dose := unit.doses.get(dose_id)) is not None]
    lines = tuple((drug, dose) for dose in doses if (drug := unit.drugs.get(dose.drug)) is not None)
    order = unit.orders.get(doses[0].order)
    lots = ", ".join(lot.number for lot_id in pack.lots if (lot := unit.lots.get(lot_id)) is not None)
    return LabelFacts(pack, patient, lines, order.line.route if order is not None else "", lots)


def _undrawable(serial: PackSerial, reason: str, unit: SqlUnitOfWork) -> bool:
    """Take a pack whose label cannot be drawn out of the line's way and ask a person."""
    pack = unit.packs.get(serial)
    if pack is None or pack.state is not PackState.EXPECTED or pack.label_digest:
        return False
    unit.packs.put(replace(pack, reason=reason))
    open_review(unit, LABEL_REVIEW, serial, "", (reason,))
    return False


def _document(facts: LabelFacts, house: House) -> PouchLabel | ItemLabel:
    pack, patient = facts.pack, facts.patient
    if pack.expires_on is None:
        raise LabelError("the pack has no expiry")
    slot, russian = house.slot_named(pack.slot), house.language == "ru"
    common: dict[str, Any] = {
        "serial": pack.serial, "language": Language.RUSSIAN if russian else Language.ENGLISH, "department": pack.department,
        "patient": patient.full_name or patient.code or patient.id, "birth_date": patient.birth_date,
        "slot": slot.label_ru if russian else slot.label_en, "due": pack.due.astimezone(house.zone).replace(tzinfo=None),
        "lines": tuple(_line(drug, dose.dose_text, house.language) for drug, dose in facts.lines), "rules": facts.rules,
        "expiry": pack.expires_on, "lot_set": facts.lots, "marks": _marks(patient, [drug for drug, _ in facts.lines]),
        "position": pack.part, "total": pack.parts,
    }  # fmt: skip
    if pack.job is not None:
        return PouchLabel(room=pack.room, **common)
    return ItemLabel(kind=KINDS[pack.lane], ward=pack.room, **common)


def _line(drug: Drug, text: str, language: str) -> DoseLine:
    """The generic name stands first (ASHP); the trade name follows where it is another."""
    named = drug.inn if drug.trade_name.casefold() in ("", drug.inn.casefold()) else f"{drug.inn} ({drug.trade_name})"
    return DoseLine(named, drug.strength, form_text(drug.form, language), dose_words(text, language), drug.high_alert)


def _marks(patient: Patient, drugs: list[Drug]) -> frozenset[Mark]:
    marks = {Mark.ALLERGIES_NOT_CHECKED} if patient.allergies is None else set()
    if any(drug.high_alert for drug in drugs):
        marks.add(Mark.HIGH_ALERT)
    if any(drug.look_alike_group for drug in drugs):
        marks.add(Mark.LOOK_ALIKE)
    if any(drug.storage is Storage.DARK for drug in drugs):
        marks.add(Mark.LIGHT_SENSITIVE)
    if any(drug.hazardous for drug in drugs):
        marks.add(Mark.HAZARDOUS)
    if any(drug.storage is Storage.COLD for drug in drugs):
        marks.add(Mark.COLD)
    return frozenset(marks)
