"""Files become facts: each upload is read by its format and handed to its use case; a bad file is a refusal that says where."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hub.adapters.bookkeeping import Setting
from hub.adapters.intake.allergies import read_allergies, with_allergies
from hub.adapters.intake.changes import read_changes
from hub.adapters.intake.discharges import read_discharges
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.sheet import read_sheet
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.domain.identifiers import PatientId
from hub.domain.orders import OrderSheet, SheetChange, SourceSettings
from hub.domain.refusals import Refusal
from hub.services.house import House
from hub.services.ports import UnitOfWork
from hub.services.receive_allergies import receive_allergies, with_listed
from hub.services.receive_changes import receive_changes
from hub.services.receive_sheet import receive_sheet


class IntakeDesk:
    """`Intake` of hub.web.context."""

    def __init__(self, house: House) -> None:
        self._house = house

    def sheet(self, unit: UnitOfWork, source: str, name: str, data: bytes) -> dict[str, Any] | Refusal:
        """Take in a day's sheet."""
        sheet = self._read(
            source, lambda settings: read_sheet(name, data, settings, _directory(unit), zone=self._house.zone)
        )
        if isinstance(sheet, Refusal):
            return sheet
        listed = _listed_allergies(unit, source)
        result = receive_sheet(unit, sheet if listed is None else with_allergies(sheet, listed), self._house)
        if isinstance(result, Refusal):
            return result
        return {
            "sheet": sheet.name,
            "orders": result.orders,
            "outcomes": dict(result.outcomes),
            "planned": result.planned,
        }

    def changes(self, unit: UnitOfWork, source: str, name: str, data: bytes) -> dict[str, Any] | Refusal:
        """Take in dated changes."""
        sheet = self._read(
            source, lambda settings: read_changes(name, data, settings, _directory(unit), zone=self._house.zone)
        )
        if isinstance(sheet, Refusal):
            return sheet
        listed = _listed_allergies(unit, source) or {}
        told = tuple(
            replace(change, patient=with_listed(change.patient, listed[change.patient.id]))
            if change.patient is not None and change.patient.id in listed
            else change
            for change in sheet.changes
        )
        return self._take_changes(unit, replace(sheet, changes=told))

    def discharges(self, unit: UnitOfWork, source: str, name: str, data: bytes) -> dict[str, Any] | Refusal:
        """Take in a list of discharged patients: each row is a discharge at its time.

        A patient whom no sheet told of is named in the answer (`unknown`) and in the ledger, and stops no other row.
        """
        sheet = self._read(source, lambda settings: read_discharges(name, data, settings, zone=self._house.zone))
        if isinstance(sheet, Refusal):
            return sheet
        changes = tuple(
            SheetChange(stay.finished_at, stay=replace(known, finished_at=stay.finished_at))
            for stay in sheet.stays
            if stay.finished_at is not None and (known := unit.stays.get(stay.patient)) is not None
        )
        unknown = [stay for stay in sheet.stays if unit.stays.get(stay.patient) is None]
        taken = self._take_changes(unit, replace(sheet, stays=(), changes=changes))
        if isinstance(taken, Refusal):
            return taken
        for stay in unknown:
            at = stay.finished_at.isoformat() if stay.finished_at is not None else None
            fact = {"patient": stay.patient, "department": stay.department, "at": at, "source": source, "list": name}
            unit.record("discharge-unknown", {**fact, "sha256": sheet.sha256})
        return {**taken, "unknown": [stay.patient for stay in unknown]}

    def allergies(self, unit: UnitOfWork, source: str, name: str, data: bytes) -> dict[str, Any] | Refusal:
        """Take in a source's complete list of allergies: for the orders in force at once, and for the sheets that come after it."""
        try:
            listed = read_allergies(name, data)
        except IntakeError as error:
            return Refusal("unreadable", str(error))
        assert isinstance(unit, SqlUnitOfWork)
        unit.settings.put(Setting(f"allergies:{source}", json.dumps(listed)))
        unit.record("allergies-received", {"source": source, "name": name, "patients": len(listed)})
        fallen = receive_allergies(unit, source, listed, self._house)
        return fallen if isinstance(fallen, Refusal) else {"patients": len(listed), "orders_out": [order.id for order in fallen]}

    def _take_changes(self, unit: UnitOfWork, sheet: OrderSheet) -> dict[str, Any] | Refusal:
        result = receive_changes(unit, sheet, self._house)
        if isinstance(result, Refusal):
            return result
        return {"changes": result.changes, "orders": result.orders, "outcomes": dict(result.outcomes)}

    def _read(self, source: str, read: Callable[[SourceSettings], OrderSheet]) -> OrderSheet | Refusal:
        settings = self._house.sources.get(source)
        if settings is None:
            return Refusal(
                "unknown-source",
                f"Nobody has set up the source '{source}'; known are {', '.join(sorted(self._house.sources))}.",
            )
        try:
            return read(settings)
        except IntakeError as error:
            return Refusal("unreadable", str(error))


def _listed_allergies(unit: UnitOfWork, source: str) -> dict[PatientId, tuple[str, ...]] | None:
    """Return the list that a source sent, or None where it sent none."""
    assert isinstance(unit, SqlUnitOfWork)
    setting = unit.settings.get(f"allergies:{source}")
    return (
        None
        if setting is None
        else {PatientId(patient): tuple(texts) for patient, texts in json.loads(setting.value).items()}
    )


def _directory(unit: UnitOfWork) -> Any:
    return {drug.code: drug for drug in unit.drugs.where()}
