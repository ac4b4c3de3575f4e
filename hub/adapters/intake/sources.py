"""Settings of the sources of sheets, read from TOML: what their lines are bound to bring, and how their files reach the hub."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import time
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from hub.adapters.intake.errors import IntakeError, bytes_of_settings, no_toml
from hub.domain.feeds import FeedSettings, SheetFormat
from hub.domain.orders import RangePolicy, SourceSettings
from hub.domain.words import Unfit, Words, words_of

Value = Callable[[Any], Any]
_SHIPPED = "sources.toml"
_REQUIRED = ("course_required", "signature_required", "allergies_provided", "excluded_departments")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def shipped_sources() -> dict[str, SourceSettings]:
    """Return the settings that ship with the hub."""
    return read_sources(_SHIPPED, _shipped())


def shipped_feeds() -> dict[str, FeedSettings]:
    """Return how the sources that ship with the hub reach it."""
    return read_feeds(_SHIPPED, _shipped())


def sources_of_file(path: Path) -> tuple[dict[str, SourceSettings], dict[str, FeedSettings]]:
    """Return both settings of a file in the place of those that ship; raise IntakeError where it cannot be read.

    Files that it names lie beside it, unless their path is absolute.
    """
    data = bytes_of_settings(path, str(path), Words("the file of sources", "файл источников"))
    return read_sources(path.name, data), {source: _beside(path, feed) for source, feed in read_feeds(path.name, data).items()}


def _beside(path: Path, feed: FeedSettings) -> FeedSettings:
    def there(name: str) -> str:
        return str(path.parent / name) if name else ""

    return replace(feed, column_map=there(feed.column_map), code_table=there(feed.code_table))


def read_sources(name: str, data: bytes) -> dict[str, SourceSettings]:
    """Return what each source is bound to bring; raise IntakeError naming the source and the key of the first bad value."""
    return {source: _settings(source, table) for source, table in _tables(name, data).items()}


def read_feeds(name: str, data: bytes) -> dict[str, FeedSettings]:
    """Return how each source reaches the hub; raise IntakeError naming the source and the key of the first bad value."""
    tables = _tables(name, data)
    _refuse_shared(name, tables)
    return {source: FeedSettings(source, **{key: table[key] for key in _FEED_KEYS if key in table}) for source, table in tables.items()}


def _shipped() -> bytes:
    return files("hub.adapters.data").joinpath(_SHIPPED).read_bytes()


def _tables(name: str, data: bytes) -> dict[str, dict[str, Any]]:
    try:
        tables = tomllib.loads(data.decode(), parse_float=str)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise IntakeError(name, "", "", no_toml(error)) from error
    if not tables:
        raise IntakeError(name, "", "", Words("the file is empty", "файл пуст"))
    return {source: _values(name, source, table) for source, table in tables.items()}


def _values(name: str, source: str, table: Any) -> dict[str, Any]:
    """Return the values of one source's keys, each as the type that its settings have."""
    place = f"source {source}"
    if not isinstance(table, dict):
        raise IntakeError(name, place, "", Words("it is no table of settings", "это не таблица настроек"))
    if not _NAME.fullmatch(source):
        raise IntakeError(name, place, "", Words(
            "a source's name has up to 40 Latin letters, digits, dots, dashes and underscores",
            "имя источника — до 40 латинских букв, цифр, точек, дефисов и подчёркиваний",
        ))
    values = {}
    for key, written in table.items():
        value = _KEYS.get(key)
        if value is None:
            raise IntakeError(name, place, key, Words("there is no such setting", "такой настройки нет"))
        try:
            values[key] = value(written)
        except ValueError as error:
            raise IntakeError(name, place, key, Words(f"{written!r} {error}", f"{written!r} {words_of(error).ru}")) from error
    for key in _REQUIRED:
        if key not in table:
            raise IntakeError(name, place, key, Words("the setting is missing", "настройка не указана"))
    return values


def _refuse_shared(name: str, tables: Mapping[str, Mapping[str, Any]]) -> None:
    """Two sources of one folder or port could not be told apart; port 0 is the kernel's choice and nobody's."""
    for key in ("folder", "mllp_port"):
        owners: dict[Any, str] = {}
        for source, table in tables.items():
            if table.get(key) and (other := owners.setdefault(table[key], source)) != source:
                raise IntakeError(name, f"source {source}", key, Words(
                    f"{table[key]!r} is that of the source {other} already",
                    f"{table[key]!r} уже у источника {other}",
                ))


def _settings(source: str, table: Mapping[str, Any]) -> SourceSettings:
    return SourceSettings(
        name=source,
        course_required=table["course_required"],
        signature_required=table["signature_required"],
        reconfirm_days=table.get("reconfirm_days"),
        allergies_provided=table["allergies_provided"],
        excluded_departments=table["excluded_departments"],
        stable_after_days=table.get("stable_after_days"),
        decimal_sign=table.get("decimal_sign"),
        duration_as_bounds=table.get("duration_as_bounds", False),
        range_policy=table.get("range_policy", RangePolicy.ASK),
    )


