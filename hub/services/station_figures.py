"""What the review station tells of itself: misses of known-bad pouches, and how long people look."""

from collections.abc import Mapping
from typing import Any

from hub.domain.known_bad import KIND_WORDS, Judge, Misses, TrialKind, told
from hub.domain.looking import figures_of
from hub.services.known_bad import misses_of, together
from hub.services.ports import UnitOfWork
from hub.services.verify_pack import POUCH

LOOKS_AT_MOST = 5_000
"""How many of the newest decisions are counted."""


def misses_view(unit: UnitOfWork) -> dict[str, Any]:
    """Return the misses of the machine and of people by what was wrong, and of people all together; nobody is named."""
    machine, people = misses_of(unit, Judge.MACHINE), misses_of(unit, Judge.PERSON)
    return {
        "machine": _kinds(machine), "machine_together": _share(together(machine.values())),
        "people": _kinds(people), "people_together": _share(together(people.values())), "accepted_untimed": _accepted_untimed(unit),
    }  # fmt: skip


def _accepted_untimed(unit: UnitOfWork) -> int:
    """Return how many pouches were accepted past the station, by the line board or a program, where nobody timed the look."""
    at_station = unit.looks.count(decision="accept") - unit.trials.count(judge=Judge.PERSON, answer="accept")
    return unit.reviews.count(kind=POUCH, decision="accept") - at_station


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
