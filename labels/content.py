"""From a document to the words on its label: every text that must be readable on it, and no measures yet."""

import re
from dataclasses import dataclass

from labels.documents import (
    BadgeLabel,
    CommandLabel,
    DoseLine,
    DrawerLabel,
    ItemKind,
    ItemLabel,
    LabelDocument,
    ManifestLabel,
    Mark,
    PouchLabel,
    WristbandLabel,
)
from labels.fonts import printable
from labels.serial import is_valid_serial
from labels.wording import WORDINGS, Wording

_FIGURE_AND_UNIT = re.compile(r"(?<=\d) (?=[^\W\d])")
_KIND_MARKS = {ItemKind.COLD: Mark.COLD, ItemKind.HAZARDOUS: Mark.HAZARDOUS}


@dataclass(frozen=True, slots=True)
class DoseText:
    """One drug row: `name` (drug and strength) bold, `form` plain, `units` bold at the right."""

    name: str
    form: str
    units: str
    high_alert: bool


@dataclass(frozen=True, slots=True)
class RowText:
    """One row of a list: `first` in a narrow column, `name`, and `count` at the right."""

    first: str
    name: str
    count: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelContent:
    """The texts of a label in their places; an empty one takes no room."""

    code: str
    headline: str
    title: str = ""
    time: str = ""
    slot: str = ""
    day: str = ""
    place: str = ""
    detail: str = ""
    marks: tuple[str, ...] = ()
    doses: tuple[DoseText, ...] = ()
    rows: tuple[RowText, ...] = ()
    rules: str = ""
    lots: str = ""
    position: str = ""
    expiry_word: str = ""
    expiry_day: str = ""

    def text(self, field: str) -> str:
        """Return the text of a field of a template; `code` is written in groups, `expiry` is word and day on one line."""
        if field == "expiry":
            return f"{self.expiry_word} {self.expiry_day}".strip()
        if field == "code":
            return code_groups(self.code)
        return str(getattr(self, field))

    def texts(self) -> tuple[str, ...]:
        """List every text that the label must show, each as often as it is shown."""
        doses = tuple(text for dose in self.doses for text in (dose.name, dose.form, dose.units))
        rows = tuple(text for row in self.rows for text in (row.first, row.name, row.count))
        head = (self.headline, self.title, self.time, self.slot, self.day, self.place, self.detail)
        foot = (self.rules, self.lots, self.position, self.expiry_word, self.expiry_day, self.code)
        return (*head, *foot, *self.marks, *doses, *rows)


TEXT_FIELDS = frozenset(
    {"headline", "title", "time", "slot", "day", "place", "detail", "rules", "lots", "position", "code"}
    | {"expiry_word", "expiry_day", "expiry"}
)
"""What a template may place as text; marks, doses and rows have rows of their own."""


def code_groups(code: str) -> str:
    """Write a serial in groups of four, for whoever types it; any other code as it is."""
    if not is_valid_serial(code):
        return code
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))


def content_of(document: LabelDocument) -> LabelContent:
    """Put the document into words; raises UnprintableText."""
    words = WORDINGS[document.language]
    match document:
        case WristbandLabel():
            return _wristband(document, words)
        case DrawerLabel():
            return _drawer(document, words)
        case BadgeLabel():
            return _badge(document, words)
        case CommandLabel():
            return _command(document, words)
        case ManifestLabel():
            return _manifest(document, words)
        case PouchLabel() | ItemLabel():
            return _pack(document, words)


def _pack(document: PouchLabel | ItemLabel, words: Wording) -> LabelContent:
    born = f"{words.born} {words.short_day(document.birth_date)}" if document.birth_date else ""
    place = _place(document, words)
    due, expiry = document.due, document.expiry
    lots = printable(document.lot_set, "lots")
    patient, department = printable(document.patient, "patient"), printable(document.department, "department")
    return LabelContent(
        code=document.serial,
        title=words.kinds[document.kind] if isinstance(document, ItemLabel) else "",
        headline=patient or department,
        time=f"{due:%H:%M}" if due else "",
        slot=printable(document.slot, "slot"),
        day=words.day(due.date()) if due else "",
        place=" · ".join(filter(None, (place, born))),
        detail=department if patient else "",
        marks=_marks(document, words),
        doses=tuple(_dose(line) for line in document.lines),
        rules=printable(document.rules, "rules"),
        lots=f"{words.lots} {lots}" if lots else "",
        position=f"{document.position} {words.of} {document.total}",
        expiry_word=words.expiry if expiry else "",
        expiry_day=words.short_day(expiry) if expiry else "",
    )


