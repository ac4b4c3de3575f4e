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
from hub.domain.drugs import PARTS, Coating, Dosing, Drug, DrugClass, Form, Storage
from hub.domain.identifiers import DrugCode
from hub.domain.quantities import Quantity, needs_measure_of, parse_quantity
from hub.domain.strengths import parse_strength
from hub.domain.words import Words, place_ru, words_of

DIRECTORY_COLUMNS = (
    "code", "inn", "trade_name", "form", "strength", "unit", "group", "class", "high_alert", "hazardous",
    "look_alike_group", "storage", "divisible_by", "prepack_allowed", "price",
)  # fmt: skip
OPTIONAL_COLUMNS = ("coating", "dosed", "usual_dose", "most_at_once", "most_a_day", "told_apart")
OLDER_COLUMN = "splittable"
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
_QUARTERS = 4
_COATINGS_RU = {Coating.ENTERIC: "кишечнорастворимый", Coating.PROLONGED: "длительного действия"}
_ENTERIC = re.compile(
    r"\b(?:EC|DR|enteric|delayed[- ]release|gastro-?resistant)\b|кишечнораств|к/р\b", re.IGNORECASE
)
_PROLONGED = re.compile(
    r"\b(?:ER|XR|SR|XL|CR|extended|prolonged|sustained|modified|controlled)(?:[- ]release)?\b|\b(?:МВ|ретард|пролонг\w*|пролонгированн\w*)",
    re.IGNORECASE,
)

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class DirectoryFile:
    """The drugs of a file, and what a person should know of it."""

    drugs: Mapping[DrugCode, Drug]
    warnings: tuple[Words, ...] = ()


def read_directory(name: str, data: bytes) -> DirectoryFile:
    """Return the drugs of a directory in either format; raise IntakeError with the line of the first bad value."""
    headers = {column: column for column in (*DIRECTORY_COLUMNS, *OPTIONAL_COLUMNS, *FORMULARY_COLUMNS)}
    rows = read_table(name, data, headers, required=[["code"], ["form"], ["class"], ["unit", "dispense_unit"]])
    if "dispense_unit" in rows[0].cells:
        return _formulary(name, rows)
    older = OLDER_COLUMN in rows[0].cells and "divisible_by" not in rows[0].cells
    _require(name, rows[0], tuple(OLDER_COLUMN if older and column == "divisible_by" else column for column in DIRECTORY_COLUMNS))
    drugs: dict[DrugCode, Drug] = {}
    for row in rows:
        drug = _own_drug(name, row)
        if drug.code in drugs:
            raise IntakeError(name, row.position, "code", Words(f"the code {drug.code} is there twice", f"код {drug.code} указан дважды"))
        drugs[drug.code] = drug
    return DirectoryFile(drugs, tuple(_hints(name, rows, drugs)))


def _require(name: str, row: Row, columns: tuple[str, ...]) -> None:
    for column in columns:
        if column not in row.cells:
            raise IntakeError(name, "line 1", column, Words("the required column is missing", "нет обязательного столбца"))


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
        divisible_by=_divisible_by(name, row),
        prepack_allowed=_flag(name, row, "prepack_allowed"),
        price=_price(name, row),
        coating=_coating(name, row),
        dosed=_choice(name, row, "dosed", Dosing) if row["dosed"] else Dosing.DAILY,
        usual_dose=_amount(name, row, "usual_dose"),
        most_at_once=_amount(name, row, "most_at_once"),
        most_a_day=_amount(name, row, "most_a_day"),
        told_apart=row["told_apart"],
    )


def _divisible_by(name: str, row: Row) -> int:
    """Return into how many parts a tablet may be split; the older yes meant halves and quarters."""
    if "divisible_by" not in row.cells:
        return _QUARTERS if _flag(name, row, OLDER_COLUMN) else 1
    text = row["divisible_by"]
    if text not in {str(parts) for parts in PARTS}:
        raise IntakeError(name, row.position, "divisible_by", Words(
            f"{text!r} is none of {', '.join(map(str, PARTS))}",
            f"{text!r} — не из числа {', '.join(map(str, PARTS))}",
        ))
    return int(text)


def _coating(name: str, row: Row) -> Coating:
    """Return the coating that a row names, or that its names tell; refuse a row that splits what its own column coats."""
    if not row["coating"]:
        return coating_told(f"{row['inn']} {row['trade_name']} {row['strength']}")
    coating = _choice(name, row, "coating", Coating)
    if coating is not Coating.PLAIN and _divisible_by(name, row) > 1:
        column = "divisible_by" if "divisible_by" in row.cells else OLDER_COLUMN
        raise IntakeError(name, row.position, column, Words(
            f"a tablet with the coating {coating.value!r} is never split: write no or 1",
            f"таблетку с оболочкой {coating.value!r} не делят: укажите no или 1",
        ))
    return coating


def coating_told(names: str) -> Coating:
    """Return the coating that a drug's names tell (`EC Tab`, `XR`, `МВ`, `кишечнорастворимые`), else plain."""
    if _ENTERIC.search(names):
        return Coating.ENTERIC
    return Coating.PROLONGED if _PROLONGED.search(names) else Coating.PLAIN


