"""The relay board gets its literal bytes over a real pseudo terminal, and a board that goes away is told and found again."""

import os
import pty
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.barcode_camera.lights import FixedLight, Light, RelayLights, lights_of, switch_bytes


class Board:
    """The far end of a relay board's serial line, reached by a path that stays while the device behind it changes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ends: tuple[int, int] | None = None

    def plug_in(self) -> None:
        near, far = pty.openpty()
        tty.setraw(far)
        os.set_blocking(near, False)
        self._ends = near, far
        self.path.symlink_to(os.ttyname(far))

    def unplug(self) -> None:
        assert self._ends is not None
        self.path.unlink(missing_ok=True)
        for end in self._ends:
            os.close(end)
        self._ends = None

    def took(self) -> bytes:
        """Give what came since the last time."""
        assert self._ends is not None
        try:
            return os.read(self._ends[0], 1000)
        except BlockingIOError:
            return b""


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    made = Board(tmp_path / "lights")
    made.plug_in()
    yield made
    if made.path.is_symlink():
        made.unplug()


@pytest.mark.parametrize(("channel", "on", "sent"), [
    (1, True, b"\xa0\x01\x01\xa2"), (1, False, b"\xa0\x01\x00\xa1"), (2, True, b"\xa0\x02\x01\xa3"), (2, False, b"\xa0\x02\x00\xa2"),
])
def test_a_switch_is_four_bytes_with_their_sum(channel: int, on: bool, sent: bytes) -> None:
    assert switch_bytes(channel, on) == sent


@pytest.mark.parametrize(("light", "sent"), [
    (Light.FIRST, "a00101a2 a00200a2"), (Light.SECOND, "a00100a1 a00201a3"), (Light.BOTH, "a00101a2 a00201a3"), (Light.OFF, "a00100a1 a00200a2"),
])
def test_a_light_is_shown_by_both_channels(board: Board, light: Light, sent: str) -> None:
    with RelayLights(str(board.path)) as lights:
        assert lights.show(light) and lights.trouble == ""
        assert board.took() == bytes.fromhex(sent)


def test_the_light_that_burns_is_sent_again_as_the_board_may_have_lost_its_power_but_is_no_change(board: Board) -> None:
    with RelayLights(str(board.path)) as lights:
        assert lights.show(Light.FIRST) and board.took()
        assert not lights.show(Light.FIRST) and lights.trouble == "" and board.took() == bytes.fromhex("a00101a2 a00200a2")


def test_a_board_that_is_not_there_is_told(tmp_path: Path) -> None:
    with RelayLights(str(tmp_path / "none")) as lights:
        assert not lights.show(Light.FIRST)
        assert "none" in lights.trouble


def test_a_board_that_is_unplugged_is_told_and_switched_again_once_it_is_back(board: Board) -> None:
    with RelayLights(str(board.path)) as lights:
        lights.show(Light.FIRST)
        board.unplug()
        assert not lights.show(Light.SECOND) and lights.trouble
        board.plug_in()
        assert lights.show(Light.SECOND) and lights.trouble == ""
        assert board.took() == bytes.fromhex("a00100a1 a00201a3")


def test_a_board_that_came_back_between_two_switches_gets_no_bytes_into_the_void(board: Board) -> None:
    with RelayLights(str(board.path)) as lights:
        lights.show(Light.FIRST)
        board.unplug()
        board.plug_in()
        lights.show(Light.SECOND) or lights.show(Light.SECOND)
        assert lights.trouble == "" and board.took() == bytes.fromhex("a00100a1 a00201a3")


def test_a_board_that_takes_nothing_does_not_hold_the_station_up(board: Board) -> None:
    with RelayLights(str(board.path)) as lights:
        for _ in range(20_000):
            lights.show(Light.FIRST)
            if lights.trouble:
                break
        assert "timeout" in lights.trouble.lower()


def test_no_path_is_one_fixed_light() -> None:
    fixed = lights_of("")
    assert isinstance(fixed, FixedLight) and fixed.plan == (Light.BOTH,) and not fixed.show(Light.FIRST) and fixed.trouble == ""
    assert isinstance(lights_of("/dev/ttyUSB0"), RelayLights)
