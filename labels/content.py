"""From a document to the words on its label: every text that must be readable on it, and no measures yet."""

from dataclasses import dataclass

from labels.documents import DoseLine, ItemKind, ItemLabel, LabelDocument, Mark, PouchLabel, WristbandLabel
from labels.fonts import printable
from labels.wording import WORDINGS, Wording

_KIND_MARKS = {ItemKind.COLD: Mark.COLD, ItemKind.HAZARDOUS: Mark.HAZARDOUS}


@dataclass(frozen=True, slots=True)
class DoseText:
    """One drug row: `name` (drug and strength) bold, `form` plain, `units` bold at the right."""

    name: str
    form: str
    units: str
    high_alert: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelContent:
    """The texts of a label in their places; an empty one takes no room."""

    serial: str
    headline: str
    title: str = ""
    time: str = ""
    slot: str = ""
    day: str = ""
    place: str = ""
    detail: str = ""
    marks: tuple[str, ...] = ()
    doses: tuple[DoseText, ...] = ()
    rules: str = ""
    lots: str = ""
    position: str = ""
    expiry_word: str = ""
    expiry_day: str = ""

    def texts(self) -> tuple[str, ...]:
        """List every text that the label must show, each as often as it is shown."""
        doses = tuple(text for dose in self.doses for text in (dose.name, dose.form, dose.units))
        head = (self.headline, self.title, self.time, self.slot, self.day, self.place, self.detail)
        foot = (self.rules, self.lots, self.position, self.expiry_word, self.expiry_day, self.serial)
        return (*head, *foot, *self.marks, *doses)


def content_of(document: LabelDocument) -> LabelContent:
    """Put the document into words; raises UnprintableText."""
    words = WORDINGS[document.language]
    if isinstance(document, WristbandLabel):
        return _wristband(document, words)
    return _pack(document, words)


def _pack(document: PouchLabel | ItemLabel, words: Wording) -> LabelContent:
    born = f"{words.born} {words.short_day(document.birth_date)}" if document.birth_date else ""
    place = _place(document, words)
    due, expiry = document.due, document.expiry
    return LabelContent(
        serial=document.serial,
        title=words.kinds[document.kind] if isinstance(document, ItemLabel) else "",
        headline=printable(document.patient) or printable(document.department),
        time=f"{due:%H:%M}" if due else "",
        slot=printable(document.slot),
        day=words.day(due.date()) if due else "",
        place=" · ".join(filter(None, (place, born))),
        detail=printable(document.department) if document.patient.strip() else "",
        marks=_marks(document, words),
        doses=tuple(_dose(line) for line in document.lines),
        rules=printable(document.rules),
        lots=f"{words.lots} {printable(document.lot_set)}" if document.lot_set.strip() else "",
        position=f"{document.position} {words.of} {document.total}",
        expiry_word=words.expiry if expiry else "",
        expiry_day=words.short_day(expiry) if expiry else "",
    )


def _place(document: PouchLabel | ItemLabel, words: Wording) -> str:
    word, number = (words.room, document.room) if isinstance(document, PouchLabel) else (words.ward, document.ward)
    return f"{word} {printable(number)}" if number.strip() else ""


def _marks(document: LabelDocument, words: Wording) -> tuple[str, ...]:
    wanted = set(document.marks)
    if isinstance(document, ItemLabel) and document.kind in _KIND_MARKS:
        wanted.add(_KIND_MARKS[document.kind])
    if isinstance(document, PouchLabel | ItemLabel) and any(line.high_alert for line in document.lines):
        wanted.add(Mark.HIGH_ALERT)
    return tuple(words.marks[mark] for mark in Mark if mark in wanted)


def _dose(line: DoseLine) -> DoseText:
    name = printable(f"{line.drug} {line.strength}")
    return DoseText(name=name, form=printable(line.form), units=printable(line.units), high_alert=line.high_alert)


def _wristband(document: WristbandLabel, words: Wording) -> LabelContent:
    born = f"{words.born} {words.short_day(document.birth_date)}"
    room = f"{words.room} {printable(document.room)}" if document.room.strip() else ""
    number = f"{words.record} {printable(document.record_number)}" if document.record_number.strip() else ""
    return LabelContent(
        serial=document.serial,
        headline=printable(document.patient),
        place=" · ".join(filter(None, (born, number))),
        detail=" · ".join(filter(None, (printable(document.department), room))),
        marks=_marks(document, words),
    )
