"""A long file is taken in part by part: all of a patient's lines beside each other, and memory that its orders do not fill."""

import gzip
import io
import json
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub.adapters.intake import envelope, fhir
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.fhir import read_fhir, read_fhir_parts
from hub.domain.orders import OrderLine, OrderSheet, SourceSettings
from tests.intake.intake_bundles import ENCOUNTER, PATIENT, order

FEED = SourceSettings("feed", False, False, 3, False, ())
MOSCOW = ZoneInfo("Europe/Moscow")

PATIENTS = 7
ORDERS = 60


def _patient(number: int) -> dict[str, Any]:
    return {**PATIENT, "id": f"p{number}"}


def _orders(subject: str = "Patient/p{}") -> list[dict[str, Any]]:
    return [order(id=f"mr{number}", subject={"reference": subject.format(number % PATIENTS)}) for number in range(ORDERS)]


def _file(*resources: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(resource).encode() + b"\n" for resource in (*map(_patient, range(PATIENTS)), ENCOUNTER, *resources))


def _parts(data: bytes) -> list[OrderSheet]:
    return list(read_fhir_parts("day", io.BytesIO(data), FEED, {}, zone=MOSCOW))


def _by_id(lines: tuple[OrderLine, ...]) -> list[OrderLine]:
    return sorted(lines, key=lambda line: (line.id, line.position))


@pytest.fixture(autouse=True)
def _short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir, "CHUNK_LINES", 10)


@pytest.mark.parametrize(
    "data",
    [
        _file(*_orders()),
        _file(*sorted(_orders(), key=lambda each: str(each["subject"]))),
        _file(*_orders("http://his.example/fhir/Patient/p{}/_history/2")),
        _file(*_orders()[:30], *_orders("http://his.example/fhir/Patient/p{}")[30:]),
        _file(*_orders(), *_orders()[5:20], order(id="mr3", subject={"reference": "Patient/p5"})),
        _file(*_orders()[:25], order(id="nobody", subject={}), *_orders()[25:]),
    ],
    ids=["mixed", "patient by patient", "versioned", "two ways to name", "repeated", "nobody named"],
)
def test_the_lines_of_a_patient_are_in_one_part_and_say_what_the_whole_file_says(data: bytes) -> None:
    people, *parts = _parts(data)
    whole = read_fhir("day", data, FEED, {}, zone=MOSCOW)
    lines = tuple(line for part in parts for line in part.lines)
    assert _by_id(lines) == _by_id(whole.lines)
    assert people.announced == whole.announced == len(lines)
    assert len(parts) > 1
    places = [{part for part, sheet in enumerate(parts) for line in sheet.lines if line.patient == patient} for patient in {line.patient for line in lines} - {""}]
    assert all(len(found) == 1 for found in places)


def test_a_contained_patient_is_the_one_of_the_file() -> None:
    code = PATIENT["identifier"][0]
    contained = {"contained": [{"resourceType": "Patient", "id": "x", "identifier": [code]}], "subject": {"reference": "#x"}}
    several = [order(id=f"mr{number}", **(contained if number % 2 else {"subject": {"reference": f"Patient/{PATIENT['id']}"}})) for number in range(18)]
    others = [order(id=f"o{number}", subject={"reference": "Patient/p6"}) for number in range(18)]
    mixed = [*several, *others]
    random.Random(1).shuffle(mixed)
    _, *parts = _parts(b"".join(json.dumps(each).encode() + b"\n" for each in (PATIENT, _patient(6), *mixed)))
    assert [{line.patient for line in part.lines} for part in parts] in ([{PATIENT["id"]}, {"p6"}], [{"p6"}, {PATIENT["id"]}])


def test_a_gzip_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = gzip.compress(_file(*_orders()), mtime=0)
    assert sum(len(part.lines) for part in _parts(data)) == ORDERS
    monkeypatch.setattr(envelope, "MAXIMUM_STREAM_BYTES", 20_000)
    with pytest.raises(IntakeError, match="unpacks to more than the limit of 20000 bytes"):
        _parts(data)


def test_a_file_is_taken_in_within_memory_that_the_whole_of_it_would_not_fit_into(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.intake.taken_in_child", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [{"stream": 3000}], done.stderr
    assert "MemoryError" in done.stderr or done.returncode == -signal.SIGSEGV, done.stderr
