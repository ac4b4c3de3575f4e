"""Labels drawn for packs that wait for one: the facts of the pack, rendered, decoded again, and handed to the line."""

import base64
from collections.abc import Callable
from datetime import date, datetime
from functools import partial

from hub.adapters.label_words import dose_words, form_text
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.custody import Trolley, TrolleyState
from hub.domain.doses import Lane
from hub.domain.drugs import Drug, Storage
from hub.domain.identifiers import PackSerial
from hub.domain.orders import Patient
from hub.domain.packs import Pack, PackState
from hub.domain.planning import natural_order
from hub.domain.records import Print
from hub.services.house import House
from hub.services.make_packs import PrintedLabel, label_ready
from labels.documents import DoseLine, ItemKind, ItemLabel, Language, Mark, PouchLabel
from labels.proof import prove
from labels.render import render

AT_ONCE = 16
KINDS = {
    Lane.AMPOULE: ItemKind.AMPOULES,
    Lane.HALF_TABLET: ItemKind.HALF_TABLET,
    Lane.LIQUID: ItemKind.LIQUID,
    Lane.COLD: ItemKind.COLD,
    Lane.HAZARDOUS: ItemKind.HAZARDOUS,
    Lane.TRAY: ItemKind.OWN_MEDICINE,
}
UNKNOWN_BIRTH = date(1900, 1, 1)


class Labeller:
    """Draws the labels of expected packs; `work` returns True while more wait."""

    def __init__(self, writer: Writer, house: House) -> None:
        self._writer = writer
        self._house = house

    def work(self) -> bool:
        """Draw up to sixteen labels; each is decoded again before it counts."""
        self._draw_trays()
        documents = self._writer.submit_read(lambda unit: _waiting(unit, self._house)).result()
        answers = [self._writer.submit("system", _take(self._label(document), self._house)) for document in documents]
        for answer in answers:
            answer.result()
        return len(documents) == AT_ONCE

    def _draw_trays(self) -> None:
        """Draw the labels of trays whose trolley is being assembled."""
        for trolley in self._writer.submit_read(_bare_trays).result():
            label = self._label(_tray_document(trolley, self._house))
            tray = Print(label.pack, self._house.printer, label.digest, label.width, label.height, label.raster)
            self._writer.submit("system", partial(_keep_tray, tray)).result()

    def _label(self, document: PouchLabel | ItemLabel) -> PrintedLabel:
        raster = render(document)
        proof = prove(raster, document.serial)
        if not proof.passed:
            raise RuntimeError(f"the label of {document.serial} does not read back as itself: {proof}")
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


def _waiting(unit: SqlUnitOfWork, house: House) -> list[PouchLabel | ItemLabel]:
    """Return the next labels: STAT first, then in the order in which trolleys are loaded and walked."""
    packs = sorted(unit.packs.where(state=PackState.EXPECTED, label_digest=""), key=_packing_order)
    return [_document(unit, pack, house) for pack in packs[:AT_ONCE]]


def _packing_order(pack: Pack) -> tuple[object, ...]:
    return (not pack.stat, pack.department, natural_order(pack.room), pack.patient, pack.due, pack.part, pack.serial)


def _document(unit: SqlUnitOfWork, pack: Pack, house: House) -> PouchLabel | ItemLabel:
    patient = unit.patients.get(pack.patient)
    assert patient is not None and pack.expires_on is not None
    doses = [dose for dose_id in pack.doses if (dose := unit.doses.get(dose_id)) is not None]
    drugs = [drug for dose in doses if (drug := unit.drugs.get(dose.drug)) is not None]
    lines = tuple(_line(drug, dose.dose_text, house.language) for drug, dose in zip(drugs, doses, strict=True))
    slot = house.slot_named(pack.slot)
    russian = house.language == "ru"
    common = {
        "serial": pack.serial, "language": Language.RUSSIAN if russian else Language.ENGLISH, "department": pack.department,
        "patient": patient.full_name or patient.id, "birth_date": patient.birth_date or UNKNOWN_BIRTH,
        "slot": slot.label_ru if russian else slot.label_en, "due": pack.due.astimezone(house.zone).replace(tzinfo=None),
        "lines": lines, "rules": _rules(unit, doses[0].order), "expiry": pack.expires_on, "lot_set": _lots(unit, pack),
        "marks": _marks(patient, drugs), "position": pack.part, "total": pack.parts,
    }  # fmt: skip
    if pack.job is not None:
        return PouchLabel(room=pack.room, **common)  # type: ignore[arg-type]
    return ItemLabel(kind=KINDS[pack.lane], ward=pack.room, **common)  # type: ignore[arg-type]


def _line(drug: Drug, text: str, language: str) -> DoseLine:
    """The generic name stands first (ASHP); the trade name follows where it is another."""
    named = drug.inn if drug.trade_name.casefold() in ("", drug.inn.casefold()) else f"{drug.inn} ({drug.trade_name})"
    return DoseLine(named, drug.strength, form_text(drug.form, language), dose_words(text, language), drug.high_alert)


def _rules(unit: SqlUnitOfWork, order_id: object) -> str:
    order = unit.orders.get(order_id)
    return order.line.route if order is not None else ""


def _lots(unit: SqlUnitOfWork, pack: Pack) -> str:
    return ", ".join(lot.number for lot_id in pack.lots if (lot := unit.lots.get(lot_id)) is not None)


def _marks(patient: Patient, drugs: list[Drug]) -> frozenset[Mark]:
    marks = {Mark.ALLERGIES_NOT_CHECKED} if patient.allergies is None else set()
    if any(drug.high_alert for drug in drugs):
        marks.add(Mark.HIGH_ALERT)
    if any(drug.hazardous for drug in drugs):
        marks.add(Mark.HAZARDOUS)
    if any(drug.storage is Storage.COLD for drug in drugs):
        marks.add(Mark.COLD)
    return frozenset(marks)