def _hints(name: str, rows: tuple[Row, ...], drugs: Mapping[DrugCode, Drug]) -> list[Words]:
    """Return a warning for each row that may be split by its flag and may not by its name."""
    told = []
    for row in rows:
        drug = drugs[DrugCode(row["code"])]
        if drug.form is Form.TABLET and drug.coating is not Coating.PLAIN and drug.divisible_by > 1:
            told.append(Words(
                f"{name}, {row.position}: {drug.code} is {drug.coating.value} by its name and is never split, whatever the line says",
                f"{name}, {place_ru(row.position)}: {drug.code} по названию {_COATINGS_RU[drug.coating]}, его не делят, что бы ни стояло в строке",
            ))
    return told


def _amount(name: str, row: Row, column: str) -> Quantity | None:
    if not row[column]:
        return None
    try:
        amount = parse_quantity(row[column])
    except ValueError as problem:
        raise IntakeError(name, row.position, column, Words(
            f"{row[column]!r} is no amount with a unit: {problem}",
            f"{row[column]!r} — не количество с единицей: {words_of(problem).ru}",
        )) from None
    if amount.amount <= 0:
        raise IntakeError(name, row.position, column, Words(
            f"{row[column]!r} is not more than nothing",
            f"{row[column]!r} — не больше нуля",
        ))
    if needs_measure_of(amount.unit):
        raise IntakeError(name, row.position, column, Words(
            f"{row[column]!r} depends on the patient: write the amount for one person",
            f"{row[column]!r} зависит от пациента: укажите количество на одного человека",
        ))
    return amount


def _formulary(name: str, rows: tuple[Row, ...]) -> DirectoryFile:
    _require(name, rows[0], FORMULARY_COLUMNS)
    drugs: dict[DrugCode, Drug] = {}
    lines: dict[DrugCode, list[Drug]] = {}
    warnings: list[Words] = []
    for row in rows:
        drug = _formulary_drug(name, row)
        first = drugs.setdefault(drug.code, drug)
        lines.setdefault(drug.code, []).append(drug)
        if different := _differences(first, drug):
            warnings.append(
                Words(
                    f"{name}, {row.position}: {drug.code} differs from its first line in {', '.join(different)}",
                    f"{name}, {place_ru(row.position)}: {drug.code} отличается от своей первой строки: {', '.join(different)}",
                )
            )
    drugs |= {code: stated for code, same in lines.items() if (stated := _stated(same)) is not None}
    return DirectoryFile(drugs, (*warnings, *_hints(name, rows, drugs)))


def _stated(lines: list[Drug]) -> Drug | None:
    """Return the line that states the strength where a code's first line states none (`1 Tablet`) and they differ in nothing else.

    Lines that state different strengths, or are of another form or unit, leave the first one: a person must look.
    """
    if parse_strength(lines[0].strength, lines[0].unit) is not None:
        return None
    if any(set(_differences(lines[0], line)) - {"strength"} for line in lines):
        return None
    strengths = {strength: line for line in lines if (strength := parse_strength(line.strength, line.unit)) is not None}
    return next(iter(strengths.values())) if len(strengths) == 1 else None


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
        divisible_by=_divisible_by(name, row),
        prepack_allowed=True,
        price=None,
        coating=_coating(name, row) if row["coating"] else coating_told(f"{drug} {row['strength']}"),
        dosed=_choice(name, row, "dosed", Dosing) if row["dosed"] else Dosing.DAILY,
        usual_dose=_amount(name, row, "usual_dose"),
        most_at_once=_amount(name, row, "most_at_once"),
        most_a_day=_amount(name, row, "most_a_day"),
        told_apart=row["told_apart"],
    )


_WHAT_MATTERS: Mapping[str, Callable[[Drug], object]] = {
    "drug": lambda drug: normalised(drug.inn),
    "strength": lambda drug: re.findall(r"\d+(?:[.,]\d+)*", drug.strength),
    "form": lambda drug: drug.form,
    "dispense_unit": lambda drug: drug.unit,
    "class": lambda drug: drug.drug_class,
    "high_alert": lambda drug: drug.high_alert,
    "hazardous": lambda drug: drug.hazardous,
    "splittable": lambda drug: drug.divisible_by,
    "dosed": lambda drug: drug.dosed,
}


def _differences(first: Drug, second: Drug) -> list[str]:
    return [column for column, value in _WHAT_MATTERS.items() if value(first) != value(second)]


def _needed(name: str, row: Row, column: str) -> str:
    if not row[column]:
        raise IntakeError(name, row.position, column, Words("a value is needed", "нужно значение"))
    return row[column]


def _choice(name: str, row: Row, column: str, kind: type[Choice]) -> Choice:
    try:
        return kind(row[column].casefold())
    except ValueError:
        allowed = ", ".join(member.value for member in kind)
        raise IntakeError(name, row.position, column, Words(
            f"{row[column]!r} is none of {allowed}",
            f"{row[column]!r} — не из числа {allowed}",
        )) from None


def _flag(name: str, row: Row, column: str) -> bool:
    value = _FLAGS.get(row[column].casefold())
    if value is None:
        raise IntakeError(name, row.position, column, Words(f"{row[column]!r} is neither yes nor no", f"{row[column]!r} — ни да, ни нет"))
    return value


def _price(name: str, row: Row) -> Decimal | None:
    if not row["price"]:
        return None
    price = money(row["price"])
    if price is None:
        raise IntakeError(name, row.position, "price", Words(f"{row['price']!r} is no price", f"{row['price']!r} — не цена"))
    return price
