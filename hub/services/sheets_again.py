"""Sheets that were taken in before: the same content is new on another working day, known within one, and older where a newer sheet changed it."""

from collections.abc import Iterable, Mapping, Sequence

from hub.domain.codes import CodeTable, translated
from hub.domain.identifiers import PatientId
from hub.domain.orders import Order, OrderLine, OrderSheet, Stay
from hub.domain.records import Import
from hub.domain.refusals import Refusal
from hub.services.house import House
from hub.services.order_edits import is_same_line
from hub.services.ports import UnitOfWork

OLDER = "older-sheet"


def known_today(unit: UnitOfWork, house: House, sha256: str) -> Import | None:
    """Return how a sheet of this content came for the day that is planned now; what came for another day is a new sheet of this one."""
    known = unit.imports.get(sha256)
    if known is None or known.kind != "sheet":
        return known
    return known if house.sheet_window(known.received_at)[1] == house.sheet_window(unit.now)[1] else None


def refuse_again(
    unit: UnitOfWork, known: Import, sheet: OrderSheet, parts: Iterable[Sequence[OrderLine]], codes: CodeTable, stays: Mapping[PatientId, Stay]
) -> Refusal:
    """Return why a sheet that is known today is not taken in again: it changes nothing, or it would bring back what a newer one changed."""
    if _has_newer(unit, known) and _would_change(unit, sheet, parts, codes, stays):
        return overtaken(known, sheet.name)
    return Refusal(
        "known-sheet",
        f"{sheet.name}: the same content was taken in at {known.received_at.isoformat()} as {known.name}.",
        f"{sheet.name}: это содержимое уже принято {known.received_at:%d.%m.%Y %H:%M} как {known.name}.",
    )


def overtaken(known: Import, name: str) -> Refusal:
    """Return why a sheet of today that a newer one has overtaken waits for a pharmacist."""
    return Refusal(
        OLDER,
        f"{name}: it was taken in at {known.received_at.isoformat()} already, and a newer sheet changed what it says; a pharmacist has to look at it and to take it in or discard it.",
        f"{name}: лист уже принят {known.received_at:%d.%m.%Y %H:%M}, и более новый лист изменил назначения; провизор должен просмотреть его и принять или отклонить.",
    )  # fmt: skip


def _has_newer(unit: UnitOfWork, known: Import) -> bool:
    newest = unit.imports.where(kind="sheet", source=known.source, order_by="-received_at", limit=1)
    return bool(newest) and newest[0].received_at > known.received_at


def _would_change(
    unit: UnitOfWork, sheet: OrderSheet, parts: Iterable[Sequence[OrderLine]], codes: CodeTable, stays: Mapping[PatientId, Stay]
) -> bool:
    if any(_is_elsewhere(stay, stays.get(stay.patient)) for stay in sheet.stays):
        return True
    return any(_is_other(translated(line, codes), unit.orders.get(line.id)) for lines in parts for line in lines)


def _is_other(line: OrderLine, held: Order | None) -> bool:
    return held is None or not is_same_line(line, held)


def _is_elsewhere(stay: Stay, known: Stay | None) -> bool:
    return known is None or (stay.department, stay.room, stay.bed) != (known.department, known.room, known.bed)
