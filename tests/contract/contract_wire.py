"""The kit's own reading of PPL/1.1 on the wire, written from docs/protocol.md; it shares no code with bridge or simulator."""

import binascii
from dataclasses import dataclass

REQ, RSP, EVT, HELLO, HELLO_RSP = 0x11, 0x12, 0x13, 0x14, 0x15
OVERHEAD_BYTES = 9


@dataclass(frozen=True)
class Frame:
    """One frame; `check` and stuffing are added by `to_wire`."""

    type: int
    seq: int
    sid: int
    op: int
    payload: bytes = b""


def to_wire(frame: Frame) -> bytes:
    """Write a frame with both delimiters."""
    body = bytes([frame.type, frame.seq]) + frame.sid.to_bytes(2, "little") + bytes([frame.op]) + frame.payload
    body += binascii.crc32(body).to_bytes(4, "little")
    blocks = [bytes([len(block) + 1]) + block for block in body.split(b"\0")]
    return b"\0" + b"".join(blocks) + b"\0"


def from_wire(stuffed: bytes) -> Frame | None:
    """Read what stands between two delimiters; None where it is damaged. A frame is too short for blocks of 254 bytes."""
    blocks, rest = [], stuffed
    while rest:
        length = rest[0]
        if length == 0 or length > len(rest):
            return None
        blocks.append(rest[1:length])
        rest = rest[length:]
    body = b"\0".join(blocks)
    if len(body) < OVERHEAD_BYTES or binascii.crc32(body[:-4]).to_bytes(4, "little") != body[-4:]:
        return None
    return Frame(body[0], body[1], int.from_bytes(body[2:4], "little"), body[4], body[5:-4])


class Splitter:
    """Cuts what comes in at the delimiters; `damaged` counts what was none of the frames."""

    def __init__(self) -> None:
        self.damaged = 0
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """Give the sound frames that are complete now."""
        *whole, self._rest = (self._rest + data).split(b"\0")
        read = [from_wire(each) for each in whole if each]
        self.damaged += read.count(None)
        return [each for each in read if each is not None]
