"""Bedside rules: whether this pack, or this ward dose, may be given to this patient now; a refusal is a value with plain words."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from hub.domain.doses import WARD_LANES, DoseState, PlannedDose
from hub.domain.identifiers import LotId, OrderId
from hub.domain.orders import LineState, Order, Patient, Stay
from hub.domain.packs import Pack, PackState
from hub.domain.schedule import FrequencyTable, IntakeSlot, Schedule, ScheduleKind, schedule_for, shortest_interval
from hub.domain.stock import Lot


class RefusalCode(StrEnum):
    """Why something may not be given; the codes of the HTTP API."""

    UNKNOWN_PACK = "unknown-pack"
    UNKNOWN_PATIENT = "unknown-patient"
    WRONG_PATIENT = "wrong-patient"
    TOO_EARLY = "too-early"
    TOO_LATE = "too-late"
    STOPPED = "stopped"
    ON_HOLD = "on-hold"
    ALREADY_GIVEN = "already-given"
    EXPIRED = "expired"
    RECALLED = "recalled"
    REVOKED = "revoked"
    NOT_RECEIVED = "not-received"
    DISCHARGED = "discharged"
    NOT_YOURS = "not-yours"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal: its code and a sentence for the person with the trolley."""

    code: RefusalCode
    text: str


@dataclass(frozen=True, slots=True)
class GiveWindow:
    """How long before and after its due time a dose may be given; None: no limit on that side."""

    before: timedelta | None
    after: timedelta | None


@dataclass(frozen=True, slots=True)
class TimingRules:
    """The windows around a due time (ISMP, Acute care guidelines for timely administration, 2011)."""

    time_critical: timedelta = timedelta(minutes=30)
    several_a_day: timedelta = timedelta(hours=1)
    daily_or_rarer: timedelta = timedelta(hours=2)
    short_interval: timedelta = timedelta(hours=4)
    short_interval_share: Fraction = Fraction(1, 4)


UNLIMITED = GiveWindow(None, None)
ISMP_TIMING = TimingRules()
STRICTEST = GiveWindow(ISMP_TIMING.time_critical, ISMP_TIMING.time_critical)

_PACK_REFUSALS: Mapping[PackState, tuple[RefusalCode, str]] = {
    PackState.EXPECTED: (RefusalCode.NOT_RECEIVED, "this pack was not made yet"),
    PackState.PRODUCED: (RefusalCode.NOT_RECEIVED, "this pack was not verified yet"),
    PackState.VERIFIED: (RefusalCode.NOT_RECEIVED, "this pack was not released yet"),
    PackState.RELEASED: (RefusalCode.NOT_RECEIVED, "this pack was not brought to the ward yet"),
    PackState.LOADED: (RefusalCode.NOT_RECEIVED, "this pack's trolley was not sent yet"),
    PackState.DISPATCHED: (RefusalCode.NOT_RECEIVED, "this pack's trolley was not received yet: receive it first"),
    PackState.GIVEN: (RefusalCode.ALREADY_GIVEN, "this pack was given already"),
    PackState.GIVEN_IN_PART: (RefusalCode.ALREADY_GIVEN, "this pack was given in part already"),
    PackState.RESTOCKED: (RefusalCode.REVOKED, "this pack went back to the pharmacy"),
    PackState.DESTROYED: (RefusalCode.REVOKED, "this pack was written off"),
    PackState.LOST: (RefusalCode.REVOKED, "this pack was reported lost: hand it to the pharmacy"),
    PackState.QUARANTINED: (RefusalCode.REVOKED, "this pack is in quarantine: hand it to the pharmacy"),
    PackState.REVOKED: (RefusalCode.REVOKED, "this pack was revoked: hand it back"),
    PackState.NEVER_MADE: (RefusalCode.REVOKED, "this pack was never made: hand it to the pharmacy"),
}
_DOSE_REFUSALS: Mapping[DoseState, tuple[RefusalCode, str]] = {
    DoseState.GIVEN: (RefusalCode.ALREADY_GIVEN, "this dose was given already"),
    DoseState.CANCELLED: (RefusalCode.STOPPED, "this dose was cancelled"),
    DoseState.MISSED: (RefusalCode.TOO_LATE, "this dose was recorded as missed"),
    DoseState.RETURNED: (RefusalCode.REVOKED, "this dose was returned"),
    DoseState.WASTED: (RefusalCode.REVOKED, "this dose was written off"),
    DoseState.LOST: (RefusalCode.REVOKED, "this dose was reported lost"),
    DoseState.UNFULFILLABLE: (RefusalCode.REVOKED, "this dose could not be supplied"),
}
_NOT_IN_FORCE = frozenset({LineState.RECEIVED, LineState.REJECTED, LineState.EXCLUDED, LineState.NEEDS_REVIEW})


