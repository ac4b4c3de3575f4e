"""From the bytes of a morning's FHIR Bundle to every dose planned and committed, beside a raw insert of the same rows.

Each sheet is taken in by a process of its own (`take`), so that its memory is its own; `limit` writes the same rows by
executemany with the same chain of SHA-256, from rows that lie ready in memory.
"""

import argparse
import gc
import json
import statistics
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from hub.adapters.database import open_reader, open_writer
from hub.adapters.intake_desk import IntakeDesk
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.bootstrap import house_of
from hub.domain.ledger import GENESIS, entry_hash
from hub.settings import HubSettings
from tests.benchmarks.figures import Figure, beside, in_own_process, note
from tests.benchmarks.generated_hospital import DOSES_A_BED, bundle, cassettes, directory

PULLED_AT = datetime(2026, 11, 22, 6, 0, tzinfo=ZoneInfo("Europe/Moscow"))
BEDS = (100, 1_000, 10_000)
HOSPITAL = 1_000
TABLES = ("patients", "stays", "imports", "orders", "doses")


def figures(runs: int = 3) -> list[Figure]:
    """Take in hospitals of 100, 1,000 and 10,000 beds; medians of the runs."""
    found: list[Figure] = []
    for beds in BEDS:
        with tempfile.TemporaryDirectory(dir=".") as folder:
            sheet = Path(folder) / "sheet.json.gz"
            sheet.write_bytes(bundle(beds, PULLED_AT))
            found += _figures_of(Path(folder), beds, runs if beds <= HOSPITAL else 1)
    return found


def _figures_of(folder: Path, beds: int, runs: int) -> list[Figure]:
    ours, bare = [], []
    for run in range(runs):
        database = folder / f"ours{run}.sqlite"
        ours.append(in_own_process("bench_plan", "take", folder / "sheet.json.gz", database))
        bare.append(in_own_process("bench_plan", "limit", database, folder / f"bare{run}.sqlite"))
        note(f"plan: {ours[-1]}  limit: {bare[-1]}")
    doses = ours[0]["doses"]
    assert doses == beds * DOSES_A_BED, f"{doses} doses planned"
    seconds = statistics.median(one["seconds"] for one in ours)
    rows_s = statistics.median(one["seconds"] for one in bare)
    cpu_s, rows_cpu_s = (statistics.median(one["cpu_s"] for one in told) for told in (ours, bare))
    peak = max(one["peak_mb"] for one in ours)
    is_the_hospital = beds == HOSPITAL
    title = f"sheet → plan committed, {doses:,} doses"
    return [
        beside(title, seconds, "s", rows_s, "≤ 3 s" if is_the_hospital else "", seconds <= 3 if is_the_hospital else None),
        beside(f"{title}: a dose", seconds / doses * 1e6, "µs", rows_s / doses * 1e6),
        beside(f"{title}: a dose, CPU", cpu_s / doses * 1e6, "µs", rows_cpu_s / doses * 1e6),
        Figure(f"{title}: orders a second", ours[0]["orders"] / seconds, "1/s"),
        Figure(f"{title}: peak memory", peak, "MB", goal="≤ 300 MB" if is_the_hospital else "", held=peak <= 300 if is_the_hospital else None),
    ]  # fmt: skip


def take(sheet: Path, database: Path) -> None:
    """Take in a sheet and print seconds from its bytes to the commit, and the process's peak memory."""
    desk = IntakeDesk(house_of(HubSettings(database.parent)))
    with Writer(database, lambda: PULLED_AT) as writer:
        writer.submit("system", _enter).result()
        loaded_mb = _peak_mb()
        data = sheet.read_bytes()
        started, cpu = time.perf_counter(), time.process_time()
        told = writer.submit("pharmacist-1", lambda unit: desk.sheet(unit, "hospital", sheet.name, data)).result()
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    assert isinstance(told, dict), told
    result = {"seconds": seconds, "cpu_s": cpu, "orders": told["orders"], "doses": told["planned"], "peak_mb": _peak_mb(), "loaded_mb": loaded_mb}
    sys.stdout.write(json.dumps(result) + "\n")


def _enter(unit: SqlUnitOfWork) -> None:
    unit.drugs.put_many(directory())
    unit.cassettes.put_many(cassettes())


def _peak_mb() -> float:
    """Return the highest resident size of this process (getrusage's would begin with that of the process that started it)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) / 1024


def limit(source: Path, database: Path) -> None:
    """Write the rows of a planned database into a new one by executemany and print how long that takes."""
    reader = open_reader(source)
    rows = {table: reader.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}
    facts = reader.execute("SELECT at, actor, kind, data FROM ledger ORDER BY seq").fetchall()
    reader.close()
    connection = open_writer(database)
    gc.collect()
    started, cpu = time.perf_counter(), time.process_time()
    connection.execute("BEGIN IMMEDIATE")
    for table, values in ((table, values) for table, values in rows.items() if values):
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values[0]))})", values)
    prev, sealed = GENESIS, []
    for seq, (at, actor, kind, data) in enumerate(facts, start=1):
        found = entry_hash(seq, at, actor, kind, data, prev)
        sealed.append((seq, at, actor, kind, data, prev, found))
        prev = found
    connection.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?)", sealed)
    connection.execute("COMMIT")
    result = {"seconds": time.perf_counter() - started, "cpu_s": time.process_time() - cpu}
    sys.stdout.write(json.dumps({**result, "rows": sum(map(len, rows.values())) + len(facts)}) + "\n")
    connection.close()


def main() -> None:
    """Run the part that the parent asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=("take", "limit"))
    parser.add_argument("source", type=Path)
    parser.add_argument("database", type=Path)
    arguments = parser.parse_args()
    (take if arguments.part == "take" else limit)(arguments.source, arguments.database)


if __name__ == "__main__":
    main()
