"""The outbox: commands that wait until their device has answered, in the order of their numbers."""

from dataclasses import replace

from hub.domain.records import Command
from hub.services.ports import UnitOfWork


def send(unit: UnitOfWork, command: Command) -> None:
    """Put a command into the outbox with the next sequence number of its device; the same command again changes nothing."""
    if unit.commands.get(command.id) is not None:
        return
    device = unit.devices.get(command.device)
    assert device is not None
    unit.devices.put(replace(device, last_command=device.last_command + 1))
    unit.commands.put(replace(command, seq=device.last_command + 1))


def finish_command(unit: UnitOfWork, command_id: str) -> None:
    """Take a command out of the outbox: its device has answered, or it is called off."""
    command = unit.commands.get(command_id)
    if command is not None and not command.done:
        unit.commands.put(replace(command, done=True))
