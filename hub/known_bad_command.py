"""`dosehub known-bad`: the machine tried with known-bad pouches of a hub that does not run, and what it and people miss."""

import json
import sys
from pathlib import Path
from typing import Any

from hub.adapters.clock import wall_clock
from hub.adapters.known_bad_trials import KnownBadTrials
from hub.adapters.writer import DatabaseInUse
from hub.bootstrap import open_hub
from hub.domain.looking import StationRules
from hub.domain.words import Words
from hub.services.station_figures import misses_view
from hub.settings import HubSettings

TRIALS_OF_A_POUCH = 4
IN_USE = Words(
    "This hub runs: it tries known-bad pouches by itself, and its page /misses tells the figures.",
    "Эта система работает: она сама проверяет себя заведомо неверными пакетами, итоги на странице /misses.",
)
NO_HUB = Words("There is no hub in this folder.", "В этой папке нет системы.")
HEADS = {
    "machine": Words("The camera alone, with a lying drop sensor", "Камера одна, датчик падения лжёт"),
    "people": Words("People together", "Люди вместе"),
}
LEFT_OUT = Words(
    "Left out, because the kept frames alone do not pass with their own list either: {0}", "Не считались, так как сохранённые снимки и со своим списком не проходят: {0}",
)


def run_known_bad(data_dir: Path, most: int, language: str, *, as_json: bool) -> int:
    """Try at most so many pouches and print the figures; returns the exit status: 0, or 2 with one sentence where the store cannot be opened."""
    settings = HubSettings(data_dir=data_dir)
    if not settings.database.exists():
        sys.stderr.write(NO_HUB.said(language) + "\n")
        return 2
    try:
        misses, left_out = _tried(settings, most)
    except DatabaseInUse:
        sys.stderr.write(IN_USE.said(language) + "\n")
        return 2
    told = json.dumps({**misses, "left_out": left_out}, ensure_ascii=False, indent=2) if as_json else _told(misses, left_out, language)
    sys.stdout.write(told + "\n")
    return 0


def _tried(settings: HubSettings, most: int) -> tuple[dict[str, Any], int]:
    hub = open_hub(settings)
    try:
        rules = StationRules(machine_trials_a_day=most * TRIALS_OF_A_POUCH)
        trials = KnownBadTrials(hub.writer, hub.evidence, rules, wall_clock)
        for _ in range(most):
            if not trials.work():
                break
        return hub.writer.submit_read(misses_view).result(), trials.left_out
    finally:
        hub.writer.close()


def _told(misses: dict[str, Any], left_out: int, language: str) -> str:
    said = "_ru" if language == "ru" else ""
    lines = []
    for judge, head in HEADS.items():
        lines += [head.said(language), *(f"  {row[f'words{said}']}: {row[f'told{said}']}" for row in misses[judge])]
        lines.append(f"  {misses[f'{judge}_together'][f'told{said}']}")
    return "\n".join([*lines, LEFT_OUT.said(language).format(left_out)])
