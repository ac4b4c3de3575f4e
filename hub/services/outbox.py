"""The outbox: commands that wait until their device has answered.

A command has its place in the order of waiting until it is first published; then it gets the next number of its device, which it keeps.
So numbers go out in their order, whatever overtook what before, and one that was called off before it went has none.
"""

from dataclasses import replace

from hub.domain.identifiers import DeviceId, JobId
from hub.domain.records import Command
from hub.services.ports import UnitOfWork

UNNUMBERED = 1 << 40


def send(unit: UnitOfWork, command: Command) -> None:
    """Put a command into the outbox, last in the order of its device; the same command again changes nothing."""
    if unit.commands.get(command.id) is not None:
        return
    assert unit.devices.get(command.device) is not None
    last = unit.commands.where(device=command.device, done=False, order_by="-seq", limit=1)
    place = max(UNNUMBERED, last[0].seq if last else 0) + 1
    unit.commands.put(replace(command, seq=place))


def numbered(unit: UnitOfWork, command: Command) -> Command:
    """Return a command with the number under which it is published: the next one of its device where it has none yet."""
    if command.seq <= UNNUMBERED:
        return command
    known = replace(command, seq=next_number(unit, command.device))
    unit.commands.put(known)
    return known


def next_number(unit: UnitOfWork, device_id: DeviceId) -> int:
    """Take the next number of a device: something must be published under it, and again until the device has answered."""
    device = unit.devices.get(device_id)
    assert device is not None
    unit.devices.put(replace(device, last_command=device.last_command + 1))
    return device.last_command + 1


def abort_command(job: JobId) -> str:
    """Return the outbox id of the abort of a job."""
    return f"abort-{job}"


def finish_command(unit: UnitOfWork, command_id: str) -> None:
    """Take a command out of the outbox: its device has answered, or it is called off."""
    command = unit.commands.get(command_id)
    if command is not None and not command.done:
        unit.commands.put(replace(command, done=True))
