"""Literal FHIR resources that the tests of intake vary."""

import json
from typing import Any

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [{"value": "20282368"}],
    "name": [{"family": "Андреева", "given": ["Елена", "Петровна"]}],
    "birthDate": "1978-08-15",
}
ENCOUNTER = {
    "resourceType": "Encounter",
    "id": "e1",
    "status": "in-progress",
    "subject": {"reference": "Patient/p1"},
    "location": [{"location": {"display": "Medicine / room 4 / bed 1"}, "status": "active"}],
}
ORDER: dict[str, Any] = {
    "resourceType": "MedicationRequest",
    "id": "mr1",
    "status": "active",
    "intent": "order",
    "category": [{"text": "Unit Dose"}],
    "medicationCodeableConcept": {"coding": [{"code": "METO25"}, {"code": "0040"}], "text": "Metoprolol 25 mg Tab"},
    "subject": {"reference": "Patient/p1"},
    "authoredOn": "2026-03-05T06:45:30+03:00",
    "dosageInstruction": [
        {
            "text": "12.5 mg PO BID",
            "timing": {"code": {"coding": [{"code": "BID"}]}},
            "route": {"coding": [{"code": "PO"}]},
            "doseAndRate": [{"doseQuantity": {"value": 12.5, "unit": "mg"}}],
        }
    ],
    "dispenseRequest": {"validityPeriod": {"start": "2026-03-05T07:00:00+03:00", "end": "2026-03-09"}},
}


def order(**changed: Any) -> dict[str, Any]:
    """Return the order with other members; None takes one away."""
    return {key: value for key, value in (ORDER | changed).items() if value is not None}


def with_dosage(**changed: Any) -> dict[str, Any]:
    """Return the order with another dosage; None takes a member away, and another timing the text of the first one."""
    dosage = ORDER["dosageInstruction"][0] | ({"text": None} if changed.get("timing") else {}) | changed
    return order(dosageInstruction=[{key: value for key, value in dosage.items() if value is not None}])


def bundle(*resources: dict[str, Any], **members: Any) -> bytes:
    """Return a collection Bundle of the resources."""
    entries = [{"resource": resource} for resource in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries, **members}).encode()


def ndjson(*resources: dict[str, Any]) -> bytes:
    """Return the resources one a line."""
    return b"".join(json.dumps(resource, ensure_ascii=False).encode() + b"\n" for resource in resources)
