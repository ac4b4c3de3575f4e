"""The cassette map: read from CSV, or made from a directory with look-alikes kept apart."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations, pairwise

from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.table import Row, normalised, read_table
from hub.domain.drugs import SOLID_FORMS, CassettePlace, Drug, DrugClass, DrugDirectory, Storage
from hub.domain.identifiers import DrugCode
from hub.domain.look_alikes import look_alikes_of
from hub.domain.words import Words

COLUMNS = ("cassette", "item", "slot", "capacity")
HALF_TABLET = "half-tablet"
_ONE_GROUP, _ONE_NAME = Words("one look-alike group", "одна группа схожих названий"), Words("one name", "одно название")
_HINDRANCES: Sequence[tuple[Words, Callable[[Drug], bool]]] = (
    (Words("it is no tablet or capsule", "это не таблетка и не капсула"), lambda drug: drug.form not in SOLID_FORMS),
    (Words("it is dispensed in halves", "отпускается половинами"), lambda drug: drug.unit == HALF_TABLET),
    (Words("it is not of the ordinary class", "он не из обычной группы учёта"), lambda drug: drug.drug_class is not DrugClass.ORDINARY),
    (Words("it is hazardous", "он опасен в обращении"), lambda drug: drug.hazardous),
    (Words("it may not be repacked", "его нельзя перефасовывать"), lambda drug: not drug.prepack_allowed),
    (Words("it is not kept at room temperature", "он хранится не при комнатной температуре"), lambda drug: drug.storage is not Storage.ROOM),
)
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
            raise IntakeError(name, row.position, "item", Words(
                f"the drug {place.item!r} is not in the directory",
                f"препарата {place.item!r} нет в справочнике",
            ))
        if (why := why_not(drug)) is not None:
            told = Words(f"{place.item} may not be in a cassette: {why.en}", f"{place.item} нельзя держать в кассете: {why.ru}")
            raise IntakeError(name, row.position, "item", told)
        _refuse_twice(name, row, place, places)
        places.append(place)
    return tuple(places)


def _number(name: str, row: Row, column: str) -> int:
    text = row[column]
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= LARGEST[column]):
        raise IntakeError(name, row.position, column, Words(
            f"{text!r} is no number from 1 to {LARGEST[column]}",
            f"{text!r} — не число от 1 до {LARGEST[column]}",
        ))
    return int(text)


def _refuse_twice(name: str, row: Row, place: CassettePlace, before: Iterable[CassettePlace]) -> None:
    for other in before:
        if place.cassette == other.cassette:
            raise IntakeError(name, row.position, "cassette", Words(
                f"the cassette {place.cassette} is there twice",
                f"кассета {place.cassette} указана дважды",
            ))
        if place.slot == other.slot:
            raise IntakeError(
                name, row.position, "slot", Words(
                    f"the slot {place.slot} is of cassette {other.cassette} already",
                    f"место {place.slot} уже занято кассетой {other.cassette}",
                )
            )


def fits_cassette(drug: Drug) -> bool:
    """Tell whether whole units of a drug may lie open in a cassette of the machine."""
    return why_not(drug) is None


def why_not(drug: Drug) -> Words | None:
    """Return why a drug may not be in a cassette; None where it may."""
    found = [reason for reason, applies in _HINDRANCES if applies(drug)]
    return Words(", ".join(reason.en for reason in found), ", ".join(reason.ru for reason in found)) if found else None


def cassettes_from(
    directory: DrugDirectory, *, slots: int, capacity: int = 400, wanted: Mapping[DrugCode, int] | None = None
) -> tuple[CassettePlace, ...]:
    """Return a map for at most `slots` drugs (a machine has 250), slots counted from 1: the most wanted drugs, then by code.

    Drugs of one look-alike group, of one name, or of names that may be taken for each other are not in neighbouring slots where
    that is possible; `look_alike_neighbours` says where it is not.
    """
    counts = wanted or {}
    fitting = sorted(
        (drug for drug in directory.values() if fits_cassette(drug)), key=lambda d: (-counts.get(d.code, 0), d.code)
    )
    order = _apart(fitting[:slots])
    return tuple(CassettePlace(slot, drug.code, slot, capacity) for slot, drug in enumerate(order, start=1))


def look_alike_neighbours(places: Iterable[CassettePlace], directory: DrugDirectory) -> tuple[Words, ...]:
    """Return a warning for each pair of neighbouring slots whose drugs may be taken for each other, with names, slots and reason."""
    ordered = sorted(places, key=lambda place: place.slot)
    reasons = _confusable([directory[place.item] for place in ordered])
    told = []
    for one, other in pairwise(ordered):
        why = reasons.get(frozenset((one.item, other.item)))
        if why and other.slot - one.slot == 1:
            first, second = (f"'{directory[place.item].inn} {directory[place.item].strength}'" for place in (one, other))
            told.append(Words(
                f"slots {one.slot} and {other.slot} hold {first} and {second}: {why.en}",
                f"на местах {one.slot} и {other.slot} стоят {first} и {second}: {why.ru}",
            ))
    return tuple(told)


def _confusable(drugs: Iterable[Drug]) -> dict[frozenset[DrugCode], Words]:
    """Return why two drugs must not stand beside each other, by the pair of their codes."""
    reasons: dict[frozenset[DrugCode], Words] = {}
    kept = {drug.code: drug for drug in drugs}
    for pair in look_alikes_of(kept):
        reasons.update({frozenset((one, other)): Words(
            pair.names.said("en"),
            pair.names.said("ru"),
        ) for one in pair.first for other in pair.second})
    for why, names in ((_ONE_GROUP, _groups(kept.values())), (_ONE_NAME, _same_names(kept.values()))):
        for codes in names.values():
            reasons.update({frozenset(two): why for two in combinations(codes, 2)})
    return reasons


def _groups(drugs: Iterable[Drug]) -> dict[str, list[DrugCode]]:
    found: dict[str, list[DrugCode]] = defaultdict(list)
    for drug in drugs:
        if drug.look_alike_group:
            found[drug.look_alike_group].append(drug.code)
    return found


def _same_names(drugs: Iterable[Drug]) -> dict[str, list[DrugCode]]:
    found: dict[str, list[DrugCode]] = defaultdict(list)
    for drug in drugs:
        found[normalised(drug.inn)].append(drug.code)
    return found


def _apart(drugs: Iterable[Drug]) -> list[Drug]:
    """Return the drugs so that neighbours cannot be taken for each other: always the one with the most such others that may stand next.

    What may not stand at the end any more goes between two that allow it, and where there are none, to the end.
    """
    left = {drug.code: drug for drug in sorted(drugs, key=lambda drug: drug.code)}
    against = _opponents(left)
    order: list[Drug] = []
    while left:
        allowed = [code for code in left if not order or code not in against[order[-1].code]]
        chosen = min(allowed or left, key=lambda code: (-len(against[code] & left.keys()), code))
        order.insert(len(order) if allowed else _place_for(chosen, order, against), left.pop(chosen))
    return order


def _opponents(drugs: Mapping[DrugCode, Drug]) -> dict[DrugCode, set[DrugCode]]:
    found: dict[DrugCode, set[DrugCode]] = {code: set() for code in drugs}
    for one, other in (tuple(pair) for pair in _confusable(drugs.values()) if len(pair) == 2):
        found[one].add(other)
        found[other].add(one)
    return found


def _place_for(code: DrugCode, order: list[Drug], against: Mapping[DrugCode, set[DrugCode]]) -> int:
    """Return the first place in an order where neither neighbour can be taken for a drug, else its end."""
    for place in range(len(order)):
        around = {drug.code for drug in order[max(0, place - 1) : place + 1]}
        if not around & against[code]:
            return place
    return len(order)
