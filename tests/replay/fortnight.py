"""The hospital's fortnight as these tests and measurements read it: its folder, its settings, and its orders with their ends."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from hub.bootstrap import house_of
from hub.domain.orders import OrderLine, OrderSheet, OrderStatus
from hub.replay.history import History, changes_of, history_in, sheet_of
from hub.services.house import House
from hub.settings import HubSettings

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "hospital_fortnight"
ABSENT = "the hospital's folder is not beside the checkout"
SOURCE = "hospital"
WEEK = 7


def house() -> House:
    """Return the shipped house."""
    return house_of(HubSettings(data_dir=Path("never-written")))


@dataclass(frozen=True)
class KnownOrder:
    """An order as first seen, the ward of its patient then, and when it was stopped."""

    line: OrderLine
    ward: str
    stopped_at: datetime | None = None


@dataclass(frozen=True)
class Charted:
    """A dose that a nurse charted at a scheduled time."""

    order: str
    scheduled_at: datetime


def sheets(history: History, at: House) -> Iterator[OrderSheet]:
    """Yield the sheets of all days."""
    for day in history.days:
        yield sheet_of(day, history, at.sources[SOURCE], at)


def known_orders(history: History, at: House) -> dict[str, KnownOrder]:
    """Return every order of sheets and changes."""
    orders: dict[str, KnownOrder] = {}
    for day in history.days:
        sheet = sheet_of(day, history, at.sources[SOURCE], at)
        wards = {stay.patient: stay.department for stay in sheet.stays}
        for line in sheet.lines:
            orders.setdefault(line.id, KnownOrder(line, wards.get(line.patient, "")))
        changes = changes_of(day, history, at.sources[SOURCE], at)
        for change in changes.changes if changes is not None else ():
            if change.stay is not None:
                wards[change.stay.patient] = change.stay.department
            if change.line is None:
                continue
            order = orders.setdefault(change.line.id, KnownOrder(change.line, wards.get(change.line.patient, "")))
            if change.line.status is OrderStatus.STOPPED:
                orders[change.line.id] = replace(order, stopped_at=change.at)
    return orders


def charted(history: History) -> dict[int, set[Charted]]:
    """Return the doses charted at a scheduled time, each once, by the number of the week of that time."""
    weeks: dict[int, set[Charted]] = {}
    first = history.days[0].day
    for path in sorted((history.folder / "administrations").iterdir()):
        with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                if row["medication_request"] and row["scheduled_at"]:
                    at = datetime.fromisoformat(row["scheduled_at"])
                    weeks.setdefault((at.date() - first).days // WEEK, set()).add(Charted(row["medication_request"], at))
    return weeks


def fortnight() -> History:
    """Return the history in the folder beside the checkout."""
    return history_in(FOLDER)
