"""A bedside scan from the question to its durable answer: the writer beside a bare SQLite program that commits the same rows.

Run alone it measures the disk as it is, then both again with 5 ms added to every sync by a preloaded shim (compiled here).
"""

import asyncio
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2 as sqlite

from hub.adapters.database import open_writer
from hub.adapters.unit_of_work import SqlUnitOfWork, answered_once
from hub.adapters.writer import LARGEST_GROUP, Writer
from hub.domain.doses import DoseState, Lane, PlannedDose
from hub.domain.identifiers import BatchId, DoseId, DrugCode, LotId, OrderId, PackSerial, PatientId
from hub.domain.orders import Patient
from hub.domain.packs import Content, Pack, PackState
from hub.domain.stock import STORE, SUPPLIER, StockMove, pack_account
from hub.services.endings import doses_of, give_pack

SCANS = 2_000
SLOW_SYNC_MS = 5
AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)

SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
static int slow(const char *name, int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, name);
    usleep(SLOW_MS * 1000);
    return real(fd);
}
int fsync(int fd) { return slow("fsync", fd); }
int fdatasync(int fd) { return slow("fdatasync", fd); }
"""


def main() -> None:
    """Measure on this disk, and again in a process whose syncs are slowed down."""
    if len(sys.argv) > 1:
        measure(sys.argv[1], int(sys.argv[2]))
        return
    measure("the disk as it is", SCANS)
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        sys.stdout.write("no C compiler: the slow disk is not measured\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        source, shim = Path(folder) / "slow.c", Path(folder) / "slow.so"
        source.write_text(SHIM)
        subprocess.run([compiler, "-shared", "-fPIC", f"-DSLOW_MS={SLOW_SYNC_MS}", "-o", shim, source, "-ldl"], check=True)
        environment = {**os.environ, "LD_PRELOAD": str(shim)}
        title = f"{SLOW_SYNC_MS} ms added to every sync"
        subprocess.run([sys.executable, __file__, title, str(SCANS // 4)], env=environment, check=True)


def measure(title: str, scans: int) -> None:
    """Print rate, p50 and p99 of the writer and of the bare program with 1 and with 64 at once, and their ratios."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        for at_once in (1, 64):
            count = scans if at_once > 1 else scans // 2
            bare = _bare(_filled(Path(folder) / f"bare{at_once}.db", count), count, at_once)
            ours = _ours(_filled(Path(folder) / f"ours{at_once}.db", count), count, at_once)
            _say(f"{title}, {at_once} at once, bare", count, *bare)
            _say(f"{title}, {at_once} at once, writer", count, *ours)
            sys.stdout.write(
                f"    rate {ours[0] / bare[0]:.2f} x the bare time, p50 {_p(ours[1], 50) / _p(bare[1], 50):.2f} x, "
                f"p99 {_p(ours[1], 99) / _p(bare[1], 99):.2f} x\n"
            )


def scan(work: SqlUnitOfWork, number: int) -> str:
    """Decide one bedside scan: wristband and pack are read, and the pack is given, with its dose and its contents."""

    def decide() -> str:
        (patient,) = work.patients.where(code=f"W{number:07}")
        pack = work.packs.get(f"P{number:07}")
        assert pack is not None
        assert pack.patient == patient.id
        doses = doses_of(work, pack)
        assert all(dose.state is DoseState.PACKED for dose in doses)
        return ",".join(dose.id for dose in give_pack(work, pack, doses))

    return answered_once(work, f"event-{number}", "0" * 64, decide)[0]


def _filled(path: Path, count: int) -> Path:
    def fill(work: SqlUnitOfWork) -> None:
        work.patients.put_many(Patient(PatientId(f"p{n}"), f"W{n:07}", "Иванов", "Иван", None) for n in range(count))
        work.doses.put_many(_dose(n) for n in range(count))
        work.packs.put_many(_pack(n) for n in range(count))
        drug, lot = DrugCode("D1"), LotId("L1")
        work.move(StockMove(drug, lot, SUPPLIER, STORE, Fraction(count)), "receipt")
        filling = (StockMove(drug, lot, STORE, pack_account(f"P{n:07}"), Fraction(1)) for n in range(count))
        work.move_many([(move, {}) for move in filling], "pick")

    with Writer(path, lambda: AT) as writer:
        writer.submit("system", fill).result()
    return path


def _dose(n: int) -> PlannedDose:
    return PlannedDose(
        DoseId(f"{n:032x}"), OrderId(f"o{n}"), 1, PatientId(f"p{n}"), DrugCode("D1"), AT, "morning", Lane.MACHINE, Fraction(1), "1 × 250 мг",
        "Cardiology", "12", "3", stat=False, combine=True, state=DoseState.PACKED, pack=PackSerial(f"P{n:07}"),
    )  # fmt: skip


