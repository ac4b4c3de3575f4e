"""What lists of patients ask a person: rows that name nobody, two patients at once, or another department than the one that is known."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hub.adapters.intake.listed_people import people_by_name
from hub.adapters.intake.table import normalised
from hub.domain.identifiers import PatientId, derived_id
from hub.domain.orders import Stay
from hub.domain.words import Words
from hub.services.feeds import ASKED, end_alarm, raise_alarm
from hub.services.house import House
from hub.services.ports import UnitOfWork

LISTED_AT_MOST = 20
_ALLERGIES = "allergies-"


@dataclass(frozen=True, slots=True)
class Discharges:
    """The rows of a list of discharges: stays that end, rows whom nobody or two people answer to, and rows of another department."""

    ending: tuple[Stay, ...]
    unknown: tuple[Stay, ...]
    elsewhere: tuple[tuple[Stay, Stay], ...]


def sorted_discharges(unit: UnitOfWork, rows: Sequence[Stay]) -> Discharges:
    """Find the stays that a list of discharges ends; a row that contradicts what is known ends none."""
    people = people_by_name(unit.patients.where())
    found = [(row, _stay_of(unit, people, row.patient)) for row in rows]
    known = [(row, stay) for row, stay in found if stay is not None]
    elsewhere = [(row, stay) for row, stay in known if _contradicts(row, stay)]
    asked = {id(row) for row, _ in elsewhere}
    ending = tuple(_ended(row, stay) for row, stay in known if id(row) not in asked)
    return Discharges(ending, tuple(row for row, stay in found if stay is None), tuple(elsewhere))


def _stay_of(unit: UnitOfWork, people: Mapping[PatientId, frozenset[PatientId]], name: PatientId) -> Stay | None:
    meant = people.get(name, frozenset({name}))
    return unit.stays.get(next(iter(meant))) if len(meant) == 1 else None


def _contradicts(row: Stay, stay: Stay) -> bool:
    return bool(row.department and stay.department) and normalised(row.department) != normalised(stay.department)


def _ended(row: Stay, stay: Stay) -> Stay:
    return replace(stay, finished_at=row.finished_at, died=row.died)


def unknown_on(unit: UnitOfWork, names: Iterable[PatientId]) -> list[PatientId]:
    """Return the names of a list that no patient answers to."""
    people = people_by_name(unit.patients.where())
    return sorted(name for name in names if name not in people)


def ask_about_listed(unit: UnitOfWork, house: House, source: str, names: Iterable[PatientId]) -> None:
    """Ask about the people of a source's list of allergies whom nobody knows, once the day's sheet is here: the list comes before it.

    A person's answer holds for these names; once they are known the question ends by itself.
    """
    if not _has_the_days_sheet(unit, house, source):
        return
    unknown = unknown_on(unit, names)
    cause = f"{_ALLERGIES}{derived_id(*unknown, digits=16)}"
    for alarm in unit.incidents.where(kind=ASKED, subject=source, closed=False):
        if f":{_ALLERGIES}" in alarm.id and not (unknown and alarm.id.endswith(f":{cause}")):
            end_alarm(unit, alarm, "the list or the patients are others now")
    if unknown:
        told = _named(unknown)
        raise_alarm(
            unit, source, ASKED, cause,
            f"The allergies of {source} name patients whom no sheet knows: {told.en}. They are kept, and nobody is checked by them until the patient is told of: look who they are.",
            f"В списке аллергий источника {source} есть пациенты, которых нет ни в одном листе: {told.ru}. Записи хранятся, но ни к кому не относятся, пока пациент не появится: выясните, кто это.",
        )  # fmt: skip


def _has_the_days_sheet(unit: UnitOfWork, house: House, source: str) -> bool:
    newest = unit.imports.where(kind="sheet", source=source, order_by="-received_at", limit=1)
    return bool(newest) and house.sheet_window(newest[0].received_at)[1] == house.sheet_window(unit.now)[1]


def _named(unknown: Sequence[PatientId]) -> Words:
    named, more = ", ".join(unknown[:LISTED_AT_MOST]), max(len(unknown) - LISTED_AT_MOST, 0)
    return Words(f"{named}{f'; and {more} more' if more else ''}", f"{named}{f'; и ещё {more}' if more else ''}")


def ask_about_unknown(unit: UnitOfWork, source: str, name: str, cause: str, unknown: Sequence[PatientId]) -> None:
    """Open an incident about the patients of a list of discharges whom nobody knows, or whose name two of them bear."""
    if not unknown:
        return
    told = _named(unknown)
    raise_alarm(
        unit, source, ASKED, f"unknown-{cause}",
        f"{name} of {source} names patients who cannot be told here: {told.en}. Nothing was done for them: look who they are, and send the list again.",
        f"В списке {name} источника {source} есть пациенты, которых здесь нельзя узнать: {told.ru}. По ним ничего не сделано: выясните, кто это, и пришлите список снова.",
        again=True,
    )  # fmt: skip


def ask_about_elsewhere(unit: UnitOfWork, source: str, name: str, cause: str, rows: Sequence[tuple[Stay, Stay]]) -> None:
    """Open an incident about discharges from another department than the one that is known; the orders stay in force."""
    if not rows:
        return
    named = "; ".join(f"{row.patient}: {row.department} ≠ {stay.department}" for row, stay in rows[:LISTED_AT_MOST])
    more = max(len(rows) - LISTED_AT_MOST, 0)
    raise_alarm(
        unit, source, ASKED, f"elsewhere-{cause}",
        f"{name} of {source} discharges patients from other departments than they lie in: {named}{f'; and {more} more' if more else ''}. They are not discharged: ask the ward, and send the list again.",
        f"Список {name} источника {source} выписывает пациентов не из тех отделений, где они лежат: {named}{f'; и ещё {more}' if more else ''}. Они не выписаны: спросите отделение и пришлите список снова.",
        again=True,
    )  # fmt: skip
