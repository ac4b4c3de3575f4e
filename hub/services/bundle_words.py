"""The words that a support bundle may hold: those of the contract with machines, listed; any other text may be somebody's name."""

import re
from collections.abc import Mapping
from typing import Any

WITHHELD = "withheld"
_STATES = (
    "idle running at-camera stopped in-doubt locked safe-mode unknown up down none no-verdict film-out door-open jam reject-bin ribbon-out "
    "gate-stuck wrong-machine power-on watchdog brown-out software accepted done diverted doubt refused aborted"
)
_ACTS = (
    "lock self-test jog watch job-query firmware-status firmware take take-over release taken taken-over released film gate tray back forward "
    "memory drop-sensor print-head door passed failed not-fitted labels verdict resolve firmware-update A B PASS FAIL LOOK NONE"
)
_ANSWERS = (
    "OK BAD_REQUEST CONFLICT BUSY NO_LABEL UNKNOWN_JOB CASSETTE_MISMATCH OFFSET DIGEST STALE_EVENT FENCED UNSUPPORTED EMPTY STOPPED LOCKED "
    "NOT_LOCKED SIGNATURE SAFE_MODE EXPIRED INVALID LINK_DOWN NOT_AT_ONCE NO_ANSWER BROKER_AWAY UNANSWERED LET_GO FAILED NOT_CARRIED NO_RESTART "
    "NOT_CONFIRMED ROLLED_BACK not-locked not-your-lock"
)
KNOWN_WORDS = frozenset(f"{_STATES} {_ACTS} {_ANSWERS}".split())
PEOPLE_FIELDS = frozenset({"owner"})
# What makers and releases are called by: of their own choice, so told by the member and by a digit, which no name has.
MAKERS_FIELDS = frozenset(
    {"serial", "firmware", "protocol", "bridge", "version", "version_a", "version_b", "dosehub", "python"}
)
_MAKERS_WORD = re.compile(r"(?=.*\d)[A-Za-z0-9_./:+-]{1,64}")
_NUMBER_WORD = re.compile(r"unknown-\d{1,10}|[0-9a-f]{32}|[0-9a-f]{64}")
# Names of members are the programs' own; newer ones tell a maker most.
_MEMBER = re.compile(r"[a-z0-9_-]{1,32}")


def plain(value: Any, device: str, member: str = "") -> Any:
    """Return a value with every text replaced that is neither the device's id, a listed word, an id made by chance nor a maker's mark."""
    match value:
        case bool() | int() | None:
            return value
        case str():
            return value if _is_plain(value, device, member) else WITHHELD
        case Mapping():
            told = {str(name): one for name, one in value.items() if name not in PEOPLE_FIELDS}
            return {_member(name): plain(one, device, name) for name, one in told.items()}
        case list() | tuple():
            return [plain(one, device, member) for one in value]
    return WITHHELD


def _is_plain(text: str, device: str, member: str) -> bool:
    is_makers = member in MAKERS_FIELDS and _MAKERS_WORD.fullmatch(text) is not None
    return is_makers or text in KNOWN_WORDS or text == device or _NUMBER_WORD.fullmatch(text) is not None


def _member(name: str) -> str:
    return name if _MEMBER.fullmatch(name) else WITHHELD