def _only(kind: type) -> Value:
    def value(written: Any) -> Any:
        if type(written) is not kind:
            raise Unfit("is not a value for it", "сюда не подходит")
        return written

    return value


def _number(least: int, most: int) -> Value:
    def value(written: Any) -> int:
        if type(written) is not int or not least <= written <= most:
            raise Unfit(
                f"is not a value for it: a whole number from {least} to {most}",
                f"сюда не подходит: нужно целое число от {least} до {most}",
            )
        return written

    return value


def _text(form: re.Pattern[str], what: Words) -> Value:
    def value(written: Any) -> str:
        if not isinstance(written, str) or not form.fullmatch(written):
            raise Unfit(f"is not {what.en}", f"— не {what.ru}")
        return written

    return value


def _texts(written: Any) -> tuple[str, ...]:
    if not isinstance(written, list):
        raise Unfit("is not a value for it", "сюда не подходит")
    return tuple(str(text) for text in written)


def _decimal_sign(written: Any) -> str:
    if type(written) is not str:
        raise Unfit("is not a value for it", "сюда не подходит")
    if written not in (",", "."):
        raise Unfit("is neither ',' nor '.'", "— ни «,», ни «.»")
    return written


def _format(written: Any) -> SheetFormat:
    try:
        return SheetFormat(written)
    except ValueError:
        raise Unfit(f"is none of {', '.join(SheetFormat)}", f"— не из числа {', '.join(SheetFormat)}") from None


def _range_policy(written: Any) -> RangePolicy:
    try:
        return RangePolicy(written)
    except ValueError:
        raise Unfit(f"is none of {', '.join(RangePolicy)}", f"— не из числа {', '.join(RangePolicy)}") from None


def _http_url(written: Any) -> str:
    parts = urlsplit(written) if isinstance(written, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise Unfit("is not the http or https address of a FHIR server", "— не адрес сервера FHIR (http или https)")
    if parts.username is not None:
        raise Unfit(
            "holds a user: a secret has no place here, name a variable by fhir_token_env",
            "содержит имя пользователя: секрету здесь не место, назовите переменную в fhir_token_env",
        )
    return str(written).rstrip("/")


def _clocks(written: Any) -> tuple[time, ...]:
    if not isinstance(written, list) or not written or not all(isinstance(one, str) and _CLOCK.fullmatch(one) for one in written):
        raise Unfit('is not a list of times like ["06:30"]', '— не список времён вида ["06:30"]')
    return tuple(sorted({time.fromisoformat(one) for one in written}))


def _share(written: Any) -> Fraction:
    try:
        share = Fraction(written)
    except (ValueError, TypeError, ZeroDivisionError):
        share = Fraction(0)
    if not 0 < share <= 1:
        raise Unfit("is not a share above 0 and up to 1", "— не доля больше 0 и до 1")
    return share


def _zone(written: Any) -> str:
    try:
        return ZoneInfo(written).key
    except (ValueError, TypeError, OSError, KeyError):
        raise Unfit("is not a time zone like Europe/Moscow", "— не часовой пояс вида Europe/Moscow") from None


_DAYS = _number(1, 3650)
_VARIABLE_NAME = _text(_VARIABLE, Words("the name of a variable of the environment", "имя переменной окружения"))
_FILE_NAME = _text(re.compile(r"[^\x00]{1,300}"), Words("the name of a file", "имя файла"))
_SOURCE_KEYS: Mapping[str, Value] = {
    "course_required": _only(bool),
    "signature_required": _only(bool),
    "allergies_provided": _only(bool),
    "reconfirm_days": _DAYS,
    "stable_after_days": _DAYS,
    "excluded_departments": _texts,
    "decimal_sign": _decimal_sign,
    "duration_as_bounds": _only(bool),
    "range_policy": _range_policy,
}
_FEED_KEYS: Mapping[str, Value] = {
    "format": _format,
    "folder": _FILE_NAME,
    "fhir_url": _http_url,
    "fhir_token_env": _VARIABLE_NAME,
    "hint_token_env": _VARIABLE_NAME,
    "pull_every_minutes": _number(1, 1440),
    "mllp_port": _number(0, 65535),
    "column_map": _FILE_NAME,
    "code_table": _FILE_NAME,
    "expected_by": _clocks,
    "least_share": _share,
    "time_zone": _zone,
    "hl7_charset": _text(re.compile(r"cp125[0-8]|cp866|koi8-r|iso8859-(?:[1-9]|1[0-6])"), Words(
        "a character set such as cp1251 or iso8859-5",
        "кодировка вида cp1251 или iso8859-5",
    )),
    "hl7_processing": _text(re.compile(r"[PTD]{1,3}"), Words("one or more of P, T and D", "набор из букв P, T и D")),
    "mllp_certificate": _FILE_NAME,
    "mllp_key": _FILE_NAME,
    "mllp_client_authorities": _FILE_NAME,
}
_KEYS: Mapping[str, Value] = {**_SOURCE_KEYS, **_FEED_KEYS}
