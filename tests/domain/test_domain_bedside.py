"""At the bedside only the right pack is given to the right patient at the right time, and each refusal has its code."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from domain_cases import DOSE, LINE, METFORMIN, MONDAY, PACK, PATIENT, STAY, TABLE, dose, line, order, pack
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.bedside import (
    ISMP_TIMING,
    STRICTEST,
    UNLIMITED,
    GiveWindow,
    Refusal,
    RefusalCode,
    check_give,
    check_ward_dose,
    give_window,
    windows_for,
)
from hub.domain.courses import Course, DayTimes, always
from hub.domain.doses import DoseState, Lane, PlannedDose
from hub.domain.identifiers import DrugCode, LotId, OrderId, PatientId
from hub.domain.late_changes import ACTIONS, ChangeAction, ChangeKind, Position, action_for, position_of
from hub.domain.orders import LineState, Order, OrderLine, Patient, Reason, Stay
from hub.domain.packs import JobState, Pack, PackJob, PackState
from hub.domain.schedule import Schedule, ScheduleKind, schedule_for
from hub.domain.stock import Lot
from hub.domain.timing import Timing

HOUR = timedelta(hours=1)
NOW = DOSE.due
WINDOWS = {LINE.id: GiveWindow(HOUR, HOUR)}
LOT = Lot(LotId("lot1"), METFORMIN.code, "A77", date(2027, 1, 1), Decimal("1.20"))


def give(
    now: datetime = NOW,
    patient: Patient | None = PATIENT,
    scanned: Pack | None = PACK,
    doses: tuple[PlannedDose, ...] = (DOSE,),
    whole: Order | None = None,
    stay: Stay | None = STAY,
    recalled: frozenset[LotId] = frozenset(),
) -> Refusal | None:
    whole = whole or order()
    return check_give(now, patient, scanned, doses, {whole.id: whole}, stay, recalled, WINDOWS)


def code_of(refusal: Refusal | None) -> str | None:
    assert refusal is None or refusal.text
    return None if refusal is None else refusal.code.value


def test_the_right_pack_for_the_right_patient_at_the_right_time_is_given() -> None:
    assert give() is None
    assert give(scanned=pack(state=PackState.HELD), doses=(dose(state=DoseState.NOT_GIVEN),)) is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scanned": None}, "unknown-pack"),
        ({"doses": ()}, "unknown-pack"),
        ({"patient": None}, "unknown-patient"),
        ({"patient": replace(PATIENT, id=PatientId("p2"))}, "wrong-patient"),
        ({"doses": (DOSE, dose(patient=PatientId("p2")))}, "wrong-patient"),
        ({"now": NOW - HOUR - timedelta(seconds=1)}, "too-early"),
        ({"now": NOW + HOUR + timedelta(seconds=1)}, "too-late"),
        ({"doses": (dose(state=DoseState.MISSED),)}, "too-late"),
        ({"whole": order(state=LineState.STOPPED, stopped_at=NOW)}, "stopped"),
        ({"whole": order(stopped_at=NOW)}, "stopped"),
        ({"whole": order(version=2)}, "stopped"),
        ({"whole": order(id=OrderId("another"))}, "stopped"),
        ({"whole": order(state=LineState.NEEDS_REVIEW)}, "stopped"),
        ({"doses": (dose(state=DoseState.CANCELLED),)}, "stopped"),
        ({"whole": order(state=LineState.ON_HOLD)}, "on-hold"),
        ({"scanned": pack(state=PackState.GIVEN)}, "already-given"),
        ({"scanned": pack(state=PackState.GIVEN_IN_PART)}, "already-given"),
        ({"doses": (dose(state=DoseState.GIVEN),)}, "already-given"),
        ({"scanned": pack(expires_on=date(2026, 3, 1))}, "expired"),
        ({"recalled": frozenset({LotId("lot1")})}, "recalled"),
        ({"scanned": pack(state=PackState.REVOKED)}, "revoked"),
        ({"scanned": pack(state=PackState.QUARANTINED)}, "revoked"),
        ({"scanned": pack(state=PackState.DESTROYED)}, "revoked"),
        ({"scanned": pack(state=PackState.LOST)}, "revoked"),
        ({"scanned": pack(state=PackState.DISPATCHED)}, "not-received"),
        ({"scanned": pack(state=PackState.RELEASED)}, "not-received"),
        ({"stay": replace(STAY, finished_at=NOW)}, "discharged"),
        ({"stay": None}, "discharged"),
        ({"stay": replace(STAY, department="Хирургия")}, "not-yours"),
    ],
)
def test_refusals(changes: dict[str, object], code: str) -> None:
    assert code_of(give(**changes)) == code  # type: ignore[arg-type]


def test_the_windows_edges_and_the_day_of_expiry_still_count() -> None:
    assert give(now=NOW - HOUR) is None
    assert give(now=NOW + HOUR) is None
    assert give(scanned=pack(expires_on=NOW.date())) is None
    assert give(whole=order(stopped_at=NOW + timedelta(minutes=1))) is None


@pytest.mark.parametrize("hours", [-12, -2, 2, 12])
def test_a_dose_that_goes_by_hand_keeps_its_window(hours: int) -> None:
    refusal = give(now=NOW + hours * HOUR, doses=(dose(stat=True),))
    assert code_of(refusal) == ("too-early" if hours < 0 else "too-late")


def test_only_what_the_prescriber_wrote_lifts_the_window() -> None:
    for whole in (order(line(stat=True)), order(line(timing=Timing(code="ONCE")))):
        windows = windows_for([whole], understood)
        assert windows == {whole.id: UNLIMITED}
        assert check_give(NOW + 5 * HOUR, PATIENT, PACK, (DOSE,), {whole.id: whole}, STAY, frozenset(), windows) is None


def test_refusals_tell_the_time_of_the_hospital_s_clock() -> None:
    early = give(now=NOW - 2 * HOUR, doses=(dose(due=NOW.astimezone(UTC)),))
    assert early is not None and early.text == "due at 08:00 on 02.03.2026, not before 07:00"


def test_one_stopped_order_stops_the_whole_pouch() -> None:
    second = order(replace(LINE, id=OrderId("o2")), stopped_at=NOW - HOUR)
    both = {LINE.id: order(), second.id: second}
    refusal = check_give(NOW, PATIENT, PACK, (DOSE, dose(order=second.id)), both, STAY, frozenset(), WINDOWS)
    assert code_of(refusal) == "stopped"


def test_the_gravest_refusal_is_told_first() -> None:
    everything = give(
        patient=replace(PATIENT, id=PatientId("p2")),
        scanned=pack(state=PackState.REVOKED, expires_on=date(2020, 1, 1)),
        now=NOW + 9 * HOUR,
    )
    assert code_of(everything) == "wrong-patient"


@given(
    st.sampled_from(PackState), st.sampled_from(DoseState), st.sampled_from(LineState), st.integers(-300, 300), st.booleans(), st.booleans(),
    st.booleans(),
)  # fmt: skip
def test_nothing_is_given_unless_everything_agrees(
    pack_state: PackState,
    dose_state: DoseState,
    line_state: LineState,
    minutes: int,
    own: bool,
    recalled: bool,
    bedded: bool,
) -> None:
    refusal = give(
        now=NOW + timedelta(minutes=minutes),
        patient=PATIENT if own else replace(PATIENT, id=PatientId("p2")),
        scanned=pack(state=pack_state),
        doses=(dose(state=dose_state),),
        whole=order(state=line_state),
        stay=STAY if bedded else None,
        recalled=frozenset({LotId("lot1")}) if recalled else frozenset(),
    )
    if refusal is None:
        assert own and bedded and not recalled and abs(minutes) <= 60
        assert pack_state in {PackState.RECEIVED, PackState.HELD}
        assert line_state in {LineState.ACTIVE, LineState.COMPLETED}
        assert dose_state in {DoseState.PLANNED, DoseState.FROZEN, DoseState.PACKED, DoseState.NOT_GIVEN}


def ward(
    planned: PlannedDose | None, lot: Lot | None = LOT, now: datetime = NOW, recalled: frozenset[LotId] = frozenset()
) -> str | None:
    return code_of(check_ward_dose(now, PATIENT, planned, lot, {LINE.id: order()}, STAY, recalled, WINDOWS))


def test_ward_doses_are_checked_the_same_way() -> None:
    injection = dose(lane=Lane.INJECTION, state=DoseState.FROZEN)
    assert ward(injection) is None
    assert ward(None) == "unknown-pack"
    assert ward(injection, None) == "unknown-pack"
    assert ward(injection, replace(LOT, item=DrugCode("OTHER"))) == "unknown-pack"
    assert ward(replace(injection, lane=Lane.MACHINE)) == "not-yours"
    assert ward(replace(injection, department="Хирургия")) == "not-yours"
    assert ward(replace(injection, patient=PatientId("p2"))) == "wrong-patient"
    assert ward(injection, recalled=frozenset({LOT.id})) == "recalled"
    assert ward(injection, replace(LOT, expires_on=date(2026, 3, 1))) == "expired"
    assert ward(injection, now=NOW + 2 * HOUR) == "too-late"
    assert ward(replace(injection, state=DoseState.GIVEN)) == "already-given"


def regular(*hours: int) -> Schedule:
    pattern = DayTimes(tuple((time(hour), Fraction(1)) for hour in sorted(hours)))
    return Schedule(ScheduleKind.REGULAR, (Course(ScheduleKind.REGULAR, always(pattern)),))


def understood(order_line: OrderLine) -> Schedule | Reason:
    return schedule_for(order_line.dosages, TABLE, STAY.department)


@pytest.mark.parametrize(
    ("schedule", "critical", "window"),
    [
        (regular(8), False, timedelta(hours=2)),
        (regular(8, 20), False, timedelta(hours=1)),
        (regular(0, 4, 8, 12, 16, 20), False, timedelta(hours=1)),
        (regular(*range(0, 24, 2)), False, timedelta(minutes=30)),
        (regular(*range(24)), False, timedelta(minutes=15)),
        (regular(23, 1), False, timedelta(minutes=30)),
        (regular(8), True, timedelta(minutes=30)),
    ],
)
def test_windows_around_the_due_time_follow_ismp(schedule: Schedule, critical: bool, window: timedelta) -> None:
    assert give_window(schedule, time_critical=critical) == GiveWindow(window, window)


def test_once_has_no_window_and_an_unclear_timing_the_strictest() -> None:
    orders = [
        order(line(timing=Timing(code="ONCE"))),
        order(line(id=OrderId("o2"), timing=Timing(code="2X"))),
        order(replace(LINE, id=OrderId("o3"))),
    ]
    orders = [replace(each, id=each.line.id) for each in orders]
    assert windows_for(orders, understood) == {
        OrderId("o1"): UNLIMITED, OrderId("o2"): STRICTEST, OrderId("o3"): GiveWindow(ISMP_TIMING.several_a_day, ISMP_TIMING.several_a_day),
    }  # fmt: skip


def test_the_codes_are_those_of_the_api() -> None:
    assert {code.value for code in RefusalCode} == {
        "unknown-pack", "unknown-patient", "wrong-patient", "too-early", "too-late", "stopped", "on-hold", "already-given", "expired", "recalled",
        "revoked", "not-received", "discharged", "not-yours",
    }  # fmt: skip


LATE = """
            planned   frozen           sent                   packed     on-trolley       on-ward            given
