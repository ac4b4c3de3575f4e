"""A short run of the fuzz, and that it finds ends that take what they must not, miss what they must not, or grow."""

import contextlib
import struct
import tracemalloc
from collections.abc import Iterator

import pytest

from firmware_bridge.codec import CobsError, Frame, cobs_decode
from simulators.packager import codec
from tests.fuzz.ends import WatchedDecoder
from tests.fuzz.fuzz import Fuzz, Result

HEADER = struct.Struct("<BBHB")
BYTES = 200_000
FEWER_BYTES = 40_000
GROWTH_LIMIT_BYTES = 256 << 10
ANY_GROWTH_BYTES = 1 << 40


class Careless(WatchedDecoder):
    """Takes the word of the wire: the check sum is not looked at."""

    def _decode(self, encoded: bytes) -> Frame | None:
        sound = super()._decode(encoded)
        with contextlib.suppress(CobsError):
            return sound or Frame(*HEADER.unpack_from(cobs_decode(encoded).ljust(HEADER.size)))
        return None


class Deaf(codec.Receiver):
    """Loses the frame behind an overrun."""

    def feed(self, data: bytes) -> list[codec.Frame]:
        return super().feed(data) if len(data) < 300 else super().feed(data)[1:]


class Hoarder(WatchedDecoder):
    """Keeps all it ever heard."""

    def __init__(self) -> None:
        super().__init__()
        self._heard: list[bytes] = []

    def feed(self, data: bytes) -> list[Frame]:
        self._heard.append(bytes(bytearray(data)))
        return super().feed(data)


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def held_bytes() -> int:
    return tracemalloc.get_traced_memory()[0]


def run(fuzz: Fuzz, count: int = FEWER_BYTES) -> Result:
    return fuzz.run(count, lambda: 0)


@pytest.mark.usefixtures("traced")
def test_hostile_bytes_are_dropped_and_counted_and_nothing_grows() -> None:
    result = Fuzz(seed=1).run(BYTES, held_bytes)
    assert result.faults(GROWTH_LIMIT_BYTES) == []
    for side in (result.bridge, result.machine):
        assert side.fed_bytes >= BYTES
        assert side.accepted == side.line.judge.sound > 0
        assert min(side.dropped.values()) > 0
        assert len(side.line.fates) == 15
    assert result.tablets_fallen > 0
    assert result.told["happened"] > 0


def test_same_seed_gives_the_same_run_and_another_one_another() -> None:
    first, again, other = (run(Fuzz(seed)) for seed in (3, 3, 4))
    assert (first.told, first.bridge.line.fates) == (again.told, again.bridge.line.fates)
    assert first.bridge.line.fates != other.bridge.line.fates


def test_decoder_that_does_not_check_is_found() -> None:
    result = run(Fuzz(1, Careless()))
    assert len(result.bridge.strangers) > 10
    assert any("not sent" in fault for fault in result.faults(ANY_GROWTH_BYTES))


def test_receiver_that_loses_frames_is_found() -> None:
    result = run(Fuzz(1, receiver=Deaf))
    assert result.machine.missed > 0
    assert any("missed" in fault for fault in result.faults(ANY_GROWTH_BYTES))


@pytest.mark.usefixtures("traced")
def test_decoder_that_keeps_what_it_heard_is_found() -> None:
    result = Fuzz(1, Hoarder()).run(FEWER_BYTES, held_bytes)
    assert any("memory grew" in fault for fault in result.faults(GROWTH_LIMIT_BYTES))
