"""Which frames of PPL/1 may leave the house with their bytes: one rule for the support bundles of hub and console; pure, imports nothing.

A label is a picture with a patient's name on it. So the open operations are listed, and what is not listed, could not be read or is damaged
is closed: pieces of labels and firmware, pings, unknown types and operations, and bytes of which no frame could be made.
"""

OPEN_TYPES = frozenset({"REQ", "RSP", "EVT", "HELLO", "HELLO_RSP"})
OPEN_OPERATIONS = frozenset({
    "HELLO", "STATUS", "JOB_RUN", "JOB_QUERY", "RESOLVE", "EVT_ACK", "ABORT", "LOCK", "JOG", "SELFTEST", "LABEL_BEGIN", "LABEL_COMMIT", "VERDICT",
    "FW_BEGIN", "FW_STATUS", "FW_COMMIT", "FW_CONFIRM", "ACCEPTED", "DROPPED", "AT_CAMERA", "RELEASED", "DIVERTED", "DONE", "STOPPED", "READY",
    "CASSETTE", "RESOLVED",
})  # fmt: skip
PIECES = frozenset({"LABEL_DATA", "FW_DATA"})
OFFSET_ANSWER_BYTES = 14


def is_open(kind: str, op: str, error: str, octets: int) -> bool:
    """Tell whether the bytes of a frame can be of no label; `octets` is their number, of an answer to a piece only its one number is open."""
    if error not in {"", "stale"} or kind not in OPEN_TYPES:
        return False
    is_number = kind == "RSP" and op in PIECES and octets <= OFFSET_ANSWER_BYTES
    return is_number or op in OPEN_OPERATIONS
