"""The packager's codec against the literal vectors of PPL/1."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.packager.codec import CobsError, Counters, Frame, Receiver, cobs_decode, cobs_encode, encode_frame

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "frames.json").read_text())
SOUND = [vector for vector in VECTORS if "error" not in vector]
DAMAGED = [vector for vector in VECTORS if "error" in vector]


def frame_of(fields: dict[str, Any]) -> Frame:
    return Frame(fields["type"], fields["seq"], fields["sid"], fields["op"], bytes.fromhex(fields["payload"]))


@pytest.mark.parametrize("vector", SOUND, ids=lambda vector: vector["name"])
def test_a_sound_vector_is_written_and_read_byte_for_byte(vector: dict[str, Any]) -> None:
    wire, frame = bytes.fromhex(vector["hex"]), frame_of(vector["fields"])
    assert encode_frame(frame) == wire
    counters = Counters()
    assert Receiver(counters).feed(wire) == [frame]
    assert counters == Counters()


@pytest.mark.parametrize("vector", DAMAGED, ids=lambda vector: vector["name"])
def test_a_damaged_vector_yields_no_frame_and_raises_its_counter_by_one(vector: dict[str, Any]) -> None:
    counters = Counters()
    receiver = Receiver(counters)
    assert receiver.feed(bytes.fromhex(vector["hex"])) == []
    assert counters == Counters(**{vector["error"]: 1})
    good = bytes.fromhex(SOUND[0]["hex"])
    assert receiver.feed(good) == [frame_of(SOUND[0]["fields"])]


@pytest.mark.parametrize("vector", DAMAGED, ids=lambda vector: vector["name"])
def test_damage_that_trickles_in_byte_by_byte_counts_the_same(vector: dict[str, Any]) -> None:
    counters = Counters()
    receiver = Receiver(counters)
    for byte in bytes.fromhex(vector["hex"]):
        assert receiver.feed(bytes([byte])) == []
    assert counters == Counters(**{vector["error"]: 1})


@given(st.binary(max_size=235))
def test_cobs_removes_zeros_at_the_cost_of_one_byte(data: bytes) -> None:
    stuffed = cobs_encode(data)
    assert 0 not in stuffed
    assert len(stuffed) == len(data) + 1
    assert cobs_decode(stuffed) == data


@given(st.lists(st.binary(max_size=226), max_size=5), st.integers(1, 40))
def test_frames_come_out_whole_however_the_bytes_are_cut(payloads: list[bytes], size: int) -> None:
    frames = [Frame(0x11, index, 7, 6, payload) for index, payload in enumerate(payloads)]
    wire = b"".join(map(encode_frame, frames))
    receiver, out = Receiver(Counters()), []
    for at in range(0, len(wire), size):
        out += receiver.feed(wire[at : at + size])
    assert out == frames


@given(st.binary(max_size=600))
def test_noise_never_hides_the_frame_behind_it(noise: bytes) -> None:
    receiver = Receiver(Counters())
    receiver.feed(noise)
    frame = Frame(0x11, 1, 7, 6, b"\0after\0")
    assert receiver.feed(encode_frame(frame))[-1:] == [frame]


def test_a_code_of_zero_is_no_cobs() -> None:
    with pytest.raises(CobsError):
        cobs_decode(b"\x02a\x00b")


def test_a_payload_of_227_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="227"):
        encode_frame(Frame(0x12, 0, 1, 6, bytes(227)))
