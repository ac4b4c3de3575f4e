"""The commands that wait for one machine: which is next, and what is written down about it before and after."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from firmware_bridge import dispatch
from firmware_bridge.contract import StatusCommand, decode_command
from firmware_bridge.dispatch import Ask, NothingThere, Refuse, Taken
from firmware_bridge.packets import EventKind, Op
from firmware_bridge.spool import Refusal, Spool, WaitingCommand

DECISIONS = ("verdict", "resolve", "abort")
ROOM_MAKERS = frozenset(
    {EventKind.DONE, EventKind.READY, EventKind.RELEASED, EventKind.DIVERTED, EventKind.LOCK, EventKind.RESOLVED}
)
MAY_MOVE_SOMETHING = frozenset({Op.JOB_RUN, Op.VERDICT, Op.RESOLVE, Op.ABORT})


@dataclass
class Work:
    """One command under way."""

    waiting: WaitingCommand
    progress: dispatch.Progress


class WorkQueue:
    """Decisions and runs of one machine, each kind one at a time in order of arrival."""

    def __init__(self, spool: Spool, device: str, now: Callable[[], datetime]) -> None:
        self._spool = spool
        self._device = device
        self._now = now
        self._waiting: dict[str, dict[int, WaitingCommand]] = {kind: {} for kind in (*DECISIONS, "run")}
        self._under_way: dict[str, Work] = {}
        self._highest_id = 0
        self._has_refused = False
        self._taken: list[WaitingCommand] = []

    @property
    def queued(self) -> int:
        """Return the number of commands that are not done."""
        return sum(len(waiting) for waiting in self._waiting.values())

    def reload(self) -> bool:
        """Take over what was spooled since; return whether a `status` command was among it (it is done by this)."""
        asked_for_status = False
        for command in self._spool.waiting(self._device, self._highest_id):
            self._highest_id = command.id
            if command.kind == "status":
                self._spool.finish(self._device, command.id)
                asked_for_status = True
            else:
                self._waiting[command.kind][command.id] = command
        return asked_for_status

    def forget_progress(self) -> None:
        """Begin anew with what is under way: the link was lost, so the machine is to be asked first."""
        self._under_way.clear()

    def heard(self, kinds: Iterable[int]) -> None:
        """Let a run that waits for the machine be asked again at once where its events tell that it may have room."""
        run = self._under_way.get("run")
        if run is not None and not ROOM_MAKERS.isdisjoint(kinds):
            run.progress = dispatch.hurried(run.progress)

    def next_due_s(self) -> float | None:
        """Return the earliest time at which work under way may be asked again, or None without any."""
        return min((work.progress.not_before_s for work in self._under_way.values()), default=None)

    def decision_to_ask(self, now_s: float, wall_s: float) -> Work | None:
        """Return the decision to carry to the machine now: a verdict before a resolve, and that before an abort."""
        self._abort_unsent(wall_s)
        for kind in DECISIONS:
            work = self._askable(self._first(kind), now_s, wall_s)
            if work is not None:
                return work
        return None

    def run_to_ask(self, now_s: float, wall_s: float, *, may_start: bool) -> Work | None:
        """Return the run to carry on with now; without `may_start` only one that must be queried."""
        work = self._first("run")
        if work is None or (not may_start and dispatch.may_expire(work.progress, sent=True)):
            return None
        return self._askable(work, now_s, wall_s)

    def ask(self, work: Work, boots_before: int = 0) -> Ask:
        """Return the request; what may move something is marked in the spool before."""
        request = dispatch.ask(work.progress, boots_before)
        if request.op in MAY_MOVE_SOMETHING and not work.waiting.sent:
            self._spool.mark_sent(work.waiting.id)
            work.waiting = replace(work.waiting, sent=True)
            self._waiting[work.waiting.kind][work.waiting.id] = work.waiting
        return request

    def answered(self, work: Work, rc: int, payload: bytes, now_s: float) -> Refuse | None:
        """Take the machine's answer; return the refusal that it led to, if any."""
        if not self._is_waiting(work.waiting):
            # An abort ended this run while a piece of its label was on the way: the answer no longer matters.
            return None
        outcome = dispatch.after(work.progress, rc, payload, now_s)
        if isinstance(outcome, Taken):
            self._taken.append(work.waiting)
            self._forget(work.waiting)
        elif isinstance(outcome, Refuse):
            self._finish(work.waiting, outcome)
            return outcome
        elif isinstance(outcome, NothingThere):
            return self._abort_unknown(work.waiting)
        else:
            work.progress = outcome
        return None

    def expire(self, wall_s: float) -> None:
        """Refuse what has come too late or was called off, and was never told to the machine."""
        self._abort_unsent(wall_s)
        for waiting in self._all_waiting():
            late = wall_s >= waiting.expires_at_s and not self._may_be_known(waiting)
            if late and not self._is_under_way(waiting):
                self._finish(waiting, dispatch.EXPIRED)

    def finish_taken(self) -> None:
        """Write down what the machine took since the last call. Nobody waits for that: without it the machine is asked again, and moves nothing."""
        taken, self._taken = self._taken, []
        for waiting in taken:
            self._spool.finish(self._device, waiting.id)

    def take_refused(self) -> bool:
        """Tell, once, that refusals were written into the spool since the last call: they are to be sent to the hub."""
        has_refused, self._has_refused = self._has_refused, False
        return has_refused

    def _first(self, kind: str) -> Work | None:
        """Return the work of a kind that is under way, or begin with the one that came first."""
        if kind not in self._under_way:
            waiting = self._first_run() if kind == "run" else next(iter(self._waiting[kind].values()), None)
            if waiting is not None:
                self._under_way[kind] = self._begun(waiting)
        return self._under_way.get(kind)

    def _first_run(self) -> WaitingCommand | None:
        for run in list(self._waiting["run"].values()):
            if run.job is None or not self._spool.is_aborted(self._device, run.job):
                return run
            # The broker may bring a run after the abort of its job.
            self._finish(run, dispatch.ABORTED)
        return None

    def _begun(self, waiting: WaitingCommand) -> Work:
        command = decode_command(self._spool.message(waiting.id))
        assert not isinstance(command, StatusCommand)
        return Work(waiting, dispatch.start(command, may_be_known=self._may_be_known(waiting)))

    def _askable(self, work: Work | None, now_s: float, wall_s: float) -> Work | None:
        if work is None or now_s < work.progress.not_before_s:
            return None
        if wall_s >= work.waiting.expires_at_s and dispatch.may_expire(work.progress, sent=work.waiting.sent):
            self._finish(work.waiting, dispatch.EXPIRED)
            return None
        return work

    # Aborts

    def _abort_unsent(self, wall_s: float) -> None:
        """End what is called off in time and was never told to the machine: that needs no machine."""
        for abort in list(self._waiting["abort"].values()):
            runs = self._runs_of(abort)
            if runs and wall_s < abort.expires_at_s and not any(self._may_be_known(run) for run in runs):
                self._end_job(abort, runs, None)

    def _abort_unknown(self, abort: WaitingCommand) -> Refuse | None:
        """End the runs of a job of which the machine has nothing; without any, refuse the abort: nobody has the job."""
        runs = self._runs_of(abort)
        self._end_job(abort, runs, None if runs else dispatch.NOBODY_HAS_JOB)
        return dispatch.ABORTED if runs else dispatch.NOBODY_HAS_JOB

    def _runs_of(self, abort: WaitingCommand) -> list[WaitingCommand]:
        return [run for run in self._waiting["run"].values() if run.job == abort.job]

    def _end_job(self, abort: WaitingCommand, runs: Sequence[WaitingCommand], refuse: Refuse | None) -> None:
        assert abort.job is not None
        ends = [(run.id, _refusal(run, dispatch.ABORTED)) for run in runs]
        self._spool.abort(self._device, abort.job, [*ends, (abort.id, _refusal(abort, refuse))], self._now())
        self._has_refused = True
        for ended in (*runs, abort):
            self._forget(ended)

    # What is written down

    def _may_be_known(self, waiting: WaitingCommand) -> bool:
        if waiting.kind == "run" and waiting.job is not None:
            return waiting.sent or self._spool.job_was_sent(self._device, waiting.job)
        return waiting.sent

    def _all_waiting(self) -> list[WaitingCommand]:
        return [command for commands in self._waiting.values() for command in commands.values()]

    def _is_waiting(self, command: WaitingCommand) -> bool:
        return command.id in self._waiting[command.kind]

    def _is_under_way(self, waiting: WaitingCommand) -> bool:
        work = self._under_way.get(waiting.kind)
        return work is not None and work.waiting.id == waiting.id

    def _finish(self, waiting: WaitingCommand, refuse: Refuse) -> None:
        self._spool.finish(self._device, waiting.id, _refusal(waiting, refuse), self._now())
        self._has_refused = True
        self._forget(waiting)

    def _forget(self, waiting: WaitingCommand) -> None:
        del self._waiting[waiting.kind][waiting.id]
        if self._is_under_way(waiting):
            del self._under_way[waiting.kind]


def _refusal(waiting: WaitingCommand, refuse: Refuse | None) -> Refusal | None:
    return None if refuse is None else Refusal(waiting.command, waiting.job, refuse.rc, refuse.reason)
