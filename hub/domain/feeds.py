"""When a source's sheet is due and how many orders it usually has: silence and a stump of a sheet are noticed, never obeyed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from fractions import Fraction
from statistics import median

COUNTS_KEPT = 10


class SheetFormat(StrEnum):
    """What a source sends; ANY: the content tells."""

    ANY = "any"
    FHIR = "fhir"
    HL7 = "hl7"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """How one source reaches the hub, and what is expected of it; what its lines are bound to bring is `SourceSettings`.

    `…_token_env` name variables of the environment, never the secrets. `expected_by` are wall times in the source's zone by which a
    whole sheet has to be there. A sheet with fewer orders than `least_share` of the usual count is held for a pharmacist.
    `time_zone` is that of the source's times without an offset; empty: the hospital's. `hl7_charset` is the codec of messages that say
    nothing in MSH-18, `hl7_processing` the ids of MSH-11 that count; the `mllp_…` files make the connection TLS (docs/hl7.md).
    """

    source: str
    format: SheetFormat = SheetFormat.ANY
    folder: str = ""
    fhir_url: str = ""
    fhir_token_env: str = ""
    hint_token_env: str = ""
    pull_every_minutes: int = 5
    mllp_port: int | None = None
    column_map: str = ""
    code_table: str = ""
    expected_by: tuple[time, ...] = ()
    least_share: Fraction | None = None
    time_zone: str = ""
    hl7_charset: str = ""
    hl7_processing: str = "P"
    mllp_certificate: str = ""
    mllp_key: str = ""
    mllp_client_authorities: str = ""


def usual_count(counts: Sequence[int]) -> Fraction | None:
    """Return the median of a source's last counts of orders, None where no whole sheet came yet."""
    return Fraction(median(map(Fraction, counts))) if counts else None


def is_suspiciously_small(count: int, counts: Sequence[int], least_share: Fraction | None) -> bool:
    """Tell whether a sheet has fewer orders than the least share of the usual count."""
    usual = usual_count(counts)
    return usual is not None and least_share is not None and count < usual * least_share


def last_due(now: datetime, expected_by: Sequence[time], zone: tzinfo) -> datetime | None:
    """Return the latest due time that has come, None where nothing is expected."""
    return max((due for due in _due_times(now, expected_by, zone) if due <= now), default=None)


def answered_due(heard_at: datetime, expected_by: Sequence[time], zone: tzinfo) -> datetime | None:
    """Return the due time that a sheet answers: the one that is nearest to its coming."""
    return min(_due_times(heard_at, expected_by, zone), key=lambda due: abs(due - heard_at), default=None)


def _due_times(around: datetime, expected_by: Sequence[time], zone: tzinfo) -> list[datetime]:
    day: date = around.astimezone(zone).date()
    days = (day + timedelta(days=offset) for offset in (-1, 0, 1))
    return [datetime.combine(one, at, zone) for one in days for at in expected_by]