def _pack(n: int) -> Pack:
    content = Content(DoseId(f"{n:032x}"), DrugCode("D1"), LotId("L1"), Fraction(1))
    return Pack(
        serial=PackSerial(f"P{n:07}"), lane=Lane.MACHINE, patient=PatientId(f"p{n}"), doses=(content.dose,), due=AT, slot="morning",
        department="Cardiology", room="12", batch=BatchId("b1"), state=PackState.RECEIVED, expires_on=None, label_digest="0" * 64, contents=(content,),
    )  # fmt: skip


def _ours(path: Path, count: int, at_once: int) -> tuple[float, list[float]]:
    latencies: list[float] = []

    async def submitter(writer: Writer, numbers: Sequence[int]) -> None:
        for number in numbers:
            started = time.perf_counter()
            await writer.run("nurse-1", lambda work, number=number: scan(work, number))  # type: ignore[misc]
            latencies.append(time.perf_counter() - started)

    async def all_of_them(writer: Writer) -> None:
        await asyncio.gather(*(submitter(writer, range(first, count, at_once)) for first in range(at_once)))

    with Writer(path, lambda: AT) as writer:
        started = time.perf_counter()
        asyncio.run(all_of_them(writer))
        return time.perf_counter() - started, latencies


def _bare(path: Path, count: int, at_once: int) -> tuple[float, list[float]]:
    """Read and write the same rows by the shortest program: everything encoded before, one transaction for each group.

    With 64 at once each group has 64 scans, so that all wait equally long: the most that one commit can serve.
    """
    connection = open_writer(path)
    work = [_rows(number, chooser) for chooser in [random.Random(1)] for number in range(count)]
    statements = _statements(connection)
    seq = connection.execute("SELECT max(seq) FROM ledger").fetchone()[0]
    connection.execute("DROP TRIGGER ledger_in_order")
    latencies: list[float] = []
    begun = time.perf_counter()
    for first in range(0, count, min(at_once, LARGEST_GROUP)):
        started = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        group = work[first : first + at_once]
        for rows in group:
            seq = _commit_rows(connection, statements, rows, seq)
        connection.execute("COMMIT")
        latencies += [time.perf_counter() - started] * len(group)
    spent = time.perf_counter() - begun
    connection.close()
    return spent, latencies


def _statements(connection: sqlite.Connection) -> dict[str, str]:
    def update(table: str, key: str) -> str:
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] != key]
        columns = ", ".join(f'"{name}" = "{name}"' for name in names if name not in ("state", "reason"))
        return f"UPDATE {table} SET state = 'given', reason = '', {columns} WHERE {key} = ?"

    return {"packs": update("packs", "serial"), "doses": update("doses", "id")}


def _rows(number: int, chooser: random.Random) -> dict[str, Any]:
    facts = [
        ("pack-given", f'{{"pack":"P{number:07}","patient":"p{number}"}}'),
        ("stock-moved", f'{{"because":"given","dose":"{number:032x}","from":"pack:P{number:07}","item":"D1","lot":"L1","pack":"P{number:07}","quantity":"1","to":"patient:p{number}"}}'),
        ("dose-given", f'{{"dose":"{number:032x}","pack":"P{number:07}","patient":"p{number}","units":"1"}}'),
    ]  # fmt: skip
    hashes = [f"{chooser.getrandbits(256):064x}" for _ in facts]
    return {"code": f"W{number:07}", "pack": f"P{number:07}", "dose": f"{number:032x}", "patient": f"p{number}", "facts": facts, "hashes": hashes}


def _commit_rows(connection: sqlite.Connection, statements: dict[str, str], rows: dict[str, Any], seq: int) -> int:
    execute = connection.execute
    execute("SELECT * FROM answers WHERE event = ?", (rows["pack"],)).fetchone()
    execute("SELECT * FROM patients WHERE code = ?", (rows["code"],)).fetchone()
    execute("SELECT * FROM packs WHERE serial = ?", (rows["pack"],)).fetchone()
    execute("SELECT * FROM doses WHERE pack = ?", (rows["pack"],)).fetchone()
    execute(statements["packs"], (rows["pack"],))
    execute(statements["doses"], (rows["dose"],))
    execute("DELETE FROM balances WHERE account = ? AND lot = 'L1'", (f"pack:{rows['pack']}",))
    execute("INSERT INTO balances VALUES (?, 'L1', 'D1', 1, 1)", (f"patient:{rows['patient']}",))
    for (kind, data), sealed in zip(rows["facts"], rows["hashes"], strict=True):
        seq += 1
        entry = (seq, "2026-11-22T08:00:00Z", "nurse-1", kind, data, sealed, sealed)
        execute("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?)", entry)
    execute("INSERT INTO answers VALUES (?, ?, ?)", (rows["pack"], sealed, rows["dose"]))
    return seq


def _p(latencies: list[float], percent: int) -> float:
    return statistics.quantiles(latencies, n=100, method="inclusive")[percent - 1]


def _say(title: str, count: int, spent: float, latencies: list[float]) -> None:
    sys.stdout.write(
        f"{title:48} {count / spent:8,.0f}/s   p50 {_p(latencies, 50) * 1e3:7.2f} ms   p99 {_p(latencies, 99) * 1e3:7.2f} ms\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
