"""Lists of discharged patients, CSV or XLSX, read into stays that are finished."""

import hashlib
import re
from datetime import datetime, timedelta, tzinfo

from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.moments import moment
from hub.adapters.intake.sheet_names import patient_of_row, stay_id
from hub.adapters.intake.table import Row, headers_of, read_table
from hub.domain.orders import OrderSheet, SourceSettings, Stay
from hub.domain.words import Words

LONGEST_AGO = timedelta(days=180)
FARTHEST = timedelta(days=31)
_DEATH = re.compile(r"\b(умер|смерт|летальн|скончал|погиб|морг|патологоанатом|exitus|died|dead|death|deceased|expired)", re.IGNORECASE)
_ALIVE = re.compile(r"\b(выпис|перевед|перевод|улучшен|выздоров|без перемен|без изменен|ухудшен|самовольн|отказ|discharged|home|transfer|improved|recovered|alive|other|unchanged|worse|against)", re.IGNORECASE)
REQUIRED = (("patient_code", "patient"), ("patient_code", "birth_date"), ("department",), ("discharged_at",))


def read_discharges(name: str, data: bytes, source: SourceSettings, *, zone: tzinfo, now: datetime) -> OrderSheet:
    """Return a sheet that has only finished stays; raise IntakeError where a row names nobody or no time that can be meant `now`.

    A date alone is the end of that day. A list with one wrong row is refused whole: a discharge that is overlooked sends drugs to an empty bed.
    """
    stays = []
    for row in read_table(name, data, headers_of("discharges"), required=REQUIRED):
        patient = patient_of_row(row)
        if not patient:
            raise IntakeError(name, row.position, "patient", Words(
                "neither a code nor a name with a birth date is given",
                "не указаны ни номер, ни фамилия с датой рождения",
            ))
        finished_at = moment(row["discharged_at"], zone, end=True) if row["discharged_at"] else None
        if finished_at is None:
            raise IntakeError(name, row.position, "discharged_at", Words(
                f"{row['discharged_at']!r} is no date and time",
                f"{row['discharged_at']!r} — не дата и время",
            ))
        if not now - LONGEST_AGO <= finished_at <= now + FARTHEST:
            raise IntakeError(name, row.position, "discharged_at", Words(
                f"{row['discharged_at']!r} is more than {LONGEST_AGO.days} days ago or more than {FARTHEST.days} days ahead: look at the year",
                f"{row['discharged_at']!r} — больше {LONGEST_AGO.days} дней назад или больше {FARTHEST.days} дней вперёд: проверьте год",
            ))
        stays.append(Stay(patient, stay_id(patient), row["department"], "", "", finished_at, _died(name, row)))
    return OrderSheet(source.name, name, hashlib.sha256(data).hexdigest(), stays=tuple(stays))


def _died(name: str, row: Row) -> bool:
    """Tell whether the outcome of a stay is a death; raise IntakeError for an outcome that nobody can tell."""
    outcome = row["outcome"].strip()
    if _DEATH.search(outcome):
        return True
    if outcome and not _ALIVE.search(outcome):
        raise IntakeError(name, row.position, "outcome", Words(
            f"{outcome!r} is neither a death nor a discharge that is known here",
            f"{outcome!r} — ни смерть, ни известный здесь исход выписки",
        ))
    return False
