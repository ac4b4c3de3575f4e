"""The frames of a watch as a capture for Wireshark, with the console's own writer; what may be of a label is no more in it than on the page."""

from typing import cast

from firmware_bridge import pcapng
from firmware_bridge.trace_contract import CrossingError
from hub.services.device_service import Frame, Watched

PROGRAM = "dosehub"


def capture(device: str, watched: Watched, began_us: int) -> bytes:
    """Return a pcapng file of frames whose watch began `began_us` microseconds after 1970; how many are missing stands at its end."""
    packets = b"".join(_packet(frame, began_us) for frame in watched.frames)
    last_us = began_us + (watched.frames[-1].at_us if watched.frames else 0)
    end = pcapng.statistics(last_us, len(watched.frames), watched.dropped)
    return pcapng.head(PROGRAM, device) + packets + end


def _packet(frame: Frame, began_us: int) -> bytes:
    """Return a frame as a packet; one that is withheld has none of its bytes, its length, and in a comment what else is told of it."""
    return pcapng.crossing(
        bytes.fromhex(frame.hex), began_us + frame.at_us, is_sent=frame.direction == "to-device",
        error=cast(CrossingError, frame.error), octets=frame.octets, remark=_remark(frame) if frame.withheld else "",
    )  # fmt: skip


def _remark(frame: Frame) -> str:
    fields = "".join(f" {name}={value}" for name, value in frame.fields.items())
    name = f"{frame.type} {frame.op} seq {frame.seq}{fields}" if frame.type else "bytes"
    return f"{name}: not shown, a label may be in it; SHA-256 {frame.withheld}"
