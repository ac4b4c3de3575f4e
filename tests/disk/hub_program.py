"""Recorded: the hub's writer with real decisions, alone and in groups, over several openings of the file.

Marks: `sent` before a decision is queued, then `acknowledged` or `refused` once its future ended, each with the decision's token.
Groups are formed behind a decision that waits, so a seed makes the same commits in every run.
"""

import random
import sys
import threading
from concurrent.futures import Future
from datetime import UTC, datetime
from fractions import Fraction
from functools import partial
from pathlib import Path

from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.identifiers import DrugCode
from hub.domain.ledger import Shortage
from hub.domain.stock import STORE, SUPPLIER, StockMove, lot_id, ward_account
from tests.disk.recording import mark

DATABASE = "dosehub.sqlite"
OPENINGS = 3
GROUPS = (1, 1, 1, 1, 2, 4, 9)
REFUSED_EVERY, ISSUED_EVERY = 17, 3
_DRUG = DrugCode("D1")


def morning() -> datetime:
    """Return the time at which this hub's clock stands."""
    return datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def decide(work: SqlUnitOfWork, number: int) -> None:
    """Receive three units, or issue one to a ward, and note it: two entries with one token; some ask for more than there is."""
    token, lot = str(number), lot_id(_DRUG, f"L{number % 5}")
    if number % REFUSED_EVERY == REFUSED_EVERY - 1:
        work.record("note", {"token": token})
        work.move(StockMove(_DRUG, lot, STORE, ward_account("north"), Fraction(10_000)), "issue", token=token)
    elif number % ISSUED_EVERY == ISSUED_EVERY - 1 and work.held(STORE, lot):
        work.move(StockMove(_DRUG, lot, STORE, ward_account("north"), Fraction(1, 2)), "issue", token=token)
    else:
        work.move(StockMove(_DRUG, lot, SUPPLIER, STORE, Fraction(3)), "receipt", token=token)
    work.record("note", {"token": token, "text": "Полученные упаковки" * (number % 4)})


def commit_group(writer: Writer, first: int, size: int) -> None:
    """Have so many decisions committed together, and mark each when its answer is there."""
    alone, start = threading.Event(), threading.Event()

    def hold(_: SqlUnitOfWork) -> None:
        alone.set()
        start.wait()

    writer.submit("gate", hold)
    alone.wait()
    answers: list[tuple[int, Future[None]]] = []
    for number in range(first, first + size):
        mark("sent", str(number))
        answers.append((number, writer.submit("nurse", partial(decide, number=number))))
    start.set()
    for number, answer in answers:
        _mark_end(number, answer)


def _mark_end(number: int, answer: "Future[None]") -> None:
    try:
        answer.result()
    except Shortage:
        mark("refused", str(number))
    else:
        mark("acknowledged", str(number))


def main() -> None:
    """Commit `decisions` decisions in groups of seeded sizes; the writer's connection is set to `synchronous` after its opening, and checkpoints often."""
    folder, synchronous, decisions, checkpoint_pages = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    chooser, number = random.Random(sys.argv[5]), 0
    for opening in range(1, OPENINGS + 1):
        with Writer(folder / DATABASE, morning) as writer:
            connection = writer.submit("system", lambda work: work.connection).result()
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {checkpoint_pages}")
            mark("opened")
            while number < decisions * opening // OPENINGS:
                size = chooser.choice(GROUPS)
                commit_group(writer, number, size)
                number += size


if __name__ == "__main__":
    main()
