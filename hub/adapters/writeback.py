"""What the hospital's system gets back: MedicationDispense and MedicationAdministration, by FHIR REST or into a folder.

The resources follow from the ledger: each fact of a dose that ends makes one, with an id of its own, sent until it is taken.
"""

import logging
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hub.adapters.bookkeeping import Setting
from hub.adapters.ledger_store import entries
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.doses import PlannedDose
from hub.domain.drugs import Drug
from hub.domain.ledger import LedgerEntry
from hub.domain.quantities import fraction_text

if TYPE_CHECKING:
    import httpx

_log = logging.getLogger(__name__)
AT_ONCE = 200
CURSOR = "writeback.sent_through"
KINDS = ("dose-packed", "dose-given", "dose-not-given", "administration-cancelled")
DOSE_SYSTEM = "urn:dosehub:dose"
_ENCODER = msgspec.json.Encoder(decimal_format="number")
REASONS = "urn:dosehub:not-given-reason"


class Writeback:
    """Sends what the ledger says of doses; `work` returns True while a whole group more waits."""

    def __init__(self, writer: Writer, url: str, folder: Path) -> None:
        self._writer = writer
        self._url = url.rstrip("/")
        self._file = folder / "fhir-outbox.ndjson"
        self._client = _client() if url else None
        folder.mkdir(parents=True, exist_ok=True)

    def work(self) -> bool:
        """Send the next facts in order; the place that was reached is kept after they were taken."""
        facts, resources = self._writer.submit_read(_next).result()
        if not facts:
            return False
        self._send(resources)
        reached = facts[-1].seq
        self._writer.submit("system", lambda unit: unit.settings.put(Setting(CURSOR, str(reached)))).result()
        return len(facts) == AT_ONCE

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()

    def _send(self, resources: list[dict[str, Any]]) -> None:
        if self._client is None:
            with self._file.open("ab") as out:
                out.writelines(_ENCODER.encode(resource) + b"\n" for resource in resources)
            return
        for resource in resources:
            place = f"{self._url}/{resource['resourceType']}/{resource['id']}"
            answer = self._client.put(place, content=_ENCODER.encode(resource), headers={"content-type": "application/fhir+json"})
            answer.raise_for_status()


def _client() -> "httpx.Client":
    """Return a client; what it loads takes a tenth of a second, which a hub that writes into a folder does not need to start."""
    import httpx

    return httpx.Client(timeout=10.0)


def _next(unit: SqlUnitOfWork) -> tuple[list[LedgerEntry], list[dict[str, Any]]]:
    setting = unit.settings.get(CURSOR)
    after = int(setting.value) if setting is not None else 0
    found = list(entries(unit.connection, after=after, limit=AT_ONCE, kinds=KINDS))
    doses = {dose.id: dose for dose in unit.doses.where(id=[entry.data["dose"] for entry in found])}
    drugs = {drug.code: drug for drug in unit.drugs.where(code={dose.drug for dose in doses.values()})}
    resources = []
    for entry in found:
        dose = doses.get(entry.data["dose"])
        drug = drugs.get(dose.drug) if dose is not None else None
        if dose is not None and drug is not None:
            resources.append(_resource(entry, dose, drug))
    return found, resources


def _quantity(units: Fraction, unit: str) -> dict[str, Any]:
    """Return the exact quantity; one that has no end as a decimal (a third) stands in the dose's text alone."""
    text = fraction_text(units)
    return {} if "/" in text else {"quantity": {"value": Decimal(text), "unit": unit}}


def _resource(entry: LedgerEntry, dose: PlannedDose, drug: Drug) -> dict[str, Any]:
    """Return the FHIR R4 resource of one fact; an id made of ledger number and kind makes a repetition harmless."""
    common = {
        "identifier": [{"system": DOSE_SYSTEM, "value": dose.id}],
        "medicationCodeableConcept": {
            "coding": [{"system": "urn:dosehub:drug", "code": drug.code}],
            "text": f"{drug.inn} {drug.strength}",
        },
        "subject": {"reference": f"Patient/{dose.patient}"},
    }
    if entry.kind == "dose-packed":
        return {
            "resourceType": "MedicationDispense", "id": f"d{entry.seq}", "status": "completed", **common,
            "authorizingPrescription": [{"reference": f"MedicationRequest/{dose.order}"}], "whenPrepared": entry.at,
            **_quantity(dose.units, drug.unit),
        }  # fmt: skip
    administration = {
        "resourceType": "MedicationAdministration", "id": f"a{entry.seq}", **common, "effectiveDateTime": entry.at,
        "request": {"reference": f"MedicationRequest/{dose.order}"},
        "performer": [{"actor": {"reference": f"Practitioner/{entry.actor}"}}] if entry.actor != "system" else [],
        "dosage": {"text": dose.dose_text},
    }  # fmt: skip
    if entry.kind == "administration-cancelled":
        return {**administration, "id": f"a{entry.data['corrects']}", "status": "entered-in-error"}
    if entry.kind == "dose-given":
        return {**administration, "status": "completed"}
    return {
        **administration,
        "status": "not-done",
        "statusReason": [{"coding": [{"system": REASONS, "code": entry.data["reason"]}]}],
    }
