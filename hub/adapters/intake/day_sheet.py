"""Day sheets of the wards, CSV or XLSX with Russian or English headers, read into an order sheet."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from fractions import Fraction

from hub.adapters.intake.amounts import unit_name
from hub.adapters.intake.drug_match import DrugMatcher
from hub.adapters.intake.moments import calendar_day, is_date_alone, moment
from hub.adapters.intake.sheet_names import order_id, patient_of_row, split_name, stay_id
from hub.adapters.intake.table import Row, headers_of, normalised, read_table
from hub.domain.drugs import DrugDirectory
from hub.domain.identifiers import DrugCode, OrderId, PatientId
from hub.domain.orders import OrderLine, OrderSheet, OrderStatus, Patient, SourceSettings, Stay
from hub.domain.quantities import Quantity, parse_dose_amount
from hub.domain.schedule import is_prn
from hub.domain.timing import Dosage, SlotDose, Timing

SLOTS = ("morning", "noon", "evening", "night")
REQUIRED = (
    ("department",), ("patient", "patient_code"), ("birth_date", "patient_code"), ("drug", "drug_code"),
    ("strength", "drug_code"), ("dose",), ("route",), (*SLOTS, "frequency"),
)  # fmt: skip
_ONE = frozenset({"+", "v", "x", "х", "✓", "✔", "да", "yes"})
_NONE = frozenset({"", "-", "–", "—", "0", "нет", "no"})
_DOSE = re.compile(r"([\d\s.,/½¼¾⅓⅔]+?)(?:\s*[-–—]\s*([\d\s.,/½¼¾⅓⅔]+?))?\s*([^\W\d_].*)?", re.DOTALL)
_URGENT = re.compile(r"\b(?:cito|stat|now|срочно|немедленно)\b", re.IGNORECASE)
_STATUS = OrderStatus.ACTIVE


@dataclass(slots=True)
class _Sheet:
    """A sheet while it is read: what was met so far."""

    name: str
    source: SourceSettings
    zone: tzinfo
    drugs: DrugMatcher
    patients: dict[PatientId, tuple[str, Patient]] = field(default_factory=dict)
    stays: dict[PatientId, tuple[str, Stay]] = field(default_factory=dict)
    equal_rows: Counter[tuple[object, ...]] = field(default_factory=Counter)


def read_day_sheet(
    name: str, data: bytes, source: SourceSettings, directory: DrugDirectory, *, zone: tzinfo
) -> OrderSheet:
    """Return the sheet of a ward's table: one line a row, none left out.

    Raises IntakeError for a table that cannot be read or lacks a column; what is wrong with one row is in its
    `unsupported`, and the field it is about is None.
    """
    required = [*REQUIRED]
    if source.course_required:
        required += [("starts",), ("ends",)]
    if source.signature_required:
        required.append(("signed_by",))
    rows = read_table(name, data, headers_of("day-sheet"), required=required)
    sheet = _Sheet(name, source, zone, DrugMatcher(directory))
    lines = tuple(_line(sheet, row) for row in rows)
    return OrderSheet(
        source=source.name,
        name=name,
        sha256=hashlib.sha256(data).hexdigest(),
        patients=tuple(patient for _, patient in sheet.patients.values()),
        stays=tuple(stay for _, stay in sheet.stays.values()),
        lines=lines,
    )


def _line(sheet: _Sheet, row: Row) -> OrderLine:
    unsupported: list[str] = []
    patient = _patient(sheet, row, unsupported)
    drug, doubt = sheet.drugs.match(row["drug_code"], row["drug"], row["strength"], row["form"])
    if doubt:
        unsupported.append(doubt)
    return OrderLine(
        id=_order_id(sheet, row, patient, drug),
        version=1,
        source=sheet.source.name,
        sheet=sheet.name,
        position=f"{sheet.name} {row.position}",
        patient=patient,
        drug=drug,
        drug_text=" ".join(part for part in (row["drug"], row["strength"], row["form"]) if part),
        dosages=(_dosage(sheet, row, unsupported),),
        status=_STATUS,
        authored_at=None,
        starts_at=_date(sheet, row, "starts", unsupported),
        ends_at=_date(sheet, row, "ends", unsupported),
        signed_by=row["signed_by"],
        note=" | ".join([*([row["note"]] if row["note"] else []), *(f"{title}: {cell}" for title, cell in row.others)]),
        stat=bool(_URGENT.search(f"{row['frequency']} {row['note']}")),
        unsupported=tuple(unsupported),
        starts_on_day=is_date_alone(row["starts"]),
    )


def _dosage(sheet: _Sheet, row: Row, unsupported: list[str]) -> Dosage:
    dose = read_dose(row["dose"], row["unit"], unsupported, sheet.source.decimal_sign)
    return Dosage(dose, _timing(sheet, row, unsupported), row["route"])


def _order_id(sheet: _Sheet, row: Row, patient: PatientId, drug: DrugCode) -> OrderId:
    if row["order_code"]:
        return OrderId(row["order_code"])
    key = (patient, drug, calendar_day(row["starts"]) or normalised(row["starts"]), normalised(row["route"]))
    sheet.equal_rows[key] += 1
    return order_id(sheet.source.name, patient, drug, row["starts"], row["route"], sheet.equal_rows[key])


def _patient(sheet: _Sheet, row: Row, unsupported: list[str]) -> PatientId:
    identity = patient_of_row(row)
    if not identity:
        unsupported.append("the patient has neither a code nor a name with a birth date")
        return identity
    birth_date = calendar_day(row["birth_date"])
    if row["birth_date"] and birth_date is None:
        unsupported.append(f"the birth date cannot be read: {row['birth_date']}")
    family, given = split_name(row["patient"])
    allergies = tuple(text.strip() for text in row["allergies"].split(";") if text.strip()) or None
    patient = Patient(identity, row["patient_code"] or identity, family, given, birth_date, allergies)
    place, known = sheet.patients.setdefault(identity, (row.position, patient))
    if (known.family, known.given, known.birth_date) != (family, given, birth_date):
        unsupported.append(f"the code {known.code} is of another name or birth date in {place}")
    stay = Stay(identity, stay_id(identity), row["department"], row["room"], row["bed"])
    place, before = sheet.stays.setdefault(identity, (row.position, stay))
    if before != stay:
        unsupported.append(f"the patient lies elsewhere in {place}")
    return identity


def read_dose(
    text: str, unit: str, unsupported: list[str], decimal_sign: str | None = None
) -> tuple[Quantity, Quantity] | None:
    """Return (low, high) of `500`, `0,5 г` or `5-10 мг`; None where no dose is written or it cannot be read.

    `decimal_sign` is the source's (`SourceSettings`); None: an amount that it would decide is not read.
    """
    if text in _NONE - {"0"}:
        return None
    match = _DOSE.fullmatch(text)
    written = match[3] if match else None
    if match is None or not (written or unit):
        unsupported.append(f"a dose without unit: {text}" if match else f"the dose cannot be read: {text}")
        return None
    if written and unit and unit_name(written) != unit_name(unit):
        unsupported.append(f"the dose has two units: {text} and {unit}")
        return None
    try:
        low = parse_dose_amount(match[1], decimal_sign)
        high = parse_dose_amount(match[2], decimal_sign) if match[2] else low
    except ValueError as error:
        unsupported.append(f"the dose cannot be read: {error}")
        return None
    name = unit_name(written or unit)
    return Quantity(low, name), Quantity(high, name)


def _timing(sheet: _Sheet, row: Row, unsupported: list[str]) -> Timing | None:
    slots = tuple(SlotDose(slot, factor) for slot in SLOTS if (factor := _factor(sheet, row, slot, unsupported)))
    code = row["frequency"] or None
    if code is None:
        return Timing(slots=slots) if slots else None
    if is_prn(code):
        return Timing(code=code, slots=slots, prn=True)
    if slots:
        unsupported.append(f"both a frequency ({code}) and marked slots of the day")
    return Timing(code=code, slots=slots)


def _factor(sheet: _Sheet, row: Row, slot: str, unsupported: list[str]) -> Fraction | None:
    text = row[slot].casefold()
    if text in _NONE:
        return None
    if text in _ONE:
        return Fraction(1)
    try:
        return parse_dose_amount(text, sheet.source.decimal_sign)
    except ValueError:
        unsupported.append(f"the {slot} cell cannot be read: {row[slot]}")
        return None


def _date(sheet: _Sheet, row: Row, column: str, unsupported: list[str]) -> datetime | None:
    text = row[column]
    value = moment(text, sheet.zone, end=column == "ends") if text else None
    if text and value is None:
        which: Mapping[str, str] = {"starts": "start", "ends": "end"}
        unsupported.append(f"the course {which[column]} cannot be read: {text}")
    return value
