"""What the bridge asks for a command, step by step, and when it gives it back."""

import struct
from dataclasses import replace

import pytest

from firmware_bridge import dispatch
from firmware_bridge.contract import Decision
from firmware_bridge.dispatch import (
    DecisionProgress,
    NothingThere,
    Outcome,
    Progress,
    Refuse,
    RunProgress,
    Stage,
    Taken,
)
from firmware_bridge.packets import DecodeError, JobState, Op, Rc
from tests.bridge.orders import abort_command, resolve_command, run_command, verdict_command

COMMAND = run_command(1, frames=2)
LENGTH = len(COMMAND.label.raster)
OK = b"\0"


def offset(number: int, rc: int = 0) -> bytes:
    return struct.pack("<BI", rc, number)


def step(progress: Progress, payload: bytes, now_s: float = 0.0) -> Outcome:
    return dispatch.after(progress, payload[0], payload, now_s)


def at(stage: Stage) -> RunProgress:
    return RunProgress(COMMAND, stage, offset=LENGTH if stage in {Stage.COMMIT, Stage.RUN} else 0, label_starts=1)


def test_run_goes_from_label_to_run_and_is_taken() -> None:
    progress: Outcome = dispatch.start(COMMAND, may_be_known=False)
    asked = []
    answers = [offset(0), offset(200), offset(LENGTH), OK, struct.pack("<BBI", 0, JobState.ACCEPTED, 1)]
    for answer in answers:
        assert isinstance(progress, RunProgress)
        asked.append(dispatch.ask(progress).op)
        progress = step(progress, answer)
    assert asked == [Op.LABEL_BEGIN, *[Op.LABEL_DATA] * 2, Op.LABEL_COMMIT, Op.JOB_RUN]
    assert progress == Taken()


def test_run_that_the_machine_may_know_is_queried_first() -> None:
    progress = dispatch.start(COMMAND, may_be_known=True)
    assert dispatch.ask(progress).op == Op.JOB_QUERY
    known = step(progress, struct.pack("<BBBBI", 0, JobState.RUNNING, 0, 1, 9))
    assert isinstance(known, RunProgress) and known.stage is Stage.CONFIRM
    assert not dispatch.may_expire(known, sent=True)
    for unknown in (bytes([Rc.UNKNOWN_JOB]), struct.pack("<BBBBI", 0, JobState.NONE, 0, 0, 0)):
        after = step(progress, unknown)
        assert isinstance(after, RunProgress)
        assert after.stage is Stage.BEGIN


def test_known_job_is_run_once_more_so_that_another_content_is_found() -> None:
    confirm = replace(dispatch.start(COMMAND, may_be_known=True), stage=Stage.CONFIRM)
    assert dispatch.ask(confirm) == dispatch.ask(replace(confirm, stage=Stage.RUN))
    assert step(confirm, struct.pack("<BBI", 0, JobState.DONE, 9)) == Taken()
    assert step(confirm, bytes([Rc.CONFLICT])) == dispatch.refusal(Rc.CONFLICT)
    for odd in (Rc.BUSY, Rc.STOPPED, Rc.NO_LABEL, Rc.EMPTY):
        again = step(confirm, bytes([odd]))
        assert isinstance(again, RunProgress) and again.stage is Stage.QUERY


def test_label_that_the_machine_has_is_not_carried_again() -> None:
    after = step(dispatch.start(COMMAND, may_be_known=False), offset(LENGTH))
    assert isinstance(after, RunProgress)
    assert after.stage is Stage.RUN


def test_label_carried_whole_but_not_committed_is_committed_when_the_run_misses_it() -> None:
    run = step(dispatch.start(COMMAND, may_be_known=False), offset(LENGTH))
    assert isinstance(run, RunProgress)
    commit = step(run, bytes([Rc.NO_LABEL]))
    assert isinstance(commit, RunProgress)
    assert commit.stage is Stage.COMMIT


def test_label_goes_on_where_the_machine_says() -> None:
    begun = step(dispatch.start(COMMAND, may_be_known=False), offset(200))
    assert isinstance(begun, RunProgress)
    assert begun.offset == 200
    moved = step(begun, offset(40, Rc.OFFSET))
    assert isinstance(moved, RunProgress)
    assert (moved.stage, moved.offset) == (Stage.DATA, 40)


@pytest.mark.parametrize(
    ("rc", "name"),
    [
        (Rc.CONFLICT, "CONFLICT"),
        (Rc.CASSETTE_MISMATCH, "CASSETTE_MISMATCH"),
        (Rc.EMPTY, "EMPTY"),
        (Rc.BAD_REQUEST, "BAD_REQUEST"),
        (77, "RC_77"),
    ],
)
def test_refusal_of_the_machine_ends_the_run_with_a_plain_reason(rc: int, name: str) -> None:
    refused = step(at(Stage.RUN), bytes([rc]))
    assert isinstance(refused, Refuse)
    assert refused.rc == name
    assert len(refused.reason.split()) > 3


def test_label_that_is_not_its_digest_is_refused_at_once() -> None:
    assert isinstance(refused := step(at(Stage.COMMIT), bytes([Rc.DIGEST])), Refuse)
    assert refused.rc == "DIGEST"


