"""Verdict, resolve and abort in the queue: before runs, durable, repeated harmlessly, and what an abort does to a waiting run."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge import spool as spool_module
from firmware_bridge.contract import Command, decode_event, encode
from firmware_bridge.inbox import Inbox
from firmware_bridge.intake import Intake
from firmware_bridge.packets import EventKind, Op, Rc
from firmware_bridge.spool import Spool
from firmware_bridge.work_queue import Work, WorkQueue
from tests.bridge.orders import abort_command, resolve_command, run_command, verdict_command
from tests.bridge.scripted_machine import ScriptedMachine

DEVICE = "packager-1"
RUN = run_command(1)
JOB = bytes.fromhex(RUN.job)


class Desk:
    """A spool, its intake, and a queue that a scripted machine answers without a line between them."""

    def __init__(self, folder: Path) -> None:
        self.machine = ScriptedMachine()
        self.now_s = 100.0
        self._path = folder / "spool.db"
        self._start()

    def restart(self) -> None:
        """Begin again with what is durable, as after a power cut of the bridge."""
        self.spool.close()
        self._start()

    def _start(self) -> None:
        self.spool = Spool(self._path)
        self.queue = WorkQueue(self.spool, DEVICE, lambda: datetime.now(UTC))
        self.queue.reload()

    def take(self, *commands: Command) -> None:
        for command in commands:
            Intake(self.spool, DEVICE, Inbox()).command(encode(command))
        self.queue.reload()

    def next(self, *, later_s: float = 0.0) -> Work | None:
        wall_s = time.time() + later_s
        decision = self.queue.decision_to_ask(self.now_s, wall_s)
        return decision or self.queue.run_to_ask(self.now_s, wall_s, may_start=True)

    def step(self, *, is_heard: bool = True) -> Op | None:
        """Ask the machine what is next; without `is_heard` its answer is lost, and so is the link."""
        work = self.next()
        if work is None:
            return None
        asked = self.queue.ask(work)
        answer = self.machine.answer(asked.op, asked.payload)
        if is_heard:
            self.queue.answered(work, answer[0], answer, self.now_s)
            self.queue.finish_taken()
        else:
            self.queue.forget_progress()
        return asked.op

    def until_idle(self) -> list[Op]:
        asked: list[Op] = []
        while (op := self.step()) is not None:
            asked.append(op)
        return asked

    def until(self, op: Op, *, is_heard: bool = True) -> None:
        """Ask until the next request is `op`, and then that one."""
        while True:
            work = self.next()
            assert work is not None
            is_last = self.queue.ask(work).op == op
            self.step(is_heard=is_heard or not is_last)
            if is_last:
                return

    def refusals(self) -> list[tuple[Any, Any]]:
        events = [decode_event(pending.message) for pending in self.spool.pending(DEVICE, 0, 50)]
        return [(event.data["command"], event.data["rc"]) for event in events if event.kind == "refused"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.spool.close()


def doubtful(desk: Desk) -> tuple[int, int]:
    """Let the machine fall into doubt over the run; return the event that tells it."""
    desk.take(RUN)
    desk.until_idle()
    return desk.machine.fall_into_doubt(JOB, 0)


def test_verdict_goes_before_resolve_before_abort_before_runs(desk: Desk) -> None:
    desk.take(
        RUN,
        abort_command(2, "77" * 16),
        resolve_command(3, RUN.job, 3, 22, 1),
        verdict_command(4, RUN.job, 3, 17, "PASS"),
    )
    assert desk.until_idle()[:4] == [Op.VERDICT, Op.RESOLVE, Op.ABORT, Op.LABEL_BEGIN]


def test_verdict_that_waits_for_a_busy_machine_does_not_hold_back_a_resolve(desk: Desk) -> None:
    desk.take(verdict_command(1, RUN.job, 3, 17, "PASS"), resolve_command(2, RUN.job, 3, 22, 1))
    work = desk.next()
    assert work is not None
    desk.queue.ask(work)
    desk.queue.answered(work, Rc.BUSY, bytes([Rc.BUSY]), desk.now_s)
    assert desk.step() == Op.RESOLVE
    assert desk.step() is None
    desk.now_s += 1
    assert desk.step() == Op.VERDICT


def test_resolve_is_carried_out_and_repeating_it_books_nothing_twice(desk: Desk) -> None:
    doubt = doubtful(desk)
    desk.take(resolve_command(2, RUN.job, *doubt, 1))
    before = desk.machine.cassettes[5][1]
    assert desk.step(is_heard=False) == Op.RESOLVE
    desk.restart()
    assert desk.until_idle() == [Op.RESOLVE]
    assert desk.machine.cassettes[5][1] == before - 1
    assert desk.refusals() == []
    assert desk.queue.queued == 0


def test_resolve_of_a_doubt_told_anew_is_refused(desk: Desk) -> None:
    boot, event = doubtful(desk)
    desk.machine.boot += 1
    desk.take(resolve_command(2, RUN.job, boot, event, 1))
    desk.until_idle()
    assert desk.refusals() == [("resolve-2", "STALE_EVENT")]
    assert desk.queue.take_refused()
    assert not desk.queue.take_refused()


@pytest.mark.parametrize(
    "late", [resolve_command(2, RUN.job, 3, 22, 1, seconds=-1), abort_command(2, RUN.job, seconds=-1)]
)
def test_late_decision_is_refused_as_expired_and_the_run_goes_on(desk: Desk, late: Command) -> None:
    desk.take(RUN, late)
    assert Op.JOB_RUN in desk.until_idle()
    assert desk.refusals() == [(late.command, "EXPIRED")]


@pytest.mark.parametrize(
    "late", [resolve_command(2, RUN.job, 3, 22, 1, seconds=-1), abort_command(2, RUN.job, seconds=-1)]
)
def test_late_decision_is_refused_even_without_a_machine(desk: Desk, late: Command) -> None:
    desk.take(late)
    desk.queue.expire(time.time())
    assert desk.refusals() == [(late.command, "EXPIRED")]
    assert desk.queue.take_refused()


@pytest.mark.parametrize("decision", [resolve_command(2, RUN.job, 3, 22, 1), abort_command(2, RUN.job)])
def test_decision_that_the_machine_may_have_taken_does_not_expire(desk: Desk, decision: Command) -> None:
    desk.take(decision)
    assert desk.step(is_heard=False) is not None
    desk.restart()
    desk.queue.expire(time.time() + 3600)
    assert desk.refusals() == []
    assert desk.next(later_s=3600) is not None


def test_abort_of_a_run_that_was_never_sent_ends_it_in_the_spool(desk: Desk) -> None:
    desk.take(RUN, run_command(2), abort_command(3, RUN.job))
    asked = desk.until_idle()
    assert Op.ABORT not in asked
    assert desk.refusals() == [("run-1", "ABORTED")]
    assert list(desk.machine.jobs) == [bytes.fromhex(run_command(2).job)]


def test_abort_of_a_run_that_was_never_sent_needs_no_machine(desk: Desk) -> None:
    desk.take(RUN, abort_command(2, RUN.job))
    desk.queue.expire(time.time())
    assert desk.refusals() == [("run-1", "ABORTED")]
    assert desk.queue.queued == 0
    assert desk.queue.take_refused()
    desk.restart()
    assert desk.until_idle() == []


@pytest.mark.parametrize("answer", [b"\0\0\0\0\0", bytes([Rc.BUSY]), bytes([Rc.UNSUPPORTED])])
def test_abort_while_the_label_is_on_its_way_ends_the_run_and_the_answer_is_ignored(desk: Desk, answer: bytes) -> None:
    desk.take(RUN)
    work = desk.next()
    assert work is not None
    request = desk.queue.ask(work)
    assert request.op == Op.LABEL_BEGIN
    desk.take(abort_command(2, RUN.job))
    desk.queue.expire(time.time())
    assert desk.queue.answered(work, answer[0], answer, desk.now_s) is None
    assert desk.until_idle() == []
    assert desk.refusals() == [("run-1", "ABORTED")]


def test_run_that_was_taken_but_not_written_down_is_asked_for_after_a_crash_and_moves_nothing_twice(desk: Desk) -> None:
    desk.take(RUN)
    desk.until(Op.LABEL_COMMIT)
    work = desk.next()
    assert work is not None
    asked = desk.queue.ask(work)
    answer = desk.machine.answer(asked.op, asked.payload)
    assert asked.op == Op.JOB_RUN
    assert desk.queue.answered(work, answer[0], answer, desk.now_s) is None
    before = list(desk.machine.jobs)
    desk.restart()
    assert desk.until_idle() == [Op.JOB_QUERY, Op.JOB_RUN]
    assert list(desk.machine.jobs) == before
    desk.restart()
    assert desk.until_idle() == []


def test_abort_of_a_run_that_the_machine_has_goes_to_the_machine(desk: Desk) -> None:
    desk.machine.holds_jobs = True
    desk.take(RUN)
    desk.until_idle()
    desk.take(abort_command(2, RUN.job))
    assert desk.step(is_heard=False) == Op.ABORT
    assert desk.until_idle() == [Op.ABORT]
    assert desk.machine.jobs[JOB][1] == 8
    assert desk.refusals() == []


def test_run_whose_answer_was_lost_is_aborted_by_the_machine_and_not_run_again(desk: Desk) -> None:
    desk.machine.holds_jobs = True
    desk.take(RUN)
    desk.until(Op.JOB_RUN, is_heard=False)
    desk.take(abort_command(2, RUN.job))
    assert desk.until_idle() == [Op.ABORT, Op.JOB_QUERY, Op.JOB_RUN]
    assert desk.machine.jobs[JOB][1] == 8
    assert desk.refusals() == []


def test_run_that_was_sent_but_never_arrived_ends_with_its_abort(desk: Desk) -> None:
    desk.machine.answers_to_run = [Rc.BUSY]
    desk.take(RUN)
    desk.until(Op.JOB_RUN)
    desk.take(abort_command(2, RUN.job))
    assert desk.until_idle() == [Op.ABORT]
    desk.now_s += 10
    assert desk.until_idle() == []
    assert desk.refusals() == [("run-1", "ABORTED")]
    assert desk.machine.jobs == {}


def test_abort_of_a_job_that_has_begun_is_refused_as_busy(desk: Desk) -> None:
    desk.take(RUN)
    desk.until_idle()
    desk.machine.jobs[JOB] = (desk.machine.jobs[JOB][0], 2)
    desk.take(abort_command(2, RUN.job))
    assert desk.until_idle() == [Op.ABORT]
    assert desk.refusals() == [("abort-2", "BUSY")]


def test_abort_of_a_job_that_has_ended_is_refused_as_ended(desk: Desk) -> None:
    desk.take(RUN)
    desk.until_idle()
    desk.take(abort_command(2, RUN.job))
    desk.until_idle()
    assert desk.refusals() == [("abort-2", "ENDED")]


def test_run_that_comes_after_its_abort_is_never_started(desk: Desk) -> None:
    desk.take(abort_command(2, RUN.job))
    assert desk.until_idle() == [Op.ABORT]
    assert desk.refusals() == [("abort-2", "UNKNOWN_JOB")]
    desk.restart()
    desk.take(RUN, run_command(3))
    desk.until_idle()
    assert desk.refusals() == [("abort-2", "UNKNOWN_JOB"), ("run-1", "ABORTED")]
    assert list(desk.machine.jobs) == [bytes.fromhex(run_command(3).job)]


def test_abort_ends_its_run_and_itself_together_or_not_at_all(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "EVENTS_LIMIT", 0)
    desk.take(RUN, abort_command(2, RUN.job))
    with pytest.raises(spool_module.SpoolFull):
        desk.queue.expire(time.time())
    assert [waiting.kind for waiting in desk.spool.waiting(DEVICE)] == ["run", "abort"]
    assert not desk.spool.is_aborted(DEVICE, RUN.job)
    monkeypatch.undo()
    desk.queue.expire(time.time())
    assert desk.refusals() == [("run-1", "ABORTED")]


def test_locked_machine_is_asked_again_until_the_lock_goes(desk: Desk) -> None:
    desk.machine.answers_to_run = [Rc.LOCKED, Rc.LOCKED]
    desk.take(RUN)
    desk.until(Op.JOB_RUN)
    assert desk.step() is None
    desk.now_s += 1
    assert desk.step() == Op.JOB_RUN
    desk.queue.heard([EventKind.LOCK])
    assert desk.step() == Op.JOB_RUN
    assert desk.refusals() == []
    assert JOB in desk.machine.jobs


def test_wrong_resolve_is_refused_as_invalid_with_its_field(desk: Desk) -> None:
    message = encode(resolve_command(2, RUN.job, 3, 22, 1)).replace(b'"counted":1', b'"counted":-1')
    Intake(desk.spool, DEVICE, Inbox()).command(message)
    desk.queue.reload()
    (pending,) = desk.spool.pending(DEVICE, 0, 5)
    refused = decode_event(pending.message)
    assert (refused.data["command"], refused.data["rc"]) == ("resolve-2", "INVALID")
    assert "$.counted" in str(refused.data["reason"])
    assert desk.until_idle() == []


def test_aborted_jobs_are_remembered_in_bounded_number(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "ABORTED_JOBS_KEPT", 3)
    jobs = [run_command(number).job for number in range(10)]
    for number, job in enumerate(jobs):
        desk.take(abort_command(number, job))
        desk.until_idle()
    assert [desk.spool.is_aborted(DEVICE, job) for job in jobs] == [False] * 7 + [True] * 3
    assert not desk.spool.is_aborted("packager-2", jobs[-1])
