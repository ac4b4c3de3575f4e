"""The thresholds of the content check: settings in one data file, each with its unit and what it trades."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

PATH = Path(__file__).with_name("content_thresholds.toml")


@dataclass(frozen=True)
class Threshold:
    """One threshold as people read it: name, value, unit, and what a larger value trades, in English and Russian."""

    name: str
    value: float
    unit: str
    en: str
    ru: str


@dataclass(frozen=True)
class ContentThresholds:
    """The values by name, in the units of the data file."""

    label_brightness: float
    glare_share: float
    glare_difference: float
    lights_differ: float
    moved_mm: float
    base_difference: float
    dark_difference: float
    noise_mm2: float
    left_over_mm2: float
    speck_mm2: float
    solidity: float
    even_difference: float
    evenness: float
    size_tolerance_mm: float
    size_tolerance: float
    learned_size_tolerance_mm: float
    learned_size_tolerance: float
    fill_tolerance: float
    colour_tolerance: float
    learned_colour_tolerance: float
    stranger_times: float
    alike_margin: float


def load_thresholds(path: Path = PATH) -> tuple[Threshold, ...]:
    """Read the data file; ValueError names a threshold that is missing, unknown or no number."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    known = {field.name for field in fields(ContentThresholds)}
    if set(tables) != known:
        raise ValueError(f"{path.name}: {', '.join(sorted(set(tables) ^ known))} is missing or unknown")
    for name, table in tables.items():
        if isinstance(table.get("value"), bool) or not isinstance(table.get("value"), int | float):
            raise ValueError(f"{path.name}: {name} has no number")
    return tuple(Threshold(name, table["value"], table["unit"], table["en"], table["ru"]) for name, table in tables.items())


DESCRIBED = load_thresholds()
THRESHOLDS = ContentThresholds(**{threshold.name: float(threshold.value) for threshold in DESCRIBED})
