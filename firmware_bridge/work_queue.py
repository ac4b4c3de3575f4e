"""The commands that wait for one machine: which is next, and what is written down about it before and after."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from firmware_bridge import dispatch
from firmware_bridge.contract import RunCommand, VerdictCommand, decode_command
from firmware_bridge.dispatch import Ask, Refuse, Taken
from firmware_bridge.packets import Op
from firmware_bridge.spool import Refusal, Spool, WaitingCommand


@dataclass
class Work:
    """One command under way."""

    waiting: WaitingCommand
    progress: dispatch.Progress


class WorkQueue:
    """Verdicts and runs of one machine, each kind one at a time in order of arrival."""

    def __init__(self, spool: Spool, device: str) -> None:
        self._spool = spool
        self._device = device
        self._waiting: dict[int, WaitingCommand] = {}
        self._highest_id = 0
        self._verdict: Work | None = None
        self._run: Work | None = None

    @property
    def queued(self) -> int:
        """Return the number of commands that are not done."""
        return len(self._waiting)

    def reload(self) -> bool:
        """Take over what was spooled since; return whether a `status` command was among it (it is done by this)."""
        asked_for_status = False
        for command in self._spool.waiting(self._device, self._highest_id):
            self._highest_id = command.id
            if command.kind == "status":
                self._spool.finish(self._device, command.id)
                asked_for_status = True
            else:
                self._waiting[command.id] = command
        return asked_for_status

    def forget_progress(self) -> None:
        """Begin anew with what is under way: the link was lost, so the machine is to be asked first."""
        self._verdict = None
        self._run = None

    def hurry(self) -> None:
        """Let a run that waits for the machine be asked again at once."""
        if self._run is not None:
            self._run.progress = replace(self._run.progress, not_before_s=0.0)

    def next_due_s(self) -> float | None:
        """Return the earliest time at which work under way may be asked again, or None without any."""
        under_way = [work.progress.not_before_s for work in (self._verdict, self._run) if work is not None]
        return min(under_way, default=None)

    def verdict_to_ask(self, now_s: float, wall_s: float) -> Work | None:
        """Return the verdict to carry to the machine now."""
        if self._verdict is None:
            self._verdict = self._start("verdict")
        return self._askable(self._verdict, now_s, wall_s)

    def run_to_ask(self, now_s: float, wall_s: float, *, may_start: bool) -> Work | None:
        """Return the run to carry on with now; without `may_start` only one that must be queried."""
        if self._run is None:
            self._run = self._start("run")
        work = self._run
        if work is None or (not may_start and dispatch.may_expire(work.progress, sent=True)):
            return None
        return self._askable(work, now_s, wall_s)

    def ask(self, work: Work) -> Ask:
        """Return the request; what may move something is marked in the spool before."""
        request = dispatch.ask(work.progress)
        if request.op in {Op.JOB_RUN, Op.VERDICT} and not work.waiting.sent:
            self._spool.mark_sent(work.waiting.id)
            work.waiting = replace(work.waiting, sent=True)
            self._waiting[work.waiting.id] = work.waiting
        return request

    def answered(self, work: Work, rc: int, payload: bytes, now_s: float) -> Refuse | None:
        """Take the machine's answer; return the refusal that it led to, if any."""
        outcome = dispatch.after(work.progress, rc, payload, now_s)
        if isinstance(outcome, Taken):
            self._finish(work.waiting, None)
        elif isinstance(outcome, Refuse):
            self._finish(work.waiting, outcome)
            return outcome
        else:
            work.progress = outcome
        return None

    def expire(self, wall_s: float) -> None:
        """Refuse what has come too late and was never told to the machine."""
        for waiting in list(self._waiting.values()):
            late = wall_s >= waiting.expires_at_s and not self._may_be_known(waiting)
            if late and not self._is_under_way(waiting):
                self._finish(waiting, dispatch.EXPIRED)

    def _start(self, kind: str) -> Work | None:
        waiting = next((command for command in self._waiting.values() if command.kind == kind), None)
        if waiting is None:
            return None
        command = decode_command(self._spool.message(waiting.id))
        assert isinstance(command, RunCommand | VerdictCommand)
        return Work(waiting, dispatch.start(command, may_be_known=self._may_be_known(waiting)))

    def _askable(self, work: Work | None, now_s: float, wall_s: float) -> Work | None:
        if work is None or now_s < work.progress.not_before_s:
            return None
        if wall_s >= work.waiting.expires_at_s and dispatch.may_expire(work.progress, sent=work.waiting.sent):
            self._finish(work.waiting, dispatch.EXPIRED)
            return None
        return work

    def _may_be_known(self, waiting: WaitingCommand) -> bool:
        if waiting.kind == "run" and waiting.job is not None:
            return waiting.sent or self._spool.job_was_sent(self._device, waiting.job)
        return waiting.sent

    def _is_under_way(self, waiting: WaitingCommand) -> bool:
        return any(work is not None and work.waiting.id == waiting.id for work in (self._verdict, self._run))

    def _finish(self, waiting: WaitingCommand, refuse: Refuse | None) -> None:
        refusal = None if refuse is None else Refusal(waiting.command, waiting.job, refuse.rc, refuse.reason)
        self._spool.finish(self._device, waiting.id, refusal, datetime.now(UTC))
        del self._waiting[waiting.id]
        if self._verdict is not None and self._verdict.waiting.id == waiting.id:
            self._verdict = None
        if self._run is not None and self._run.waiting.id == waiting.id:
            self._run = None
