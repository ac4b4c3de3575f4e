"""The kit itself: its own codec writes and reads the literal vectors; a kit that is wrong must not judge a machine."""

import json
from pathlib import Path
from typing import Any

import pytest
from contract_wire import Frame, Splitter, to_wire

FRAMES = json.loads((Path(__file__).parents[1] / "vectors" / "frames.json").read_text())
SOUND = [vector for vector in FRAMES if "error" not in vector]
DAMAGED = [vector for vector in FRAMES if "error" in vector]


def frame_of(vector: dict[str, Any]) -> Frame:
    fields = vector["fields"]
    return Frame(fields["type"], fields["seq"], fields["sid"], fields["op"], bytes.fromhex(fields["payload"]))


@pytest.mark.parametrize("vector", SOUND, ids=lambda vector: vector["name"])
def test_the_kit_writes_and_reads_the_literal_frames(vector: dict[str, Any]) -> None:
    assert to_wire(frame_of(vector)).hex() == vector["hex"]
    assert Splitter().feed(bytes.fromhex(vector["hex"])) == [frame_of(vector)]


def test_the_kit_takes_no_damaged_frame() -> None:
    splitter = Splitter()
    assert [splitter.feed(bytes.fromhex(vector["hex"])) for vector in DAMAGED] == [[]] * len(DAMAGED)
    assert splitter.damaged == len(DAMAGED)
