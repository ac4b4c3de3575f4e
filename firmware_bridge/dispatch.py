"""What to ask the machine next for one command, and what its answer means (docs/protocol.md section 3); pure.

A run goes QUERY (only where the machine may know the job) > BEGIN > DATA ... > COMMIT > RUN. It ends taken, or refused with nothing moved.
"""

from dataclasses import dataclass, replace
from enum import Enum

from firmware_bridge import packets
from firmware_bridge.contract import RunCommand, VerdictCommand
from firmware_bridge.packets import JobState, Op, Rc

BUSY_WAIT_S = 0.25
STOPPED_WAIT_S = 0.5
STOPPED_PATIENCE_S = 60.0
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
    Rc.STALE_EVENT: "the machine no longer waits for this verdict",
    Rc.UNSUPPORTED: "the machine cannot do this",
    Rc.EMPTY: "a cassette holds fewer tablets than asked for",
    Rc.STOPPED: "the machine is stopped and waits for a person",
}
EXPIRED_REASON = "the command came too late to be carried out"


class Stage(Enum):
    """How far a run is."""

    QUERY = "query"
    BEGIN = "begin"
    DATA = "data"
    COMMIT = "commit"
    RUN = "run"


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
class RunProgress:
    """A run under way; nothing is asked before `not_before_s`."""

    command: RunCommand
    stage: Stage
    offset: int = 0
    label_starts: int = 0
    offset_corrections: int = 0
    stopped_since_s: float | None = None
    not_before_s: float = 0.0


@dataclass(frozen=True)
class VerdictProgress:
    """A verdict under way; repeating it is harmless, for it names the event that it answers."""

    command: VerdictCommand
    not_before_s: float = 0.0


Progress = RunProgress | VerdictProgress
Outcome = Progress | Taken | Refuse

EXPIRED = Refuse("EXPIRED", EXPIRED_REASON)


def refusal(rc: int) -> Refuse:
    """Return the refusal for an answer of the machine."""
    if rc not in set(Rc):
        return Refuse(f"RC_{rc}", "the machine refused for a reason unknown to the bridge")
    return Refuse(Rc(rc).name, REASONS.get(Rc(rc), "the machine refused"))


def start(command: RunCommand | VerdictCommand, *, may_be_known: bool) -> Progress:
    """Return the first step; a run that the machine may know is queried before it is sent again."""
    if isinstance(command, VerdictCommand):
        return VerdictProgress(command)
    return RunProgress(command, Stage.QUERY if may_be_known else Stage.BEGIN)


def may_expire(progress: Progress, *, sent: bool) -> bool:
    """Tell whether it is certain that nothing has moved for this command, so that lateness may end it."""
    if isinstance(progress, RunProgress):
        return progress.stage is not Stage.QUERY
    return not sent


def ask(progress: Progress) -> Ask:
    """Return the next request of a command."""
    if isinstance(progress, VerdictProgress):
        verdict = progress.command
        job = bytes.fromhex(verdict.job)
        payload = packets.pack_verdict(job, verdict.slot, verdict.boot, verdict.event, verdict.verdict)
        return Ask(Op.VERDICT, payload)
    return _ask_run(progress)


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
        case Stage.RUN:
            return Ask(Op.JOB_RUN, packets.pack_job_run(job, label, progress.command.slots))


def after(progress: Progress, rc: int, payload: bytes, now_s: float) -> Outcome:
    """Return what the answer to `ask(progress)` means; raise DecodeError for an answer that cannot be read."""
    if isinstance(progress, VerdictProgress):
        return _after_verdict(progress, rc, now_s)
    if rc == Rc.BUSY:
        return replace(progress, not_before_s=now_s + BUSY_WAIT_S, stopped_since_s=None)
    if rc == Rc.STOPPED:
        return _after_stopped(progress, now_s)
    match progress.stage:
        case Stage.QUERY:
            return _after_query(progress, rc, payload)
        case Stage.BEGIN:
            return _after_begin(progress, rc, payload)
        case Stage.DATA:
            return _after_data(progress, rc, payload)
        case Stage.COMMIT:
            return replace(progress, stage=Stage.RUN) if rc == Rc.OK else _label_again(progress, rc)
        case Stage.RUN:
            return _after_run(progress, rc, payload)


def _after_verdict(progress: VerdictProgress, rc: int, now_s: float) -> Outcome:
    if rc == Rc.BUSY:
        return replace(progress, not_before_s=now_s + BUSY_WAIT_S)
    return Taken() if rc == Rc.OK else refusal(rc)


def _after_stopped(progress: RunProgress, now_s: float) -> Outcome:
    since_s = now_s if progress.stopped_since_s is None else progress.stopped_since_s
    if now_s - since_s >= STOPPED_PATIENCE_S:
        return refusal(Rc.STOPPED)
    return replace(progress, stopped_since_s=since_s, not_before_s=now_s + STOPPED_WAIT_S)


def _after_query(progress: RunProgress, rc: int, payload: bytes) -> Outcome:
    if rc == Rc.OK:
        state = packets.unpack_job_query(payload).state
        return replace(progress, stage=Stage.BEGIN) if state == JobState.NONE else _known(state)
    return replace(progress, stage=Stage.BEGIN) if rc == Rc.UNKNOWN_JOB else refusal(rc)


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
        return _known(packets.unpack_job_run(payload).state)
    if rc != Rc.NO_LABEL:
        return refusal(rc)
    whole = progress.offset >= len(progress.command.label.raster)
    if whole and progress.label_starts == 1:
        # All bytes were there at BEGIN, from before a loss of the link, but not committed.
        return replace(progress, stage=Stage.COMMIT, label_starts=2)
    return _label_again(progress, rc)
