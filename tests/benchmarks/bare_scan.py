"""The limit program of a bedside scan: FastAPI, uvicorn, one writer thread with group commit, and raw SQL of the same rows.

It reads nothing, decides nothing and knows nobody: for each POST it updates the pack and the dose, closes one balance and opens
one, inserts three entries of the ledger (without a chain) and the answer, all on a copy of the hub's own file.
"""

import asyncio
import json
import queue
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from pysqlite3 import dbapi2 as sqlite

from tests.benchmarks.generated_ward import PACKS_A_PATIENT, dose_id, lot_of

LARGEST_GROUP = 256
ACTOR = "0123456789ab"


class Give(BaseModel):
    """The body of a scan."""

    event: str
    patient_code: str
    pack_code: str


class BareWriter:
    """One thread that commits what waits."""

    def __init__(self, path: Path) -> None:
        self._waiting: queue.SimpleQueue[tuple[Give, asyncio.Future[str], asyncio.AbstractEventLoop]] = queue.SimpleQueue()
        self._path = path
        threading.Thread(target=self._write, daemon=True).start()

    async def commit(self, body: Give) -> str:
        """Answer after the commit."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str] = loop.create_future()
        self._waiting.put((body, answer, loop))
        return await answer

    def _write(self) -> None:
        connection = sqlite.connect(str(self._path), isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -32768"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.execute("DROP TRIGGER IF EXISTS ledger_in_order")
        self._seq = connection.execute("SELECT max(seq) FROM ledger").fetchone()[0]
        while True:
            group = [self._waiting.get()]
            while len(group) < LARGEST_GROUP and not self._waiting.empty():
                group.append(self._waiting.get())
            connection.execute("BEGIN IMMEDIATE")
            told = [(answer, self._give(connection, body)) for body, answer, _ in group]
            connection.execute("COMMIT")
            group[0][2].call_soon_threadsafe(_settle, told)

    def _give(self, connection: sqlite.Connection, body: Give) -> str:
        execute, serial = connection.execute, body.pack_code
        number = int(serial[:8])
        drug, lot = lot_of(number)
        dose, patient = dose_id(number), f"p{number // PACKS_A_PATIENT}"
        execute("UPDATE packs SET state = 'given', reason = '' WHERE serial = ?", (serial,))
        execute("UPDATE doses SET state = 'given', reason = '' WHERE id = ?", (dose,))
        execute("DELETE FROM balances WHERE account = ? AND lot = ?", (f"pack:{serial}", lot))
        execute(
            "INSERT INTO balances (account, lot, item, numerator, denominator) VALUES (?, ?, ?, 1, 1) ON CONFLICT DO UPDATE SET numerator = numerator + 1",
            (f"patient:{patient}", lot, drug),
        )
        sealed = f"{number:064x}"
        for kind, data in (
            ("pack-given", f'{{"pack":"{serial}","patient":"{patient}"}}'),
            ("stock-moved", f'{{"because":"given","dose":"{dose}","from":"pack:{serial}","item":"{drug}","lot":"{lot}","pack":"{serial}","quantity":"1","to":"patient:{patient}"}}'),
            ("dose-given", f'{{"dose":"{dose}","pack":"{serial}","patient":"{patient}","units":"1"}}'),
        ):  # fmt: skip
            self._seq += 1
            entry = (self._seq, "2026-11-22T08:00:00.123456Z", ACTOR, kind, data, sealed, sealed)
            execute("INSERT INTO ledger (seq, at, actor, kind, data, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?)", entry)
        execute("INSERT INTO answers (event, body_hash, answer) VALUES (?, ?, ?)", (f"{ACTOR}/{body.event}", sealed, f'{{"given": ["{dose}"]}}'))
        return dose


def _settle(told: list[tuple[Any, str]]) -> None:
    for answer, dose in told:
        if not answer.done():
            answer.set_result(dose)


def main() -> None:
    """Serve a database until the process is ended."""
    writer, app = BareWriter(Path(sys.argv[1])), FastAPI()

    @app.post("/api/bedside/give")
    async def give(body: Give) -> dict[str, Any]:
        return {"given": [await writer.commit(body)]}

    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="on")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(config)
        threading.Thread(target=_announce, args=(server, url), daemon=True).start()
        server.run(sockets=[listener])


def _announce(server: uvicorn.Server, url: str) -> None:
    while not server.started:
        time.sleep(0.01)
    sys.stdout.write(json.dumps({"ready": True, "url": url}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
