"""Bedside rules: whether this pack, or this ward dose, may be given to this patient now; a refusal is a value with plain words."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from hub.domain.doses import WARD_LANES, DoseState, PlannedDose
from hub.domain.identifiers import LotId, OrderId
from hub.domain.orders import LineState, Order, OrderLine, Patient, Reason, Stay
from hub.domain.packs import Pack, PackState
from hub.domain.refusals import Refusal
from hub.domain.schedule import Schedule, ScheduleKind, least_interval
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

_PACK_REFUSALS: Mapping[PackState, Refusal] = {
    PackState.EXPECTED: Refusal(RefusalCode.NOT_RECEIVED, "this pack was not made yet", "эта упаковка ещё не сделана"),
    PackState.PRODUCED: Refusal(RefusalCode.NOT_RECEIVED, "this pack was not verified yet", "эта упаковка ещё не проверена"),
    PackState.VERIFIED: Refusal(RefusalCode.NOT_RECEIVED, "this pack was not released yet", "эта упаковка ещё не выпущена"),
    PackState.RELEASED: Refusal(RefusalCode.NOT_RECEIVED, "this pack was not brought to the ward yet", "эта упаковка ещё не доставлена в отделение"),
    PackState.LOADED: Refusal(RefusalCode.NOT_RECEIVED, "this pack's trolley was not sent yet", "тележка с этой упаковкой ещё не отправлена"),
    PackState.DISPATCHED: Refusal(RefusalCode.NOT_RECEIVED, "this pack's trolley was not received yet: receive it first", "тележка с этой упаковкой ещё не принята: сначала примите её"),
    PackState.GIVEN: Refusal(RefusalCode.ALREADY_GIVEN, "this pack was given already", "эта упаковка уже дана"),
    PackState.GIVEN_IN_PART: Refusal(RefusalCode.ALREADY_GIVEN, "this pack was given in part already", "эта упаковка уже дана частично"),
    PackState.RESTOCKED: Refusal(RefusalCode.REVOKED, "this pack went back to the pharmacy", "эта упаковка возвращена в аптеку"),
    PackState.DESTROYED: Refusal(RefusalCode.REVOKED, "this pack was written off", "эта упаковка списана"),
    PackState.LOST: Refusal(RefusalCode.REVOKED, "this pack was reported lost: hand it to the pharmacy", "эта упаковка считалась утерянной: передайте её в аптеку"),
    PackState.QUARANTINED: Refusal(RefusalCode.REVOKED, "this pack is in quarantine: hand it to the pharmacy", "эта упаковка в карантине: передайте её в аптеку"),
    PackState.REVOKED: Refusal(RefusalCode.REVOKED, "this pack was revoked: hand it back", "эта упаковка отозвана: верните её"),
    PackState.NEVER_MADE: Refusal(RefusalCode.REVOKED, "this pack was never made: hand it to the pharmacy", "эта упаковка не была сделана: передайте её в аптеку"),
}
_DOSE_REFUSALS: Mapping[DoseState, Refusal] = {
    DoseState.GIVEN: Refusal(RefusalCode.ALREADY_GIVEN, "this dose was given already", "эта доза уже дана"),
    DoseState.CANCELLED: Refusal(RefusalCode.STOPPED, "this dose was cancelled", "эта доза отменена"),
    DoseState.MISSED: Refusal(RefusalCode.TOO_LATE, "this dose was recorded as missed", "эта доза записана как пропущенная"),
    DoseState.RETURNED: Refusal(RefusalCode.REVOKED, "this dose was returned", "эта доза возвращена"),
    DoseState.WASTED: Refusal(RefusalCode.REVOKED, "this dose was written off", "эта доза списана"),
    DoseState.LOST: Refusal(RefusalCode.REVOKED, "this dose was reported lost", "эта доза считается утерянной"),
    DoseState.UNFULFILLABLE: Refusal(RefusalCode.REVOKED, "this dose could not be supplied", "эту дозу не смогли выдать"),
}
_A_DAY = timedelta(days=1)
_NOT_IN_FORCE = frozenset({LineState.RECEIVED, LineState.REJECTED, LineState.EXCLUDED, LineState.NEEDS_REVIEW})


def give_window(schedule: Schedule, rules: TimingRules = ISMP_TIMING, *, time_critical: bool = False) -> GiveWindow:
    """Return the window of a schedule's doses: once and as-needed doses have none (ISMP 2011).

    An interval shorter than four hours allows a quarter of itself; the night's gap to the next morning counts.
    """
    if schedule.kind is not ScheduleKind.REGULAR:
        return UNLIMITED
    if time_critical:
        return GiveWindow(rules.time_critical, rules.time_critical)
    interval = least_interval(schedule)
    if interval is None or interval >= _A_DAY:
        return GiveWindow(rules.daily_or_rarer, rules.daily_or_rarer)
    if interval < rules.short_interval:
        share = interval * rules.short_interval_share.numerator / rules.short_interval_share.denominator
        return GiveWindow(share, share)
    return GiveWindow(rules.several_a_day, rules.several_a_day)


def least_gap(schedule: Schedule) -> timedelta | None:
    """Return how long after a dose the next one of a schedule may be given: its interval less its window; None: no interval."""
    interval = least_interval(schedule)
    if schedule.kind is not ScheduleKind.REGULAR or interval is None:
        return None
    allowed = give_window(schedule).before
    return interval - (allowed if allowed is not None else timedelta(0))


def windows_for(
    orders: Iterable[Order],
    schedule_of: Callable[[OrderLine], Schedule | Reason],
    rules: TimingRules = ISMP_TIMING,
    time_critical: Collection[OrderId] = frozenset(),
) -> Mapping[OrderId, GiveWindow]:
    """Return the window of each order's doses; an order whose timing cannot be told gets the strictest one.

    `schedule_of` tells what a line means where the patient lies. Only what the prescriber wrote lifts the window: a STAT order, or one to be given once. A dose that is made at once or goes by
    hand (`PlannedDose.stat`) is still due when it is due.
    """
    windows: dict[OrderId, GiveWindow] = {}
    for order in orders:
        schedule = schedule_of(order.line)
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
        yield Refusal(RefusalCode.UNKNOWN_PACK, "this code is not a pack of ours", "этот код не нашей упаковки")
        return
    if patient is None:
        yield Refusal(RefusalCode.UNKNOWN_PATIENT, "this wristband is not known", "этот браслет неизвестен")
        return
    if pack.patient != patient.id or any(dose.patient != patient.id for dose in doses):
        yield Refusal(RefusalCode.WRONG_PATIENT, f"this pack is not for {patient.full_name}", f"эта упаковка не для пациента {patient.full_name}")
    refused_state = _PACK_REFUSALS.get(pack.state)
    if refused_state is not None and refused_state.code is not RefusalCode.NOT_RECEIVED:
        yield refused_state
    for dose in doses:
        yield from _dose_refusals(now, dose, orders.get(dose.order))
    yield from _stay_refusals(now, stay)
    if any(content.lot in recalled_lots for content in pack.contents):
        yield Refusal(RefusalCode.RECALLED, "a lot in this pack was recalled: hand it back", "серия в этой упаковке отозвана: верните её")
    if pack.expires_on is not None and pack.expires_on < now.date():
        yield Refusal(RefusalCode.EXPIRED, f"this pack expired on {pack.expires_on.isoformat()}", f"срок годности этой упаковки истёк {pack.expires_on:%d.%m.%Y}")
    if refused_state is not None:
        yield refused_state
    if stay is not None and stay.department != pack.department:
        yield Refusal(
            RefusalCode.NOT_YOURS,
            f"this pack was made for {pack.department}, the patient lies in {stay.department}: hand it over first",
            f"эта упаковка сделана для отделения «{pack.department}», пациент лежит в отделении «{stay.department}»: сначала передайте её",
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
        yield Refusal(RefusalCode.UNKNOWN_PACK, "this dose is not planned", "эта доза не запланирована")
        return
    if patient is None:
        yield Refusal(RefusalCode.UNKNOWN_PATIENT, "this wristband is not known", "этот браслет неизвестен")
        return
    if dose.patient != patient.id:
        yield Refusal(RefusalCode.WRONG_PATIENT, f"this dose is not for {patient.full_name}", f"эта доза не для пациента {patient.full_name}")
    if dose.lane not in WARD_LANES:
        yield Refusal(RefusalCode.NOT_YOURS, "this dose comes in a pack of its own: scan the pack", "эта доза приходит в своей упаковке: отсканируйте упаковку")
    if lot is None:
        yield Refusal(RefusalCode.UNKNOWN_PACK, "this code is not a source pack of the ward", "этот код не исходной упаковки отделения")
        return
    if lot.item != dose.drug:
        yield Refusal(RefusalCode.UNKNOWN_PACK, f"this is {lot.item}, the dose is of {dose.drug}", f"это {lot.item}, а доза — {dose.drug}")
    yield from _dose_refusals(now, dose, orders.get(dose.order))
    yield from _stay_refusals(now, stay)
    if lot.id in recalled_lots:
        yield Refusal(RefusalCode.RECALLED, f"lot {lot.number} was recalled: hand it back", f"серия {lot.number} отозвана: верните её")
    if lot.expires_on < now.date():
        yield Refusal(RefusalCode.EXPIRED, f"lot {lot.number} expired on {lot.expires_on.isoformat()}", f"срок годности серии {lot.number} истёк {lot.expires_on:%d.%m.%Y}")
    if stay is not None and stay.department != dose.department:
        yield Refusal(
            RefusalCode.NOT_YOURS,
            f"this dose is planned for {dose.department}, the patient lies in {stay.department}",
            f"эта доза запланирована для отделения «{dose.department}», пациент лежит в отделении «{stay.department}»",
        )
    yield from _time_refusals(now, dose, windows)


def _dose_refusals(now: datetime, dose: PlannedDose, order: Order | None) -> Iterator[Refusal]:
    if dose.state in _DOSE_REFUSALS:
        yield _DOSE_REFUSALS[dose.state]
    if order is None or order.state in _NOT_IN_FORCE:
        yield Refusal(RefusalCode.STOPPED, "the order of this dose is not in force", "назначение этой дозы не действует")
        return
    if order.state is LineState.STOPPED or (order.stopped_at is not None and order.stopped_at <= now):
        stopped_at = order.stopped_at.astimezone(now.tzinfo) if order.stopped_at is not None else None
        since = f" at {stopped_at:%H:%M on %d.%m.%Y}" if stopped_at is not None else ""
        since_ru = f" {stopped_at:%d.%m.%Y в %H:%M}" if stopped_at is not None else ""
        yield Refusal(RefusalCode.STOPPED, f"the order was stopped{since}: hand the dose back", f"назначение остановлено{since_ru}: верните дозу")
    if order.version != dose.version:
        yield Refusal(RefusalCode.STOPPED, "the order was changed after this dose was made: hand it back", "назначение изменили после того, как дозу сделали: верните её")
    if order.state is LineState.ON_HOLD:
        yield Refusal(RefusalCode.ON_HOLD, "the order is on hold: keep the dose until it is resumed", "назначение приостановлено: храните дозу, пока его не возобновят")


def _stay_refusals(now: datetime, stay: Stay | None) -> Iterator[Refusal]:
    if stay is None:
        yield Refusal(RefusalCode.DISCHARGED, "the patient has no bed in this hospital now", "у пациента сейчас нет койки в больнице")
    elif stay.finished_at is not None and stay.finished_at <= now:
        left_at = stay.finished_at.astimezone(now.tzinfo)
        yield Refusal(RefusalCode.DISCHARGED, f"the patient was discharged at {left_at:%H:%M on %d.%m.%Y}", f"пациент выписан {left_at:%d.%m.%Y в %H:%M}")


def _time_refusals(now: datetime, dose: PlannedDose, windows: Mapping[OrderId, GiveWindow]) -> Iterator[Refusal]:
    window = windows.get(dose.order, STRICTEST)
    due = dose.due.astimezone(now.tzinfo)
    if window.before is not None and now < due - window.before:
        yield Refusal(RefusalCode.TOO_EARLY, f"due at {due:%H:%M on %d.%m.%Y}, not before {due - window.before:%H:%M}", f"назначено на {due:%H:%M %d.%m.%Y}, не раньше {due - window.before:%H:%M}")
    if window.after is not None and now > due + window.after:
        yield Refusal(RefusalCode.TOO_LATE, f"due at {due:%H:%M on %d.%m.%Y}, not after {due + window.after:%H:%M}", f"назначено на {due:%H:%M %d.%m.%Y}, не позже {due + window.after:%H:%M}")
