"""What is wrong with a message: the place and both sentences, as its acknowledgement and its refusal need them."""

from dataclasses import dataclass
from enum import StrEnum


class ErrorCode(StrEnum):
    """Condition codes of HL7 table 0357, as far as they are used."""

    SEGMENT_SEQUENCE = "100"
    REQUIRED_FIELD_MISSING = "101"
    DATA_TYPE = "102"
    TABLE_VALUE_NOT_FOUND = "103"
    VALUE_TOO_LONG = "104"
    MESSAGE_TYPE = "200"
    EVENT = "201"
    PROCESSING_ID = "202"
    VERSION = "203"
    UNKNOWN_KEY = "204"
    DUPLICATE_KEY = "205"
    LOCKED = "206"
    INTERNAL = "207"


ERROR_NAMES = {
    ErrorCode.SEGMENT_SEQUENCE: "Segment sequence error",
    ErrorCode.REQUIRED_FIELD_MISSING: "Required field missing",
    ErrorCode.DATA_TYPE: "Data type error",
    ErrorCode.TABLE_VALUE_NOT_FOUND: "Table value not found",
    ErrorCode.VALUE_TOO_LONG: "Value too long",
    ErrorCode.MESSAGE_TYPE: "Unsupported message type",
    ErrorCode.EVENT: "Unsupported event code",
    ErrorCode.PROCESSING_ID: "Unsupported processing id",
    ErrorCode.VERSION: "Unsupported version id",
    ErrorCode.UNKNOWN_KEY: "Unknown key identifier",
    ErrorCode.DUPLICATE_KEY: "Duplicate key identifier",
    ErrorCode.LOCKED: "Application record locked",
    ErrorCode.INTERNAL: "Application internal error",
}
REJECTING = frozenset({ErrorCode.MESSAGE_TYPE, ErrorCode.EVENT, ErrorCode.PROCESSING_ID, ErrorCode.VERSION, ErrorCode.LOCKED})


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a message: `segment` is its name, `sequence` which of that name (from 1), `field` and `component` from 1, 0 for none."""

    segment: str
    sequence: int = 1
    field: int = 0
    component: int = 0

    def __str__(self) -> str:
        """Return the place as people write it: `RXE[2]-3.1`."""
        which = f"[{self.sequence}]" if self.sequence > 1 else ""
        field = f"-{self.field}" if self.field else ""
        return f"{self.segment}{which}{field}{f'.{self.component}' if self.component else ''}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a message has no effect; the code tells whether it is an error (AE) or not for us at all (AR)."""

    place: Place
    code: ErrorCode
    text: str
    text_ru: str

    @property
    def rejects(self) -> bool:
        """Tell whether the message is refused for what it is, not for what stands in it (HL7 v2.5.1, 2.9.2)."""
        return self.code in REJECTING


class UnreadableMessage(ValueError):
    """A message of which nothing can be used."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(f"{problem.place}: {problem.text}")


def unreadable(segment: str, field: int, code: ErrorCode, text: str, text_ru: str) -> UnreadableMessage:
    """Return the error of a message that cannot be used, by its first bad place."""
    return UnreadableMessage(Problem(Place(segment, 1, field), code, text, text_ru))
