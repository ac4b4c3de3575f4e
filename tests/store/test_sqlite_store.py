"""The SQLite store: the contract of every store, and what only SQLite can get wrong."""

import json
import logging
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest
from contract import StoreContract, kinds
from pysqlite3 import dbapi2 as sqlite
from store_records import MORNING, planned_doses

from hub.adapters import database
from hub.adapters.bookkeeping import Setting
from hub.adapters.database import UnsoundDatabase
from hub.adapters.ledger_export import verify_database
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import CommitUnknown, DatabaseInUse, Writer, WriterBusy, WriterClosed


class TestSqliteStore(StoreContract):
    """The contract on the embedded database."""


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET actor = 'mallory' WHERE seq = 1",
        "DELETE FROM ledger WHERE seq = 2",
        "DELETE FROM ledger",
        "INSERT OR REPLACE INTO ledger SELECT seq, at, 'mallory', kind, data, prev, hash FROM ledger WHERE seq = 1",
        "INSERT OR REPLACE INTO ledger SELECT seq, at, 'mallory', kind, data, prev, hash FROM ledger WHERE seq = 2",
        "INSERT INTO ledger SELECT seq + 2, at, actor, kind, data, prev, hash FROM ledger WHERE seq = 2",
        "INSERT INTO ledger SELECT seq + 1, at, actor, kind, data, prev, hash FROM ledger WHERE seq = 2",
        "UPDATE OR REPLACE ledger SET seq = 1 WHERE seq = 2",
    ],
)
@pytest.mark.parametrize("pragma", ["PRAGMA recursive_triggers = ON", "PRAGMA recursive_triggers = OFF"])
def test_the_database_refuses_to_change_the_ledger_even_to_a_stranger(tmp_path: Path, statement: str, pragma: str) -> None:
    path = tmp_path / "hub.db"
    with Writer(path, lambda: MORNING) as writer:
        writer.submit("a", lambda work: work.record_many("note", [{"n": 1}, {"n": 2}])).result()
    stranger = sqlite.connect(str(path), isolation_level=None)
    stranger.execute(pragma)
    with pytest.raises(sqlite.IntegrityError, match="append-only"):
        stranger.execute(statement)
    stranger.close()
    assert verify_database(path).entries == 2


def test_decisions_that_wait_share_one_commit_and_fail_alone(tmp_path: Path) -> None:
    opened, entered, commits = threading.Event(), threading.Event(), []

    def hold(work: SqlUnitOfWork) -> None:
        entered.set()
        assert opened.wait(10)

    def fail(work: SqlUnitOfWork) -> None:
        work.record("note", {"n": "never"})
        raise LookupError

    with Writer(tmp_path / "hub.db", lambda: MORNING, before_commit=lambda: commits.append(1)) as writer:
        first = writer.submit("a", hold)
        assert entered.wait(10)
        answers: list[Future[int | None]] = [
            writer.submit("a", fail if n % 10 == 5 else lambda work: work.record("note", {})) for n in range(100)
        ]
        opened.set()
        first.result(10)
        outcomes = [answer.exception(10) for answer in answers]
        assert len(commits) == 2
    assert [n for n, outcome in enumerate(outcomes) if outcome is not None] == list(range(5, 100, 10))
    assert verify_database(tmp_path / "hub.db").entries == 90


