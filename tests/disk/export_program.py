"""Recorded: the ledger exported twice to the same file, with decisions in between; `acknowledged` once an export has returned."""

import sys
from pathlib import Path

from hub.adapters.ledger_export import export_file
from hub.adapters.writer import Writer
from tests.disk.hub_program import DATABASE, commit_group, morning
from tests.disk.recording import mark

EXPORT = "ledger.ndjson"


def main() -> None:
    """Commit ten decisions and export, twice."""
    folder = Path(sys.argv[1])
    with Writer(folder / DATABASE, morning) as writer:
        for first in (0, 10):
            commit_group(writer, first, 10)
            export_file(folder / DATABASE, folder / EXPORT)
            mark("acknowledged", EXPORT)


if __name__ == "__main__":
    main()
