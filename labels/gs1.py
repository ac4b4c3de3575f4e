"""GS1 element strings of packs: written with a real FNC1, and read so that a lost separator never changes what a pack is.

Sources: GS1 General Specifications 3 (application identifiers), 7.8 (processing), 7.9 (check digit), 7.11 (character set 82), 7.12 (century).
"""

import calendar
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from biip import ParseConfig, ParseError
from biip.gs1_element_strings import GS1ElementString
from biip.gs1_messages import GS1Message

from labels.errors import LabelError
from labels.gs1_lost import hides_elements

GS = "\x1d"
STAND_INS = ("\x1b[19~", "^]", "\u2194", "\u241d")
"""What scanners that type send in place of GS: F8 (as a terminal tells it), Ctrl+] in caret form, Alt+029, the picture of GS."""
GS1_PREFIXES = ("]d2", "]C1", "]Q3")
LONGEST = 200
CHARACTERS = frozenset("!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
"""Character set 82 of GS1 General Specifications 7.11."""
FIXED: Mapping[str, int] = {"01": 14, "11": 6, "17": 6}
VARIABLE: Mapping[str, int] = {"10": 20, "21": 20, "240": 30, "30": 8, "37": 8}
WRITTEN = ("01", "17", "11", "10", "240", "30", "37", "21")
"""The order of writing: what has a fixed length first, so that few separators are needed."""
DATES, COUNTS = frozenset({"11", "17"}), frozenset({"30", "37"})
Layouts = tuple[frozenset[str], ...]
Fields = tuple[tuple[str, str], ...]
SERIALISED, IN_LOTS, NUMBERED = frozenset({"01", "17", "10", "21"}), frozenset({"01", "17", "10"}), frozenset({"01", "21"})
PACK_LAYOUTS: Layouts = (SERIALISED, IN_LOTS, NUMBERED)
"""Which elements a manufacturer's pack has; a code with others is not read."""
_DATE_PATTERN = re.compile(r"with GS1 AI \(1[17]\)").search
_CLAIMED = re.compile(r"01\d{14}", re.ASCII).match
_AS_IT_STANDS = ParseConfig(gs1_element_strings_verify_date=False)


class UnwritableElement(LabelError):
    """An element that no GS1 code can carry."""


class UnreadReason(StrEnum):
    """Why a scanned text is not taken for a GS1 code."""

    KEYBOARD_LAYOUT = "keyboard-layout"
    CAPS_LOCK = "caps-lock"
    NOT_GS1 = "not-gs1"
    SEPARATOR_LOST = "separator-lost"
    CHECK_DIGIT = "check-digit"
    NO_SUCH_DATE = "no-such-date"
    ELEMENTS = "elements"
    FORM = "form"


@dataclass(frozen=True, slots=True)
class Unread:
    """A scan that is refused; `detail` is the part that is wrong, as it was scanned."""

    reason: UnreadReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Gs1Elements:
    """What a pack's code says: (01), (17), (10), (21), (11), (240), (30) pieces or (37) trade items; empty where it does not say."""

    gtin: str
    expires_on: date | None = None
    lot: str = ""
    serial: str = ""
    produced_on: date | None = None
    additional_id: str = ""
    pieces: int | None = None
    trade_items: int | None = None


def check_digit(digits: str) -> str:
    """Return the check digit of a GTIN without its last digit (GS1 General Specifications 7.9)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def is_gtin(text: str) -> bool:
    """Tell whether a text is a GTIN of 14 digits with the right check digit."""
    return len(text) == 14 and text.isascii() and text.isdigit() and int(text) > 0 and check_digit(text[:-1]) == text[-1]


def fields_of(elements: Gs1Elements) -> Fields:
    """Return the elements in the order of writing; raise UnwritableElement for what no code can carry."""
    said = {
        "01": elements.gtin, "10": elements.lot, "21": elements.serial, "240": elements.additional_id, "17": _written(elements.expires_on),
        "11": _written(elements.produced_on), "30": _counted(elements.pieces), "37": _counted(elements.trade_items),
    }  # fmt: skip
    fields = tuple((identifier, said[identifier]) for identifier in WRITTEN if said[identifier])
    if not is_gtin(elements.gtin):
        raise UnwritableElement(f"{elements.gtin!r} is no GTIN of 14 digits with its check digit")
    for identifier, value in fields:
        if not _fits(identifier, value):
            raise UnwritableElement(f"({identifier}) cannot be {value!r}")
    return fields


def element_string(fields: Fields) -> str:
    """Return the element string: GS after each element of variable length, but not after the last one."""
    parts = [identifier + value + ("" if identifier in FIXED else GS) for identifier, value in fields]
    return "".join(parts).removesuffix(GS)


def spelled(element_string: str) -> Fields:
    """Return the elements of an element string of any kind; raise UnwritableElement where they are not sound."""
    fields = _parsed(element_string)
    if isinstance(fields, Unread):
        raise UnwritableElement(f"{element_string!r}: {fields.reason.value} {fields.detail!r}")
    return fields


def read_elements(scanned: str, today: date, layouts: Layouts = PACK_LAYOUTS) -> Gs1Elements | Unread:
    """Read a scan as exactly one of the layouts expected; refuse it where a lost separator could make another one of it.

    It is another one where it fits a layout in another way, or where a value may hide elements of any kind (`gs1_lost`).
    """
    text = payload_of(scanned)
    if isinstance(text, Unread):
        return text
    fields = _parsed(text)
    if isinstance(fields, Unread):
        is_other = fields.reason is not UnreadReason.CHECK_DIGIT and _other_readings(text, layouts, ())
        return Unread(UnreadReason.SEPARATOR_LOST, text) if is_other else fields
    if _other_readings(text, layouts, fields):
        return Unread(UnreadReason.SEPARATOR_LOST, text)
    if frozenset(dict(fields)) not in layouts:
        return Unread(UnreadReason.ELEMENTS, " ".join(f"({identifier})" for identifier, _ in fields))
    if _hides_elements(fields) and not _keeps_separators(scanned, text, fields):
        return Unread(UnreadReason.SEPARATOR_LOST, text)
    return _elements(dict(fields), today)


def _hides_elements(fields: Fields) -> bool:
    return any(hides_elements(value, dict(fields)) for identifier, value in fields if identifier not in FIXED)


def _keeps_separators(scanned: str, text: str, fields: Fields) -> bool:
    """Tell whether the reader proved that it sends every separator: it names the symbology, and one that was needed is there."""
    needed = (identifier + value + GS for identifier, value in fields[:-1] if identifier not in FIXED)
    return scanned.startswith(GS1_PREFIXES) and any(part in text for part in needed)


def payload_of(scanned: str) -> str | Unread:
    """Return the element string of a scan: the symbology identifier and one leading GS taken off once, stand-ins made GS."""
    if len(scanned) > LONGEST:
        return Unread(UnreadReason.FORM, scanned[:20])
    if any("\u0400" <= letter <= "\u04ff" for letter in scanned):
        return Unread(UnreadReason.KEYBOARD_LAYOUT, scanned)
    if scanned.startswith("]") and scanned[:3] not in GS1_PREFIXES:
        reason = UnreadReason.CAPS_LOCK if scanned[:3].swapcase() in GS1_PREFIXES else UnreadReason.NOT_GS1
        return Unread(reason, scanned[:3])
    text = scanned[3:] if scanned.startswith("]") else scanned
    for stand_in in STAND_INS:
        text = text.replace(stand_in, GS)
    text = text.removeprefix(GS)
    foreign = next((letter for letter in text if letter not in CHARACTERS and letter != GS), "")
    return Unread(UnreadReason.FORM, foreign) if foreign or not text or text.startswith(GS) else text


def looks_like_gs1(scanned: str) -> bool:
    """Tell whether a scan claims to be a GS1 code of a pack: by its identifier, a separator, or `01` and fourteen digits."""
    return scanned.startswith("]") or any(mark in scanned for mark in (GS, *STAND_INS)) or _CLAIMED(scanned) is not None


def calendar_date(text: str, today: date) -> date | None:
    """Return the date of YYMMDD, day 00 the last of its month, or None where there is none (GS1 General Specifications 7.12)."""
    year, month, day = (int(text[place : place + 2]) for place in (0, 2, 4))
    year += _century(year, today.year)
    if not 1 <= month <= 12:
        return None
    last = calendar.monthrange(year, month)[1]
    return date(year, month, day or last) if day <= last else None


def _century(year: int, this_year: int) -> int:
    """Return the century of two digits: 51 to 99 years ahead is the one before, 50 and more behind the one after."""
    begun = this_year - this_year % 100
    ahead = year - this_year % 100
    return begun - 100 if ahead >= 51 else begun + 100 if ahead <= -50 else begun


def _parsed(text: str) -> Fields | Unread:
    """Return the elements as a parser that trusts every separator takes them; what has no fixed length must end at one."""
    try:
        found = GS1Message.parse(text, config=_AS_IT_STANDS).element_strings
    except ParseError as error:
        return Unread(UnreadReason.NO_SUCH_DATE if _DATE_PATTERN(str(error)) else UnreadReason.FORM, text)
    fields = tuple((element.ai.ai, element.value) for element in found)
    if len(dict(fields)) != len(fields):
        return Unread(UnreadReason.ELEMENTS, " ".join(f"({identifier})" for identifier, _ in fields))
    wrong = next((element.value for element in found if element.ai.ai == "01" and not _is_sound(element)), "")
    if wrong:
        return Unread(UnreadReason.CHECK_DIGIT, wrong)
    return fields if _ends_at_separators(text, found) else Unread(UnreadReason.SEPARATOR_LOST, text)


def _is_sound(element: GS1ElementString) -> bool:
    return element.gtin is not None and element.gtin_error is None and is_gtin(element.value)


def _ends_at_separators(text: str, found: list[GS1ElementString]) -> bool:
    """Tell whether the elements and single separators make up the whole text, one after each element of variable length."""
    rest = text
    for element in found:
        rest = rest.removeprefix(element.ai.ai + element.value)
        if element.ai.separator_required and rest and not rest.startswith(GS):
            return False
        rest = rest.removeprefix(GS)
    return not rest


def _other_readings(text: str, layouts: Layouts, fields: Fields) -> bool:
    """Tell whether the text could be another pack's, one of the layouts with separators lost."""
    return any(dict(reading) != dict(fields) for layout in layouts for reading in _readings(text, layout))


def _readings(text: str, layout: frozenset[str]) -> Iterator[Fields]:
    """Yield every way to take a text as the elements of a layout, wherever separators may have stood."""
    if not text and not layout:
        yield ()
    for identifier in sorted(layout):
        if not text.startswith(identifier):
            continue
        start = len(identifier)
        within = text[start:].partition(GS)[0]
        for length in _lengths(identifier, len(within)):
            value = within[:length]
            if _fits(identifier, value):
                rest = text[start + length :].removeprefix(GS)
                yield from (((identifier, value), *others) for others in _readings(rest, layout - {identifier}))


def _lengths(identifier: str, within: int) -> range:
    if identifier in FIXED:
        return range(FIXED[identifier], FIXED[identifier] + 1)
    return range(1, min(VARIABLE[identifier], within) + 1)


def _fits(identifier: str, value: str) -> bool:
    """Tell whether a value has the form of its element."""
    if identifier in DATES:
        return len(value) == 6 and value.isascii() and value.isdigit() and calendar_date(value, date(2000, 1, 1)) is not None
    if identifier in FIXED:
        return len(value) == FIXED[identifier] and value.isascii() and value.isdigit()
    if identifier in COUNTS and not (value.isascii() and value.isdigit()):
        return False
    return 1 <= len(value) <= VARIABLE[identifier] and CHARACTERS.issuperset(value)


def _elements(said: Mapping[str, str], today: date) -> Gs1Elements | Unread:
    dates = {identifier: calendar_date(said[identifier], today) for identifier in DATES if identifier in said}
    for identifier, day in dates.items():
        if day is None:
            return Unread(UnreadReason.NO_SUCH_DATE, said[identifier])
    return Gs1Elements(
        gtin=said["01"], expires_on=dates.get("17"), lot=said.get("10", ""), serial=said.get("21", ""), produced_on=dates.get("11"),
        additional_id=said.get("240", ""), pieces=int(said["30"]) if "30" in said else None, trade_items=int(said["37"]) if "37" in said else None,
    )  # fmt: skip


def _written(day: date | None) -> str:
    return "" if day is None else day.strftime("%y%m%d")


def _counted(count: int | None) -> str:
    return "" if count is None else str(count)
