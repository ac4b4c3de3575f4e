"""Day sheets of the wards, CSV or XLSX with Russian or English headers or a column map, read into an order sheet."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from hub.adapters.intake.column_map import DEFAULT_MAP, SLOTS, ColumnMap, mapped_rows
from hub.adapters.intake.day_dosage import NO, YES, Reading, read_bounds, read_dosage, read_dose
from hub.adapters.intake.drug_match import DrugMatcher
from hub.adapters.intake.envelope import unpacked
from hub.adapters.intake.errors import IntakeError, field_ru
from hub.adapters.intake.moments import calendar_day
from hub.adapters.intake.order_rows import with_orders_joined
from hub.adapters.intake.sheet_names import order_id, patient_of_row, row_id, split_name, stay_id
from hub.adapters.intake.table import Row, normalised
from hub.domain.drugs import DrugDirectory
from hub.domain.identifiers import DrugCode, OrderId, PatientId
from hub.domain.orders import OrderLine, OrderSheet, OrderStatus, Patient, Reject, SourceSettings, Stay
from hub.domain.words import Words, place_ru

REQUIRED = (
    ("department",), ("patient", "patient_code"), ("birth_date", "patient_code"), ("drug", "drug_code"),
    ("strength", "drug_code"), ("dose",), ("route",), (*SLOTS, "frequency", "scheme", "prn"),
)  # fmt: skip
OLDEST_BIRTH_YEAR = 1905
_NO_PATIENT = Words("neither a code nor a name with a birth date is given", "не указаны ни номер, ни фамилия с датой рождения")
_NO_DRUG = Words("no drug is written", "препарат не указан")
_URGENT = re.compile(r"\b(?:cito|stat|now|срочно|немедленно)\b", re.IGNORECASE)
_STATUSES: Mapping[str, OrderStatus] = {
    **{status.value: status for status in OrderStatus},
    **dict.fromkeys(("действует", "активно", "активен", "назначено", "new", "in force"), OrderStatus.ACTIVE),
    **dict.fromkeys(("приостановлено", "приостановлен", "пауза", "held", "hold"), OrderStatus.ON_HOLD),
    **dict.fromkeys(("отменено", "отменен", "отмена", "canceled", "discontinued"), OrderStatus.CANCELLED),
    **dict.fromkeys(("завершено", "завершен", "окончено", "выполнено", "ended"), OrderStatus.COMPLETED),
}

__all__ = ["DEFAULT_MAP", "read_day_sheet", "read_dose"]


@dataclass(slots=True)
class _Sheet:
    """A sheet while it is read: what was met so far."""

    name: str
    sha256: str
    source: SourceSettings
    reading: Reading
    drugs: DrugMatcher
    patients: dict[PatientId, tuple[str, Patient]] = field(default_factory=dict)
    stays: dict[PatientId, tuple[str, Stay]] = field(default_factory=dict)
    equal_rows: Counter[tuple[object, ...]] = field(default_factory=Counter)


def read_day_sheet(
    name: str, data: bytes, source: SourceSettings, directory: DrugDirectory, *, zone: tzinfo, columns: ColumnMap = DEFAULT_MAP
) -> OrderSheet:
    """Return the sheet of a ward's table: every row is a line, a dosage of one, or a reject; none is left out.

    Raises IntakeError for a table that cannot be read or lacks a column, and where not one row can be trusted. What is wrong with
    one row is in its `unsupported` (the field is None), or the row is `unreadable`; of a row whose cells cannot be told
    apart only a reject is left.
    """
    content = unpacked(name, data)
    sha256 = hashlib.sha256(data).hexdigest()
    reading = Reading(columns.decimal_sign or source.decimal_sign, columns.slots, columns.dates, zone)
    sheet = _Sheet(name, sha256, source, reading, DrugMatcher(directory))
    lines: list[OrderLine] = []
    rejects: list[Reject] = []
    for row in mapped_rows(name, content, columns, _required(source)):
        if row.fault and not row.cells:
            rejects.append(Reject(f"{name} {row.position}", *row.fault))
        else:
            lines.append(_line(sheet, row))
    _refuse_nothing(name, lines, rejects)
    return OrderSheet(
        source=source.name,
        name=name,
        sha256=sha256,
        patients=tuple(patient for _, patient in sheet.patients.values()),
        stays=tuple(stay for _, stay in sheet.stays.values()),
        lines=with_orders_joined(lines),
        rejects=tuple(rejects),
    )


def _required(source: SourceSettings) -> list[Sequence[str]]:
    required: list[Sequence[str]] = [*REQUIRED]
    if source.course_required:
        required += [("starts", "course"), ("ends", "days", "course")]
    if source.signature_required:
        required.append(("signed_by",))
    return required


def _refuse_nothing(name: str, lines: Sequence[OrderLine], rejects: Sequence[Reject]) -> None:
    if lines:
        return
    if not rejects:
        raise IntakeError(name, "", "", Words("the table has a header and no rows", "в таблице есть заголовок и нет строк"))
    first = rejects[0]
    raise IntakeError(name, first.position.removeprefix(f"{name} "), first.field, Words(
        f"{first.reason.en}; no row of the table can be read",
        f"{first.reason.ru}; ни одна строка таблицы не читается",
    ))


def _line(sheet: _Sheet, row: Row) -> OrderLine:
    unsupported: list[Words] = []
    patient = _patient(sheet, row, unsupported)
    drug, doubt = sheet.drugs.match(row["drug_code"], row["drug"], row["strength"], row["form"])
    if doubt:
        unsupported.append(doubt)
    bounds = read_bounds(row, sheet.reading, unsupported)
    return OrderLine(
        id=row_id(sheet.source.name, sheet.sha256, row.line) if not patient else _order_id(sheet, row, patient, drug),
        version=1,
        source=sheet.source.name,
        sheet=sheet.name,
        position=f"{sheet.name} {row.position}",
        patient=patient,
        drug=drug,
        drug_text=" ".join(part for part in (row["drug"], row["strength"], row["form"]) if part),
        dosages=(read_dosage(row, sheet.reading, bounds.lasts, unsupported),),
        status=_status(row, unsupported),
        authored_at=None,
        starts_at=bounds.starts_at,
        ends_at=bounds.ends_at,
        signed_by=row["signed_by"],
        note=_note(row),
        stat=_is_urgent(row, unsupported),
        unsupported=tuple(unsupported),
        starts_on_day=bounds.on_day,
        unreadable=_unreadable(sheet, row, patient),
    )


def _unreadable(sheet: _Sheet, row: Row, patient: PatientId) -> Words | None:
    """Return place, field and reason of a row that nobody could carry out; None where it can be read."""
    fault = _fault(row, patient)
    if fault is None:
        return None
    column, reason = fault
    place = f"{sheet.name} {row.position}"
    english = f"field {column}: {reason.en}" if column else reason.en
    russian = f"поле {field_ru(column)}: {reason.ru}" if column else reason.ru
    return Words(f"{place}, {english}", f"{place_ru(place)}, {russian}")


def _fault(row: Row, patient: PatientId) -> tuple[str, Words] | None:
    if row.fault or not patient:
        return row.fault or ("patient", _NO_PATIENT)
    return None if row["drug"] or row["drug_code"] else ("drug", _NO_DRUG)


def _status(row: Row, unsupported: list[Words]) -> OrderStatus:
    word = normalised(row["status"])
    if not word:
        return OrderStatus.ACTIVE
    if word not in _STATUSES:
        unsupported.append(Words(f"the status is not known: {row['status']}", f"статус не известен: {row['status']}"))
    return _STATUSES.get(word, OrderStatus.UNKNOWN)


def _is_urgent(row: Row, unsupported: list[Words]) -> bool:
    word = row["urgent"].casefold()
    if word not in YES | NO:
        unsupported.append(Words(f"the cell of 'urgent' cannot be read: {row['urgent']}", f"ячейка «срочно» не читается: {row['urgent']}"))
    return word in YES or bool(_URGENT.search(f"{row['frequency']} {row['note']}"))


def _note(row: Row) -> str:
    sex = [f"sex: {row['sex']}"] if row["sex"] else []
    return " | ".join([*([row["note"]] if row["note"] else []), *sex, *(f"{title}: {cell}" for title, cell in row.others)])


def _order_id(sheet: _Sheet, row: Row, patient: PatientId, drug: DrugCode) -> OrderId:
    if row["order_code"]:
        return OrderId(row["order_code"])
    key = (patient, drug, calendar_day(row["starts"]) or normalised(row["starts"]), normalised(row["route"]))
    sheet.equal_rows[key] += 1
    return order_id(sheet.source.name, patient, drug, row["starts"], row["route"], sheet.equal_rows[key])


def _patient(sheet: _Sheet, row: Row, unsupported: list[Words]) -> PatientId:
    identity = patient_of_row(row)
    if not identity or row.fault:
        return identity
    birth_date = calendar_day(row["birth_date"])
    if row["birth_date"] and birth_date is None:
        unsupported.append(Words(f"the birth date cannot be read: {row['birth_date']}", f"дата рождения не читается: {row['birth_date']}"))
    if birth_date is not None and birth_date.year < OLDEST_BIRTH_YEAR:
        unsupported.append(Words(
            f"the birth date is of another age: {row['birth_date']}",
            f"дата рождения из другого века: {row['birth_date']}",
        ))
    family, given = split_name(row["patient"])
    patient = Patient(identity, row["patient_code"] or identity, family, given, birth_date, _allergies(row["allergies"]))
    place, known = sheet.patients.setdefault(identity, (row.position, patient))
    if (known.family, known.given, known.birth_date) != (family, given, birth_date):
        unsupported.append(Words(
            f"the code {known.code} is of another name or birth date in {place}",
            f"номер {known.code} — у другой фамилии или даты рождения ({place_ru(place)})",
        ))
    elif patient.allergies and patient.allergies != known.allergies:
        both = (*(known.allergies or ()), *patient.allergies)
        sheet.patients[identity] = (place, Patient(identity, known.code, family, given, birth_date, tuple(dict.fromkeys(both))))
    stay = Stay(identity, stay_id(identity), row["department"], row["room"], row["bed"])
    place, before = sheet.stays.setdefault(identity, (row.position, stay))
    if before != stay:
        unsupported.append(Words(
            f"the patient lies elsewhere in {place}",
            f"по другой строке пациент лежит в другом месте ({place_ru(place)})",
        ))
    return identity


def _allergies(text: str) -> tuple[str, ...] | None:
    return tuple(part.strip() for part in text.split(";") if part.strip()) or None
