"""What devices report of themselves, kept for the board, and which of their events never came."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from hub.domain.identifiers import DeviceId
from hub.domain.records import Device, Received
from hub.services.ports import UnitOfWork

_FIRMWARE = "firmware"


class Gap(NamedTuple):
    """Events `first` to `last` of one boot of a machine that were skipped."""

    boot: int
    first: int
    last: int


def ensure_device(unit: UnitOfWork, device_id: DeviceId, kind: str) -> None:
    """Enter a device that the settings name; one that is known stays as it is."""
    if unit.devices.get(device_id) is None:
        unit.devices.put(Device(device_id, kind))


def device_reported(unit: UnitOfWork, device_id: DeviceId, state: str, status: str) -> None:
    """Keep a device's last report; what did not change is not written again."""
    known = unit.devices.get(device_id) or Device(device_id, "unknown")
    told = replace(known, state=state, status=status or known.status)
    if told != known:
        unit.devices.put(told)


def missing_events(unit: UnitOfWork, device_id: DeviceId) -> tuple[Gap, ...]:
    """Return the gaps in the newest boot of a machine that nobody was told of yet.

    Each boot counts from 1; of a machine whose earlier boots the hub never heard, the first event heard is the beginning. What was
    under way at the end of an older boot comes again in the newer one under other numbers, so older boots are not looked at. The
    bridge's own numbers are those of all its machines together, and say nothing.
    """
    newest = unit.received.where(device=device_id, source=_FIRMWARE, order_by="-boot,-event", limit=1)
    if not newest:
        return ()
    boot, last = newest[0].boot, newest[0].event
    first = _first_expected(unit, device_id, boot)
    if unit.received.count(device=device_id, source=_FIRMWARE, boot=boot) == last - first + 1:
        return ()
    told = unit.received.where(device=device_id, source=_told_of(boot), order_by="boot")
    return tuple(gap for gap in _gaps(unit, device_id, boot, first) if not _is_told(gap, told))


def _first_expected(unit: UnitOfWork, device_id: DeviceId, boot: int) -> int:
    [oldest] = unit.received.where(device=device_id, source=_FIRMWARE, order_by="boot,event", limit=1)
    return 1 if oldest.boot < boot else oldest.event


def _gaps(unit: UnitOfWork, device_id: DeviceId, boot: int, first: int) -> list[Gap]:
    """Return what was skipped of a boot from event `first` on; the store looks, since a boot can have a hundred thousand."""
    [heard] = unit.received.where(device=device_id, source=_FIRMWARE, boot=boot, order_by="event", limit=1)
    between = unit.received.gaps("event", device=device_id, source=_FIRMWARE, boot=boot)
    before = [(first, heard.event - 1)] if first < heard.event else []
    return [Gap(boot, *gap) for gap in (*before, *between)]


def _is_told(gap: Gap, told: Sequence[Received]) -> bool:
    """Tell that a gap lies in one that people were told of; these are apart and rising, since a gap only ever shrinks."""
    place = bisect_right(told, gap.first, key=lambda row: row.boot)
    return place > 0 and gap.last <= told[place - 1].event


def tell_missing(unit: UnitOfWork, device_id: DeviceId, gaps: Iterable[Gap]) -> None:
    """Tell people, once for each gap, that events of a machine never came."""
    for gap in gaps:
        unit.received.put(Received(device_id, _told_of(gap.boot), gap.first, gap.last, unit.now))
        unit.record("events-missing", {"device": device_id, "boot": gap.boot, "first": gap.first, "last": gap.last})


def _told_of(boot: int) -> str:
    return f"missing/{boot}"
