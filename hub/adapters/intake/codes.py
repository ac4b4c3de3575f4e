"""Code tables of the sources as CSV (source, kind, code, meaning): what the house wrote down about a source's own words."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from hub.adapters.intake.errors import IntakeError, bytes_of_settings
from hub.adapters.intake.table import Row, read_table
from hub.domain.codes import CodeTable, Known, checked_meaning, code_form
from hub.domain.frequencies import FrequencyTable
from hub.domain.identifiers import DrugCode
from hub.domain.records import CodeKind
from hub.domain.refusals import Refusal
from hub.domain.words import Words

COLUMNS = ("source", "kind", "code", "meaning")
_SHIPPED = "codes.csv"


class _AnyDrug:
    """Stands for the directory while a table is read: which drugs there are is known only at the desk."""

    def __contains__(self, _: object) -> bool:
        return True


def shipped_codes(frequencies: FrequencyTable) -> dict[str, CodeTable]:
    """Return the code tables that ship with the hub, by source."""
    return read_codes(_SHIPPED, files("hub.adapters.data").joinpath(_SHIPPED).read_bytes(), frequencies)


def codes_of(named: Mapping[str, str], frequencies: FrequencyTable) -> dict[str, CodeTable]:
    """Return the code tables of the sources: the shipped ones, and over them the file that a source's settings name.

    `named` is source → file (empty: none). Raises IntakeError where a file cannot be read or is of another source alone.
    """
    tables = dict(shipped_codes(frequencies))
    for source, reference in named.items():
        if not reference:
            continue
        data = bytes_of_settings(Path(reference), reference, Words("the code table", "таблица кодов"))
        found = read_codes(reference, data, frequencies)
        if source not in found:
            raise IntakeError(reference, "", "source", Words(
                f"the table has no row of the source '{source}'",
                f"в таблице нет строк источника «{source}»",
            ))
        tables[source] = {**tables.get(source, {}), **found[source]}
    return tables


def read_codes(name: str, data: bytes, frequencies: FrequencyTable) -> dict[str, CodeTable]:
    """Return the tables of a file by source; raise IntakeError naming the line of a word that is there twice or means nothing."""
    known = Known(lambda code: frequencies.find(code, "") is not None, _AnyDrug())
    tables: dict[str, dict[tuple[CodeKind, str], str]] = {}
    for row in read_table(name, data, {column: column for column in COLUMNS}, required=[[column] for column in COLUMNS]):
        key, meaning = _entry(name, row, known)
        table = tables.setdefault(_filled(name, row, "source"), {})
        if key in table:
            raise IntakeError(name, row.position, "code", Words(f"{row['code']!r} is there twice", f"код {row['code']!r} указан дважды"))
        table[key] = meaning
    return dict(tables)


def _entry(name: str, row: Row, known: Known) -> tuple[tuple[CodeKind, str], str]:
    try:
        kind = CodeKind(row["kind"])
    except ValueError as error:
        raise IntakeError(name, row.position, "kind", Words(
            f"{row['kind']!r} is none of {', '.join(CodeKind)}",
            f"{row['kind']!r} — не из числа {', '.join(CodeKind)}",
        )) from error
    meaning = checked_meaning(kind, row["meaning"], known)
    if isinstance(meaning, Refusal):
        raise IntakeError(name, row.position, "meaning", Words(meaning.text.rstrip("."), meaning.said("ru").rstrip(".")))
    return (kind, code_form(_filled(name, row, "code"))), DrugCode(meaning) if kind is CodeKind.DRUG else meaning


def _filled(name: str, row: Row, column: str) -> str:
    if not row[column]:
        raise IntakeError(name, row.position, column, Words("a value is needed", "нужно значение"))
    return row[column]
