"""What devices report of themselves, kept for the board."""

from dataclasses import replace

from hub.domain.identifiers import DeviceId
from hub.domain.records import Device
from hub.services.ports import UnitOfWork


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
