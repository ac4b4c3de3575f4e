"""Several rows of one order: rows under one order code are one line with several dosages; a code of two orders is named."""

from dataclasses import replace

from hub.domain.identifiers import OrderId, derived_id
from hub.domain.orders import OrderLine
from hub.domain.words import Words, place_ru


def with_orders_joined(lines: list[OrderLine]) -> tuple[OrderLine, ...]:
    """Return the lines with those of one order id joined; no row is lost and no two lines have one id."""
    joined: dict[OrderId, OrderLine] = {}
    for line in lines:
        before = joined.get(line.id)
        if before is None:
            joined[line.id] = line
        elif _is_one_order(before, line):
            joined[line.id] = _joined(before, line)
        else:
            _keep_apart(joined, before, line)
    return tuple(joined.values())


def _is_one_order(before: OrderLine, line: OrderLine) -> bool:
    return (before.patient, before.drug, before.status) == (line.patient, line.drug, line.status)


def _joined(before: OrderLine, line: OrderLine) -> OrderLine:
    """Return one line of two: a repetition counts once; other dosages go on together, each within its own bounds."""
    place = line.position.rpartition(" line ")[2]
    if before.dosages == line.dosages and (before.starts_at, before.ends_at) == (line.starts_at, line.ends_at):
        return _doubted(replace(before, note=_told(before.note, f"the same once more in line {place}")), line)
    parts = before if len(before.dosages) > 1 else _bounded(before)
    starts = [one for one in (before.starts_at, line.starts_at) if one is not None]
    ends = [one for one in (before.ends_at, line.ends_at) if one is not None]
    together = replace(
        before, position=f"{before.position}, {place}", dosages=(*parts.dosages, *_bounded(line).dosages), stat=before.stat or line.stat,
        starts_at=min(starts) if len(starts) == 2 else None, ends_at=max(ends) if len(ends) == 2 else None,
        note=_told(before.note, line.note if line.note != before.note else ""),
    )  # fmt: skip
    return _doubted(together, line)


def _bounded(line: OrderLine) -> OrderLine:
    dosages = tuple(replace(one, starts_at=line.starts_at, ends_at=line.ends_at) for one in line.dosages)
    return replace(line, dosages=dosages)


def _doubted(line: OrderLine, other: OrderLine) -> OrderLine:
    unsupported = tuple(dict.fromkeys((*line.unsupported, *other.unsupported)))
    return replace(line, unsupported=unsupported, unreadable=line.unreadable or other.unreadable)


def _told(*notes: str) -> str:
    return " | ".join(note for note in notes if note)


def _keep_apart(joined: dict[OrderId, OrderLine], before: OrderLine, line: OrderLine) -> None:
    """Name the doubt in both lines: which of them the code is of is not for a machine to say."""
    doubt = Words(
        f"the order code {line.id} is of two orders ({before.position} and {line.position})",
        f"код назначения {line.id} — у двух назначений ({place_ru(before.position)} и {place_ru(line.position)})",
    )
    joined[before.id] = replace(before, unsupported=(*before.unsupported, doubt))
    other = OrderId(derived_id(line.source, line.id, line.patient, line.drug, line.position))
    joined[other] = replace(line, id=other, unsupported=(*line.unsupported, doubt))
