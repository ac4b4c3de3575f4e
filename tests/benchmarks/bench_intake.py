"""A morning's orders as FHIR R4 NDJSON, from the file to the commit with full validation, beside what only decodes and only writes.

Each measurement is a process of its own, so that its memory is its own. The orders come patient by patient, and once with those
of all patients mixed. `begins in days`: orders of which no dose falls into the day, so that everything but planning is measured.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from hub.adapters.intake.fhir import read_fhir_parts
from hub.adapters.intake.fhir_model import DosageElement, Kind, MedicationRequest
from hub.adapters.intake_desk import IntakeDesk
from hub.adapters.writer import Writer
from hub.bootstrap import house_of
from hub.services.receive_sheet import decision_of, open_desk
from hub.settings import HubSettings
from tests.benchmarks.bench_plan import PULLED_AT, _enter, _peak_mb
from tests.benchmarks.figures import Figure, beside, in_own_process, note
from tests.benchmarks.generated_hospital import FREQUENCIES, ndjson

GOAL = 20_000
ORDERS_A_BED = len(FREQUENCIES)
MEASURED_BEDS = 10_000
MEMORY_BEDS = (1_000, 10_000, 40_000)
LATER = 3


class _Decoded(MedicationRequest):
    """An order decoded to the end, its dosages too: what the bare loop makes."""

    dosage_instruction: list[DosageElement] = msgspec.field(default_factory=list)  # type: ignore[assignment]


def figures(runs: int = 3) -> list[Figure]:
    """Read, decide and take in sixty thousand orders, then see the memory of more and fewer; medians of the runs."""
    with tempfile.TemporaryDirectory(dir=".") as made:
        folder = Path(made)
        later = _file(folder, MEASURED_BEDS, begins_in_days=LATER)
        found = [
            *_of_reading(later, runs),
            *_of_taking(folder, later, "no dose due", runs),
            *_of_taking(folder, _file(folder, MEASURED_BEDS), "planned", 1),
            *_of_taking(folder, _file(folder, MEASURED_BEDS, begins_in_days=LATER, mixed=True), "patients mixed, no dose due", 1),
        ]
        return [*found, *_of_memory(folder)]


def _file(folder: Path, beds: int, *, begins_in_days: int = 0, mixed: bool = False) -> Path:
    path = folder / f"{beds}-{begins_in_days}{'-mixed' if mixed else ''}.ndjson"
    lines = list(ndjson(beds, PULLED_AT, begins_in_days=begins_in_days)) if mixed else ndjson(beds, PULLED_AT, begins_in_days=begins_in_days)
    if isinstance(lines, list):
        random.Random(1).shuffle(lines)
    with path.open("wb") as file:
        file.writelines(lines)
    return path


def _of_reading(file: Path, runs: int) -> list[Figure]:
    told = {part: [in_own_process("bench_intake", part, file, file) for _ in range(runs)] for part in ("bare", "read", "decide")}
    rate = {part: statistics.median(one["orders"] / one["cpu_s"] for one in found) for part, found in told.items()}
    note(f"intake: {rate}")
    return [
        beside("intake of R4 NDJSON: read into lines", rate["read"], "orders/s", rate["bare"]),
        beside("intake of R4 NDJSON: read and decided", rate["decide"], "orders/s", rate["bare"]),
    ]


def _of_taking(folder: Path, file: Path, what: str, runs: int) -> list[Figure]:
    ours, rows = [], []
    for run in range(runs):
        database = folder / f"{file.stem}-{run}.sqlite"
        ours.append(in_own_process("bench_intake", "take", file, database))
        rows.append(in_own_process("bench_plan", "limit", database, folder / f"{file.stem}-{run}-bare.sqlite"))
        note(f"intake, {what}: {ours[-1]}  limit: {rows[-1]}")
    orders = ours[0]["orders"]
    rate, bare = (statistics.median(orders / one["seconds"] for one in told) for told in (ours, rows))
    cpu_s, bare_cpu_s = (statistics.median(one["cpu_s"] for one in told) for told in (ours, rows))
    title = f"intake of {orders:,} orders to the commit, {what}"
    return [
        beside(title, rate, "orders/s", bare, f"≥ {GOAL:,}/s", rate >= GOAL),
        beside(f"{title}: an order, CPU", cpu_s / orders * 1e6, "µs", bare_cpu_s / orders * 1e6),
    ]


def _of_memory(folder: Path) -> list[Figure]:
    found = []
    for beds in MEMORY_BEDS:
        people, whole = _memory_mb(folder, beds, with_orders=False), _memory_mb(folder, beds, with_orders=True)
        name = f"intake of {beds * ORDERS_A_BED:,} orders: memory above what is loaded, beside their {beds:,} patients alone"
        found.append(Figure(name, whole, "MB", people))
    return found


def _memory_mb(folder: Path, beds: int, *, with_orders: bool) -> float:
    file = folder / f"{beds}-{with_orders}.ndjson"
    with file.open("wb") as out:
        out.writelines(line for line in ndjson(beds, PULLED_AT, begins_in_days=LATER) if with_orders or b'"MedicationRequest"' not in line)
    told = in_own_process("bench_intake", "take", file, folder / f"{file.stem}.sqlite")
    note(f"intake, memory: {told}")
    file.unlink()
    return float(told["peak_mb"] - told["loaded_mb"])


def bare(file: Path, _: Path) -> None:
    """Decode every line into typed structs and nothing more."""
    kinds, orders = msgspec.json.Decoder(Kind), msgspec.json.Decoder(_Decoded)

    def work() -> int:
        with file.open("rb") as lines:
            return sum(1 for line in lines if kinds.decode(line).resource_type == "MedicationRequest" and orders.decode(line).id)

    _tell(work)


def read(file: Path, folder: Path) -> None:
    """Read every order into its line."""
    house = house_of(HubSettings(folder.parent))
    directory = _directory()

    def work() -> int:
        with file.open("rb") as data:
            return sum(len(part.lines) for part in read_fhir_parts("day", data, house.sources["hospital"], directory, zone=house.zone))

    _tell(work)


def decide(file: Path, _: Path) -> None:
    """Read every order and decide its line, with nothing written."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        house = house_of(HubSettings(Path(folder)))
        with Writer(Path(folder) / "hub.sqlite", lambda: PULLED_AT) as writer:
            writer.submit("system", _enter).result()
            desk = writer.submit("system", lambda unit: open_desk(unit, "hospital", house)).result()
        assert not hasattr(desk, "code"), desk

        def work() -> int:
            outcomes: Counter[str] = Counter()
            with file.open("rb") as data:
                for part in read_fhir_parts("day", data, desk.settings, desk.drugs, zone=house.zone):
                    desk.patients.update({patient.id: patient for patient in part.patients})
                    desk.stays.update({stay.patient: stay for stay in part.stays})
                    outcomes.update(decision_of(desk, line, PULLED_AT).outcome for line in part.lines)
            return outcomes.total()

        _tell(work)


