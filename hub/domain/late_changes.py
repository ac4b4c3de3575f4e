"""Late changes: what happens to a dose when its order or its patient changes while it is already on its way."""

from collections.abc import Mapping
from enum import StrEnum

from hub.domain.doses import DoseState, PlannedDose
from hub.domain.packs import JobState, Pack, PackJob, PackState


class ChangeKind(StrEnum):
    """What changed."""

    STOP = "stop"
    DOSE_CHANGE = "dose-change"
    HOLD = "hold"
    ALLERGY = "allergy"
    TRANSFER = "transfer"
    DISCHARGE = "discharge"
    DEATH = "death"


class Position(StrEnum):
    """Where a dose is on its way."""

    PLANNED = "planned"
    FROZEN = "frozen"
    SENT = "sent"
    PACKED = "packed"
    ON_TROLLEY = "on-trolley"
    ON_WARD = "on-ward"
    GIVEN = "given"


class ChangeAction(StrEnum):
    """What is to be done.

    `cancel-at-machine`: ask the machine to cancel; where it cannot confirm, the pouch is expected and caught at verification.
    `let-finish-and-divert`: nothing at the machine; the pouch fails at the camera and is made anew. `relabel`: revoked and made anew
    with its new label. `keep-back`: not loaded and not handed over. `revoke-and-pull` and `pull-and-keep` block the trolley until the
    pack was scanned out of its drawer. `incident-if-after` is a note, and an incident where the dose was given after the change.
    """

    CANCEL = "cancel"
    REPLAN = "replan"
    WITHHOLD = "withhold"
    DROP_FROM_BATCH = "drop-from-batch"
    DROP_AND_REPLAN = "drop-and-replan"
    REROUTE = "reroute"
    CANCEL_AT_MACHINE = "cancel-at-machine"
    LET_FINISH_AND_DIVERT = "let-finish-and-divert"
    REVOKE = "revoke"
    RELABEL = "relabel"
    KEEP_BACK = "keep-back"
    REVOKE_AND_PULL = "revoke-and-pull"
    PULL_AND_KEEP = "pull-and-keep"
    MOVE_TROLLEY = "move-trolley"
    REVOKE_AND_RETURN = "revoke-and-return"
    REFUSE_WHILE_HELD = "refuse-while-held"
    HAND_OVER = "hand-over"
    INCIDENT_IF_AFTER = "incident-if-after"
    NOTHING = "nothing"


_A = ChangeAction
_WAYS: Mapping[ChangeKind, tuple[ChangeAction, ...]] = {
    ChangeKind.STOP: (
        _A.CANCEL, _A.DROP_FROM_BATCH, _A.CANCEL_AT_MACHINE, _A.REVOKE, _A.REVOKE_AND_PULL, _A.REVOKE_AND_RETURN, _A.INCIDENT_IF_AFTER,
    ),
    ChangeKind.DOSE_CHANGE: (
        _A.REPLAN, _A.DROP_AND_REPLAN, _A.CANCEL_AT_MACHINE, _A.REVOKE, _A.REVOKE_AND_PULL, _A.REVOKE_AND_RETURN, _A.INCIDENT_IF_AFTER,
    ),
    ChangeKind.HOLD: (
        _A.WITHHOLD, _A.DROP_FROM_BATCH, _A.CANCEL_AT_MACHINE, _A.KEEP_BACK, _A.PULL_AND_KEEP, _A.REFUSE_WHILE_HELD, _A.INCIDENT_IF_AFTER,
    ),
    ChangeKind.ALLERGY: (
        _A.CANCEL, _A.DROP_FROM_BATCH, _A.CANCEL_AT_MACHINE, _A.REVOKE, _A.REVOKE_AND_PULL, _A.REVOKE_AND_RETURN, _A.INCIDENT_IF_AFTER,
    ),
    ChangeKind.TRANSFER: (
        _A.REPLAN, _A.REROUTE, _A.LET_FINISH_AND_DIVERT, _A.RELABEL, _A.MOVE_TROLLEY, _A.HAND_OVER, _A.NOTHING,
    ),
    ChangeKind.DISCHARGE: (
        _A.CANCEL, _A.DROP_FROM_BATCH, _A.CANCEL_AT_MACHINE, _A.REVOKE, _A.REVOKE_AND_PULL, _A.REVOKE_AND_RETURN, _A.NOTHING,
    ),
    ChangeKind.DEATH: (
        _A.CANCEL, _A.DROP_FROM_BATCH, _A.CANCEL_AT_MACHINE, _A.REVOKE, _A.REVOKE_AND_PULL, _A.REVOKE_AND_RETURN, _A.INCIDENT_IF_AFTER,
    ),
}  # fmt: skip

ACTIONS: Mapping[tuple[ChangeKind, Position], ChangeAction] = {
    (kind, position): action for kind, ways in _WAYS.items() for position, action in zip(Position, ways, strict=True)
}

_OVER = frozenset({JobState.REFUSED, JobState.ABORTED})
_PACK_POSITIONS: Mapping[PackState, Position] = {
    PackState.EXPECTED: Position.FROZEN,
    PackState.PRODUCED: Position.SENT,
    PackState.VERIFIED: Position.PACKED,
    PackState.RELEASED: Position.PACKED,
    PackState.LOADED: Position.ON_TROLLEY,
    PackState.DISPATCHED: Position.ON_TROLLEY,
    PackState.RECEIVED: Position.ON_WARD,
    PackState.HELD: Position.ON_WARD,
    PackState.GIVEN: Position.GIVEN,
    PackState.GIVEN_IN_PART: Position.GIVEN,
}


def action_for(kind: ChangeKind, position: Position) -> ChangeAction:
    """Return what a change does to a dose at a position."""
    return ACTIONS[kind, position]


def position_of(dose: PlannedDose, pack: Pack | None, job: PackJob | None) -> Position:
    """Return where a dose is, from its own state, its live pack and the job that makes it.

    A dose of a pack that is quarantined, revoked or gone is `planned` again: nothing of it can reach the patient; callers ask
    only for doses that are not in a terminal state other than given.
    """
    if dose.state is DoseState.GIVEN:
        return Position.GIVEN
    if pack is not None and pack.state is PackState.EXPECTED:
        return _position_by_job(job)
    if pack is not None:
        return _PACK_POSITIONS.get(pack.state, Position.PLANNED)
    return Position.PLANNED if dose.state is DoseState.PLANNED else Position.FROZEN


def _position_by_job(job: PackJob | None) -> Position:
    if job is None or job.state is JobState.QUEUED or job.state in _OVER:
        return Position.FROZEN
    return Position.SENT