def test_missing_label_is_carried_again_a_few_times_only() -> None:
    progress: Outcome = replace(at(Stage.RUN), label_starts=2)
    again = step(at(Stage.DATA), bytes([Rc.BAD_REQUEST]))
    assert isinstance(again, RunProgress)
    assert again.stage is Stage.BEGIN
    for _ in range(10):
        if isinstance(progress, Refuse):
            break
        assert isinstance(progress, RunProgress)
        progress = step(progress, bytes([Rc.NO_LABEL]) if progress.stage is Stage.RUN else offset(LENGTH))
    assert isinstance(progress, Refuse)
    assert progress.rc == "NO_LABEL"


def test_busy_machine_is_asked_again_soon() -> None:
    waiting = step(at(Stage.RUN), bytes([Rc.BUSY]), now_s=10.0)
    assert isinstance(waiting, RunProgress)
    assert waiting.stage is Stage.RUN
    assert 10.0 < waiting.not_before_s <= 10.5


def asked_in_a_minute(stage: Stage, rc: Rc) -> int:
    """Count how often a machine that never has room is asked."""
    progress, now_s, count = at(stage), 0.0, 0
    while now_s < 60.0:
        answered = step(progress, bytes([rc]), now_s)
        assert isinstance(answered, RunProgress)
        progress, now_s, count = answered, answered.not_before_s, count + 1
    return count


@pytest.mark.parametrize(("stage", "rc"), [(Stage.RUN, Rc.BUSY), (Stage.QUERY, Rc.BAD_REQUEST), (Stage.QUERY, Rc.SAFE_MODE)])
def test_machine_that_never_has_room_is_asked_ever_more_rarely(stage: Stage, rc: Rc) -> None:
    assert 15 <= asked_in_a_minute(stage, rc) <= 20


def test_event_that_tells_of_room_lets_the_machine_be_asked_at_once_and_soon_again() -> None:
    progress: Outcome = at(Stage.RUN)
    for now_s in range(10):
        assert isinstance(progress, RunProgress)
        progress = step(progress, bytes([Rc.BUSY]), float(now_s))
    assert isinstance(progress, RunProgress)
    hurried = dispatch.hurried(progress)
    assert hurried.not_before_s == 0.0
    again = step(hurried, bytes([Rc.BUSY]), 20.0)
    assert isinstance(again, RunProgress) and again.not_before_s == 20.0 + dispatch.BUSY_WAIT_S


@pytest.mark.parametrize("rc", [Rc.STOPPED, Rc.LOCKED])
def test_stopped_or_locked_machine_is_waited_for_but_not_for_ever(rc: Rc) -> None:
    progress: Outcome = at(Stage.RUN)
    now_s = 0.0
    while isinstance(progress, RunProgress):
        now_s = max(now_s + 0.01, progress.not_before_s)
        progress = step(progress, bytes([rc]), now_s)
    assert isinstance(progress, Refuse)
    assert progress.rc == rc.name
    assert len(progress.reason.split()) > 3
    assert dispatch.HELD_PATIENCE_S <= now_s < dispatch.HELD_PATIENCE_S + 1


def test_lock_after_a_stop_does_not_prolong_the_waiting() -> None:
    stopped = step(at(Stage.RUN), bytes([Rc.STOPPED]), 0.0)
    assert isinstance(stopped, RunProgress)
    refused = step(stopped, bytes([Rc.LOCKED]), dispatch.HELD_PATIENCE_S)
    assert isinstance(refused, Refuse)
    assert refused.rc == "LOCKED"


@pytest.mark.parametrize("stage", [Stage.BEGIN, Stage.DATA, Stage.COMMIT, Stage.RUN])
def test_safe_mode_refuses_a_run_at_once(stage: Stage) -> None:
    refused = step(at(stage), bytes([Rc.SAFE_MODE]))
    assert isinstance(refused, Refuse)
    assert refused.rc == "SAFE_MODE"


def test_run_that_a_machine_in_safe_mode_may_know_waits_until_it_can_say_so() -> None:
    waiting = step(dispatch.start(COMMAND, may_be_known=True), bytes([Rc.SAFE_MODE]), 10.0)
    assert isinstance(waiting, RunProgress)
    assert waiting.stage is Stage.QUERY
    assert waiting.not_before_s > 10.0


def test_machine_that_went_on_is_waited_for_anew_at_its_next_stop() -> None:
    stopped = step(at(Stage.RUN), bytes([Rc.STOPPED]), 0.0)
    assert isinstance(stopped, RunProgress)
    busy = step(stopped, bytes([Rc.BUSY]), 1.0)
    assert isinstance(busy, RunProgress)
    assert isinstance(step(busy, bytes([Rc.STOPPED]), 1000.0), RunProgress)


