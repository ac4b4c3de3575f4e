"""Fixtures of HL7 v2: a source, its zone, a directory of a few drugs."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from hl7_messages import DRUGS, FEED, MOSCOW

from hub.adapters.intake.hl7.reading import read_hl7
from hub.domain.orders import OrderLine, OrderSheet


@pytest.fixture(scope="session")
def zone() -> ZoneInfo:
    return MOSCOW


@pytest.fixture(scope="session")
def sheet_of() -> Callable[..., OrderSheet]:
    """Read a file of messages."""

    def read(*messages: str, charset: str = "") -> OrderSheet:
        return read_hl7("f.hl7", "\r".join(messages).encode(), FEED, DRUGS, zone=MOSCOW, charset=charset)

    return read


@pytest.fixture(scope="session")
def line_of(sheet_of: Callable[..., OrderSheet]) -> Callable[..., OrderLine]:
    """Read one message with one order."""

    def read(*messages: str) -> OrderLine:
        (line,) = sheet_of(*messages).lines
        return line

    return read
