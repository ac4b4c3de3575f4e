"""The frame codec against the literal vectors, noise and its limits."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.codec import (
    ENCODED_LIMIT_BYTES,
    CobsError,
    Frame,
    FrameDecoder,
    cobs_decode,
    cobs_encode,
    encode_frame,
)
from tests.bridge.vectors import DAMAGED, SOUND, named

GOOD = bytes.fromhex(named("ping")["hex"])


def frame_of(fields: dict[str, Any]) -> Frame:
    return Frame(fields["type"], fields["seq"], fields["sid"], fields["op"], bytes.fromhex(fields["payload"]))


@pytest.mark.parametrize("vector", SOUND, ids=lambda vector: vector["name"])
def test_sound_vector_encodes_to_its_bytes_and_back(vector: dict[str, Any]) -> None:
    frame = frame_of(vector["fields"])
    assert encode_frame(frame).hex() == vector["hex"]
    assert FrameDecoder().feed(bytes.fromhex(vector["hex"])) == [frame]


@pytest.mark.parametrize("vector", DAMAGED, ids=lambda vector: vector["name"])
def test_damaged_vector_is_dropped_counted_and_the_next_frame_is_found(vector: dict[str, Any]) -> None:
    decoder = FrameDecoder()
    assert decoder.feed(bytes.fromhex(vector["hex"])) == []
    counted = {name: number for name, number in vars(decoder.counters).items() if number}
    assert counted == {vector["error"]: 1}
    assert len(decoder.feed(GOOD)) == 1


def test_payload_over_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="227 bytes"):
        encode_frame(Frame(0x11, 0, 1, 6, bytes(227)))


def test_noise_before_the_leading_delimiter_costs_nothing() -> None:
    decoder = FrameDecoder()
    assert len(decoder.feed(b"\x13\x99noise" + GOOD)) == 1
    assert decoder.counters.cobs_err + decoder.counters.crc_err == 1


def test_endless_bytes_without_delimiter_keep_the_buffer_small() -> None:
    decoder = FrameDecoder()
    for _ in range(100):
        decoder.feed(b"\xaa" * 1000)
    assert len(decoder._partial) <= ENCODED_LIMIT_BYTES
    assert decoder.counters.overrun == 1


def test_code_byte_past_the_end_is_an_error() -> None:
    with pytest.raises(CobsError):
        cobs_decode(b"\x05\x01")


@given(st.binary(max_size=700))
def test_cobs_returns_what_it_stuffed_and_has_no_zero(data: bytes) -> None:
    stuffed = cobs_encode(data)
    assert 0 not in stuffed
    assert len(stuffed) <= len(data) + 1 + len(data) // 254
    assert cobs_decode(stuffed) == data


@given(st.lists(st.sampled_from(SOUND), max_size=6), st.lists(st.integers(1, 50), max_size=40))
def test_frames_are_found_however_the_bytes_are_cut(vectors: list[dict[str, Any]], cuts: list[int]) -> None:
    wire = b"".join(bytes.fromhex(vector["hex"]) for vector in vectors)
    decoder, found, at = FrameDecoder(), [], 0
    for cut in [*cuts, len(wire)]:
        found += decoder.feed(wire[at : at + cut])
        at += cut
    assert found == [frame_of(vector["fields"]) for vector in vectors]


@given(st.binary(max_size=600))
def test_any_noise_then_a_frame_finds_the_frame(noise: bytes) -> None:
    found = FrameDecoder().feed(noise + GOOD)
    assert found[-1:] == [frame_of(named("ping")["fields"])]


def damaged(chance: random.Random, wire: bytes) -> bytes:
    """Return the wire bytes of a frame with one fault: a byte changed, lost, doubled, or far too many of them."""
    at = chance.randrange(len(wire))
    faults = [
        wire[:at] + bytes([wire[at] ^ chance.randrange(1, 256)]) + wire[at + 1 :],
        wire[:at] + wire[at + 1 :],
        wire[:at] + wire[at : at + 1] * 2 + wire[at + 1 :],
        wire[:at] + chance.randbytes(chance.randrange(600)) + wire[at:],
        wire[:at],
    ]
    return chance.choice(faults)


def pieces(stream: bytes) -> int:
    """Return how many non-empty pieces a zero byte ends: each is one frame or one count."""
    return sum(1 for piece in stream.split(b"\0")[:-1] if piece)


@pytest.mark.parametrize("seed", range(5))
def test_every_damage_is_counted_once_and_the_decoder_does_not_grow(seed: int) -> None:
    chance = random.Random(seed)
    decoder, found, stream = FrameDecoder(), 0, bytearray()
    for _ in range(2000):
        wire = bytes.fromhex(chance.choice(SOUND)["hex"])
        part = damaged(chance, wire) if chance.random() < 0.7 else wire
        stream += part
        for at in range(0, len(part), 97):
            found += len(decoder.feed(part[at : at + 97]))
            assert len(decoder._partial) <= ENCODED_LIMIT_BYTES
    found += len(decoder.feed(b"\0"))
    counters = decoder.counters
    assert found + counters.cobs_err + counters.crc_err + counters.overrun == pieces(bytes(stream) + b"\0")
    assert min(counters.cobs_err, counters.crc_err, counters.overrun) > 0
    assert decoder.feed(GOOD) == [frame_of(named("ping")["fields"])]


@given(st.lists(st.binary(max_size=500), max_size=20))
def test_any_bytes_are_frames_or_counts(parts: list[bytes]) -> None:
    decoder, found = FrameDecoder(), 0
    for part in parts:
        found += len(decoder.feed(part))
        assert len(decoder._partial) <= ENCODED_LIMIT_BYTES
    found += len(decoder.feed(b"\0"))
    assert found + sum(vars(decoder.counters).values()) == pieces(b"".join(parts) + b"\0")
