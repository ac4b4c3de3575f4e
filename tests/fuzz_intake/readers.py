"""The readers that are fed: each has good files to start from and the one exception that refuses a file with its reason."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from hub.adapters.intake.changes import read_changes
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.fhir import read_fhir, read_fhir_parts
from hub.adapters.intake.hl7.reading import read_hl7
from hub.domain.orders import OrderSheet, SourceSettings
from tests.fuzz_intake.hl7_seeds import HL7_SEEDS

ZONE = ZoneInfo("Europe/Moscow")
SOURCE = SourceSettings("feed", False, False, 3, True, ())


@dataclass(frozen=True, slots=True)
class Reader:
    """One reader of intake: `read` takes bytes and returns a sheet or raises one of `refusals`, whose text is the reason."""

    name: str
    seeds: Sequence[bytes]
    read: Callable[[bytes], OrderSheet]
    refusals: tuple[type[Exception], ...] = (IntakeError,)


def _lines(*resources: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(resource, ensure_ascii=False).encode() + b"\n" for resource in resources)


def _bundle(*resources: dict[str, Any]) -> bytes:
    entries = [{"fullUrl": f"http://his/{number}", "resource": resource} for number, resource in enumerate(resources)]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "total": 1, "entry": entries}).encode()


PEOPLE: tuple[dict[str, Any], ...] = (
    {"resourceType": "Patient", "id": "p1", "identifier": [{"value": "202"}], "name": [{"family": "Ким", "given": ["Ян"]}], "birthDate": "1978-08-15",
     "deceasedBoolean": False, "link": [{"type": "seealso", "other": {"reference": "Patient/p2"}}]},
    {"resourceType": "Encounter", "id": "e1", "status": "in-progress", "subject": {"reference": "Patient/p1"}, "period": {"start": "2026-03-01"},
     "location": [{"location": {"reference": "Location/b1", "display": "Medicine / room 4 / bed 1"}, "status": "active"}]},
    {"resourceType": "Location", "id": "b1", "name": "1", "physicalType": {"coding": [{"code": "bd"}]}, "partOf": {"reference": "Location/w1"}},
    {"resourceType": "Location", "id": "w1", "name": "Medicine", "physicalType": {"coding": [{"code": "wa"}]}},
    {"resourceType": "AllergyIntolerance", "id": "a1", "patient": {"reference": "Patient/p1"}, "code": {"text": "Penicillin"}, "clinicalStatus": "active"},
    {"resourceType": "Medication", "id": "m1", "code": {"coding": [{"code": "METO25"}], "text": "Metoprolol"}},
)  # fmt: skip
ORDER: dict[str, Any] = {
    "resourceType": "MedicationRequest", "id": "mr1", "status": "active", "intent": "order", "priority": "routine", "authoredOn": "2026-03-05T06:45:30+03:00",
    "category": [{"text": "Unit Dose"}], "medicationReference": {"reference": "#m"}, "subject": {"reference": "Patient/p1"}, "requester": {"display": "Dr"},
    "contained": [{"resourceType": "Medication", "id": "m", "code": {"text": "Metoprolol"}}], "note": [{"text": "slowly"}],
    "dosageInstruction": [{
        "sequence": 1, "text": "12.5 mg", "route": {"coding": [{"code": "PO"}]}, "asNeededCodeableConcept": {"text": "pain"},
        "timing": {"code": {"coding": [{"code": "BID"}]}, "event": ["2026-03-05T08:00:00+03:00"], "repeat": {
            "frequency": 2, "period": 1, "periodMax": 1.5, "periodUnit": "d", "dayOfWeek": ["mon"], "timeOfDay": ["08:00:00"], "when": ["ACM"], "offset": 30,
            "count": 6, "duration": 30, "durationUnit": "min", "boundsPeriod": {"start": "2026-03-05", "end": "2026-03-09"}}},
        "doseAndRate": [{"doseRange": {"low": {"value": 1, "unit": "mg"}, "high": {"value": 2.5, "unit": "mg", "code": "mg"}}}],
        "maxDosePerPeriod": {"numerator": {"value": 4, "unit": "g"}, "denominator": {"value": 1, "unit": "d", "code": "d"}},
    }],
    "dispenseRequest": {"validityPeriod": {"start": "2026-03-05T07:00:00+03:00", "end": "2026-03-09"}}, "substitution": {"allowedBoolean": False},
}  # fmt: skip
R5_ORDER = {**ORDER, "id": "mr2", "medication": {"reference": {"reference": "Medication/m1"}}, "effectiveDosePeriod": {"start": "2026-03"}}
FHIR_SEEDS = (_bundle(*PEOPLE, ORDER, R5_ORDER), _lines(*PEOPLE, ORDER, R5_ORDER), _lines(ORDER), json.dumps(ORDER, indent=1).encode())
CHANGE_SEEDS = (b"".join(_lines({"at": "2026-03-05T07:00:00+03:00", "resource": resource}) for resource in (*PEOPLE[:2], ORDER)),)


def read_parts(data: bytes) -> OrderSheet:
    """Return the parts of a stream as the one sheet that they are."""
    first, *chunks = read_fhir_parts("day", io.BytesIO(data), SOURCE, {}, zone=ZONE)
    return replace(first, lines=tuple(line for part in chunks for line in part.lines))


READERS: Mapping[str, Reader] = {
    reader.name: reader
    for reader in (
        Reader("fhir", FHIR_SEEDS, lambda data: read_fhir("day", data, SOURCE, {}, zone=ZONE)),
        Reader("fhir-stream", FHIR_SEEDS, read_parts),
        Reader("hl7", HL7_SEEDS, lambda data: read_hl7("messages", data, SOURCE, {}, zone=ZONE)),
        Reader("fhir-changes", CHANGE_SEEDS, lambda data: read_changes("changes", data, SOURCE, {}, zone=ZONE)),
    )
}
