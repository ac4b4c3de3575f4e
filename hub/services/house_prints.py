"""A label of the house that waits for its printer: which one it is, and whether what it says is still so.

The key of its print names it, so that nothing beside the print has to be kept: `<label>:<subject>:<stamp of its facts>:<serial>`.
"""

from hub.domain.custody import TrolleyState
from hub.domain.identifiers import PackSerial, derived_id
from hub.domain.words import Words
from hub.services.house_labels import HouseLabel, LabelRequest
from hub.services.ports import UnitOfWork
from hub.services.reviews import open_review
from hub.services.trolleys import found_trolley

LABEL_OUTDATED = "label-outdated"
LONGEST_SUBJECT = 120
_UNDER_WAY = (TrolleyState.ASSEMBLING, TrolleyState.SEALED, TrolleyState.DISPATCHED)
_DROPPED = Words(
    "It was not printed: what it says has changed since it was asked for. Ask for it anew on the page of labels if it is still wanted.",
    "Она не напечатана: с тех пор, как её запросили, изменилось то, что на ней стоит. Если она ещё нужна, запросите её заново на странице этикеток.",
)


def house_key(request: LabelRequest, stamp: str, serial: PackSerial) -> PackSerial:
    """Return the key of the print of a label that was asked for."""
    return PackSerial(f"{request.label.value}:{request.subject}:{stamp}:{serial}")


def is_of_house(key: str) -> bool:
    """Tell whether the key of a print is that of a label of the house."""
    return key.partition(":")[0] in set(HouseLabel) and key.count(":") >= 3


def stamp_of(unit: UnitOfWork, label: HouseLabel, subject: str) -> str:
    """Return what follows from all that a label would say now, empty where it may not be printed at all."""
    facts = _facts(unit, label, subject)
    return derived_id("stamp", *facts, digits=8) if facts else ""


def is_outdated(unit: UnitOfWork, key: str) -> bool:
    """Tell whether a label of the house would say something else by now, or nothing."""
    if not is_of_house(key):
        return False
    label, _, rest = key.partition(":")
    subject, stamp, _ = rest.rsplit(":", 2)
    return stamp_of(unit, HouseLabel(label), subject) != stamp


def drop_outdated(unit: UnitOfWork, key: PackSerial) -> None:
    """Take an outdated label from the printer's list, and say so to a person."""
    if unit.prints.get(key) is None or not is_outdated(unit, key):
        return
    unit.prints.delete(key)
    open_review(unit, LABEL_OUTDATED, key, "", (_DROPPED,))


def _facts(unit: UnitOfWork, label: HouseLabel, subject: str) -> tuple[object, ...]:
    match label:
        case HouseLabel.BADGE:
            user = unit.users.get(subject)
            return (user.name, user.role, user.badge) if user is not None and user.active else ()
        case HouseLabel.DRAWER:
            return _drawer(unit, subject)
        case HouseLabel.COMMAND:
            return (subject,)
        case HouseLabel.MANIFEST:
            trolley = found_trolley(unit, subject)
            return (trolley.id, trolley.label) if trolley is not None and trolley.state in _UNDER_WAY else ()


def _drawer(unit: UnitOfWork, number: str) -> tuple[object, ...]:
    cassette = unit.cassettes.get(int(number)) if number.isascii() and number.isdigit() and len(number) < 10 else None
    drug = unit.drugs.get(cassette.item) if cassette is not None else None
    if cassette is None or drug is None:
        return ()
    return cassette.id, cassette.slot, cassette.device, repr(drug)
