"""The cassette map: read from CSV, or made from a directory with look-alikes kept apart."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.table import Row, normalised, read_table
from hub.domain.drugs import SOLID_FORMS, CassettePlace, Drug, DrugClass, DrugDirectory, Storage
from hub.domain.identifiers import DrugCode

COLUMNS = ("cassette", "item", "slot", "capacity")
HALF_TABLET = "half-tablet"
LARGEST = {"cassette": 2**31 - 1, "slot": 250, "capacity": 65_535}


def read_cassettes(name: str, data: bytes, directory: DrugDirectory) -> tuple[CassettePlace, ...]:
    """Return the lines of a cassette map; raise IntakeError for unknown items and numbers that are used twice."""
    rows = read_table(name, data, {column: column for column in COLUMNS}, required=[[column] for column in COLUMNS])
    places: list[CassettePlace] = []
    for row in rows:
        place = CassettePlace(
            _number(name, row, "cassette"),
            DrugCode(row["item"]),
            _number(name, row, "slot"),
            _number(name, row, "capacity"),
        )
        drug = directory.get(place.item)
        if drug is None:
            raise IntakeError(name, row.position, "item", f"the drug {place.item!r} is not in the directory")
        if not fits_cassette(drug):
            raise IntakeError(name, row.position, "item", f"{place.item} may not be in a cassette: {why_not(drug)}")
        _refuse_twice(name, row, place, places)
        places.append(place)
    return tuple(places)


def _number(name: str, row: Row, column: str) -> int:
    text = row[column]
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= LARGEST[column]):
        raise IntakeError(name, row.position, column, f"{text!r} is no number from 1 to {LARGEST[column]}")
    return int(text)


def _refuse_twice(name: str, row: Row, place: CassettePlace, before: Iterable[CassettePlace]) -> None:
    for other in before:
        if place.cassette == other.cassette:
            raise IntakeError(name, row.position, "cassette", f"the cassette {place.cassette} is there twice")
        if place.slot == other.slot:
            raise IntakeError(
                name, row.position, "slot", f"the slot {place.slot} is of cassette {other.cassette} already"
            )


def fits_cassette(drug: Drug) -> bool:
    """Tell whether whole units of a drug may lie open in a cassette of the machine."""
    return not why_not(drug)


def why_not(drug: Drug) -> str:
    """Return why a drug may not be in a cassette; empty where it may."""
    reasons: Mapping[str, bool] = {
        "it is no tablet or capsule": drug.form not in SOLID_FORMS,
        "it is dispensed in halves": drug.unit == HALF_TABLET,
        "it is not of the ordinary class": drug.drug_class is not DrugClass.ORDINARY,
        "it is hazardous": drug.hazardous,
        "it may not be repacked": not drug.prepack_allowed,
        "it is not kept at room temperature": drug.storage is not Storage.ROOM,
    }
    return ", ".join(reason for reason, applies in reasons.items() if applies)


def cassettes_from(
    directory: DrugDirectory, *, slots: int, capacity: int = 400, wanted: Mapping[DrugCode, int] | None = None
) -> tuple[CassettePlace, ...]:
    """Return a map for at most `slots` drugs (a machine has 250), slots counted from 1: the most wanted drugs, then by code.

    Drugs of one look-alike group (or of one name) are not in neighbouring slots where that is possible.
    """
    counts = wanted or {}
    fitting = sorted(
        (drug for drug in directory.values() if fits_cassette(drug)), key=lambda d: (-counts.get(d.code, 0), d.code)
    )
    order = _apart(fitting[:slots])
    return tuple(CassettePlace(slot, drug.code, slot, capacity) for slot, drug in enumerate(order, start=1))


def _apart(drugs: Iterable[Drug]) -> list[Drug]:
    """Return the drugs so that neighbours are of different groups: always one of the largest group that is allowed."""
    groups: dict[str, list[Drug]] = defaultdict(list)
    for drug in drugs:
        groups[drug.look_alike_group or normalised(drug.inn)].append(drug)
    order: list[Drug] = []
    last = ""
    while groups:
        allowed = [name for name in groups if name != last] or list(groups)
        last = min(allowed, key=lambda name: (-len(groups[name]), name))
        order.append(groups[last].pop(0))
        if not groups[last]:
            del groups[last]
    return order
