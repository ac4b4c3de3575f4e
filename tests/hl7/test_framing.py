"""MLLP blocks, however the bytes are cut."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.adapters.feeds.framing import Block, Framing, framed


def fed(*parts: bytes, largest: int = 1000) -> list[Block]:
    framing = Framing(largest)
    return [block for part in parts for block in framing.feed(part)] + list(framing.end())


def test_blocks_one_after_another() -> None:
    assert fed(framed(b"one") + framed(b"two")) == [Block(b"one"), Block(b"two")]


def test_line_feeds_and_nothing_for_the_carriage_return() -> None:
    assert fed(b"\x0bone\x1c\n\r\n\x0btwo\x1c\x0bthree\x1c") == [Block(b"one"), Block(b"two"), Block(b"three")]


@settings(max_examples=100)
@given(st.lists(st.binary(max_size=20).map(lambda data: data.translate(None, b"\x0b\x1c")), max_size=5), st.lists(st.integers(1, 7), min_size=1, max_size=60))
def test_bytes_are_cut_anywhere(messages: list[bytes], cuts: list[int]) -> None:
    stream, parts = b"".join(map(framed, messages)), []
    for cut in [*cuts, len(stream)]:
        parts.append(stream[:cut])
        stream = stream[cut:]
    assert fed(*parts, stream) == [Block(message) for message in messages if message]


def test_a_sender_that_breaks_off_is_told_of() -> None:
    assert fed(b"\x0bhalf") == [Block(b"half", "broken-off")]
    assert fed(b"\x0bhalf\x0bwhole\x1c\r") == [Block(b"half", "broken-off"), Block(b"whole")]


def test_what_is_outside_of_blocks_is_told_of() -> None:
    assert fed(b"GET / HTTP/1.1\r\n" + framed(b"one")) == [Block(b"GET / HTTP/1.1", "outside"), Block(b"one")]


def test_a_block_beyond_the_limit_is_told_once_and_skipped() -> None:
    for parts in ((b"\x0b" + b"x" * 50, b"y" * 50, b"z\x1c\r"), (framed(b"x" * 50 + b"y" * 50),)):
        too_large, after = fed(*parts, framed(b"next"), largest=20)
        assert (too_large.problem, too_large.data[:50]) == ("too-large", b"x" * 50)
        assert after == Block(b"next")


def test_memory_is_bounded_while_a_block_never_ends() -> None:
    framing = Framing(100)
    told = [block for _ in range(1000) for block in framing.feed(b"\x0b" * 1 + b"x" * 99)]
    assert all(len(block.data) <= 100 for block in told)
    assert len(framing._kept) <= 200
