"""Recorded: both spools of a bridge, in their one file, that take commands and prints, keep events, acknowledge and finish, over several openings.

Mark: `acknowledged` after each call that returned, with the digest of all that the file then holds. One thread calls, so after a
cut the file must hold exactly what it held after some call, and none before the last one that returned.
"""

import hashlib
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from pysqlite3 import dbapi2 as sqlite

from firmware_bridge.contract import BridgeEvent
from firmware_bridge.print_contract import OutcomeWord, PrintCommand, PrintEvent
from firmware_bridge.printer_spool import PrintSpool
from firmware_bridge.spool import NewCommand, Refusal, Spool, Take
from tests.disk.recording import mark

DATABASE = "spool.sqlite"
OPENINGS = 3
_DEVICES = ("packager-1", "packager-2")
_PRINTERS = ("printer-1", "printer-2")
_MORNING = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Spools:
    """What a bridge remembers: commands and events of its machines, prints of its printers."""

    machines: Spool
    printers: PrintSpool

    def connections(self) -> tuple[sqlite.Connection, sqlite.Connection]:
        """Return both connections, which no other code needs."""
        return self.machines._connection, self.printers._connection


@contextmanager
def opened(path: Path) -> Iterator[Spools]:
    """Open both spools as the bridge does, with numbers that do not follow from the clock."""
    spools = Spools(Spool(path, first_number=1), PrintSpool(path))
    try:
        yield spools
    finally:
        spools.printers.close()
        spools.machines.close()


