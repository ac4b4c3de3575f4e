"""What ORC-1 asks for (HL7 table 0119) and ORC-5 reports (table 0038), as a status of the order."""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.domain.orders import OrderStatus
from hub.domain.words import Words

_ACTIVE, _STOPPED, _CANCELLED, _HELD = OrderStatus.ACTIVE, OrderStatus.STOPPED, OrderStatus.CANCELLED, OrderStatus.ON_HOLD
CONTROLS: Mapping[str, OrderStatus] = {
    "NW": _ACTIVE, "RE": _ACTIVE, "OP": _ACTIVE, "OK": _ACTIVE, "CH": _ACTIVE,
    "RO": _ACTIVE, "XO": _ACTIVE, "XR": _ACTIVE, "XX": _ACTIVE, "RP": _ACTIVE, "RU": _ACTIVE, "RQ": _ACTIVE, "AF": _ACTIVE,
    "RL": _ACTIVE, "OE": _ACTIVE, "OR": _ACTIVE, "HD": _HELD, "OH": _HELD, "HR": _HELD,
    "DC": _STOPPED, "OD": _STOPPED, "DR": _STOPPED, "CA": _CANCELLED, "OC": _CANCELLED, "CR": _CANCELLED,
}  # fmt: skip
REPLACED = frozenset({"RP", "RU", "RQ"})
REPLACING = "RO"
OF_KNOWN_ORDERS = frozenset({"HD", "OH", "HR", "RL", "OE", "OR", "DC", "OD", "DR", "CA", "OC", "CR"})
_REPORTED: Mapping[str, OrderStatus | None] = {
    "CA": _CANCELLED, "DC": _STOPPED, "RP": _STOPPED, "CM": OrderStatus.COMPLETED, "HD": _HELD, "ER": None, "IP": _ACTIVE, "A": _ACTIVE,
    "SC": _ACTIVE,
}  # fmt: skip
REPORTS = frozenset({"SC", "SR", "RE"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What an ORC asks for; `status` None: nobody here may act on it, and `why` says what it is."""

    status: OrderStatus | None
    why: Words | None = None


def asked(control: str, reported: str, *, is_replaced: bool) -> Asked:
    """Return what becomes of an order by ORC-1 and ORC-5; `is_replaced`: the message brings the orders that take its place."""
    control, reported = control.upper(), reported.upper()
    if control in REPORTS and reported in _REPORTED:
        status = _REPORTED[reported]
        return Asked(status, None if status else Words("ORC-5 ER: the order has an error", "ORC-5 ER: в назначении ошибка"))
    status = CONTROLS.get(control)
    if status is None:
        return Asked(None, Words(
            f"ORC-1 is {control or 'empty'}, which is no order, change, stop or hold",
            f"ORC-1 — {control or 'пусто'}: это не назначение, не изменение, не отмена и не приостановка",
        ))
    if control in REPLACED and is_replaced:
        return Asked(_STOPPED)
    told = _REPORTED.get(reported, status)
    if status is _ACTIVE and told in (_CANCELLED, _STOPPED, _HELD, OrderStatus.COMPLETED):
        return Asked(_ACTIVE, Words(
            f"ORC-1 {control} orders what ORC-5 {reported} ends",
            f"ORC-1 {control} назначает то, что ORC-5 {reported} прекращает",
        ))
    return Asked(status)
