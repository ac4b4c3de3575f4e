"""Records that only the adapters keep: sessions, answers already given, what is to be written back, and settings."""

from dataclasses import dataclass
from datetime import datetime

from hub.domain.identifiers import UserId


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in person at one screen; the token itself is never kept."""

    token_hash: str
    user: UserId
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer that an event id got, so that its repetition gets the same one."""

    event: str
    body_hash: str
    answer: str


@dataclass(frozen=True, slots=True)
class Writeback:
    """One FHIR resource that the hospital's system is to receive."""

    id: str
    resource: str
    payload: str
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting that lives with the data."""

    key: str
    value: str
