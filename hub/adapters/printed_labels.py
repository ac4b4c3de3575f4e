"""Which labels wait for a printer, and what is booked of one that came out or did not.

A label in doubt is a question to a person: while it is open that label is not printed again, however it is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.domain.identifiers import DeviceId
from hub.domain.packs import PackState
from hub.domain.records import Print
from hub.services.devices import device_reported
from hub.services.reviews import open_review

LABEL_IN_DOUBT = "label-in-doubt"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a label was not printed; in doubt, it may exist all the same."""

    label: Print
    reason: str
    in_doubt: bool


def process_id(label: Print) -> bytes:
    """Return the four characters by which the printer names this label."""
    return label.digest[:4].encode()


def waiting_labels(unit: SqlUnitOfWork, device: DeviceId, limit: int) -> list[Print]:
    """Return labels of trays and of packs that are still wanted; what was called off, or is asked about, is passed over."""
    asked = {review.subject for review in unit.reviews.where(kind=LABEL_IN_DOUBT, decision="")}
    labels = unit.prints.where(device=device, printed=False, order_by="pack")
    return [label for label in labels if label.pack not in asked and _is_wanted(unit, label)][:limit]


def _is_wanted(unit: SqlUnitOfWork, label: Print) -> bool:
    pack = unit.packs.get(label.pack)
    return pack is None or pack.state is PackState.EXPECTED


def keep_printed(unit: SqlUnitOfWork, device: DeviceId, done: Sequence[Print]) -> None:
    """Book the labels that the printer says came out."""
    unit.prints.put_many([replace(label, printed=True, tries=label.tries + 1) for label in done])
    unit.record_many(
        "label-printed", [{"pack": label.pack, "label": label.digest, "device": label.device} for label in done]
    )
    device_reported(unit, device, "ready", "")


def keep_trouble(unit: SqlUnitOfWork, device: DeviceId, trouble: Trouble) -> None:
    """Count the try, show the trouble on the board, and ask a person where a label may lie at the printer."""
    label = trouble.label
    unit.prints.put(replace(label, tries=label.tries + 1))
    device_reported(unit, device, f"in-doubt: {trouble.reason}" if trouble.in_doubt else trouble.reason, "")
    if trouble.in_doubt:
        reasons = (
            f"Its label may have come out of {device}, whole or in part: {trouble.reason}.",
            "Throw away what came; once this is settled it is printed anew.",
        )
        open_review(unit, LABEL_IN_DOUBT, label.pack, "", reasons, occasion=str(label.tries))
