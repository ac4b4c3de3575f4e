"""The one writer: a thread that owns the database, runs decisions in groups and answers after their commit.

It takes what is waiting, runs each decision in a savepoint of its own inside one transaction, commits once, and only then
answers. A decision that raises is rolled back alone. A commit that fails has an unknown outcome: every decision of the group
gets CommitUnknown, the connection is opened anew, and the callers repeat with the same ids.
"""

import asyncio
import fcntl
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, Generic, TypeVar

from pysqlite3 import dbapi2 as sqlite

from hub.adapters.database import open_reader, open_writer
from hub.adapters.unit_of_work import SqlUnitOfWork

Answered = TypeVar("Answered")
Decision = Callable[[SqlUnitOfWork], Answered]

LARGEST_GROUP = 256
LONGEST_QUEUE = 8_192

_log = logging.getLogger(__name__)


class CommitUnknown(RuntimeError):
    """The commit failed and nobody knows whether it took place: repeat with the same ids."""


class WriterBusy(RuntimeError):
    """More decisions are waiting than the writer keeps: come back later."""


class WriterClosed(RuntimeError):
    """The writer was closed."""


class DatabaseInUse(RuntimeError):
    """Another process is the writer of this database."""


@dataclass(frozen=True, slots=True)
class _Task(Generic[Answered]):
    """A decision and who waits for it: a future of threads, or one of an event loop, which then is named."""

    actor: str
    decision: Decision[Answered]
    answer: "Future[Answered] | asyncio.Future[Answered]"
    loop: asyncio.AbstractEventLoop | None = None

    def starts(self) -> bool:
        """Tell whether anybody still waits."""
        return self.answer.set_running_or_notify_cancel() if isinstance(self.answer, Future) else not self.answer.cancelled()


class _Line:
    """Tasks waiting for one thread, at most `longest` of them."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._tasks: SimpleQueue[_Task[Any] | None] = SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._ended = False

    def put(self, task: _Task[Any]) -> None:
        """Append a task; raise WriterBusy or WriterClosed."""
        with self._closing:
            if self._closed:
                raise WriterClosed("the store is closed")
            if self._tasks.qsize() >= self._longest:
                raise WriterBusy(f"{self._longest} decisions are waiting")
            self._tasks.put(task)

    def take(self, most: int) -> list[_Task[Any]]:
        """Wait for tasks and return up to `most`; none once the line is closed and empty."""
        taken: list[_Task[Any]] = []
        while not self._ended and len(taken) < most and not (taken and self._tasks.empty()):
            task = self._tasks.get()
            if task is None:
                self._ended = True
            else:
                taken.append(task)
        return taken

    def close(self) -> None:
        """Take no more tasks; those that wait are still served."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._tasks.put(None)


