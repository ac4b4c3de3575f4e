"""Packs and the jobs that make them: what is in a pouch or a labelled bag, and the states they go through."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction

from hub.domain.doses import Lane
from hub.domain.doubts import Doubt
from hub.domain.identifiers import (
    BatchId,
    CassetteId,
    DeviceId,
    DoseId,
    DrugCode,
    JobId,
    LotId,
    PackSerial,
    PatientId,
    TrolleyId,
)


class JobState(StrEnum):
    """State of a pack job (architecture, section 4)."""

    QUEUED = "queued"
    SENT = "sent"
    ACCEPTED = "accepted"
    RUNNING = "running"
    DONE = "done"
    PARTIAL = "partial"
    REFUSED = "refused"
    ABORTED = "aborted"
    IN_DOUBT = "in-doubt"


class PackState(StrEnum):
    """State of a pack (architecture, section 4); `expected` is a pack whose job has not made it yet."""

    EXPECTED = "expected"
    PRODUCED = "produced"
    VERIFIED = "verified"
    RELEASED = "released"
    LOADED = "loaded"
    DISPATCHED = "dispatched"
    RECEIVED = "received"
    HELD = "held"
    GIVEN = "given"
    GIVEN_IN_PART = "given-in-part"
    RESTOCKED = "restocked"
    DESTROYED = "destroyed"
    LOST = "lost"
    QUARANTINED = "quarantined"
    REVOKED = "revoked"
    NEVER_MADE = "never-made"


class Verdict(StrEnum):
    """What the camera station says of a pouch."""

    PASS = "PASS"
    FAIL = "FAIL"
    LOOK = "LOOK"


ENDED_JOB_STATES = frozenset({JobState.DONE, JobState.PARTIAL, JobState.REFUSED, JobState.ABORTED})

TERMINAL_PACK_STATES = frozenset(
    {
        PackState.GIVEN,
        PackState.GIVEN_IN_PART,
        PackState.RESTOCKED,
        PackState.DESTROYED,
        PackState.LOST,
        PackState.NEVER_MADE,
    }
)

_AWAY = {PackState.QUARANTINED, PackState.REVOKED, PackState.LOST}
PACK_TRANSITIONS: Mapping[PackState, frozenset[PackState]] = {
    PackState.EXPECTED: frozenset({PackState.PRODUCED, PackState.NEVER_MADE, PackState.QUARANTINED, PackState.REVOKED}),
    PackState.PRODUCED: frozenset({PackState.VERIFIED, *_AWAY}),
    PackState.VERIFIED: frozenset({PackState.RELEASED, *_AWAY}),
    PackState.RELEASED: frozenset({PackState.LOADED, PackState.RECEIVED, PackState.RESTOCKED, *_AWAY}),
    PackState.LOADED: frozenset({PackState.DISPATCHED, PackState.RELEASED, *_AWAY}),
    PackState.DISPATCHED: frozenset({PackState.RECEIVED, *_AWAY}),
    PackState.RECEIVED: frozenset({PackState.GIVEN, PackState.GIVEN_IN_PART, PackState.HELD, PackState.RESTOCKED, PackState.DESTROYED, *_AWAY}),
    PackState.HELD: frozenset({PackState.GIVEN, PackState.GIVEN_IN_PART, PackState.RESTOCKED, PackState.DESTROYED, *_AWAY}),
    PackState.QUARANTINED: frozenset({PackState.REVOKED, PackState.DESTROYED, PackState.LOST}),
    PackState.REVOKED: frozenset({PackState.DESTROYED, PackState.RESTOCKED, PackState.LOST, PackState.NEVER_MADE}),
}  # fmt: skip


class IllegalTransition(ValueError):
    """A state machine was asked for a step that it does not have: a programming error, never a user's."""


def advanced(state: PackState, to: PackState) -> PackState:
    """Return `to` if a pack may go there from `state`; raise IllegalTransition if not."""
    if to not in PACK_TRANSITIONS.get(state, frozenset()):
        raise IllegalTransition(f"a pack cannot go from {state} to {to}")
    return to


@dataclass(frozen=True, slots=True)
class Fill:
    """One drop of a job: `count` whole units of one drug out of one cassette, for one dose."""

    dose: DoseId
    drug: DrugCode
    cassette: CassetteId
    machine_slot: int
    count: int


@dataclass(frozen=True, slots=True)
class Content:
    """What a pack holds of one dose: exact units of one lot."""

    dose: DoseId
    drug: DrugCode
    lot: LotId
    units: Fraction


@dataclass(frozen=True, slots=True)
class PackJob:
    """One pouch to be made by one machine; `at_camera` is (boot, event) of the event the verdict answers.

    `doubt` stays with the job for ever: a pouch that was once in doubt is never released.
    """

    id: JobId
    pack: PackSerial
    device: DeviceId
    fills: tuple[Fill, ...]
    state: JobState
    queued_at: datetime
    replaces: JobId | None = None
    reason: str = ""
    at_camera: tuple[int, int] | None = None
    doubt: Doubt | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """A pouch or labelled bag with its serial; `contents` is what physically went in, by the machine's or picker's word.

    `lots` are those that were chosen for it and stand on its label.
    `part` of `parts` counts the packs of the patient's dose time. A pack without a trolley goes by hand, from the pharmacy to a nurse (ampoules, STAT, late and moved ones).
    """

    serial: PackSerial
    lane: Lane
    patient: PatientId
    doses: tuple[DoseId, ...]
    due: datetime
    slot: str
    department: str
    room: str
    batch: BatchId
    state: PackState
    expires_on: date | None
    label_digest: str
    contents: tuple[Content, ...] = ()
    lots: tuple[LotId, ...] = ()
    job: JobId | None = None
    part: int = 1
    parts: int = 1
    stat: bool = False
    verdict: Verdict | None = None
    reason: str = ""
    trolley: TrolleyId | None = None
    drawer: str = ""
    in_drawer: bool = False
    replaces: PackSerial | None = None
    replaced_by: PackSerial | None = None
