"""Every state and stop that a device, job or trolley can be in has a Russian word; what a device says by itself stays as it is."""

import re

import pytest

from devices.barcode_camera.stream import CameraState
from firmware_bridge.packets import MACHINE_STATES, STOP_REASONS
from firmware_bridge.printer_status import PrinterState
from hub.domain.custody import TrolleyState
from hub.domain.doses import Lane
from hub.domain.packs import JobState
from hub.domain.state_words import device_state_ru, named_ru, stop_reason_ru, trolley_state_ru

RUSSIAN = re.compile("[а-яё, -]+")


@pytest.mark.parametrize("state", [*CameraState, *PrinterState, *MACHINE_STATES, "lost", "link-down", "unknown-language"])
def test_a_device_s_state_has_a_word(state: str) -> None:
    assert RUSSIAN.fullmatch(device_state_ru(state))


@pytest.mark.parametrize("reason", [*STOP_REASONS[1:], "in-doubt", "wrong-machine"])
def test_a_stop_has_a_word(reason: str) -> None:
    assert RUSSIAN.fullmatch(stop_reason_ru(reason))


@pytest.mark.parametrize("name", [*JobState, *Lane, "at-camera"])
def test_a_job_s_state_and_a_lane_have_a_word(name: str) -> None:
    assert RUSSIAN.fullmatch(named_ru(name))


@pytest.mark.parametrize("state", list(TrolleyState))
def test_a_trolley_s_state_has_a_word(state: TrolleyState) -> None:
    assert RUSSIAN.fullmatch(trolley_state_ru(state))


def test_words_of_a_device_s_own_are_left_alone() -> None:
    assert device_state_ru("E42 head hot") == stop_reason_ru("E42 head hot") == "E42 head hot"
