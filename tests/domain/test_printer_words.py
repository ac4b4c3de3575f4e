"""A label printer's trouble is told in words that a person can act on, in both languages."""

import re

import pytest

from firmware_bridge.printer_status import PrinterState
from hub.adapters.print_link import UNKNOWN_LANGUAGE
from hub.domain.printer_words import printer_words


@pytest.mark.parametrize("state", [*(state.value for state in PrinterState), "link-down", UNKNOWN_LANGUAGE])
def test_every_state_but_ready_has_words(state: str) -> None:
    told = printer_words(state, "none")
    assert (told is None) == (state == "ready")
    if told is not None:
        assert re.search("[а-яё]", told.ru) and not re.search("[а-яё]", told.en)


def test_a_doubt_is_told_beside_the_state() -> None:
    doubt, both = printer_words("ready", "in-doubt"), printer_words("out-of-paper", "in-doubt")
    assert doubt is not None and both is not None
    assert doubt.en in both.en and doubt.ru in both.ru and len(both.en) > len(doubt.en)


def test_a_silent_printer_is_never_said_to_have_paper() -> None:
    told = printer_words("link-down", "none")
    assert told is not None
    assert "nobody knows" in told.en and "неизвестно" in told.ru
