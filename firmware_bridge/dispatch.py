"""What to ask the machine next for one command, and what its answer means (docs/protocol.md section 3); pure.

A run goes QUERY (only where the machine may know the job; if it does, CONFIRM) > BEGIN > DATA ... > COMMIT > RUN. It ends taken, or refused with nothing moved.
A decision (verdict, resolve, abort) is one request, which may be repeated: it names the event or the job that it answers.
"""

from dataclasses import dataclass, replace
from enum import Enum

from firmware_bridge import packets
from firmware_bridge.contract import AbortCommand, Decision, ResolveCommand, RunCommand, VerdictCommand
from firmware_bridge.packets import JobState, Op, Rc

BUSY_WAIT_S = 0.25
BUSY_LONGEST_WAIT_S = 4.0
HELD_WAIT_S = 0.5
HELD_PATIENCE_S = 60.0
LABEL_STARTS_LIMIT = 3
OFFSET_CORRECTIONS_LIMIT = 20

REASONS = {
    Rc.BAD_REQUEST: "the machine does not accept the request",
    Rc.CONFLICT: "the machine knows this job with another content",
    Rc.NO_LABEL: "the machine does not keep the label",
    Rc.UNKNOWN_JOB: "the machine does not know the job",
    Rc.CASSETTE_MISMATCH: "another cassette than the named one sits in a slot",
    Rc.OFFSET: "the label could not be carried over whole",
    Rc.DIGEST: "the label is not the one that its digest names",
    Rc.STALE_EVENT: "the machine no longer waits for this answer",
    Rc.UNSUPPORTED: "the machine cannot do this",
    Rc.EMPTY: "a cassette holds fewer tablets than asked for",
    Rc.STOPPED: "the machine is stopped and waits for a person",
    Rc.LOCKED: "somebody holds the service lock of the machine",
    Rc.NOT_LOCKED: "the service lock of the machine has to be taken before",
    Rc.SIGNATURE: "the firmware is not the maker's",
    Rc.SAFE_MODE: "the machine has no sound firmware and does nothing until it is given one",
}
DECISION_REASONS: dict[type[Decision], dict[Rc, str]] = {
    VerdictCommand: {Rc.STALE_EVENT: "the machine no longer waits for this verdict"},
    ResolveCommand: {
        Rc.STALE_EVENT: "this is not the doubt that the machine tells now: after another loss of power it tells it anew; "
        "look again and answer the newer event",
        Rc.BAD_REQUEST: "the machine does not accept the count: no more can have fallen than the cassette held",
    },
    AbortCommand: {
        Rc.BUSY: "the job has begun and is not aborted: its verdict ends it",
    },
}
EXPIRED_REASON = "the command came too late to be carried out"


class Stage(Enum):
    """How far a run is."""

    QUERY = "query"
    CONFIRM = "confirm"
    BEGIN = "begin"
    DATA = "data"
    COMMIT = "commit"
    RUN = "run"


MAY_BE_KNOWN = frozenset({Stage.QUERY, Stage.CONFIRM})


@dataclass(frozen=True)
class Ask:
    """One request to the machine."""

    op: Op
    payload: bytes


@dataclass(frozen=True)
class Taken:
    """The machine has it: the command is done for the bridge, events tell the rest."""


@dataclass(frozen=True)
class Refuse:
    """The command is not carried out and nothing moved."""

    rc: str
    reason: str


@dataclass(frozen=True)
class NothingThere:
    """The machine has nothing of a job to abort: the bridge is to see that it is never started."""


@dataclass(frozen=True)
class RunProgress:
    """A run under way; nothing is asked before `not_before_s`, and `held_since_s` tells since when a person is waited for.

    `wait_s` is how long the next "not now" is waited out; it doubles, for an event tells when there may be room (`hurried`).
    """

    command: RunCommand
    stage: Stage
    offset: int = 0
    label_starts: int = 0
    offset_corrections: int = 0
    held_since_s: float | None = None
    not_before_s: float = 0.0
    wait_s: float = BUSY_WAIT_S


@dataclass(frozen=True)
class DecisionProgress:
    """A decision under way; `may_be_known` means that the machine may have taken it before."""

    command: Decision
    may_be_known: bool
    not_before_s: float = 0.0


Progress = RunProgress | DecisionProgress
Outcome = Progress | Taken | Refuse | NothingThere

EXPIRED = Refuse("EXPIRED", EXPIRED_REASON)
ABORTED = Refuse("ABORTED", "the job was called off before the machine began it")
NOBODY_HAS_JOB = Refuse(
    "UNKNOWN_JOB", "neither the machine nor the bridge has the job: nothing of it moved, and it will not be started"
)


def refusal(rc: int, decision: Decision | None = None) -> Refuse:
    """Return the refusal for an answer of the machine, in the words of the decision that it answers."""
    if rc not in set(Rc):
        return Refuse(f"RC_{rc}", "the machine refused for a reason unknown to the bridge")
    own = {} if decision is None else DECISION_REASONS[type(decision)]
    return Refuse(Rc(rc).name, own.get(Rc(rc)) or REASONS.get(Rc(rc), "the machine refused"))