def test_verdict_is_taken_refused_or_asked_again() -> None:
    progress = dispatch.start(verdict_command(1, COMMAND.job, 3, 17, "PASS"), may_be_known=True)
    assert dispatch.ask(progress).op == Op.VERDICT
    assert step(progress, OK) == Taken()
    assert isinstance(refused := step(progress, bytes([Rc.STALE_EVENT])), Refuse)
    assert refused.rc == "STALE_EVENT"
    assert not isinstance(step(progress, bytes([Rc.BUSY])), Taken | Refuse)


RESOLVE = resolve_command(2, COMMAND.job, 3, 22, 1)
ABORT = abort_command(3, COMMAND.job)
VERDICT = verdict_command(1, COMMAND.job, 3, 17, "PASS")


def job_state(state: int) -> bytes:
    return struct.pack("<BBI", 0, state, 30)


def first(command: Decision, payload: bytes) -> Outcome:
    """Return what the answer to a decision that was never sent before comes to."""
    return step(dispatch.start(command, may_be_known=False), payload, 10.0)


def test_resolve_and_abort_are_asked_by_their_literal_bytes() -> None:
    job = bytes.fromhex(COMMAND.job)
    resolve = dispatch.ask(dispatch.start(RESOLVE, may_be_known=False))
    assert resolve == dispatch.Ask(Op.RESOLVE, job + bytes.fromhex("00 03000000 16000000 01"))
    assert dispatch.ask(dispatch.start(ABORT, may_be_known=False)) == dispatch.Ask(Op.ABORT, job)


def test_resolve_that_the_machine_takes_or_has_taken_is_done() -> None:
    assert first(RESOLVE, job_state(JobState.DIVERTED)) == Taken()


def test_resolve_of_an_older_doubt_is_refused_with_what_to_do() -> None:
    refused = first(RESOLVE, bytes([Rc.STALE_EVENT]))
    assert isinstance(refused, Refuse)
    assert refused.rc == "STALE_EVENT"
    assert "loss of power" in refused.reason
    assert "look again" in refused.reason


def test_resolve_with_too_many_tablets_is_refused_for_the_count() -> None:
    refused = first(RESOLVE, bytes([Rc.BAD_REQUEST]))
    assert isinstance(refused, Refuse)
    assert "count" in refused.reason


@pytest.mark.parametrize("command", [RESOLVE, VERDICT])
def test_verdict_or_resolve_for_a_busy_machine_is_asked_again_soon(command: Decision) -> None:
    waiting = first(command, bytes([Rc.BUSY]))
    assert isinstance(waiting, DecisionProgress)
    assert 10.0 < waiting.not_before_s <= 10.5


def test_abort_is_taken_when_the_machine_says_so() -> None:
    assert first(ABORT, job_state(JobState.ABORTED)) == Taken()


@pytest.mark.parametrize("answer", [bytes([Rc.UNKNOWN_JOB]), job_state(JobState.NONE), job_state(JobState.REFUSED)])
def test_abort_of_what_the_machine_does_not_have_is_left_to_the_bridge(answer: bytes) -> None:
    assert first(ABORT, answer) == NothingThere()


@pytest.mark.parametrize(
    ("answer", "rc", "word"),
    [
        (bytes([Rc.BUSY]), "BUSY", "begun"),
        (job_state(JobState.DONE), "ENDED", "done"),
        (job_state(JobState.DIVERTED), "ENDED", "diverted"),
        (job_state(JobState.AT_CAMERA), "REFUSED", "at-camera"),
        (bytes([Rc.UNSUPPORTED]), "UNSUPPORTED", "cannot"),
    ],
)
def test_abort_that_changes_nothing_is_refused_with_its_reason(answer: bytes, rc: str, word: str) -> None:
    refused = first(ABORT, answer)
    assert isinstance(refused, Refuse)
    assert refused.rc == rc
    assert word in refused.reason


@pytest.mark.parametrize("command", [RESOLVE, ABORT])
@pytest.mark.parametrize("answer", [b"\0", b"\0\5", b"\0\5\1\0\0\0\0", b"\0\x63\1\0\0\0"])
def test_answer_that_cannot_be_read_ends_nothing(command: Decision, answer: bytes) -> None:
    with pytest.raises(DecodeError):
        first(command, answer)


@pytest.mark.parametrize("command", [VERDICT, RESOLVE, ABORT])
def test_safe_mode_refuses_a_new_decision_and_holds_one_that_may_have_been_taken(command: Decision) -> None:
    refused = first(command, bytes([Rc.SAFE_MODE]))
    assert isinstance(refused, Refuse)
    assert refused.rc == "SAFE_MODE"
    held = step(dispatch.start(command, may_be_known=True), bytes([Rc.SAFE_MODE]), 10.0)
    assert isinstance(held, DecisionProgress)
    assert held.not_before_s > 10.0


def test_lateness_ends_a_command_only_when_nothing_can_have_moved() -> None:
    assert dispatch.may_expire(dispatch.start(COMMAND, may_be_known=False), sent=False)
    assert not dispatch.may_expire(dispatch.start(COMMAND, may_be_known=True), sent=True)
    verdict = dispatch.start(verdict_command(1, COMMAND.job, 3, 17, "PASS"), may_be_known=True)
    assert not dispatch.may_expire(verdict, sent=True)
    assert dispatch.may_expire(verdict, sent=False)
