"""Which labels wait for a printer, and what is booked of one that came out or did not.

A label in doubt, or refused for good, is a question to a person: while it is open that label is not printed again, however it is sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.domain.identifiers import DeviceId
from hub.domain.packs import PackState
from hub.domain.planning import natural_order
from hub.domain.records import Print
from hub.domain.words import Words
from hub.services.devices import device_reported
from hub.services.house_prints import is_of_house
from hub.services.replaced_labels import LABEL_IN_DOUBT
from hub.services.reviews import open_review

LABEL_REFUSED = "label-refused"
_WAITING = f"""
SELECT prints.pack, prints.rowid, packs.serial IS NOT NULL, stat, department, room, patient, due, part
    FROM prints INDEXED BY prints_printed LEFT JOIN packs ON packs.serial = prints.pack
    WHERE printed = 0 AND device = ? AND (packs.state IS NULL OR packs.state = '{PackState.EXPECTED.value}')
    AND NOT EXISTS (SELECT 1 FROM reviews WHERE subject = prints.pack AND decision = ''
                    AND kind IN ('{LABEL_IN_DOUBT}', '{LABEL_REFUSED}'))
"""  # noqa: S608 the words are those above


_LOOK_FOR_ONE_OF_THE_HOUSE = Words(
    "Throw away what came: its code counts wherever it is scanned. It is not printed again by itself; if it is still wanted, ask for it anew on the page of labels.",
    "Выбросьте то, что вышло: код на ней действует, где бы его ни отсканировали. Сама она больше не печатается; если она ещё нужна, запросите её заново на странице этикеток.",
)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A print that waits: its key, when it came by the order of rows, and where its pack is packed, if it is one's."""

    key: str
    came: int
    is_pack: bool
    stat: bool | None = None
    department: str | None = None
    room: str | None = None
    patient: str | None = None
    due: str | None = None
    part: int | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a label was not printed; `question` is the kind of review it opens, empty where it is tried again by itself."""

    label: Print
    reason: str
    question: str


def waiting_labels(unit: SqlUnitOfWork, device: DeviceId, limit: int) -> list[Print]:
    """Return labels that are still wanted, in the order of printing; what was called off, or is asked about, is passed over.

    STAT packs first, then packs as trolleys are loaded and walked. A tray's label, or one of the house, comes behind the packs
    that waited before it, and before those that came later: neither waits for ever.
    """
    rows = unit.connection.execute(_WAITING, (device,)).fetchall()
    found = (unit.prints.get(key) for key in in_order([_Waiting(*row) for row in rows])[:limit])
    return [label for label in found if label is not None]


def in_order(waiting: Iterable[_Waiting]) -> list[str]:
    """Return the keys of prints in the order of printing."""
    packs = sorted((each for each in waiting if each.is_pack), key=_packing_order)
    others = sorted((each for each in waiting if not each.is_pack), key=lambda each: each.came)
    for other in others:
        older = [place for place, each in enumerate(packs, 1) if each.stat or each.came < other.came]
        packs.insert(max(older, default=0), other)
    return [each.key for each in packs]


def _packing_order(each: _Waiting) -> tuple[object, ...]:
    return not each.stat, each.department, natural_order(each.room or ""), each.patient, each.due, each.part, each.key


def keep_printed(unit: SqlUnitOfWork, device: DeviceId, label: Print) -> None:
    """Book the label that the printer says came out."""
    unit.prints.put(replace(label, printed=True, tries=label.tries + 1))
    unit.record("label-printed", {"pack": label.pack, "label": label.digest, "device": label.device})
    device_reported(unit, device, "ready", "")


def keep_trouble(unit: SqlUnitOfWork, device: DeviceId, trouble: Trouble) -> None:
    """Count the try and show the trouble on the board; ask a person where it does not go away by itself."""
    label = trouble.label
    unit.prints.put(replace(label, tries=label.tries + 1))
    device_reported(unit, device, trouble.reason, "")
    if trouble.question == LABEL_IN_DOUBT:
        unit.record("label-in-doubt", {"pack": label.pack, "label": label.digest, "device": label.device})
    if trouble.question and not _is_replaced(unit, label):
        reasons = _questions(device, trouble.reason, is_of_house(label.pack))[trouble.question]
        open_review(unit, trouble.question, label.pack, "", reasons, occasion=f"{label.digest[:8]}/{label.tries}")


def _is_replaced(unit: SqlUnitOfWork, label: Print) -> bool:
    """A label whose pack was called off or made anew is refused wherever it is scanned: nobody has to settle anything."""
    pack = unit.packs.get(label.pack)
    return pack is not None and pack.state is PackState.NEVER_MADE


def _questions(device: DeviceId, reason: str, of_house: bool) -> dict[str, tuple[str | Words, ...]]:
    return {
        LABEL_IN_DOUBT: (
            f"Its label may have come out of {device}, whole or in part: {reason}.",
            _LOOK_FOR_ONE_OF_THE_HOUSE if of_house
            else "Throw away what came; once this is settled a new label with another number is printed, and the old one is refused.",
        ),
        LABEL_REFUSED: (
            f"{device} does not take its label: {reason}.",
            "Nothing was printed; once this is settled it is tried anew.",
        ),
    }