def start(command: RunCommand | Decision, *, may_be_known: bool) -> Progress:
    """Return the first step; a run that the machine may know is queried before it is sent again."""
    if isinstance(command, RunCommand):
        return RunProgress(command, Stage.QUERY if may_be_known else Stage.BEGIN)
    return DecisionProgress(command, may_be_known)


def may_expire(progress: Progress, *, sent: bool) -> bool:
    """Tell whether it is certain that nothing has moved for this command, so that lateness may end it."""
    if isinstance(progress, RunProgress):
        return progress.stage not in MAY_BE_KNOWN
    return not sent


def ask(progress: Progress, boots_before: int = 0) -> Ask:
    """Return the next request of a command; `boots_before` of its number of a boot are those of older boards in the machine's place."""
    if isinstance(progress, DecisionProgress):
        return _ask_decision(progress.command, boots_before)
    return _ask_run(progress)


def _ask_decision(decision: Decision, boots_before: int) -> Ask:
    job = bytes.fromhex(decision.job)
    if isinstance(decision, AbortCommand):
        return Ask(Op.ABORT, job)
    boot = max(0, decision.boot - boots_before)  # an older board asked: no machine has a boot 0, so it refuses the answer
    if isinstance(decision, VerdictCommand):
        return Ask(Op.VERDICT, packets.pack_verdict(job, decision.slot, boot, decision.event, decision.verdict))
    return Ask(Op.RESOLVE, packets.pack_resolve(job, decision.slot, boot, decision.event, decision.counted))


def _ask_run(progress: RunProgress) -> Ask:
    job = bytes.fromhex(progress.command.job)
    content = progress.command.label
    label = bytes.fromhex(content.digest)
    match progress.stage:
        case Stage.QUERY:
            return Ask(Op.JOB_QUERY, job)
        case Stage.BEGIN:
            begin = packets.pack_label_begin(label, content.width, content.height, len(content.raster))
            return Ask(Op.LABEL_BEGIN, begin)
        case Stage.DATA:
            return Ask(Op.LABEL_DATA, packets.pack_label_data(label, progress.offset, content.raster))
        case Stage.COMMIT:
            return Ask(Op.LABEL_COMMIT, label)
        case Stage.RUN | Stage.CONFIRM:
            return Ask(Op.JOB_RUN, packets.pack_job_run(job, label, progress.command.slots))


def after(progress: Progress, rc: int, payload: bytes, now_s: float) -> Outcome:
    """Return what the answer to `ask(progress)` means; raise DecodeError for an answer that cannot be read."""
    if rc == Rc.SAFE_MODE:
        return _after_safe_mode(progress, now_s)
    if isinstance(progress, DecisionProgress):
        return _after_decision(progress, rc, payload, now_s)
    if progress.stage is Stage.QUERY:
        return _after_query(progress, rc, payload, now_s)
    if progress.stage is Stage.CONFIRM:
        return _after_confirm(progress, rc, payload, now_s)
    if rc == Rc.BUSY:
        return _not_now(progress, now_s)
    if rc in {Rc.STOPPED, Rc.LOCKED}:
        return _after_held(progress, rc, now_s)
    match progress.stage:
        case Stage.BEGIN:
            return _after_begin(progress, rc, payload)
        case Stage.DATA:
            return _after_data(progress, rc, payload)
        case Stage.COMMIT:
            return replace(progress, stage=Stage.RUN) if rc == Rc.OK else _label_again(progress, rc)
        case Stage.RUN:
            return _after_run(progress, rc, payload)


def _after_safe_mode(progress: Progress, now_s: float) -> Outcome:
    """Refuse at once, except what the machine may have taken before: that it can tell only when its firmware is sound again."""
    if isinstance(progress, RunProgress):
        return _not_now(progress, now_s) if progress.stage in MAY_BE_KNOWN else refusal(Rc.SAFE_MODE)
    return replace(progress, not_before_s=now_s + HELD_WAIT_S) if progress.may_be_known else refusal(Rc.SAFE_MODE)


def _after_decision(progress: DecisionProgress, rc: int, payload: bytes, now_s: float) -> Outcome:
    decision = progress.command
    if isinstance(decision, AbortCommand):
        return _after_abort(decision, rc, payload)
    if rc == Rc.BUSY:
        return replace(progress, not_before_s=now_s + BUSY_WAIT_S)
    if rc != Rc.OK:
        return refusal(rc, decision)
    if isinstance(decision, ResolveCommand):
        packets.unpack_job_state(payload)
    return Taken()


