"""What a corrected line says otherwise than before: field by field, in words that a person can read."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from hub.domain.orders import OrderLine
from hub.domain.quantities import Quantity, fraction_text
from hub.domain.timing import Dosage, DoseLimit, Repeat, Span, Timing
from hub.domain.words import Words

_WHERE_IT_STANDS = frozenset({"id", "version", "sheet", "position", "source", "written"})
_RUSSIAN = {
    "patient": "пациент", "drug": "код препарата", "drug_text": "препарат", "dose": "доза", "timing": "приём", "route": "путь введения", "status": "состояние",
    "authored_at": "назначено", "starts_at": "начало", "ends_at": "конец", "signed_by": "подпись", "note": "примечание", "stat": "срочно",
    "unsupported": "не понято", "starts_on_day": "начало по дате", "unreadable": "не читается", "sequence": "очерёдность", "lasts": "длительность",
    "limits": "предельная доза", "text": "указание", "dosages": "число дозировок",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that changed; an empty text means that nothing stood there. `number` counts the dosages from 1, 0: of the line."""

    field: str
    before: str
    after: str
    number: int = 0

    @property
    def field_ru(self) -> str:
        """The field's name in Russian."""
        return _RUSSIAN.get(self.field, self.field)

    def told(self) -> dict[str, Any]:
        """Return it as ledger and API tell it."""
        return {"field": self.field, "field_ru": self.field_ru, "before": self.before, "after": self.after, "dosage": self.number}


def line_diff(before: OrderLine, after: OrderLine) -> tuple[FieldChange, ...]:
    """Return the fields that differ, in the order of the line; where a line stands in its file is no difference."""
    names = [field.name for field in fields(OrderLine) if field.name not in _WHERE_IT_STANDS and field.name != "dosages"]
    changes = [_change(name, getattr(before, name), getattr(after, name), 0) for name in names]
    changes += _dosage_changes(before.dosages, after.dosages)
    return tuple(change for change in changes if change is not None)


def _dosage_changes(before: tuple[Dosage, ...], after: tuple[Dosage, ...]) -> list[FieldChange | None]:
    changes: list[FieldChange | None] = []
    if len(before) != len(after):
        changes.append(FieldChange("dosages", str(len(before)), str(len(after))))
    for at in range(max(len(before), len(after))):
        old, new = (each[at] if at < len(each) else None for each in (before, after))
        for field in fields(Dosage):
            changes.append(_change(field.name, getattr(old, field.name, None), getattr(new, field.name, None), at + 1))
    return changes


def _change(name: str, before: object, after: object, number: int) -> FieldChange | None:
    told = _words(before), _words(after)
    return None if before == after or (told == ("", "")) else FieldChange(name, *told, number)


def _words(value: object) -> str:
    """Return a value of a line as text; exact, and empty where there is none."""
    if value is None or value in ("", ()):
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Words):
        return f"{value.en} / {value.ru}"
    if isinstance(value, Span):
        return f"{fraction_text(value.value)} {value.unit.value}"
    if isinstance(value, DoseLimit):
        return f"{value.most} / {_words(value.span) if value.span is not None else value.per.value}"
    if isinstance(value, Timing):
        return _timing(value)
    if isinstance(value, tuple):
        return _several(value)
    return str(value)


def _several(values: tuple[object, ...]) -> str:
    """Return a range as `low – high`, once where both are equal, and any other tuple as a list."""
    if len(values) == 2 and isinstance(values[0], Quantity | Span):
        return _words(values[0]) if values[0] == values[1] else f"{_words(values[0])} – {_words(values[1])}"
    return ", ".join(map(_words, values))


def _timing(timing: Timing) -> str:
    parts = [timing.code or "", *(f"{slot.slot} {fraction_text(slot.factor)}" for slot in timing.slots), "prn" if timing.prn else ""]
    parts += [_repeat(timing.repeat) if timing.repeat is not None else "", *(event.isoformat() for event in timing.events)]
    return ", ".join(part for part in parts if part)


def _repeat(repeat: Repeat) -> str:
    written = [(field.name, getattr(repeat, field.name)) for field in fields(Repeat)]
    return " ".join(f"{name}={_plain(value)}" for name, value in written if value not in (None, ()))


def _plain(value: Any) -> str:
    return "+".join(map(_plain, value)) if isinstance(value, tuple) else str(value)
