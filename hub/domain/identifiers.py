"""The names of things: one type for each kind of identifier, and how deterministic ones are made."""

import hashlib
from typing import NewType

PatientId = NewType("PatientId", str)
OrderId = NewType("OrderId", str)
DrugCode = NewType("DrugCode", str)
LotId = NewType("LotId", str)
DoseId = NewType("DoseId", str)
BatchId = NewType("BatchId", str)
JobId = NewType("JobId", str)
PackSerial = NewType("PackSerial", str)
CassetteId = NewType("CassetteId", int)
TrolleyId = NewType("TrolleyId", str)
DeviceId = NewType("DeviceId", str)
UserId = NewType("UserId", str)


def derived_id(*parts: object, digits: int = 32) -> str:
    """Return `digits` hex digits that follow from `parts` alone, so that a repetition makes the same id."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
