"""Column maps as YAML files: read strictly, every error names the file and the key."""

import re
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from hub.adapters.intake.cell_pattern import Pattern, read_pattern
from hub.adapters.intake.column_map import DEFAULT_MAP, FIELDS, SLOTS, Column, ColumnMap
from hub.adapters.intake.delimited import DELIMITERS, ENCODINGS
from hub.adapters.intake.errors import IntakeError, bytes_of_settings
from hub.adapters.intake.table import normalised
from hub.adapters.intake.workbook import column_number
from hub.domain.words import Unfit, Words, words_of

MAXIMUM_MAP_BYTES = 64 * 1024
# The reader's time grows with the square of brackets inside brackets.
MAXIMUM_BRACKETS = 400
MAXIMUM_HEADER_ROW = 100
MAXIMUM_PLACE = 200
_TEXT = "tag:yaml.org,2002:str"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")
_LETTERS = re.compile(r"[A-Za-z]{1,2}")
_DATE_FORMAT = re.compile(r"(?:%[dmYyHMS]|[ ./:T-])+")


class _Texts(yaml.SafeLoader):
    """The safe loader without guesses: every scalar is the text that was written, so that a sheet's `yes` stays a word."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """Return the tag of a node: text for every plain scalar."""
        return _TEXT if kind is yaml.ScalarNode and implicit[0] else super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]


def shipped_maps() -> dict[str, ColumnMap]:
    """Return the column maps that ship with the hub, by name."""
    folder = files("hub.adapters.data").joinpath("column_maps")
    found = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    return {file.name.removesuffix(".yaml"): read_column_map(file.name, file.read_bytes()) for file in found}


def column_map_named(reference: str, folder: Path | None = None) -> ColumnMap:
    """Return the map of that name among the shipped ones, else of that file; raise IntakeError where there is none.

    An empty reference is the default map: columns by the synonyms of headers.csv. `folder` is where relative files lie.
    """
    if not reference:
        return DEFAULT_MAP
    if _NAME.fullmatch(reference) and not reference.endswith((".yaml", ".yml")) and reference in (shipped := shipped_maps()):
        return shipped[reference]
    path = (folder or Path()) / reference
    data = bytes_of_settings(path, reference, Words("the column map", "карта столбцов"), MAXIMUM_MAP_BYTES + 1)
    return read_column_map(path.name, data)


def read_column_map(name: str, data: bytes) -> ColumnMap:
    """Return a column map; raise IntakeError naming the file and the key of the first thing that is wrong."""
    if len(data) > MAXIMUM_MAP_BYTES:
        raise IntakeError(name, "", "", Words(
            f"a column map has at most {MAXIMUM_MAP_BYTES} bytes",
            f"в карте столбцов не больше {MAXIMUM_MAP_BYTES} байт",
        ))
    tree = _tree(name, data)
    unknown = next((key for key in tree if key not in _KEYS), None)
    if unknown is not None:
        raise IntakeError(name, "", str(unknown), Words(
            f"there is no such key; known are {', '.join(_KEYS)}",
            f"такого ключа нет; известны {', '.join(_KEYS)}",
        ))
    values: dict[str, Any] = {}
    for key, read in _KEYS.items():
        if key in tree:
            try:
                values[key] = read(tree[key])
            except ValueError as error:
                raise IntakeError(name, "", key, words_of(error)) from error
    values.pop("about", None)
    found = ColumnMap(name=name.removesuffix(".yaml").removesuffix(".yml"), **values)
    _check_whole(name, found)
    return found


def _tree(name: str, data: bytes) -> Mapping[str, Any]:
    try:
        text = data.decode("utf-8-sig")
        if text.count("[") + text.count("{") > MAXIMUM_BRACKETS:
            raise IntakeError(name, "", "", Words(
                f"a column map has at most {MAXIMUM_BRACKETS} brackets",
                f"в карте столбцов не больше {MAXIMUM_BRACKETS} скобок",
            ))
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise IntakeError(name, "", "", Words(
                "anchors and aliases are not read: write it out",
                "якоря и ссылки не читаются: напишите значение полностью",
            ))
        loader = _Texts(text)
        node = loader.get_single_node()
        _refuse_twice(name, node, "")
        tree = loader.construct_document(node) if node is not None else None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        if isinstance(error, IntakeError):
            raise
        raise IntakeError(name, "", "", Words(
            f"it is no YAML ({' '.join(str(error).split())[:200]})",
            f"это не YAML{_where(error)}",
        )) from error
    if not isinstance(tree, dict) or not tree:
        raise IntakeError(name, "", "", Words("it holds no keys: it is no column map", "в нём нет ключей: это не карта столбцов"))
    return tree


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f": ошибка в строке {mark.line + 1}, столбец {mark.column + 1}" if mark is not None else ""


def _refuse_twice(name: str, node: Any, inside: str) -> None:
    """Refuse a key that is written twice: YAML would silently keep the last one."""
    if isinstance(node, yaml.SequenceNode):
        for part in node.value:
            _refuse_twice(name, part, inside)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        path = f"{inside}{key.value}"
        if path in seen:
            raise IntakeError(name, f"line {key.start_mark.line + 1}", path, Words("the key is there twice", "ключ указан дважды"))
        seen.add(path)
        _refuse_twice(name, value, f"{path}.")


def _check_whole(name: str, found: ColumnMap) -> None:
    if found.header_row == 0 and any(column.header for columns in found.columns.values() for column in columns):
        raise IntakeError(name, "", "columns", Words(
            "without a row of headers every column is a letter or a number",
            "без строки заголовков каждый столбец — буква или номер",
        ))
    if found.header_row == 0 and not found.columns:
        raise IntakeError(name, "", "columns", Words(
            "without a row of headers the columns have to be named",
            "без строки заголовков столбцы нужно назвать",
        ))
    for key in found.patterns:
        if key not in found.columns and not found.synonyms:
            raise IntakeError(name, "", f"patterns.{key}", Words("the map has no such column", "в карте нет такого столбца"))


def _text(written: Any) -> str:
    if not isinstance(written, str):
        raise Unfit("it has to be one text", "здесь нужен один текст")
    return written


def _one_of(*choices: str) -> Callable[[Any], str]:
    def read(written: Any) -> str:
        text = _text(written).strip() or _text(written)
        if text not in choices:
            allowed = ", ".join(repr(choice) for choice in choices)
            raise Unfit(f"{written!r} is none of {allowed}", f"{written!r} — не из числа {allowed}")
        return text

    return read


def _encoding(written: Any) -> str:
    text = _text(written).strip().casefold()
    spelled = {"cp1251": "windows-1251", "utf8": "utf-8", "content": ""}.get(text, text)
    if spelled not in (*ENCODINGS, ""):
        raise Unfit(f"{written!r} is none of utf-8, windows-1251, content", f"{written!r} — не из числа utf-8, windows-1251, content")
    return spelled


def _delimiter(written: Any) -> str:
    text = {"tab": "\t", "\\t": "\t"}.get(_text(written), _text(written))
    if len(text) != 1 or text not in DELIMITERS:
        raise Unfit(f"{written!r} is none of ; , | tab", f"{written!r} — не из числа ; , | tab")
    return text


def _header_row(written: Any) -> int:
    text = _text(written)
    if not (text.isascii() and text.isdigit() and int(text) <= MAXIMUM_HEADER_ROW):
        raise Unfit(
            f"{text!r} is no number from 0 (no headers) to {MAXIMUM_HEADER_ROW}",
            f"{text!r} — не число от 0 (без заголовков) до {MAXIMUM_HEADER_ROW}",
        )
    return int(text)


def _texts(written: Any) -> tuple[str, ...]:
    parts = [written] if isinstance(written, str) else written
    if not isinstance(parts, list) or not parts or not all(isinstance(part, str) and part.strip() for part in parts):
        raise Unfit("it has to be a text or a list of texts", "здесь нужен текст или список текстов")
    return tuple(parts)


def _dates(written: Any) -> tuple[str, ...]:
    for form in _texts(written):
        if not _DATE_FORMAT.fullmatch(form) or not all(part in form for part in ("%d", "%m")) or "%y" not in form.casefold():
            raise Unfit(
                f"{form!r} is no date format like %d.%m.%Y (%d %m %Y %y %H %M %S and signs)",
                f"{form!r} — не формат даты вида %d.%m.%Y (%d %m %Y %y %H %M %S и знаки)",
            )
    return _texts(written)


def _fields(written: Any) -> tuple[str, ...]:
    found = _texts(written)
    for field in found:
        _field(field)
    return found


def _field(name: Any) -> str:
    if name not in FIELDS:
        raise Unfit(f"{name!r} is no field; fields are {', '.join(FIELDS)}", f"{name!r} — не поле; поля: {', '.join(FIELDS)}")
    return str(name)


def _by_field(written: Any, read: Callable[[Any], Any]) -> dict[str, Any]:
    if not isinstance(written, dict) or not written:
        raise Unfit("it has to be `field: value` pairs", "здесь нужны пары «поле: значение»")
    return {_field(field): read(value) for field, value in written.items()}


def _columns(written: Any) -> dict[str, tuple[Column, ...]]:
    return _by_field(written, lambda value: tuple(_column(part) for part in (value if isinstance(value, list) else [value])))


def _column(written: Any) -> Column:
    """Return a column: `Препарат` (a header), `3` (a number from 1), or `{letter: C}`."""
    if isinstance(written, dict) and [*written] == ["letter"] and _LETTERS.fullmatch(str(written["letter"])):
        return Column(place=_place(column_number(written["letter"])))
    text = _text(written)
    if text.isascii() and text.isdigit():
        return Column(place=_place(int(text)))
    if not normalised(text):
        raise Unfit(f"{text!r} is no header", f"{text!r} — не заголовок")
    return Column(header=normalised(text))


def _place(number: int) -> int:
    if not 1 <= number <= MAXIMUM_PLACE:
        raise Unfit(f"{number} is no column from 1 to {MAXIMUM_PLACE}", f"{number} — не номер столбца от 1 до {MAXIMUM_PLACE}")
    return number - 1


def _constants(written: Any) -> dict[str, str]:
    return _by_field(written, lambda value: _text(value).strip())


def _values(written: Any) -> dict[str, dict[str, str]]:
    def words(value: Any) -> dict[str, str]:
        if not isinstance(value, dict):
            raise Unfit("the values of a field are `written: meaning` pairs", "значения поля — пары «написано: значит»")
        return {normalised(_text(word)): _text(meaning) for word, meaning in value.items()}

    return _by_field(written, words)


def _patterns(written: Any) -> dict[str, tuple[Pattern, ...]]:
    return _by_field(written, lambda value: tuple(_pattern(part) for part in _texts(value)))


def _pattern(written: str) -> Pattern:
    found = read_pattern(written)
    for field in found.fields:
        _field(field)
    return found


def _slots(written: Any) -> tuple[str, ...]:
    found = _texts(written)
    if any(slot not in SLOTS for slot in found) or len(set(found)) != len(found) or len(found) not in (3, 4):
        raise Unfit(
            f"the slots of a scheme are three or four of {', '.join(SLOTS)}",
            f"части суток в схеме — три или четыре из {', '.join(SLOTS)}",
        )
    return found


def _truth(written: Any) -> bool:
    return _one_of("true", "false", "yes", "no")(written) in ("true", "yes")


_KEYS: Mapping[str, Callable[[Any], Any]] = {
    "about": _text,
    "encoding": _encoding,
    "delimiter": _delimiter,
    "sheet": _text,
    "header_row": _header_row,
    "decimal_sign": _one_of(",", "."),
    "dates": _dates,
    "columns": _columns,
    "optional": lambda written: frozenset(_fields(written)),
    "constants": _constants,
    "values": _values,
    "patterns": _patterns,
    "fill_down": _fields,
    "slots": _slots,
    "synonyms": _truth,
}
