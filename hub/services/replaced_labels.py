"""A label that was printed anew is void: its serial was taken away from it, and wherever the old piece of paper is scanned it is refused."""

from hub.domain.packs import Pack, PackState
from hub.domain.refusals import Refusal
from hub.services.ports import UnitOfWork

LABEL_IN_DOUBT = "label-in-doubt"


def replaced_label(unit: UnitOfWork, serial: str) -> Refusal | None:
    """Return the refusal of a label in whose place another one was printed; None for every other code."""
    pack = unit.packs.get(serial)
    if pack is not None:
        return _refused(serial, pack.replaced_by) if _is_replaced(pack) else None
    settled = [review for review in unit.reviews.where(kind=LABEL_IN_DOUBT, subject=serial) if review.decision]
    is_void = bool(settled) and not unit.trolleys.where(label=serial) and unit.prints.get(serial) is None
    return _refused(serial, None) if is_void else None


def _is_replaced(pack: Pack) -> bool:
    """Nothing was ever in it, and another pack has its doses."""
    return pack.state is PackState.NEVER_MADE and pack.replaced_by is not None


def _refused(serial: str, other: str | None) -> Refusal:
    new = f", {other}" if other else ""
    return Refusal(
        "replaced",
        f"This label was replaced: {serial} does not count any more. Throw it away and take the new one{new}.",
        f"Эта этикетка заменена: {serial} больше не действует. Выбросьте её и возьмите новую{new}.",
    )