def give_window(schedule: Schedule, rules: TimingRules = ISMP_TIMING, *, time_critical: bool = False) -> GiveWindow:
    """Return the window of a schedule's doses: once and as-needed doses have none (ISMP 2011).

    An interval shorter than four hours allows a quarter of itself; the night's gap to the next morning counts.
    """
    if schedule.kind is not ScheduleKind.REGULAR:
        return UNLIMITED
    if time_critical:
        return GiveWindow(rules.time_critical, rules.time_critical)
    if len(schedule.times) <= 1:
        return GiveWindow(rules.daily_or_rarer, rules.daily_or_rarer)
    interval = shortest_interval(schedule)
    if interval < rules.short_interval:
        share = interval * rules.short_interval_share.numerator / rules.short_interval_share.denominator
        return GiveWindow(share, share)
    return GiveWindow(rules.several_a_day, rules.several_a_day)


def least_gap(schedule: Schedule) -> timedelta | None:
    """Return how long after a dose the next one of a schedule may be given: its interval less its window; None: no interval."""
    if schedule.kind is not ScheduleKind.REGULAR or not schedule.times:
        return None
    allowed = give_window(schedule).before
    return shortest_interval(schedule) - (allowed if allowed is not None else timedelta(0))


def windows_for(
    orders: Iterable[Order],
    table: FrequencyTable,
    department: str,
    slots: tuple[IntakeSlot, ...],
    rules: TimingRules = ISMP_TIMING,
    time_critical: Collection[OrderId] = frozenset(),
) -> Mapping[OrderId, GiveWindow]:
    """Return the window of each order's doses; an order whose timing cannot be told gets the strictest one.

    Only what the prescriber wrote lifts it: a STAT order, or one to be given once. A dose that is made at once or goes by
    hand (`PlannedDose.stat`) is still due when it is due.
    """
    windows: dict[OrderId, GiveWindow] = {}
    for order in orders:
        schedule = schedule_for(order.line.timing, table, department, slots) if order.line.timing is not None else None
        windows[order.id] = STRICTEST
        if order.line.stat:
            windows[order.id] = UNLIMITED
        elif isinstance(schedule, Schedule):
            windows[order.id] = give_window(schedule, rules, time_critical=order.id in time_critical)
    return windows


def check_give(
    now: datetime,
    patient: Patient | None,
    pack: Pack | None,
    pack_doses: Iterable[PlannedDose],
    orders: Mapping[OrderId, Order],
    stay: Stay | None,
    recalled_lots: Collection[LotId],
    windows: Mapping[OrderId, GiveWindow],
) -> Refusal | None:
    """Return why a pack may not be given to a patient now, or None where it may.

    `now` is in the hospital's zone (the day of expiry is its last day of use); `pack` and `patient` are None where the scanned
    code is unknown. The first refusal in order of danger is the one that is told.
    """
    refusals = _pack_refusals(now, patient, pack, tuple(pack_doses), orders, stay, recalled_lots, windows)
    return next(refusals, None)


def _pack_refusals(
    now: datetime,
    patient: Patient | None,
    pack: Pack | None,
    doses: tuple[PlannedDose, ...],
    orders: Mapping[OrderId, Order],
    stay: Stay | None,
    recalled_lots: Collection[LotId],
    windows: Mapping[OrderId, GiveWindow],
) -> Iterator[Refusal]:
    if pack is None or not doses:
        yield Refusal(RefusalCode.UNKNOWN_PACK, "this code is not a pack of ours")
        return
    if patient is None:
        yield Refusal(RefusalCode.UNKNOWN_PATIENT, "this wristband is not known")
        return
    if pack.patient != patient.id or any(dose.patient != patient.id for dose in doses):
        yield Refusal(RefusalCode.WRONG_PATIENT, f"this pack is not for {patient.full_name}")
    refused_state = _PACK_REFUSALS.get(pack.state)
    if refused_state is not None and refused_state[0] is not RefusalCode.NOT_RECEIVED:
        yield Refusal(*refused_state)
    for dose in doses:
        yield from _dose_refusals(now, dose, orders.get(dose.order))
    yield from _stay_refusals(now, stay)
    if any(content.lot in recalled_lots for content in pack.contents):
        yield Refusal(RefusalCode.RECALLED, "a lot in this pack was recalled: hand it back")
    if pack.expires_on is not None and pack.expires_on < now.date():
        yield Refusal(RefusalCode.EXPIRED, f"this pack expired on {pack.expires_on.isoformat()}")
    if refused_state is not None:
        yield Refusal(*refused_state)
    if stay is not None and stay.department != pack.department:
        yield Refusal(
            RefusalCode.NOT_YOURS,
            f"this pack was made for {pack.department}, the patient lies in {stay.department}: hand it over first",
        )
    for dose in doses:
        yield from _time_refusals(now, dose, windows)


