"""A process that commits entries from several threads and prints the number of each one that it was told is committed."""

import itertools
import sys
import threading
from datetime import UTC, datetime
from fractions import Fraction

from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.identifiers import DrugCode, LotId
from hub.domain.stock import STORE, SUPPLIER, StockMove

_printing = threading.Lock()


def commit_for_ever(writer: Writer, thread: int) -> None:
    """Receive one unit after the other, each with its own token."""

    def receive(work: SqlUnitOfWork, token: str) -> None:
        work.move(StockMove(DrugCode("D1"), LotId("L1"), SUPPLIER, STORE, Fraction(1)), "receipt", token=token)

    for number in itertools.count():
        token = f"{thread}-{number}"
        writer.submit("child", lambda work, token=token: receive(work, token)).result()
        with _printing:
            print(token, flush=True)  # noqa: T201


def main() -> None:
    """Run four threads until somebody ends the process."""
    writer = Writer(sys.argv[1], lambda: datetime.now(UTC))
    threads = [threading.Thread(target=commit_for_ever, args=(writer, number), daemon=True) for number in range(4)]
    for thread in threads:
        thread.start()
    threads[0].join()


if __name__ == "__main__":
    main()
