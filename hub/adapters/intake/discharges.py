"""Lists of discharged patients, CSV or XLSX, read into stays that are finished."""

import hashlib
from datetime import tzinfo

from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.moments import moment
from hub.adapters.intake.sheet_names import patient_of_row, stay_id
from hub.adapters.intake.table import headers_of, read_table
from hub.domain.orders import OrderSheet, SourceSettings, Stay

REQUIRED = (("patient_code", "patient"), ("patient_code", "birth_date"), ("department",), ("discharged_at",))


def read_discharges(name: str, data: bytes, source: SourceSettings, *, zone: tzinfo) -> OrderSheet:
    """Return a sheet that has only finished stays; raise IntakeError where a row names nobody or no time.

    A list with one wrong row is refused whole: a discharge that is overlooked sends drugs to an empty bed.
    """
    stays = []
    for row in read_table(name, data, headers_of("discharges"), required=REQUIRED):
        patient = patient_of_row(row)
        if not patient:
            raise IntakeError(name, row.position, "patient", "neither a code nor a name with a birth date is given")
        finished_at = moment(row["discharged_at"], zone) if row["discharged_at"] else None
        if finished_at is None:
            raise IntakeError(name, row.position, "discharged_at", f"{row['discharged_at']!r} is no date and time")
        stays.append(Stay(patient, stay_id(patient), row["department"], "", "", finished_at))
    return OrderSheet(source.name, name, hashlib.sha256(data).hexdigest(), stays=tuple(stays))
