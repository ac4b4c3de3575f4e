"""The drug directory as CSV: our own full format, and the formulary format of the hospital."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from hub.adapters.intake.amounts import money, unit_name
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.table import Row, normalised, read_table
from hub.domain.drugs import Drug, DrugClass, Form, Storage
from hub.domain.identifiers import DrugCode

DIRECTORY_COLUMNS = (
    "code", "inn", "trade_name", "form", "strength", "unit", "group", "class", "high_alert", "hazardous",
    "look_alike_group", "storage", "splittable", "prepack_allowed", "price",
)  # fmt: skip
FORMULARY_COLUMNS = (
    "code",
    "drug",
    "strength",
    "dispense_unit",
    "form",
    "class",
    "high_alert",
    "hazardous",
    "splittable",
)
_FLAGS = {"yes": True, "да": True, "true": True, "1": True, "no": False, "нет": False, "false": False, "0": False}

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class DirectoryFile:
    """The drugs of a file, and what a person should know of it."""

    drugs: Mapping[DrugCode, Drug]
    warnings: tuple[str, ...] = ()


def read_directory(name: str, data: bytes) -> DirectoryFile:
    """Return the drugs of a directory in either format; raise IntakeError with the line of the first bad value."""
    headers = {column: column for column in (*DIRECTORY_COLUMNS, *FORMULARY_COLUMNS)}
    rows = read_table(name, data, headers, required=[["code"], ["form"], ["class"], ["unit", "dispense_unit"]])
    if "dispense_unit" in rows[0].cells:
        return _formulary(name, rows)
    _require(name, rows[0], DIRECTORY_COLUMNS)
    drugs: dict[DrugCode, Drug] = {}
    for row in rows:
        drug = _own_drug(name, row)
        if drug.code in drugs:
            raise IntakeError(name, row.position, "code", f"the code {drug.code} is there twice")
        drugs[drug.code] = drug
    return DirectoryFile(drugs)


def _require(name: str, row: Row, columns: tuple[str, ...]) -> None:
    for column in columns:
        if column not in row.cells:
            raise IntakeError(name, "line 1", column, "the required column is missing")


def _own_drug(name: str, row: Row) -> Drug:
    return Drug(
        code=DrugCode(_needed(name, row, "code")),
        inn=_needed(name, row, "inn"),
        trade_name=row["trade_name"],
        form=_choice(name, row, "form", Form),
        strength=row["strength"],
        unit=unit_name(_needed(name, row, "unit")),
        group=row["group"],
        drug_class=_choice(name, row, "class", DrugClass) if row["class"] else None,
        high_alert=_flag(name, row, "high_alert"),
        hazardous=_flag(name, row, "hazardous"),
        look_alike_group=row["look_alike_group"],
        storage=_choice(name, row, "storage", Storage),
        splittable=_flag(name, row, "splittable"),
        prepack_allowed=_flag(name, row, "prepack_allowed"),
        price=_price(name, row),
    )


def _formulary(name: str, rows: tuple[Row, ...]) -> DirectoryFile:
    _require(name, rows[0], FORMULARY_COLUMNS)
    drugs: dict[DrugCode, Drug] = {}
    warnings: list[str] = []
    for row in rows:
        drug = _formulary_drug(name, row)
        first = drugs.setdefault(drug.code, drug)
        if different := _differences(first, drug):
            warnings.append(
                f"{name}, {row.position}: {drug.code} differs from its first line in {', '.join(different)}"
            )
    return DirectoryFile(drugs, tuple(warnings))


def _formulary_drug(name: str, row: Row) -> Drug:
    drug = _needed(name, row, "drug")
    return Drug(
        code=DrugCode(_needed(name, row, "code")),
        inn=drug,
        trade_name=drug,
        form=_choice(name, row, "form", Form),
        strength=row["strength"],
        unit=unit_name(_needed(name, row, "dispense_unit")),
        group="",
        drug_class=_choice(name, row, "class", DrugClass) if row["class"] else None,
        high_alert=_flag(name, row, "high_alert"),
        hazardous=_flag(name, row, "hazardous"),
        look_alike_group="",
        storage=Storage.ROOM,
        splittable=_flag(name, row, "splittable"),
        prepack_allowed=True,
        price=None,
    )


_WHAT_MATTERS: Mapping[str, Callable[[Drug], object]] = {
    "drug": lambda drug: normalised(drug.inn),
    "strength": lambda drug: re.findall(r"\d+(?:[.,]\d+)*", drug.strength),
    "form": lambda drug: drug.form,
    "dispense_unit": lambda drug: drug.unit,
    "class": lambda drug: drug.drug_class,
    "high_alert": lambda drug: drug.high_alert,
    "hazardous": lambda drug: drug.hazardous,
    "splittable": lambda drug: drug.splittable,
}


def _differences(first: Drug, second: Drug) -> list[str]:
    return [column for column, value in _WHAT_MATTERS.items() if value(first) != value(second)]


def _needed(name: str, row: Row, column: str) -> str:
    if not row[column]:
        raise IntakeError(name, row.position, column, "a value is needed")
    return row[column]


def _choice(name: str, row: Row, column: str, kind: type[Choice]) -> Choice:
    try:
        return kind(row[column].casefold())
    except ValueError:
        allowed = ", ".join(member.value for member in kind)
        raise IntakeError(name, row.position, column, f"{row[column]!r} is none of {allowed}") from None


def _flag(name: str, row: Row, column: str) -> bool:
    value = _FLAGS.get(row[column].casefold())
    if value is None:
        raise IntakeError(name, row.position, column, f"{row[column]!r} is neither yes nor no")
    return value


def _price(name: str, row: Row) -> Decimal | None:
    if not row["price"]:
        return None
    price = money(row["price"])
    if price is None:
        raise IntakeError(name, row.position, "price", f"{row['price']!r} is no price")
    return price
