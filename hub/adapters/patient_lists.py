"""What lists of patients ask a person: rows that name nobody, two patients at once, or another department than the one that is known."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hub.adapters.intake.listed_people import people_by_name
from hub.adapters.intake.table import normalised
from hub.domain.identifiers import PatientId
from hub.domain.orders import Stay
from hub.services.feeds import ASKED, raise_alarm
from hub.services.ports import UnitOfWork

LISTED_AT_MOST = 20


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


def ask_about_unknown(unit: UnitOfWork, source: str, name: str, cause: str, unknown: Sequence[PatientId]) -> None:
    """Open an incident about the patients of a list whom nobody knows, or whose name two of them bear."""
    if not unknown:
        return
    named, more = ", ".join(unknown[:LISTED_AT_MOST]), max(len(unknown) - LISTED_AT_MOST, 0)
    raise_alarm(
        unit, source, ASKED, f"unknown-{cause}",
        f"{name} of {source} names patients who cannot be told here: {named}{f'; and {more} more' if more else ''}. Nothing was done for them: look who they are, and send the list again.",
        f"В списке {name} источника {source} есть пациенты, которых здесь нельзя узнать: {named}{f'; и ещё {more}' if more else ''}. По ним ничего не сделано: выясните, кто это, и пришлите список снова.",
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
