"""The figures of the content check from their data files: thresholds, and the rates that a verification run wrote."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from devices.barcode_camera import thresholds
from hub.domain.picture_figures import UNITS, PictureFigures, PictureRate, PictureThreshold
from hub.domain.words import Words

RATES = thresholds.PATH.with_name("content_rates.json")


def picture_figures(rates: Path = RATES) -> PictureFigures:
    """Read the thresholds in force and the rates measured, none where no run has written them; ValueError: the file is damaged."""
    settings = tuple(
        PictureThreshold(each.name, f"{each.value:g}", UNITS[each.unit], Words(each.en, each.ru)) for each in thresholds.DESCRIBED
    )
    if not rates.exists():
        return PictureFigures(settings)
    try:
        said = json.loads(rates.read_text(encoding="utf-8"))
        measured = tuple(PictureRate(**each) for each in said["rates"])
        return PictureFigures(settings, measured, said["command"], said["thresholds"] == thresholds_digest())
    except (KeyError, TypeError) as error:
        raise ValueError(f"{rates.name}: {error}") from error


def write_rates(rates: Sequence[PictureRate], command: str, path: Path = RATES) -> None:
    """Write the rates of a run beside the thresholds that they were measured with."""
    said = {"command": command, "thresholds": thresholds_digest(), "rates": [asdict(each) for each in rates]}
    path.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def thresholds_digest() -> str:
    """Return the SHA-256 of the values in force, by name: words may change, values may not."""
    values = sorted((each.name, float(each.value)) for each in thresholds.DESCRIBED)
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