stop        cancel    drop-from-batch  cancel-at-machine      revoke     revoke-and-pull  revoke-and-return  incident-if-after
dose-change replan    drop-and-replan  cancel-at-machine      revoke     revoke-and-pull  revoke-and-return  incident-if-after
hold        withhold  drop-from-batch  cancel-at-machine      keep-back  pull-and-keep    refuse-while-held  incident-if-after
allergy     cancel    drop-from-batch  cancel-at-machine      revoke     revoke-and-pull  revoke-and-return  incident-if-after
transfer    replan    reroute          let-finish-and-divert  relabel    move-trolley     hand-over          nothing
discharge   cancel    drop-from-batch  cancel-at-machine      revoke     revoke-and-pull  revoke-and-return  nothing
death       cancel    drop-from-batch  cancel-at-machine      revoke     revoke-and-pull  revoke-and-return  incident-if-after
"""


def test_the_table_of_late_changes_is_complete_and_as_agreed() -> None:
    header, *rows = [row.split() for row in LATE.strip().splitlines()]
    written = {
        (ChangeKind(row[0]), Position(where)): ChangeAction(what)
        for row in rows
        for where, what in zip(header, row[1:], strict=True)
    }
    assert len(written) == 49
    assert dict(ACTIONS) == written
    assert all(action_for(kind, position) is action for (kind, position), action in written.items())


def job(state: JobState) -> PackJob:
    return PackJob("j1", PACK.serial, "d1", (), state, MONDAY)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("dose_state", "pack_state", "job_state", "position"),
    [
        (DoseState.PLANNED, None, None, Position.PLANNED),
        (DoseState.FROZEN, None, None, Position.FROZEN),
        (DoseState.FROZEN, PackState.EXPECTED, None, Position.FROZEN),
        (DoseState.FROZEN, PackState.EXPECTED, JobState.QUEUED, Position.FROZEN),
        (DoseState.FROZEN, PackState.EXPECTED, JobState.REFUSED, Position.FROZEN),
        (DoseState.FROZEN, PackState.EXPECTED, JobState.SENT, Position.SENT),
        (DoseState.FROZEN, PackState.EXPECTED, JobState.RUNNING, Position.SENT),
        (DoseState.FROZEN, PackState.EXPECTED, JobState.IN_DOUBT, Position.SENT),
        (DoseState.PACKED, PackState.PRODUCED, JobState.DONE, Position.SENT),
        (DoseState.PACKED, PackState.VERIFIED, JobState.DONE, Position.PACKED),
        (DoseState.PACKED, PackState.RELEASED, JobState.DONE, Position.PACKED),
        (DoseState.PACKED, PackState.LOADED, JobState.DONE, Position.ON_TROLLEY),
        (DoseState.PACKED, PackState.DISPATCHED, JobState.DONE, Position.ON_TROLLEY),
        (DoseState.PACKED, PackState.RECEIVED, JobState.DONE, Position.ON_WARD),
        (DoseState.NOT_GIVEN, PackState.HELD, JobState.DONE, Position.ON_WARD),
        (DoseState.GIVEN, PackState.GIVEN, JobState.DONE, Position.GIVEN),
        (DoseState.PLANNED, PackState.REVOKED, JobState.DONE, Position.PLANNED),
    ],
)
def test_positions(
    dose_state: DoseState, pack_state: PackState | None, job_state: JobState | None, position: Position
) -> None:
    scanned = None if pack_state is None else pack(state=pack_state)
    assert position_of(dose(state=dose_state), scanned, None if job_state is None else job(job_state)) is position


def test_every_state_of_dose_pack_and_job_has_a_position() -> None:
    for dose_state in DoseState:
        for pack_state in PackState:
            for job_state in JobState:
                assert position_of(dose(state=dose_state), pack(state=pack_state), job(job_state)) in Position