def digest(connection: sqlite.Connection) -> str:
    """Return the digest of every row of every table."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    whole = hashlib.sha256()
    for (table,) in tables:
        whole.update(repr((table, connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall())).encode())
    return whole.hexdigest()


class Printers:
    """What the hub and the label printers would do with their spool, by a seeded chooser."""

    def __init__(self, seed: int) -> None:
        self._chooser = random.Random(f"printers {seed}")

    def step(self, spool: PrintSpool, number: int) -> Iterator[None]:
        """Make a call or a few that belong together, and yield after each: every one is durable for itself."""
        device = self._chooser.choice(_PRINTERS)
        deeds = (self._take, self._take, self._begin, self._finish, self._finish, self._tell, self._refuse)
        yield from self._chooser.choice(deeds)(spool, device, number)

    def _take(self, spool: PrintSpool, device: str, number: int) -> Iterator[None]:
        data = self._chooser.randbytes(self._chooser.choice((60, 600, 7000)))
        new = PrintCommand(command=f"{number:032x}", fence=1, expires_at=_MORNING, process_id=f"{number:04}", data=data)
        _expect(spool.take(device, new))
        yield
        _expect(not spool.take(device, new))
        yield
        spool.raise_fence(device, number)
        yield

    def _begin(self, spool: PrintSpool, device: str, number: int) -> Iterator[None]:
        if (waiting := spool.waiting(device)) is not None:
            spool.begin(waiting)
            yield

    def _finish(self, spool: PrintSpool, device: str, number: int) -> Iterator[None]:
        if (begun := spool.begun(device)) is not None:
            kind: OutcomeWord = self._chooser.choice(("printed", "in-doubt"))
            spool.finish(begun, self._outcome(begun.command.command, kind, number))
            yield

    def _tell(self, spool: PrintSpool, device: str, number: int) -> Iterator[None]:
        for outcome in spool.untold(device, 3):
            spool.acknowledge(device, outcome.command)
            yield

    def _refuse(self, spool: PrintSpool, device: str, number: int) -> Iterator[None]:
        _expect(spool.take_refused(device, self._outcome(f"{number:032x}", "refused", number)))
        yield

    @staticmethod
    def _outcome(command: str, kind: OutcomeWord, number: int) -> PrintEvent:
        return PrintEvent(command=command, kind=kind, rc="OK" if kind == "printed" else "EXPIRED", reason=f"at step {number}", at=_MORNING)


class Machines:
    """What the hub and the machines would do with a spool, by a seeded chooser."""

    def __init__(self, seed: int) -> None:
        self._chooser = random.Random(seed)
        self._event = 0

    def step(self, spool: Spool, number: int) -> Iterator[None]:
        """Make a call or a few that belong together, and yield after each: every one is durable for itself."""
        device = self._chooser.choice(_DEVICES)
        deeds = (self._take, self._take, self._finish, self._send, self._keep, self._keep, self._hear, self._refuse, self._abort)
        yield from self._chooser.choice(deeds)(spool, device, number)

    def _take(self, spool: Spool, device: str, number: int) -> Iterator[None]:
        new = self._command(number)
        _expect(spool.take(device, new) is Take.NEW)
        yield
        _expect(spool.take(device, new) is Take.KNOWN)
        yield
        spool.raise_fence(device, number)
        yield

    def _refuse(self, spool: Spool, device: str, number: int) -> Iterator[None]:
        new = self._command(number)
        refusal = Refusal(new.command, new.job, "expired", "too late")
        _expect(spool.take_refused(device, new, refusal, _MORNING) is Take.NEW)
        yield

    def _send(self, spool: Spool, device: str, number: int) -> Iterator[None]:
        for waiting in spool.waiting(device)[:2]:
            spool.mark_sent(waiting.id)
            yield

    def _finish(self, spool: Spool, device: str, number: int) -> Iterator[None]:
        for waiting in spool.waiting(device)[:2]:
            refusal = Refusal(waiting.command, waiting.job, "stopped", f"refused at step {number}") if number % 3 == 0 else None
            spool.finish(device, waiting.id, refusal, _MORNING)
            yield

    def _abort(self, spool: Spool, device: str, number: int) -> Iterator[None]:
        ends = [(waiting.id, None) for waiting in spool.waiting(device)[-1:]]
        spool.abort(device, f"{number:032x}", ends, _MORNING)
        yield

    def _keep(self, spool: Spool, device: str, number: int) -> Iterator[None]:
        events = [self._new_event(number) for _ in range(self._chooser.randrange(1, 4))]
        spool.keep_events(device, "SN-1", events)
        yield

    def _hear(self, spool: Spool, device: str, number: int) -> Iterator[None]:
        for event in spool.pending(device, 0, 3):
            spool.acknowledge(device, event.ack)
            yield

    def _new_event(self, number: int) -> BridgeEvent:
        self._event += 1
        data: dict[str, int | str] = {"step": number, "weight": self._chooser.randrange(1000)}
        return BridgeEvent(source="firmware", boot=1, event=self._event, kind="dropped", job=None, slot=1, at=_MORNING, data=data)

    def _command(self, number: int) -> NewCommand:
        message = self._chooser.randbytes(self._chooser.choice((80, 400, 6000)))
        return NewCommand(f"command-{number}", "run", f"{number:032x}", 2e9, message)


def _expect(as_expected: bool) -> None:
    if not as_expected:
        raise RuntimeError("the spool took for new what it knew, or the other way round")


def main() -> None:
    """Make so many steps; the spools' connections are set to `synchronous` after their opening, and checkpoint often."""
    path, synchronous, steps, checkpoint_pages = Path(sys.argv[1]) / DATABASE, sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    machines, printers, number = Machines(int(sys.argv[5])), Printers(int(sys.argv[5])), 0
    for opening in range(1, OPENINGS + 1):
        with opened(path) as spools:
            for connection in spools.connections():
                connection.execute(f"PRAGMA synchronous = {synchronous}")
                connection.execute(f"PRAGMA wal_autocheckpoint = {checkpoint_pages}")
            mark("acknowledged", digest(connection))
            while number < steps * opening // OPENINGS:
                for _ in chain(machines.step(spools.machines, number), printers.step(spools.printers, number)):
                    mark("acknowledged", digest(connection))
                number += 1


if __name__ == "__main__":
    main()