class Writer:
    """Owns the database file: one thread decides and commits, one reads.

    `clock` tells the hub's time (aware, read once a decision). `before_commit` is called right before each COMMIT (a test's
    slow disk). `on_commit` holds callbacks that get the names of the tables of records that were written to, after each group
    that changed something; they run in the writer's thread and must be quick.
    """

    def __init__(
        self,
        path: Path | str,
        clock: Callable[[], datetime],
        *,
        longest_queue: int = LONGEST_QUEUE,
        before_commit: Callable[[], None] | None = None,
    ) -> None:
        self.path = Path(path)
        self.on_commit: list[Callable[[frozenset[str]], None]] = []
        self._clock = clock
        self._before_commit = before_commit
        self._lock_file = _locked(self.path)
        self._commits = 0
        self._work: SqlUnitOfWork | None = None
        try:
            self._work = SqlUnitOfWork(open_writer(self.path))
            self._reading = SqlUnitOfWork(open_reader(self.path))
        except BaseException:
            if self._work is not None:
                self._work.connection.close()
            self._lock_file.close()
            raise
        self._waiting = _Line(longest_queue)
        self._queries = _Line(longest_queue)
        self._threads = (
            threading.Thread(target=self._write, name="store-writer", daemon=True),
            threading.Thread(target=self._read, name="store-reader", daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def submit(self, actor: str, decision: Decision[Answered]) -> "Future[Answered]":
        """Queue a decision; its future ends after the commit, or with what the decision raised, or with CommitUnknown."""
        return _queued(self._waiting, actor, decision)

    async def run(self, actor: str, decision: Decision[Answered]) -> Answered:
        """Have a decision made and committed; for callers on an event loop."""
        return await _awaited(self._waiting, actor, decision)

    def submit_read(self, query: Decision[Answered]) -> "Future[Answered]":
        """Queue a query on the read-only connection: it sees one committed state and can change nothing."""
        return _queued(self._queries, "reader", query)

    async def read(self, query: Decision[Answered]) -> Answered:
        """Have a query answered beside the writer; for callers on an event loop."""
        return await _awaited(self._queries, "reader", query)

    @property
    def commits(self) -> int:
        """How many groups that changed something were committed since the start."""
        return self._commits

    def close(self) -> None:
        """Serve what waits, end the threads, checkpoint and close the file; a second call does nothing."""
        self._waiting.close()
        self._queries.close()
        for thread in self._threads:
            thread.join()
        self._reading.connection.close()
        if self._work is not None:
            self._work.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._work.connection.close()
            self._work = None
        self._lock_file.close()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self) -> None:
        while group := self._waiting.take(LARGEST_GROUP):
            running = [task for task in group if task.starts()]
            try:
                outcomes, touched = self._commit_group(running)
            except Exception as error:  # noqa: BLE001 whatever failed, the group's outcome is unknown and the thread goes on
                self._abandon(running, error)
                continue
            _answer_all(running, outcomes)
            if touched is not None:
                self._tell(touched)

    def _commit_group(self, group: list[_Task[Any]]) -> tuple[list[Any], frozenset[str] | None]:
        """Run a group in one transaction; return what each decision returned or raised, and the tables touched; None: no change."""
        work = self._work or self._reopened()
        work.memory.touched.clear()
        execute = work.connection.execute
        before = work.connection.total_changes
        execute("BEGIN IMMEDIATE")
        outcomes = [self._decide(work, task, alone=len(group) == 1) for task in group]
        if self._before_commit is not None:
            self._before_commit()
        execute("COMMIT")
        return outcomes, frozenset(work.memory.touched) if work.connection.total_changes != before else None

    def _decide(self, work: SqlUnitOfWork, task: _Task[Any], *, alone: bool) -> Any:
        """Run one decision in its savepoint; a failure of the database that ended the transaction ends the group.

        A decision that is alone in its group needs no savepoint: the transaction is rolled back, and begun again to be committed.
        """
        execute = work.connection.execute
        head = work.ledger.head
        work.begin(task.actor, self._clock())
        if not alone:
            execute("SAVEPOINT decision")
        try:
            outcome = task.decision(work)
        except Exception as error:
            if not work.connection.in_transaction:
                raise
            execute("ROLLBACK" if alone else "ROLLBACK TO decision")
            work.ledger.rewind(head)
            work.memory.forget()
            outcome = _Raised(error)
            if alone:
                execute("BEGIN IMMEDIATE")
        if not alone:
            execute("RELEASE decision")
        return outcome

    def _reopened(self) -> SqlUnitOfWork:
        self._work = SqlUnitOfWork(open_writer(self.path))
        return self._work

    def _abandon(self, group: list[_Task[Any]], error: Exception) -> None:
        """Give up the connection, whose transaction has an unknown end; the next group opens a new one."""
        _log.error("a commit of %d decisions failed: %s", len(group), error)
        work, self._work = self._work, None
        if work is not None:
            try:
                work.connection.close()
            except sqlite.Error as second:
                _log.error("the broken connection could not be closed: %s", second)
        _answer_all(group, [_Raised(_unknown(error)) for _ in group])

    def _tell(self, touched: frozenset[str]) -> None:
        self._commits += 1
        for listener in self.on_commit:
            try:
                listener(touched)
            except Exception:  # noqa: BLE001 a listener must not end the writer
                _log.exception("a listener for commits failed")

    def _read(self) -> None:
        while tasks := self._queries.take(1):
            running = [task for task in tasks if task.starts()]
            _answer_all(running, [self._query(task) for task in running])

    def _query(self, task: _Task[Any]) -> Any:
        execute = self._reading.connection.execute
        try:
            self._reading.memory.forget()
            self._reading.begin(task.actor, self._clock())
            execute("BEGIN")
            return task.decision(self._reading)
        except Exception as error:  # noqa: BLE001 it is the caller's, who gets it
            return _Raised(error)
        finally:
            if self._reading.connection.in_transaction:
                execute("ROLLBACK")


@dataclass(frozen=True, slots=True)
class _Raised:
    error: Exception


def _queued(line: _Line, actor: str, decision: Decision[Answered]) -> "Future[Answered]":
    answer: Future[Answered] = Future()
    line.put(_Task(actor, decision, answer))
    return answer


async def _awaited(line: _Line, actor: str, decision: Decision[Answered]) -> Answered:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Answered] = loop.create_future()
    line.put(_Task(actor, decision, answer, loop))
    return await answer


def _answer_all(tasks: list[_Task[Any]], outcomes: list[Any]) -> None:
    """Answer a group; an event loop is woken once for all of its callers."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Any, Any]]] = {}
    for task, outcome in zip(tasks, outcomes, strict=True):
        if task.loop is None:
            _settle(task.answer, outcome)
        else:
            by_loop.setdefault(task.loop, []).append((task.answer, outcome))
    for loop, answers in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle_all, answers)
        except RuntimeError:
            _log.warning("the event loop of %d callers is closed: nobody hears their answers", len(answers))


def _settle_all(answers: list[tuple[Any, Any]]) -> None:
    for answer, outcome in answers:
        if not answer.done():
            _settle(answer, outcome)


def _settle(answer: Any, outcome: Any) -> None:
    if isinstance(outcome, _Raised):
        answer.set_exception(outcome.error)
    else:
        answer.set_result(outcome)


def _unknown(error: Exception) -> CommitUnknown:
    unknown = CommitUnknown(f"the commit failed: {error}")
    unknown.__cause__ = error
    return unknown


def _locked(path: Path) -> IO[bytes]:
    """Return the lock file of a database, held until it is closed or the process ends, however it ends."""
    lock_file = path.with_name(path.name + ".lock").open("ab")
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock_file.close()
        raise DatabaseInUse(f"{path} has another writer") from error
    return lock_file