def test_listeners_hear_of_changes_only_and_their_failures_harm_nobody(store: Writer, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[frozenset[str]] = []

    def broken(touched: frozenset[str]) -> None:
        raise RuntimeError("a broken listener")

    store.on_commit += [broken, heard.append]
    with caplog.at_level(logging.CRITICAL):
        store.submit("a", lambda work: work.doses.count()).result()
        store.submit("a", lambda work: work.record("note", {})).result()
        store.submit("a", lambda work: work.doses.count()).result()
        store.submit("a", lambda work: work.settings.put(Setting("a", "b"))).result()
        store.submit("a", lambda work: None).result()
    assert heard == [frozenset(), frozenset({"settings"})]
    assert store.commits == 2


def test_a_commit_of_unknown_end_fails_its_group_and_the_retry_finds_out(tmp_path: Path) -> None:
    """The commit takes place and its answer is lost, as when a disk reports an error after the fact."""
    troubles = ["after"]

    def lose_the_answer() -> None:
        if troubles:
            troubles.pop()
            work = writer._work
            assert work is not None
            work.connection.execute("COMMIT")
            raise sqlite.OperationalError("disk I/O error")

    def insert(work: SqlUnitOfWork) -> str:
        if work.settings.get("e1") is not None:
            return "exists"
        work.settings.put(Setting("e1", "x"))
        work.record("note", {})
        return "created"

    with Writer(tmp_path / "hub.db", lambda: MORNING, before_commit=lose_the_answer) as writer:
        with pytest.raises(CommitUnknown):
            writer.submit("a", insert).result()
        assert writer.submit("a", insert).result() == "exists"
        assert writer.submit("a", lambda work: work.record("note", {})).result() == 2
    assert verify_database(tmp_path / "hub.db").entries == 2


def test_a_commit_that_did_not_take_place_leaves_the_chain_sound(tmp_path: Path) -> None:
    troubles = [1]

    def fail() -> None:
        if troubles:
            troubles.pop()
            raise sqlite.OperationalError("disk I/O error")

    with Writer(tmp_path / "hub.db", lambda: MORNING, before_commit=fail) as writer:
        with pytest.raises(CommitUnknown):
            writer.submit("a", lambda work: work.record("note", {"n": 1})).result()
        assert writer.submit("a", lambda work: work.record("note", {"n": 2})).result() == 1
    assert verify_database(tmp_path / "hub.db").fault is None


def test_a_full_database_refuses_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    def shrink(work: SqlUnitOfWork) -> None:
        pages = work.connection.execute("PRAGMA page_count").fetchone()[0]
        work.connection.execute(f"PRAGMA max_page_count = {pages + 4}").fetchall()

    def widen(work: SqlUnitOfWork) -> None:
        work.connection.execute("PRAGMA max_page_count = 1000000").fetchall()

    with Writer(tmp_path / "hub.db", lambda: MORNING) as writer:
        writer.submit("a", lambda work: work.record("note", {})).result()
        writer.submit("a", shrink).result()
        with pytest.raises((CommitUnknown, sqlite.OperationalError), match="full"):
            writer.submit("a", lambda work: work.doses.put_many(planned_doses(2000))).result()
        writer.submit("a", widen).result()
        writer.submit("a", lambda work: work.doses.put_many(planned_doses(2000))).result()
        assert writer.submit("a", lambda work: work.record("note", {})).result() == 2
    assert verify_database(tmp_path / "hub.db").entries == 2


def test_the_queue_is_bounded(tmp_path: Path) -> None:
    opened, entered = threading.Event(), threading.Event()

    def hold(work: SqlUnitOfWork) -> None:
        entered.set()
        assert opened.wait(10)

    with Writer(tmp_path / "hub.db", lambda: MORNING, longest_queue=3) as writer:
        writer.submit("a", hold)
        assert entered.wait(10)
        answers = [writer.submit("a", kinds) for _ in range(3)]
        with pytest.raises(WriterBusy):
            writer.submit("a", kinds)
        assert answers[2].cancel()
        opened.set()
        assert answers[1].result(10) == []


def test_closing_serves_what_waits_and_leaves_one_file(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "hub.db", lambda: MORNING)
    answers = [writer.submit("a", lambda work: work.record("note", {})) for _ in range(50)]
    writer.close()
    assert sorted(answer.result(0) for answer in answers) == list(range(1, 51))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hub.db", "hub.db.lock"]
    with pytest.raises(WriterClosed):
        writer.submit("a", kinds)
    writer.close()


def test_there_is_one_writer_of_a_file(store: Writer) -> None:
    with pytest.raises(DatabaseInUse):
        Writer(store.path, lambda: MORNING)


def test_an_old_sqlite_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "OLDEST_SQLITE", (99, 0, 0))
    with pytest.raises(UnsoundDatabase, match=r"99\.0\.0 or later"):
        Writer(tmp_path / "hub.db", lambda: MORNING)


@pytest.mark.parametrize("trigger", sorted(database.LEDGER_TRIGGERS))
def test_a_ledger_without_its_triggers_is_not_opened(tmp_path: Path, trigger: str) -> None:
    path = tmp_path / "hub.db"
    Writer(path, lambda: MORNING).close()
    stranger = sqlite.connect(str(path))
    stranger.execute(f"DROP TRIGGER {trigger}")
    stranger.close()
    with pytest.raises(UnsoundDatabase, match=trigger):
        Writer(path, lambda: MORNING)


@pytest.mark.parametrize("pragma", ["journal_mode = DELETE", "synchronous = NORMAL", "recursive_triggers = OFF"])
def test_a_connection_that_is_less_than_durable_is_refused(tmp_path: Path, pragma: str) -> None:
    connection = database.open_writer(tmp_path / "hub.db")
    connection.execute(f"PRAGMA {pragma}").fetchall()
    with pytest.raises(UnsoundDatabase, match=pragma.split(maxsplit=1)[0]):
        database.check(connection)
    connection.close()


def test_statements_find_their_rows_by_an_index(store: Writer) -> None:
    def plan(work: SqlUnitOfWork, condition: str) -> str:
        return json.dumps(work.connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM {condition}").fetchall())

    for condition in (
        "doses WHERE state = 'planned' ORDER BY due",
        "doses WHERE state IN (SELECT value FROM json_each('[]'))",
        "packs WHERE job = 'x'",
        "commands WHERE device = 'x' AND done = 0 ORDER BY seq",
        "orders WHERE patient = 'x'",
    ):
        assert "USING INDEX" in store.submit("a", lambda work, asked=condition: plan(work, asked)).result(), condition
