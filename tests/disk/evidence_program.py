"""Recorded: pictures of pouches put on the disk, and only then the ledger entry that names them; a few are removed again before their record.

Mark: `acknowledged` after each commit, with its number.
"""

import random
import sys
from pathlib import Path

from hub.adapters.evidence import EvidenceFolder
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from tests.disk.hub_program import DATABASE, morning
from tests.disk.recording import mark

OPENINGS = 2
REMOVED_EVERY = 5


def keep(writer: Writer, folder: EvidenceFolder, number: int, chooser: random.Random) -> tuple[str, ...]:
    """Keep a few pictures and record them."""
    kept = folder.keep_all(chooser.randbytes(chooser.choice((100, 5_000, 20_000))) for _ in range(chooser.choice((1, 3))))
    _record(writer, {"token": str(number), "kept": list(kept.digests)})
    return kept.digests


def remove(writer: Writer, folder: EvidenceFolder, number: int, digests: tuple[str, ...]) -> None:
    """Remove pictures that were kept, and record that."""
    gone = [digest for digest in digests if folder.remove(digest)]
    _record(writer, {"token": str(number), "removed": gone})


def _record(writer: Writer, data: dict[str, object]) -> None:
    def note(work: SqlUnitOfWork) -> None:
        work.record("note", data)

    writer.submit("system", note).result()
    mark("acknowledged", str(data["token"]))


def main() -> None:
    """Make `steps` steps over a few openings; the pictures lie beside the database."""
    folder, synchronous, steps, checkpoint_pages = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    chooser, number = random.Random(sys.argv[5]), 0
    digests: tuple[str, ...] = ()
    for opening in range(1, OPENINGS + 1):
        with Writer(folder / DATABASE, morning) as writer:
            connection = writer.submit("system", lambda work: work.connection).result()
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {checkpoint_pages}")
            mark("opened")
            evidence = EvidenceFolder(folder)
            while number < steps * opening // OPENINGS:
                if number % REMOVED_EVERY == REMOVED_EVERY - 1:
                    remove(writer, evidence, number, digests)
                else:
                    digests = keep(writer, evidence, number, chooser)
                number += 1


if __name__ == "__main__":
    main()
