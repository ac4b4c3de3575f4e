"""Takes in a file of some thousand orders under a limit of memory: `python -m tests.intake.taken_in_child FOLDER`.

It prints how many orders came by a stream, then how many as a whole. What does not fit ends the process: by MemoryError or, where
an extension was refused memory, by a signal.
"""

import io
import json
import resource
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from hub.adapters.intake import fhir
from hub.adapters.intake.fhir import read_fhir
from hub.adapters.intake_desk import IntakeDesk
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.bootstrap import house_of
from hub.services.receive_sheet import receive_sheet
from hub.settings import HubSettings
from tests.benchmarks.generated_hospital import cassettes, directory, ndjson

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=ZoneInfo("Europe/Moscow"))
BEDS = 500
# For the bit map of ids (8 MiB), the store's page cache (2 MiB here), one chunk and the people.
ROOM_BYTES = 16 * 2**20
CHUNK_LINES = 100


def main(folder: Path) -> None:
    """Take in a small file, allow only so much memory more, and tell how many orders of a large one came by a stream, then as a whole."""
    fhir.CHUNK_LINES = CHUNK_LINES
    house = house_of(HubSettings(folder))
    desk = IntakeDesk(house)
    large = folder / "large.ndjson"
    with large.open("wb") as lines:
        lines.writelines(ndjson(BEDS, NOW, begins_in_days=3))

    def whole(unit: SqlUnitOfWork) -> int:
        settings = house.sources["hospital"]
        sheet = read_fhir("again", large.read_bytes() + b"\n", settings, {drug.code: drug for drug in directory()}, zone=house.zone)
        return getattr(receive_sheet(unit, sheet, house), "orders", 0)

    def stream(unit: SqlUnitOfWork) -> int:
        with large.open("rb") as file:
            told = desk.sheet(unit, "hospital", "large", file)
        return int(told["orders"]) if isinstance(told, dict) else 0

    with Writer(folder / "hub.sqlite", lambda: NOW) as writer:
        writer.submit("system", lambda unit: (unit.drugs.put_many(directory()), unit.cassettes.put_many(cassettes()))).result()
        small = io.BytesIO(b"".join(ndjson(10, NOW, seed=2)))
        writer.submit("system", lambda unit: desk.sheet(unit, "hospital", "small", small)).result()
        writer.submit("system", lambda unit: unit.connection.execute("PRAGMA cache_size = -2048").fetchall()).result()
        most = _data_bytes() + ROOM_BYTES
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        for way in (stream, whole):
            orders = writer.submit("system", way).result()
            sys.stdout.write(json.dumps({way.__name__: orders}) + "\n")
            sys.stdout.flush()


def _data_bytes() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmData:")).split()[1]) * 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]))
