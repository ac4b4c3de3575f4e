"""One FHIR dosage instruction read from its own bytes: a ward writes the same few hundred ones every day, so they are remembered."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from functools import lru_cache
from typing import Any

import msgspec

from hub.adapters.intake.fhir_dose import calculated_texts, has_limits, limit_texts, read_dose, read_limits
from hub.adapters.intake.fhir_found import Unread, decoded, tree_of
from hub.adapters.intake.fhir_model import DosageElement, DoseAndRate, Repeat, TimingElement
from hub.adapters.intake.fhir_timing import AS_NEEDED, AS_NEEDED_FOR, Doubts, read_length, read_period, read_timing
from hub.adapters.intake.moments import is_date_alone
from hub.domain.timing import Dosage, Timing
from hub.domain.words import Topic, Words, about_times

URGENT_CODES = frozenset({"NOW", "STAT"})
_LONGEST_REMEMBERED = 4000
_LONGEST_SAID = 200
_MOST_VALUES = 20


@dataclass(frozen=True, slots=True)
class ReadDosage:
    """A dosage, what may not be ignored of it, what a person should read beside it, and whether its own start is a date alone."""

    dosage: Dosage
    unsupported: tuple[Words, ...]
    said: tuple[str, ...]
    starts_on_day: bool
    is_urgent: bool


def read_dosage(raw: bytes | msgspec.Raw, zone: tzinfo) -> ReadDosage | Unread:
    """Return what a dosage instruction says, exactly as it was written, or why it cannot be decoded."""
    content = bytes(raw)
    return _remembered(content, zone) if len(content) <= _LONGEST_REMEMBERED else _read(content, zone)


def _read(raw: bytes, zone: tzinfo) -> ReadDosage | Unread:
    element = decoded(DosageElement, raw)
    if isinstance(element, Unread):
        return element
    tree = tree_of(raw)
    unsupported: Doubts = [*unknown_members(tree)]
    dosage = _dosage(element, zone, unsupported)
    repeat = element.timing.repeat if element.timing else None
    start = repeat.bounds_period.start if repeat and repeat.bounds_period else ""
    said = [*_said(element, is_whole=dosage.dose is not None and dosage.timing is not None), *extension_texts(tree)]
    on_day = dosage.starts_at is not None and is_date_alone(start)
    return ReadDosage(
        dosage, tuple(unsupported), tuple(part for part in said if part), on_day, is_urgent_timing(dosage.timing)
    )


_remembered = lru_cache(maxsize=4096)(_read)


def unknown_members(dosage: Any) -> Iterator[Words]:
    """Yield the members of a dosage that no version of FHIR has there: a `when` beside `timing` is not what it looks like."""
    if isinstance(dosage, Unread):
        yield Words(
            f"a dosage that cannot be looked through for members that FHIR has not there ({dosage.reason.en})",
            f"дозировка, в которой нельзя найти лишние поля ({dosage.reason.ru})",
        )
        return
    timing = dosage.get("timing")
    repeat = timing.get("repeat") if isinstance(timing, dict) else None
    doses = dosage.get("doseAndRate") or []
    places = [
        ("dosage", dosage),
        ("timing", timing),
        ("timing.repeat", repeat),
        *(("doseAndRate", dose) for dose in doses),
    ]
    for place, element in places:
        unknown = sorted(name for name in element or () if name.removeprefix("_") not in _MEMBERS[place])
        if unknown:
            yield Words(
                f"{place} with {', '.join(unknown)[:200]}, which FHIR has not there",
                f"{place}: {', '.join(unknown)[:200]} — таких полей в FHIR здесь нет",
                about=Topic.NONE if place == "doseAndRate" else Topic.TIMES,
            )


def extension_texts(dosage: Any) -> Iterator[str]:
    """Yield the extensions of a dosage, its timing and its repetition in words: none of them changes the meaning, all of them may say more."""
    timing = dosage.get("timing") if isinstance(dosage, dict) else None
    repeat = timing.get("repeat") if isinstance(timing, dict) else None
    for element in (dosage, timing, repeat):
        found = element.get("extension") if isinstance(element, dict) else None
        for extension in found if isinstance(found, list) else ():
            if isinstance(extension, dict) and extension.get("url") not in (AS_NEEDED, AS_NEEDED_FOR):
                yield f"extension {str(extension.get('url')).rpartition('/')[2]}: {_value_text(extension)}"[:_LONGEST_SAID]


def _value_text(value: Any) -> str:
    """Return the values inside of an extension, without its members' names and addresses; senders decide how deep it is."""
    waiting, found = [value], list[str]()
    while waiting and len(found) < _MOST_VALUES:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting += [inner for name, inner in reversed(part.items()) if name not in ("url", "system")]
        elif isinstance(part, list):
            waiting += reversed(part)
        elif part is not None:
            found.append(str(part))
    return " ".join(found)


def _members(kind: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(
        {"id", "extension", "modifierExtension"} | {field.encode_name for field in msgspec.structs.fields(kind)}
    )


_MEMBERS = {
    "dosage": _members(DosageElement),
    "timing": _members(TimingElement),
    "timing.repeat": _members(Repeat),
    "doseAndRate": _members(DoseAndRate),
}


def _dosage(element: DosageElement, zone: tzinfo, unsupported: Doubts) -> Dosage:
    repeat = element.timing.repeat if element.timing else None
    period = repeat.bounds_period if repeat else None
    of_times: Doubts = []
    starts_at, ends_at = read_period(period.start, period.end, zone, of_times) if period else (None, None)
    timing, lasts = read_timing(element, zone, of_times), read_length(repeat, of_times) if repeat else None
    unsupported += about_times(of_times)
    return Dosage(
        dose=read_dose(element, unsupported),
        timing=timing,
        route=element.route.first_code() if element.route else "",
        sequence=element.sequence,
        starts_at=starts_at,
        ends_at=ends_at,
        lasts=lasts,
        limits=read_limits(element, unsupported) if has_limits(element) else (),
        text=element.text,
    )


def is_urgent_timing(timing: Timing | None) -> bool:
    """Tell whether a frequency code says that the dose is wanted at once (`NOW X1`, `STAT`)."""
    return timing is not None and timing.code is not None and not URGENT_CODES.isdisjoint(timing.code.upper().split())


def _said(element: DosageElement, *, is_whole: bool) -> list[str]:
    """Return the words of a dosage; its own text where the rest does not say it all."""
    parts = [] if is_whole else [element.text]
    reasons = [
        *element.as_needed_for,
        *([element.as_needed_codeable_concept] if element.as_needed_codeable_concept else []),
        *(each.value_codeable_concept for each in element.extension if each.url == AS_NEEDED_FOR and each.value_codeable_concept),
    ]
    parts += [f"when needed for {reason.first_text()}" for reason in reasons]
    parts += [
        concept.first_text() for concept in (*element.additional_instruction, element.site, element.method) if concept
    ]
    return [*parts, element.patient_instruction, *calculated_texts(element), *limit_texts(element)]
