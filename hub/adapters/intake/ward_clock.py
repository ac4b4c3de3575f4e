"""The ward clock of a hospital: rows of the frequency table and the house's rules about due times, from a TOML file of its own."""

import csv
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from hub.adapters.intake.errors import IntakeError, bytes_of_settings, no_toml
from hub.domain.frequencies import FrequencyTable, normal_code, read_frequency_table
from hub.domain.schedule_rules import HOUSE_RULES, FirstDose, IntervalAnchor, MonthEnd, ScheduleRules
from hub.domain.words import Words, words_of

_SHIPPED = "frequencies.csv"
_COLUMNS = ("code", "ward", "kind", "times", "every_days", "weekdays", "every_hours", "every_months", "called", "valid_from")
_CHOICES = {"interval_anchor": IntervalAnchor, "first_dose": FirstDose, "month_end": MonthEnd}
_GAP = "first_gap_minutes"
_MOST_GAP = 24 * 60

Row = Mapping[str, str]


def shipped_rows() -> list[Row]:
    """Return the rows of the frequency table that ships with the hub."""
    text = files("hub.adapters.data").joinpath(_SHIPPED).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def shipped_table() -> FrequencyTable:
    """Return the frequency table that ships with the hub."""
    return read_frequency_table(shipped_rows())


def ward_clock_of(path: Path) -> tuple[FrequencyTable, ScheduleRules]:
    """Return table and rules of a hospital's file; raise IntakeError where it cannot be read."""
    return read_ward_clock(path.name, bytes_of_settings(path, str(path), Words("the ward's clock", "файл часов отделений")))


def read_ward_clock(name: str, data: bytes) -> tuple[FrequencyTable, ScheduleRules]:
    """Return table and rules: `[[rows]]` stand in the place of shipped rows of the same code, ward and day, or beside them.

    `[rules]` has interval_anchor, first_dose, month_end and first_gap_minutes; what is not named stays as it ships. Raises
    IntakeError naming the row or the rule.
    """
    try:
        whole = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise IntakeError(name, "", "", no_toml(error)) from error
    for key in whole.keys() - {"rules", "rows"}:
        raise IntakeError(name, "", key, Words("there is no such part; there are rules and rows", "такой части нет; есть rules и rows"))
    own = list(_rows(name, whole.get("rows", [])))
    taken = {_place(row) for row in own}
    try:
        table = read_frequency_table([*own, *(row for row in shipped_rows() if _place(row) not in taken)])
    except ValueError as error:
        raise IntakeError(name, "", "rows", words_of(error)) from error
    return table, _rules(name, whole.get("rules", {}))


def _rows(name: str, rows: Any) -> Iterator[Row]:
    if not isinstance(rows, list):
        raise IntakeError(name, "", "rows", Words("it is no list of rows", "это не список строк"))
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict) or not all(isinstance(value, str | int) for value in row.values()):
            raise IntakeError(name, f"row {number}", "", Words(
                "a row has texts and whole numbers only",
                "в строке только тексты и целые числа",
            ))
        for key in row.keys() - set(_COLUMNS):
            raise IntakeError(name, f"row {number}", key, Words(
                f"there is no such column; there are {', '.join(_COLUMNS)}",
                f"такого столбца нет; есть {', '.join(_COLUMNS)}",
            ))
        for key in ("code", "kind"):
            if not str(row.get(key, "")).strip():
                raise IntakeError(name, f"row {number}", key, Words("it is missing", "значения нет"))
        yield {key: str(value) for key, value in row.items()}


def _place(row: Row) -> tuple[str, str, bool, str]:
    ward, day = (row.get(key) or "" for key in ("ward", "valid_from"))
    return normal_code(row["code"]), ward.strip().casefold(), row["kind"].strip() == "event", day.strip()


def _rules(name: str, rules: Any) -> ScheduleRules:
    if not isinstance(rules, dict):
        raise IntakeError(name, "", "rules", Words("it is no table of rules", "это не таблица правил"))
    for key in rules.keys() - {*_CHOICES, _GAP}:
        raise IntakeError(name, "rules", key, Words("there is no such rule", "такого правила нет"))
    minutes = rules.get(_GAP, 0)
    if type(minutes) is not int or not 0 <= minutes <= _MOST_GAP:
        raise IntakeError(name, "rules", _GAP, Words(
            f"{minutes!r} is not a number of minutes from 0 to {_MOST_GAP}",
            f"{minutes!r} — не число минут от 0 до {_MOST_GAP}",
        ))
    return ScheduleRules(
        interval_anchor=IntervalAnchor(_choice(name, rules, "interval_anchor")),
        first_dose=FirstDose(_choice(name, rules, "first_dose")),
        first_gap=timedelta(minutes=minutes),
        month_end=MonthEnd(_choice(name, rules, "month_end")),
    )


def _choice(name: str, rules: Mapping[str, Any], key: str) -> str:
    usual = {"interval_anchor": HOUSE_RULES.interval_anchor, "first_dose": HOUSE_RULES.first_dose, "month_end": HOUSE_RULES.month_end}
    chosen, allowed = rules.get(key, usual[key]), [choice.value for choice in _CHOICES[key]]
    if chosen not in allowed:
        raise IntakeError(name, "rules", key, Words(
            f"{chosen!r} is none of {', '.join(allowed)}",
            f"{chosen!r} — не из числа {', '.join(allowed)}",
        ))
    return str(chosen)
