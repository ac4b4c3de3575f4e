"""A generated hospital: a directory, cassettes, and the Bundle of a morning with twelve doses for every bed."""

import gzip
import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hub.domain.drugs import Drug, DrugClass, Form, Storage
from hub.domain.identifiers import CassetteId, DeviceId, DrugCode
from hub.domain.stock import Cassette, CassetteState

DRUGS = 240
BEDS_A_WARD = 40
DOSES_A_BED = 12
FREQUENCIES = ("DAILY", "BID", "BID", "TID", "BID", "BID")
FAMILIES = ("Иванов", "Кузнецова", "Смирнов", "Попова", "Васильев", "Новикова", "Фёдоров", "Морозова")
GIVEN = (("Иван", "Петрович"), ("Елена", "Юрьевна"), ("Андрей", "Ильич"), ("Мария", "Сергеевна"))


def directory() -> tuple[Drug, ...]:
    """Return 240 drugs: 200 tablets that can be halved, 20 capsules, 20 ampoules."""
    return tuple(_drug(number) for number in range(DRUGS))


def _drug(number: int) -> Drug:
    form = Form.AMPOULE if number % 12 == 11 else Form.CAPSULE if number % 12 == 10 else Form.TABLET
    strength, unit = ("50 mg/2 mL", "AMP") if form is Form.AMPOULE else ("50 mg", "TAB" if form is Form.TABLET else "CAP")
    return Drug(
        DrugCode(f"DRUG{number:03}"), f"Substance {number:03}", f"Tradename {number:03}", form, strength, unit, f"Group {number:03}",
        DrugClass.ORDINARY, number % 31 == 0, False, "", Storage.ROOM, 4 if form is Form.TABLET else 1, form is not Form.AMPOULE, Decimal("3.20"),
    )  # fmt: skip


def cassettes() -> tuple[Cassette, ...]:
    """Return a cassette for every solid drug."""
    solid = [drug for drug in directory() if drug.form is not Form.AMPOULE]
    return tuple(
        Cassette(CassetteId(number), drug.code, DeviceId("packager-1"), number, 400, CassetteState.EMPTY)
        for number, drug in enumerate(solid, start=1)
    )


def bundle(beds: int, pulled_at: datetime, seed: int = 1) -> bytes:
    """Return the gzipped FHIR R4 Bundle of a morning: for each bed Patient, Encounter and six orders of twelve doses."""
    chooser = random.Random(seed)
    entries = ({"fullUrl": f"urn:{r['resourceType']}:{r['id']}", "resource": r} for r in _resources(beds, pulled_at, chooser))
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    return gzip.compress(f'{{"resourceType":"Bundle","type":"collection","entry":[{lines}]}}'.encode(), 6, mtime=0)


def ndjson(beds: int, pulled_at: datetime, *, begins_in_days: int = 0, seed: int = 1) -> Iterator[bytes]:
    """Yield the lines of the same morning as FHIR R4 NDJSON; orders that begin in some days have no dose on this one."""
    for resource in _resources(beds, pulled_at, random.Random(seed)):
        if begins_in_days and resource["resourceType"] == "MedicationRequest":
            begins_at = datetime.fromisoformat(resource["authoredOn"]) + timedelta(days=begins_in_days)
            resource["dispenseRequest"]["validityPeriod"] = {"start": begins_at.isoformat(), "end": (begins_at + timedelta(days=5)).isoformat()}
        yield json.dumps(resource, ensure_ascii=False).encode() + b"\n"


def _resources(beds: int, pulled_at: datetime, chooser: random.Random) -> Iterator[dict[str, Any]]:
    for bed in range(beds):
        family, given = chooser.choice(FAMILIES), chooser.choice(GIVEN)
        yield {
            "resourceType": "Patient", "id": f"p{bed}", "identifier": [{"system": "urn:hospital:mrn", "value": f"W{bed:07}"}],
            "name": [{"family": family, "given": list(given)}], "gender": "female", "birthDate": f"{chooser.randint(1930, 2005)}-03-21",
        }  # fmt: skip
        ward, room = bed // BEDS_A_WARD, bed % BEDS_A_WARD // 4
        yield {
            "resourceType": "Encounter", "id": f"e{bed}", "status": "in-progress", "subject": {"reference": f"Patient/p{bed}"},
            "period": {"start": (pulled_at - timedelta(days=2)).isoformat()},
            "location": [{"location": {"display": f"Ward {ward} / room {room} / bed {bed % 4 + 1}"}, "status": "active"}],
        }  # fmt: skip
    for bed in range(beds):
        for number, frequency in enumerate(FREQUENCIES):
            yield _order(bed, number, frequency, pulled_at, chooser)


def _order(bed: int, number: int, frequency: str, pulled_at: datetime, chooser: random.Random) -> dict[str, Any]:
    drug = chooser.randrange(DRUGS // len(FREQUENCIES)) * len(FREQUENCIES) + number  # no bed gets a drug twice
    amounts = (50, 100) if drug % 12 >= 10 else (50, 50, 50, 100, 25)
    amount = chooser.choice(amounts)
    route = "IV" if drug % 12 == 11 else "PO"
    return {
        "resourceType": "MedicationRequest", "id": f"mr{bed}-{number}", "status": "active", "intent": "order",
        "category": [{"text": "Unit Dose"}],
        "medicationCodeableConcept": {"coding": [{"system": "urn:hospital:formulary", "code": f"DRUG{drug:03}"}], "text": f"Tradename {drug:03} 50 mg"},
        "subject": {"reference": f"Patient/p{bed}"}, "encounter": {"reference": f"Encounter/e{bed}"},
        "authoredOn": (pulled_at - timedelta(hours=chooser.randint(3, 40))).isoformat(),
        "requester": {"display": "dr-morozova"},
        "dosageInstruction": [{
            "text": f"{amount} mg {route} {frequency}",
            "timing": {"code": {"coding": [{"system": "urn:hospital:frequency", "code": frequency}]}},
            "route": {"coding": [{"system": "urn:hospital:route", "code": route}]},
            "doseAndRate": [{"doseQuantity": {"value": amount, "unit": "mg"}}],
        }],
        "dispenseRequest": {
            "validityPeriod": {"start": (pulled_at - timedelta(hours=2)).isoformat(), "end": (pulled_at + timedelta(days=5)).isoformat()},
            "quantity": {"value": 1, "unit": "TAB"},
        },
    }  # fmt: skip
