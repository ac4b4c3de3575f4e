"""Which bytes of a frame people may see: a label carries a patient's name, so its bytes are told by length and digest only.

In doubt they are withheld: bytes of which no frame could be made may be an echo of a label, so only a few of them are shown.
"""

import hashlib
from dataclasses import replace

from hub.services.device_service import Frame

LABEL_BYTES = "LABEL_DATA"
LABEL_FIELDS = frozenset({"tag", "offset", "bytes", "rc", "next_offset"})
BROKEN_SHOWN_OCTETS = 32


def as_shown(frame: Frame) -> Frame:
    """Return a frame as it may leave the hub."""
    if frame.op == LABEL_BYTES:
        known = {name: value for name, value in frame.fields.items() if name in LABEL_FIELDS}
        return withheld(replace(frame, fields=known))
    return withheld(frame) if not _is_known(frame) and frame.octets > BROKEN_SHOWN_OCTETS else frame


def _is_known(frame: Frame) -> bool:
    """Tell whether type and operation have words: a number without a word is nothing that the bridge could read."""
    return frame.type != "" and not frame.type.startswith("0x") and not frame.op.startswith("0x")


def withheld(frame: Frame) -> Frame:
    """Return a frame with the digest of its bytes in their place; of one that has none the digest it has."""
    digest = frame.withheld or hashlib.sha256(bytes.fromhex(frame.hex)).hexdigest()
    return replace(frame, hex="", withheld=digest)
