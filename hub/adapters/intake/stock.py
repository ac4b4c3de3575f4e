"""Receipts of stock as CSV: the source packs with their lots; and made-up ones for a directory that has none."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hub.adapters.intake.amounts import fraction, money
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.moments import calendar_day
from hub.adapters.intake.table import Row, read_table
from hub.domain.drugs import SOLID_FORMS, Drug, DrugDirectory
from hub.domain.identifiers import DrugCode, derived_id
from hub.domain.words import Words
from hub.services.stock_in import Receipt

COLUMNS = ("code", "item", "lot", "expires_on", "units", "unit_cost")
SOLID_UNITS = 100
OTHER_UNITS = 50
MEASURED_UNITS = {"mL": 5_000, "mg": 10_000, "g": 1_000, "IU": 3_000, "L": 20}


def read_stock(name: str, data: bytes, directory: DrugDirectory) -> tuple[Receipt, ...]:
    """Return the source packs of a file; raise IntakeError for unknown items, bad values and codes used twice."""
    rows = read_table(name, data, {column: column for column in COLUMNS}, required=[[column] for column in COLUMNS])
    seen: set[str] = set()
    receipts = []
    for row in rows:
        receipts.append(_receipt(name, row, directory))
        if row["code"] in seen:
            raise IntakeError(name, row.position, "code", Words(
                f"the source pack {row['code']} is there twice",
                f"упаковка {row['code']} указана дважды",
            ))
        seen.add(row["code"])
    return tuple(receipts)


def _receipt(name: str, row: Row, directory: DrugDirectory) -> Receipt:
    expires_on, units, cost = calendar_day(row["expires_on"]), fraction(row["units"]), money(row["unit_cost"])
    if not row["code"] or not row["lot"]:
        raise IntakeError(name, row.position, "lot" if row["code"] else "code", Words("a value is needed", "нужно значение"))
    if row["item"] not in directory:
        raise IntakeError(name, row.position, "item", Words(
            f"the drug {row['item']!r} is not in the directory",
            f"препарата {row['item']!r} нет в справочнике",
        ))
    if expires_on is None:
        raise IntakeError(name, row.position, "expires_on", Words(f"{row['expires_on']!r} is no date", f"{row['expires_on']!r} — не дата"))
    if not units:
        raise IntakeError(name, row.position, "units", Words(f"{row['units']!r} is no amount", f"{row['units']!r} — не количество"))
    if cost is None:
        raise IntakeError(name, row.position, "unit_cost", Words(f"{row['unit_cost']!r} is no price", f"{row['unit_cost']!r} — не цена"))
    return Receipt(row["code"], DrugCode(row["item"]), row["lot"], expires_on, units, cost)


def make_stock(directory: DrugDirectory, day: date) -> tuple[Receipt, ...]:
    """Return two source packs of different lots for every drug, following from the directory and the day alone."""
    return tuple(receipt for code in sorted(directory) for receipt in _made(directory[code], day))


def _made(drug: Drug, day: date) -> Iterator[Receipt]:
    for number in (1, 2):
        digits = int(derived_id("source pack", drug.code, number), 16)
        yield Receipt(
            code=f"SP{digits % 10**10:010d}",
            item=drug.code,
            lot=f"L{digits // 10**10 % 10**5:05d}{'AB'[number - 1]}",
            expires_on=day + timedelta(days=180 * number + digits % 170),
            units=Fraction(MEASURED_UNITS.get(drug.unit, SOLID_UNITS if drug.form in SOLID_FORMS else OTHER_UNITS)),
            unit_cost=drug.price if drug.price is not None else Decimal(digits % 5000 + 50) / 100,
        )
