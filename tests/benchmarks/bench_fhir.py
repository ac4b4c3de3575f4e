"""The reader of FHIR NDJSON alone: orders to order lines, beside a bare loop that only decodes the same bytes into typed structs.

Every order has its own id and one of some hundred dosages, as a hospital's day has; CPU time of one core, the best of the runs.
"""

import io
import json
import time
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from hub.adapters.intake.fhir import read_fhir_parts
from hub.adapters.intake.fhir_model import DosageElement, MedicationRequest
from hub.domain.orders import SourceSettings
from tests.benchmarks.figures import Figure, beside

ZONE = ZoneInfo("Europe/Moscow")
SOURCE = SourceSettings("feed", False, False, 3, False, ())
ORDERS = 10_000
PATIENTS = 400
CODES = ("DAILY", "BID", "TID", "QID", "HS", "Q8H", "Q6H", "QPM", "Q4H:PRN", "EVERY OTHER DAY")
# Together with validation and the database, 20,000 orders a second are asked for; the reader is a part of that.
GOAL = 20_000


class _Decoded(MedicationRequest):
    """An order decoded to the end, its dosages too: what the bare loop makes."""

    dosage_instruction: list[DosageElement] = msgspec.field(default_factory=list)  # type: ignore[assignment]


def figures(runs: int = 5) -> list[Figure]:
    """Read ten thousand orders of four hundred patients."""
    people = [
        {"resourceType": "Patient", "id": f"p{number}", "name": [{"family": f"Family {number}"}]}
        for number in range(PATIENTS)
    ]
    orders = [_line(_order(number)) for number in range(ORDERS)]
    data = b"".join([*(_line(patient) for patient in people), *orders])
    ours = max(_rate(lambda: _read(data)) for _ in range(runs))
    decoder = msgspec.json.Decoder(_Decoded)
    bare = max(_rate(lambda: sum(1 for line in orders if decoder.decode(line).id)) for _ in range(runs))
    return [beside("reader of FHIR R4 NDJSON", ours, "orders/s", bare, f"≥ {GOAL:,}/s", ours >= GOAL)]


def _read(data: bytes) -> int:
    return sum(len(part.lines) for part in read_fhir_parts("day", io.BytesIO(data), SOURCE, {}, zone=ZONE))


def _rate(work: Callable[[], int]) -> float:
    started_s = time.process_time()
    done = work()
    assert done == ORDERS
    return done / (time.process_time() - started_s)


def _line(resource: dict[str, Any]) -> bytes:
    return json.dumps(resource).encode() + b"\n"


def _order(number: int) -> dict[str, Any]:
    code, dose = CODES[number % len(CODES)], 2.5 * (number % 17 + 1)
    return {
        "resourceType": "MedicationRequest", "id": f"mr{number}", "status": "active", "intent": "order", "category": [{"text": "Unit Dose"}],
        "medicationCodeableConcept": {
            "coding": [{"system": "http://his.example/drugs", "code": f"DRUG{number % 300}"}, {"system": "http://hl7.org/fhir/sid/ndc", "code": f"{number % 300:011}"}],
            "text": f"Drug {number % 300} 5 mg tablet",
        },
        "subject": {"reference": f"Patient/p{number % PATIENTS}"}, "encounter": {"reference": f"Encounter/e{number % PATIENTS}"},
        "authoredOn": f"2026-03-0{number % 5 + 1}T05:{number % 60:02}:31+03:00",
        "dosageInstruction": [{
            "text": f"{dose} mg PO {code}", "timing": {"code": {"coding": [{"system": "http://his.example/frequency", "code": code}]}},
            "route": {"coding": [{"system": "http://his.example/route", "code": "PO"}]}, "doseAndRate": [{"doseQuantity": {"value": dose, "unit": "mg"}}],
        }],
        "dispenseRequest": {"validityPeriod": {"start": f"2026-03-0{number % 5 + 1}T06:00:00+03:00"}, "quantity": {"value": 1, "unit": "TAB"}},
    }  # fmt: skip