def take(file: Path, database: Path) -> None:
    """Take in a file and tell the seconds from its first byte to the commit, and the process's peak memory."""
    desk = IntakeDesk(house_of(HubSettings(database.parent)))
    with Writer(database, lambda: PULLED_AT) as writer, file.open("rb") as data:
        writer.submit("system", _enter).result()
        loaded_mb = _peak_mb()
        started, cpu = time.perf_counter(), time.process_time()
        told = writer.submit("pharmacist-1", lambda unit: desk.sheet(unit, "hospital", file.name, data)).result()
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    assert isinstance(told, dict), told
    sys.stdout.write(json.dumps({"seconds": seconds, "cpu_s": cpu, "orders": told["orders"], "doses": told["planned"], "peak_mb": _peak_mb(), "loaded_mb": loaded_mb}) + "\n")


def _directory() -> dict[Any, Any]:
    from tests.benchmarks.generated_hospital import directory

    return {drug.code: drug for drug in directory()}


def _tell(work: Callable[[], int]) -> None:
    cpu = time.process_time()
    orders = work()
    sys.stdout.write(json.dumps({"orders": orders, "cpu_s": time.process_time() - cpu, "peak_mb": _peak_mb()}) + "\n")


def main() -> None:
    """Run the part that the parent asked for."""
    parts = {"bare": bare, "read": read, "decide": decide, "take": take}
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=parts)
    parser.add_argument("file", type=Path)
    parser.add_argument("database", type=Path)
    arguments = parser.parse_args()
    parts[arguments.part](arguments.file, arguments.database)


if __name__ == "__main__":
    main()