def _after_abort(abort: AbortCommand, rc: int, payload: bytes) -> Outcome:
    if rc != Rc.OK:
        return NothingThere() if rc == Rc.UNKNOWN_JOB else refusal(rc, abort)
    state = packets.unpack_job_state(payload).state
    if state in {JobState.NONE, JobState.REFUSED}:
        return NothingThere()
    return Taken() if state == JobState.ABORTED else _not_aborted(state)


def _not_aborted(state: JobState) -> Refuse:
    word = state.name.lower().replace("_", "-")
    if state in {JobState.DONE, JobState.DIVERTED}:
        return Refuse("ENDED", f"the job has ended before it could be aborted: {word}")
    return Refuse("REFUSED", f"the machine did not abort the job: it says {word}")


def _not_now(progress: RunProgress, now_s: float, held_since_s: float | None = None) -> RunProgress:
    longer_s = min(2 * progress.wait_s, BUSY_LONGEST_WAIT_S)
    return replace(progress, not_before_s=now_s + progress.wait_s, wait_s=longer_s, held_since_s=held_since_s)


def hurried(progress: Progress) -> Progress:
    """Return the work to be asked for at once: an event told that the machine may have room now."""
    if isinstance(progress, RunProgress):
        return replace(progress, not_before_s=0.0, wait_s=BUSY_WAIT_S)
    return replace(progress, not_before_s=0.0)


def _after_held(progress: RunProgress, rc: int, now_s: float) -> Outcome:
    """Wait for the person who stopped or locked the machine, but not for ever."""
    since_s = now_s if progress.held_since_s is None else progress.held_since_s
    if now_s - since_s >= HELD_PATIENCE_S:
        return refusal(rc)
    waiting = _not_now(progress, now_s, since_s)
    return replace(waiting, not_before_s=min(waiting.not_before_s, since_s + HELD_PATIENCE_S))


def _after_query(progress: RunProgress, rc: int, payload: bytes, now_s: float) -> Outcome:
    if rc == Rc.OK:
        state = packets.unpack_job_query(payload).state
        # A job that the machine has is run once more: its digest is compared there, and nothing of it moves again.
        return replace(progress, stage=Stage.BEGIN if state == JobState.NONE else Stage.CONFIRM)
    if rc == Rc.UNKNOWN_JOB:
        return replace(progress, stage=Stage.BEGIN)
    # The machine may have the job: only its own word that it has not lets it be refused.
    return _not_now(progress, now_s)


def _after_confirm(progress: RunProgress, rc: int, payload: bytes, now_s: float) -> Outcome:
    """Take the state of the known job, or that its content is another one; anything else means to ask whether it is still known."""
    if rc == Rc.OK:
        return _known(packets.unpack_job_state(payload).state)
    if rc == Rc.CONFLICT:
        return refusal(rc)
    return _not_now(replace(progress, stage=Stage.QUERY), now_s)


def _known(state: int) -> Outcome:
    if state == JobState.REFUSED:
        return Refuse("REFUSED", "the machine has refused this job")
    return Taken()


def _after_begin(progress: RunProgress, rc: int, payload: bytes) -> Outcome:
    if rc != Rc.OK:
        return refusal(rc)
    starts = replace(progress, label_starts=progress.label_starts + 1)
    return _carry_on(starts, packets.unpack_offset(payload), when_whole=Stage.RUN)


def _after_data(progress: RunProgress, rc: int, payload: bytes) -> Outcome:
    if rc == Rc.OK:
        return _carry_on(progress, packets.unpack_offset(payload), when_whole=Stage.COMMIT)
    if rc == Rc.OFFSET and progress.offset_corrections < OFFSET_CORRECTIONS_LIMIT:
        corrected = replace(progress, offset_corrections=progress.offset_corrections + 1)
        return _carry_on(corrected, packets.unpack_offset(payload), when_whole=Stage.COMMIT)
    return refusal(rc) if rc == Rc.OFFSET else _label_again(progress, rc)


def _carry_on(progress: RunProgress, offset: int, when_whole: Stage) -> RunProgress:
    whole = offset >= len(progress.command.label.raster)
    return replace(progress, offset=offset, stage=when_whole if whole else Stage.DATA)


def _label_again(progress: RunProgress, rc: int) -> Outcome:
    """Carry the label again from BEGIN, a few times: the machine may have dropped it at a reset."""
    if progress.label_starts >= LABEL_STARTS_LIMIT or rc == Rc.DIGEST:
        return refusal(rc)
    return replace(progress, stage=Stage.BEGIN, offset=0)


def _after_run(progress: RunProgress, rc: int, payload: bytes) -> Outcome:
    if rc == Rc.OK:
        return _known(packets.unpack_job_state(payload).state)
    if rc != Rc.NO_LABEL:
        return refusal(rc)
    whole = progress.offset >= len(progress.command.label.raster)
    if whole and progress.label_starts == 1:
        # All bytes were there at BEGIN, from before a loss of the link, but not committed.
        return replace(progress, stage=Stage.COMMIT, label_starts=2)
    return _label_again(progress, rc)