def _place(document: PouchLabel | ItemLabel, words: Wording) -> str:
    word, number = (words.room, document.room) if isinstance(document, PouchLabel) else (words.ward, document.ward)
    return f"{word} {printable(number, 'room')}" if number.strip() else ""


def _marks(document: PouchLabel | ItemLabel | WristbandLabel | DrawerLabel, words: Wording) -> tuple[str, ...]:
    wanted = set(document.marks)
    if isinstance(document, ItemLabel) and document.kind in _KIND_MARKS:
        wanted.add(_KIND_MARKS[document.kind])
    if isinstance(document, PouchLabel | ItemLabel) and any(line.high_alert for line in document.lines):
        wanted.add(Mark.HIGH_ALERT)
    return tuple(words.marks[mark] for mark in Mark if mark in wanted)


def _dose(line: DoseLine) -> DoseText:
    name = _unbroken(printable(f"{line.drug} {line.strength}", "drug"))
    form, units = printable(line.form, "form"), _unbroken(printable(line.units, "units"))
    return DoseText(name=name, form=form, units=units, high_alert=line.high_alert)


def _unbroken(text: str) -> str:
    """Keep each figure on one line with its unit: `2.5` and `mg` never stand apart."""
    return _FIGURE_AND_UNIT.sub("\N{NO-BREAK SPACE}", text)


def _wristband(document: WristbandLabel, words: Wording) -> LabelContent:
    born = f"{words.born} {words.short_day(document.birth_date)}"
    room, number = printable(document.room, "room"), printable(document.record_number, "record number")
    where = (printable(document.department, "department"), f"{words.room} {room}" if room else "")
    return LabelContent(
        code=document.serial,
        headline=printable(document.patient, "patient"),
        place=" · ".join(filter(None, (born, f"{words.record} {number}" if number else ""))),
        detail=" · ".join(filter(None, where)),
        marks=_marks(document, words),
    )


def _drawer(document: DrawerLabel, words: Wording) -> LabelContent:
    strength, form = printable(document.strength, "strength"), printable(document.form, "form")
    return LabelContent(
        code=document.code,
        title=f"{words.cassette} {printable(document.cassette, 'cassette')}",
        headline=_unbroken(printable(f"{document.drug} {strength}", "drug")),
        detail=form,
        place=f"{words.slot} {printable(document.slot, 'slot')} · {printable(document.device, 'device')}",
        marks=_marks(document, words),
    )


def _badge(document: BadgeLabel, words: Wording) -> LabelContent:
    return LabelContent(
        code=document.code,
        title=words.badge,
        headline=printable(document.name, "name"),
        detail=printable(document.role, "role"),
        place=printable(document.site, "site"),
    )


def _command(document: CommandLabel, words: Wording) -> LabelContent:
    return LabelContent(
        code=document.code,
        title=words.command,
        headline=printable(document.deed, "deed"),
        place=printable(document.place, "place"),
    )


def _manifest(document: ManifestLabel, words: Wording) -> LabelContent:
    return LabelContent(
        code=document.serial,
        title=words.manifest,
        headline=printable(document.department, "department"),
        time=f"{document.due:%H:%M}",
        slot=printable(document.slot, "slot"),
        day=words.day(document.due.date()),
        rows=tuple(
            RowText(
                first=printable(row.room, "room"),
                name=printable(row.patient, "patient"),
                count=f"{row.packs} {words.of} {row.wanted}",
            )
            for row in document.rows
        ),
        place=f"{words.as_of} {document.made_at:%H:%M} {words.short_day(document.made_at.date())}",
        position=f"{words.sheet} {document.page} {words.of} {document.pages}",
    )
