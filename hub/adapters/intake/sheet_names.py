"""What things are called on paper sheets: ids of patients, stays and orders that follow from the sheet's own words."""

from hub.adapters.intake.moments import calendar_day
from hub.adapters.intake.table import Row, normalised
from hub.domain.identifiers import DrugCode, OrderId, PatientId, derived_id


def patient_id(code: str, name: str, birth_date: str) -> PatientId:
    """Return a patient's id: the wristband's code, or else what follows from name and birth date; empty where neither is."""
    if code:
        return PatientId(code)
    day = calendar_day(birth_date)
    return PatientId(derived_id("patient", normalised(name), day, digits=12)) if name and day else PatientId("")


def patient_of_row(row: Row) -> PatientId:
    """Return the id of the patient that a row of any sheet names."""
    return patient_id(row["patient_code"], row["patient"], row["birth_date"])


def stay_id(patient: PatientId) -> str:
    """Return the id of a patient's stay; sheets have none of their own."""
    return derived_id("stay", patient, digits=16)


def order_id(source: str, patient: PatientId, drug: DrugCode, starts: str, route: str, occurrence: int) -> OrderId:
    """Return an order's id, the same on every day's sheet; `occurrence` counts equal rows of one sheet from 1."""
    day = calendar_day(starts) or normalised(starts)
    return OrderId(derived_id(source, patient, drug, day, normalised(route), occurrence))


def row_id(source: str, sha256: str, line: int) -> OrderId:
    """Return the id of a row that names no patient: of this file and line alone, so that it is never taken for another's order."""
    return OrderId(derived_id(source, "row", sha256, line))


def split_name(name: str) -> tuple[str, str]:
    """Return (family, given names) of a name as sheets write it."""
    family, _, given = " ".join(name.split()).partition(" ")
    return family, given
