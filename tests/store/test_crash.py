"""Killed at any moment, the store has lost nothing that it had answered."""

import os
import random
import subprocess
import sys
from pathlib import Path

from pysqlite3 import dbapi2 as sqlite
from store_records import MORNING

from hub.adapters.ledger_export import verify_database, wrong_balances
from hub.adapters.ledger_store import entries
from hub.adapters.writer import Writer

CHILD = Path(__file__).with_name("committing_child.py")
ROOT = Path(__file__).parents[2]


def _killed_after(path: Path, acknowledgements: int) -> list[str]:
    """Run the child, kill it once it has printed so many tokens, and return all that it had printed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, CHILD, path], stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout is not None
        try:
            tokens = [child.stdout.readline() for _ in range(acknowledgements)]
        finally:
            child.kill()
        tokens += child.stdout.readlines()
    assert all(tokens)
    return [token.strip() for token in tokens if token.endswith("\n")]


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    chooser = random.Random(9)
    for round_number in range(5):
        path = tmp_path / f"hub{round_number}.db"
        acknowledged = _killed_after(path, chooser.randrange(1, 250))
        with Writer(path, lambda: MORNING) as writer:
            told = writer.submit("a", lambda work: [str(entry.data["token"]) for entry in entries(work.connection)]).result()
            held = writer.submit("a", lambda work: work.held("store", "L1")).result()
            writer.submit("a", lambda work: work.record("note", {})).result()
        assert set(acknowledged) <= set(told)
        assert len(told) == len(set(told)) == held
        assert verify_database(path).fault is None
        assert list(wrong_balances(path)) == []
        connection = sqlite.connect(str(path))
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
