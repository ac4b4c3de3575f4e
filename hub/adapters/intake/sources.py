"""Settings of the sources of sheets, read from TOML; printed with every decision that follows from them."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from hub.adapters.intake.errors import IntakeError
from hub.domain.orders import SourceSettings

_KINDS: Mapping[str, type] = {
    "course_required": bool,
    "signature_required": bool,
    "allergies_provided": bool,
    "reconfirm_days": int,
    "stable_after_days": int,
    "excluded_departments": list,
    "decimal_sign": str,
}
_DECIMAL_SIGNS = (",", ".")
_REQUIRED = ("course_required", "signature_required", "allergies_provided", "excluded_departments")


def shipped_sources() -> dict[str, SourceSettings]:
    """Return the settings that ship with the hub."""
    return read_sources("sources.toml", files("hub.adapters.data").joinpath("sources.toml").read_bytes())


def read_sources(name: str, data: bytes) -> dict[str, SourceSettings]:
    """Return the settings by source; raise IntakeError naming the source and the key of the first bad value."""
    try:
        tables = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise IntakeError(name, "", "", f"it is no TOML file ({error})") from error
    if not tables:
        raise IntakeError(name, "", "", "the file is empty")
    return {source: _settings(name, source, table) for source, table in tables.items()}


def _settings(name: str, source: str, table: Any) -> SourceSettings:
    place = f"source {source}"
    if not isinstance(table, dict):
        raise IntakeError(name, place, "", "it is no table of settings")
    for key, value in table.items():
        kind = _KINDS.get(key)
        if kind is None:
            raise IntakeError(name, place, key, "there is no such setting")
        if type(value) is not kind or (isinstance(value, int) and kind is int and value < 1):
            raise IntakeError(name, place, key, f"{value!r} is not a value for it")
        if key == "decimal_sign" and value not in _DECIMAL_SIGNS:
            raise IntakeError(name, place, key, f"{value!r} is neither ',' nor '.'")
    for key in _REQUIRED:
        if key not in table:
            raise IntakeError(name, place, key, "the setting is missing")
    return SourceSettings(
        name=source,
        course_required=table["course_required"],
        signature_required=table["signature_required"],
        reconfirm_days=table.get("reconfirm_days"),
        allergies_provided=table["allergies_provided"],
        excluded_departments=tuple(str(text) for text in table["excluded_departments"]),
        stable_after_days=table.get("stable_after_days"),
        decimal_sign=table.get("decimal_sign"),
    )
