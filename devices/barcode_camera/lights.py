"""The two lights of a station behind a USB relay board: 9600 baud, four bytes a switch, and the board answers nothing.

A board that is away is told of and tried again at the next switch: the station goes on with what light there is.
"""

import os
from enum import Enum
from types import TracebackType
from typing import Self

import serial

BAUD = 9600
WRITE_TIMEOUT_S = 0.5
START = 0xA0
CHANNELS = (1, 2)


class Light(Enum):
    """Which lamps burn: (first, second). Their reflections lie in different places of the film."""

    OFF = (False, False)
    FIRST = (True, False)
    SECOND = (False, True)
    BOTH = (True, True)


def switch_bytes(channel: int, on: bool) -> bytes:
    """Give the four bytes that switch one channel: start, channel, state, the sum of the three modulo 256."""
    state = int(on)
    return bytes((START, channel, state, (START + channel + state) % 256))


class FixedLight:
    """A station without a relay board: one light that always burns."""

    plan: tuple[Light, ...] = (Light.BOTH,)
    trouble = ""

    def show(self, light: Light) -> bool:
        """Tell that nothing was switched."""
        return False

    def close(self) -> None:
        """Nothing is held."""


class RelayLights:
    """The lights behind a relay board at a serial path; `trouble` says why the last switch did not reach it, empty where it did."""

    plan: tuple[Light, ...] = (Light.FIRST, Light.SECOND, Light.BOTH)

    def __init__(self, path: str) -> None:
        self._path = path
        self._port: serial.Serial | None = None
        self._shown: Light | None = None
        self.trouble = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def show(self, light: Light) -> bool:
        """Switch to a light; True where that changes what burned, False where it burned already or the board is away.

        The bytes are sent in any case: a board that lost its power comes back with its lamps dark.
        """
        changes = self._shown is not light
        try:
            self._write(b"".join(switch_bytes(channel, on) for channel, on in zip(CHANNELS, light.value, strict=True)))
        except (OSError, ValueError) as error:  # pyserial's SerialException is an OSError; ValueError: its port was closed
            self.trouble = str(error) or type(error).__name__
            self.close()
            return False
        self._shown, self.trouble = light, ""
        return changes

    def _write(self, data: bytes) -> None:
        """Write and see that all of it left: a board that was unplugged is noticed here and nowhere else."""
        if self._port is None:
            self._port = serial.Serial(self._path, BAUD, timeout=0, write_timeout=WRITE_TIMEOUT_S)
        # A path that is gone or means another device now: the open port would take the bytes and nobody gets them.
        if os.stat(self._path).st_rdev != os.fstat(self._port.fileno()).st_rdev:
            raise OSError(f"{self._path} is another device now")
        self._port.write(data)

    def close(self) -> None:
        """Let the port go; safe to repeat."""
        port, self._port, self._shown = self._port, None, None
        if port is not None:
            try:
                port.close()
            except OSError:
                return


def lights_of(path: str) -> RelayLights | FixedLight:
    """Give the lights that a setting names: a serial path, or an empty text for one fixed light."""
    return RelayLights(path) if path else FixedLight()
