"""Which labels wait for a printer, and what is booked of one that came out or did not.

A label in doubt, or refused for good, is a question to a person: while it is open that label is not printed again, however it is sent.
"""

from dataclasses import dataclass, replace

from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.domain.identifiers import DeviceId
from hub.domain.packs import PackState
from hub.domain.records import Print
from hub.services.devices import device_reported
from hub.services.replaced_labels import LABEL_IN_DOUBT
from hub.services.reviews import open_review

LABEL_REFUSED = "label-refused"
_WAITING = f"""
SELECT pack FROM prints INDEXED BY prints_printed WHERE printed = 0 AND device = ?
    AND NOT EXISTS (SELECT 1 FROM packs WHERE serial = prints.pack AND state <> '{PackState.EXPECTED.value}')
    AND NOT EXISTS (SELECT 1 FROM reviews WHERE subject = prints.pack AND decision = ''
                    AND kind IN ('{LABEL_IN_DOUBT}', '{LABEL_REFUSED}'))
    ORDER BY pack LIMIT ?
"""  # noqa: S608 the words are those above


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a label was not printed; `question` is the kind of review it opens, empty where it is tried again by itself."""

    label: Print
    reason: str
    question: str


def waiting_labels(unit: SqlUnitOfWork, device: DeviceId, limit: int) -> list[Print]:
    """Return labels of trays and of packs that are still wanted; what was called off, or is asked about, is passed over."""
    packs = unit.connection.execute(_WAITING, (device, limit)).fetchall()
    found = (unit.prints.get(pack) for (pack,) in packs)
    return [label for label in found if label is not None]


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
    if trouble.question:
        reasons = _questions(device, trouble.reason)[trouble.question]
        open_review(unit, trouble.question, label.pack, "", reasons, occasion=f"{label.digest[:8]}/{label.tries}")


def _questions(device: DeviceId, reason: str) -> dict[str, tuple[str, ...]]:
    return {
        LABEL_IN_DOUBT: (
            f"Its label may have come out of {device}, whole or in part: {reason}.",
            "Throw away what came; once this is settled a new label with another number is printed, and the old one is refused.",
        ),
        LABEL_REFUSED: (
            f"{device} does not take its label: {reason}.",
            "Nothing was printed; once this is settled it is tried anew.",
        ),
    }
