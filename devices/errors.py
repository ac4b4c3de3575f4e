"""What a device can do to its driver, as a tree: catch `DeviceError`, or the branch that matters."""


class DeviceError(Exception):
    """Something between the hub and a device went wrong; the text says what, for the person at the device."""


class Unreachable(DeviceError):
    """Nothing could be sent: no such port, refused, no route. Nothing happened in the room."""


class DeviceTimeout(DeviceError):
    """The device did not answer in time; what it did meanwhile is not known."""


class ConnectionLost(DeviceError):
    """The connection ended in the middle; what the device did is not known."""


class BadAnswer(DeviceError):
    """The device answered what its protocol does not allow."""


class Refused(DeviceError):
    """The device answered and did not do it; nothing happened in the room."""


class OutOfPaper(Refused):
    """The printer has no paper: put a roll in."""


class CoverOpen(Refused):
    """The printer's cover is open: close it."""


class OutOfOrder(Refused):
    """The device reports a fault of its own, such as a jammed cutter."""
