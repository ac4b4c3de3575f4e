"""Where a FHIR Encounter's patient lies: from a Location's chain (bed, room, ward), or from what a reference displays."""

import re
from collections.abc import Callable, Sequence

from hub.adapters.intake.fhir_model import Encounter, Location
from hub.domain.words import Words

DEEPEST_CHAIN = 12
_ROOM = re.compile(r"(?:room|rm|палата)\.?\s*№?\s*(.+)", re.IGNORECASE)
_BED = re.compile(r"(?:bed|койка|место)\.?\s*№?\s*(.+)", re.IGNORECASE)
# HL7 location-physical-type, R4 Location.physicalType, R5 Location.form.
_KINDS = {"bd": "bed", "ro": "room", "wa": "ward"}

Place = tuple[str, str, str]


def place(display: str) -> Place:
    """Return (department, room, bed) of `Medicine / room 4 / bed 1` or `Ward 1, Room 42, Bed 1`; what is not said is empty."""
    department, *rest = (part.strip() for part in _parts(display))
    room = bed = ""
    for part in rest:
        if match := _ROOM.fullmatch(part):
            room = match[1]
        elif match := _BED.fullmatch(part):
            bed = match[1]
        else:
            department = f"{department} / {part}"
    return department, room, bed


def _parts(display: str) -> list[str]:
    """Return the parts of a display; commas part them only where one of the parts is a room or a bed."""
    parts = display.split(",")
    has_place = any(_ROOM.fullmatch(part.strip()) or _BED.fullmatch(part.strip()) for part in parts)
    return parts if " / " not in display and has_place else display.split(" / ")


def place_of(encounter: Encounter, location: Callable[[str], Location | None]) -> tuple[Place, Words | None]:
    """Return where an encounter is now, and in words what is wrong with its locations (a loop; None: nothing)."""
    places = [place for place in encounter.location if place.location]
    current = [place for place in places if place.status in ("active", "")] or places
    parts = [part.location for part in current if part.location]
    found: Place = ("", "", "")
    for part in parts:
        chain, problem = _chain(part.reference, location)
        if problem:
            return place(part.display), problem
        here = _place_of_chain(chain) if chain else place(part.display)
        found = here if here[0] else (found[0], here[1] or found[1], here[2] or found[2])
    return found, None


def _chain(reference: str, location: Callable[[str], Location | None]) -> tuple[list[Location], Words | None]:
    """Return a Location and what it is part of, from the bed upwards; a chain that comes back to itself is a problem in words."""
    chain: list[Location] = []
    while reference and (found := location(reference)) is not None:
        if found in chain or len(chain) >= DEEPEST_CHAIN:
            return [], Words(
                f"Location.partOf of {found.id or reference} goes in a circle",
                f"Location.partOf у {found.id or reference} замкнут в круг",
            )
        chain.append(found)
        reference = found.part_of.reference if found.part_of else ""
    return chain, None


def _place_of_chain(chain: Sequence[Location]) -> Place:
    """Return (department, room, bed): by the kind of each place, else by its name; the lowest other place is the department."""
    named = {kind: found.name for found in reversed(chain) if (kind := _kind(found)) and found.name}
    others = [found.name for found in chain if not _kind(found) and found.name]
    department = named.get("ward") or (others[0] if others else "")
    return department, _without_word(_ROOM, named.get("room", "")), _without_word(_BED, named.get("bed", ""))


def _kind(location: Location) -> str:
    concept = location.physical_type or location.form
    codes = [coding.code for coding in concept.coding] if concept else []
    known = next((_KINDS[code] for code in codes if code in _KINDS), "")
    if known or codes:
        return known
    return "bed" if _BED.fullmatch(location.name) else "room" if _ROOM.fullmatch(location.name) else ""


def _without_word(word: re.Pattern[str], name: str) -> str:
    match = word.fullmatch(name)
    return match[1] if match else name
