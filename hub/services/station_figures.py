"""What the review station tells of itself: misses of known-bad pouches, and how long people look."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from hub.domain.known_bad import KIND_WORDS, Judge, Misses, TrialKind, told
from hub.domain.looking import figures_of
from hub.services.known_bad import machine_pouches, misses_of, together, uncounted
from hub.services.ports import UnitOfWork

LOOKS_AT_MOST = 5_000
"""How many of the newest decisions are counted."""


def misses_view(unit: UnitOfWork) -> dict[str, Any]:
    """Return the misses by what was wrong: of the machine, together by pouch; of people, with what was not counted. Nobody is named."""
    machine, people = misses_of(unit, Judge.MACHINE), misses_of(unit, Judge.PERSON)
    return {
        "machine": _kinds(machine), "machine_together": _share(machine_pouches(unit)),
        "people": [{**row, **asdict(uncounted(unit, TrialKind(row["kind"])))} for row in _kinds(people)],
        "people_together": _share(together(people.values())),
    }  # fmt: skip


def _kinds(misses: Mapping[TrialKind, Misses]) -> list[dict[str, Any]]:
    return [{"kind": kind.value, "words": KIND_WORDS[kind].en, "words_ru": KIND_WORDS[kind].ru, **_share(each)} for kind, each in misses.items()]


def _share(misses: Misses) -> dict[str, Any]:
    words = told(misses)
    low, high = misses.interval if misses.trials else (0.0, 1.0)
    return {"misses": misses.misses, "trials": misses.trials, "low": low, "high": high, "told": words.en, "told_ru": words.ru}


def looking_view(unit: UnitOfWork) -> list[dict[str, Any]]:
    """Return how each person decides: how many, the median time, and how many accepted near the least time."""
    looks = unit.looks.where(order_by="-shown_at", limit=LOOKS_AT_MOST)
    names = {user.id: user.name for user in unit.users.where()}
    return [
        {
            "person": figures.person, "name": names.get(figures.person, figures.person), "decided": figures.decided, "accepted": figures.accepted,
            "median_ms": figures.median_ms, "near_least": figures.near_least,
        }
        for figures in figures_of(looks)
    ]  # fmt: skip
