"""Exports: the same bytes from a running or a closed store, verified in flat memory, and balances recomputed from them."""

import io
import json
import tracemalloc
from fractions import Fraction
from pathlib import Path

import pytest
from contract import move
from pysqlite3 import dbapi2 as sqlite

from hub.adapters.ledger_export import export, export_file, verify_database, verify_export, verify_lines, wrong_balances
from hub.adapters.ledger_store import entries
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.stock import STORE, SUPPLIER, WASTE


def _some_moves(work: SqlUnitOfWork) -> None:
    work.move(move(SUPPLIER, STORE, 10), "receipt")
    for _ in range(30):
        work.move(move(STORE, WASTE, Fraction(1, 3)), "wasted", reason="ж\n\U0001f600")


def test_an_export_beside_the_running_writer_is_the_chain(store: Writer, tmp_path: Path) -> None:
    store.submit("a", _some_moves).result()
    out = io.BytesIO()
    assert export(store.path, out) == 31
    assert export_file(store.path, tmp_path / "ledger.ndjson") == 31
    assert (tmp_path / "ledger.ndjson").read_bytes() == out.getvalue()
    found = verify_export(tmp_path / "ledger.ndjson")
    head = store.submit("a", lambda work: work.ledger.head).result()
    assert (found.entries, found.head, found.fault) == (*head, None)
    assert verify_database(store.path) == found
    first = json.loads(out.getvalue().splitlines()[0])
    assert list(first) == ["actor", "at", "data", "hash", "kind", "prev", "seq"]


def test_a_cut_or_lengthened_export_is_found(store: Writer, tmp_path: Path) -> None:
    store.submit("a", _some_moves).result()
    path = tmp_path / "ledger.ndjson"
    export_file(store.path, path)
    whole = path.read_bytes()
    for spoilt in (whole[:-1], whole + b" ", whole + b"\n", b"\n" + whole, b"\xef\xbb\xbf" + whole, whole.replace(b"\n", b"\r\n")):
        path.write_bytes(spoilt)
        assert verify_export(path).fault is not None


def test_a_row_changed_behind_the_triggers_is_found(store: Writer) -> None:
    store.submit("a", _some_moves).result()
    stranger = sqlite.connect(str(store.path), isolation_level=None)
    stranger.execute("DROP TRIGGER ledger_no_update")
    stranger.execute("UPDATE ledger SET data = replace(data, 'wasted', 'given') WHERE seq = 9")
    stranger.close()
    found = verify_database(store.path)
    assert found.fault is not None
    assert (found.entries, found.fault.seq) == (8, 9)


CHANGES = (
    "at = substr(at, 1, 18) || '9Z'", "at = at || ' '", "actor = actor || 'x'", "actor = ''", "kind = kind || 'x'", "kind = 'É'",
    "data = replace(data, '\"', '\" ')", "data = replace(data, 'STORE', 'WASTE') || ' '", "data = '[]'", "data = '{'", "data = NULL", "data = x'7b7d'",
    "data = '{\"quantity\":1.5}'", "prev = hash", "hash = prev", "hash = upper(hash)", "hash = 1", "seq = 400",
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_is_changed_in_a_row_is_found_there(store: Writer, change: str) -> None:
    store.submit("a", _some_moves).result()
    stranger = sqlite.connect(str(store.path), isolation_level=None)
    stranger.execute("DROP TRIGGER ledger_no_update")
    stranger.execute("PRAGMA writable_schema = ON")
    stranger.execute("UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE name = 'ledger'")
    stranger.close()
    stranger = sqlite.connect(str(store.path), isolation_level=None)
    stranger.execute(f"UPDATE ledger SET {change} WHERE seq = 9")
    stranger.close()
    found = verify_database(store.path)
    assert found.fault is not None and (found.entries, found.fault.seq) == (8, 9)


def test_balances_are_those_of_the_recomputed_moves(store: Writer) -> None:
    store.submit("a", _some_moves).result()
    assert list(wrong_balances(store.path)) == []
    stranger = sqlite.connect(str(store.path), isolation_level=None)
    stranger.execute("UPDATE balances SET numerator = 11 WHERE account = 'waste'")
    stranger.close()
    assert list(wrong_balances(store.path)) == [("waste", "D1", "L1", Fraction(10), Fraction(11))]


def test_entries_are_found_by_kind_and_by_what_they_are_about(store: Writer) -> None:
    store.submit("a", lambda work: work.record_many("dose-planned", [{"dose": f"d{n}", "order": "o1"} for n in range(12)])).result()
    store.submit("a", lambda work: work.record("pack-expected", {"pack": "p1", "doses": ["d1", "d2"]})).result()

    def numbers(**asked: object) -> list[int]:
        return store.submit("a", lambda work: [entry.seq for entry in entries(work.connection, **asked)]).result()  # type: ignore[arg-type]

    assert numbers(about="d1") == [2, 13]
    assert numbers(kinds=["pack-expected"]) == [13]
    assert numbers(after=10, limit=2) == [11, 12]
    assert numbers(about="d1", kinds=("dose-planned",)) == [2]


def test_verifying_takes_no_more_memory_for_more_entries(store: Writer, tmp_path: Path) -> None:
    def peak(count: int) -> int:
        store.submit("a", lambda work: work.record_many("note", [{"n": n} for n in range(count)])).result()
        export_file(store.path, tmp_path / "ledger.ndjson")
        tracemalloc.start()
        assert verify_export(tmp_path / "ledger.ndjson").fault is None
        assert verify_database(store.path).fault is None
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    few = peak(3_000)
    assert peak(12_000) < few + 500_000
    assert verify_lines([]).entries == 0
