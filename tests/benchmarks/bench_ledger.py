"""How fast a ledger is verified, beside a bare loop that only parses and hashes the same lines."""

import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hub.adapters.database import open_writer
from hub.adapters.ledger_export import export_file, verify_database, verify_export
from hub.adapters.ledger_store import LedgerStore
from hub.domain.ledger import verify

ENTRIES = 100_000


def main() -> None:
    """Print entries a second of each path, and the bare loop's in the same run."""
    with tempfile.TemporaryDirectory() as folder:
        database, path = Path(folder) / "hub.db", Path(folder) / "ledger.ndjson"
        sealing = _fill(database)
        started = time.perf_counter()
        export_file(database, path)
        exporting = time.perf_counter() - started
        bare = _timed(lambda: _bare(path))
        quick = _timed(lambda: verify_export(path).fault)
        stored = _timed(lambda: verify_database(database).fault)
        rules = _timed(lambda: _by_the_rules(path))
    _say("json.loads + sha256, bare", bare, bare)
    _say("verify_export", quick, bare)
    _say("verify_database", stored, bare)
    _say("the domain's rules alone", rules, bare)
    _say("sealing and inserting", sealing, bare)
    _say("exporting", exporting, bare)


def _fill(database: Path) -> float:
    connection = open_writer(database)
    store = LedgerStore(connection)
    facts = [
        {
            "dose": f"{number:032x}", "order": f"order-{number // 2}", "version": 1, "patient": f"patient-{number // 12}", "drug": f"D{number % 200}",
            "due": "2026-11-22T18:00:00Z", "slot": "вечер", "lane": "machine", "units": "1/2",
        }
        for number in range(ENTRIES)
    ]  # fmt: skip
    started = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    store.append_many("2026-11-22T08:00:00.123456Z", "system", "dose-planned", facts)
    connection.execute("COMMIT")
    spent = time.perf_counter() - started
    connection.close()
    return spent


def _bare(path: Path) -> None:
    with path.open("rb") as lines:
        for line in lines:
            json.loads(line)
            hashlib.sha256(line).hexdigest()


def _by_the_rules(path: Path) -> object:
    with path.open("rb") as lines:
        return verify(lines)


def _timed(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    fault = run()
    spent = time.perf_counter() - started
    assert fault is None
    return spent


def _say(what: str, spent: float, bare: float) -> None:
    sys.stdout.write(f"{what:28} {ENTRIES / spent:10,.0f} entries/s   {spent / bare:5.2f} x the bare loop's time\n")


if __name__ == "__main__":
    main()