def check_ward_dose(
    now: datetime,
    patient: Patient | None,
    dose: PlannedDose | None,
    lot: Lot | None,
    orders: Mapping[OrderId, Order],
    stay: Stay | None,
    recalled_lots: Collection[LotId],
    windows: Mapping[OrderId, GiveWindow],
) -> Refusal | None:
    """Return why a dose of a ward lane may not be given from a scanned source pack of `lot` now, or None where it may.

    `lot` is None where the scanned code is unknown.
    """
    return next(_ward_refusals(now, patient, dose, lot, orders, stay, recalled_lots, windows), None)


def _ward_refusals(
    now: datetime,
    patient: Patient | None,
    dose: PlannedDose | None,
    lot: Lot | None,
    orders: Mapping[OrderId, Order],
    stay: Stay | None,
    recalled_lots: Collection[LotId],
    windows: Mapping[OrderId, GiveWindow],
) -> Iterator[Refusal]:
    if dose is None:
        yield Refusal(RefusalCode.UNKNOWN_PACK, "this dose is not planned")
        return
    if patient is None:
        yield Refusal(RefusalCode.UNKNOWN_PATIENT, "this wristband is not known")
        return
    if dose.patient != patient.id:
        yield Refusal(RefusalCode.WRONG_PATIENT, f"this dose is not for {patient.full_name}")
    if dose.lane not in WARD_LANES:
        yield Refusal(RefusalCode.NOT_YOURS, "this dose comes in a pack of its own: scan the pack")
    if lot is None:
        yield Refusal(RefusalCode.UNKNOWN_PACK, "this code is not a source pack of the ward")
        return
    if lot.item != dose.drug:
        yield Refusal(RefusalCode.UNKNOWN_PACK, f"this is {lot.item}, the dose is of {dose.drug}")
    yield from _dose_refusals(now, dose, orders.get(dose.order))
    yield from _stay_refusals(now, stay)
    if lot.id in recalled_lots:
        yield Refusal(RefusalCode.RECALLED, f"lot {lot.number} was recalled: hand it back")
    if lot.expires_on < now.date():
        yield Refusal(RefusalCode.EXPIRED, f"lot {lot.number} expired on {lot.expires_on.isoformat()}")
    if stay is not None and stay.department != dose.department:
        yield Refusal(
            RefusalCode.NOT_YOURS, f"this dose is planned for {dose.department}, the patient lies in {stay.department}"
        )
    yield from _time_refusals(now, dose, windows)


def _dose_refusals(now: datetime, dose: PlannedDose, order: Order | None) -> Iterator[Refusal]:
    if dose.state in _DOSE_REFUSALS:
        yield Refusal(*_DOSE_REFUSALS[dose.state])
    if order is None or order.state in _NOT_IN_FORCE:
        yield Refusal(RefusalCode.STOPPED, "the order of this dose is not in force")
        return
    if order.state is LineState.STOPPED or (order.stopped_at is not None and order.stopped_at <= now):
        stopped_at = order.stopped_at.astimezone(now.tzinfo) if order.stopped_at is not None else None
        since = f" at {stopped_at:%H:%M on %d.%m.%Y}" if stopped_at is not None else ""
        yield Refusal(RefusalCode.STOPPED, f"the order was stopped{since}: hand the dose back")
    if order.version != dose.version:
        yield Refusal(RefusalCode.STOPPED, "the order was changed after this dose was made: hand it back")
    if order.state is LineState.ON_HOLD:
        yield Refusal(RefusalCode.ON_HOLD, "the order is on hold: keep the dose until it is resumed")


def _stay_refusals(now: datetime, stay: Stay | None) -> Iterator[Refusal]:
    if stay is None:
        yield Refusal(RefusalCode.DISCHARGED, "the patient has no bed in this hospital now")
    elif stay.finished_at is not None and stay.finished_at <= now:
        left_at = stay.finished_at.astimezone(now.tzinfo)
        yield Refusal(RefusalCode.DISCHARGED, f"the patient was discharged at {left_at:%H:%M on %d.%m.%Y}")


def _time_refusals(now: datetime, dose: PlannedDose, windows: Mapping[OrderId, GiveWindow]) -> Iterator[Refusal]:
    window = windows.get(dose.order, STRICTEST)
    due = dose.due.astimezone(now.tzinfo)
    if window.before is not None and now < due - window.before:
        yield Refusal(RefusalCode.TOO_EARLY, f"due at {due:%H:%M on %d.%m.%Y}, not before {due - window.before:%H:%M}")
    if window.after is not None and now > due + window.after:
        yield Refusal(RefusalCode.TOO_LATE, f"due at {due:%H:%M on %d.%m.%Y}, not after {due + window.after:%H:%M}")
