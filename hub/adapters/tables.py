"""The tables, one for each kind of record, with the indexes that the use cases need; the migrations make the same."""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel


class PatientRow(SQLModel, table=True):
    """Rows of Patient."""

    __tablename__ = "patients"
    __table_args__ = (Index("patients_code", "code"),)

    id: str = Field(primary_key=True)
    code: str
    family: str
    given: str
    birth_date: str | None = None
    allergies: str | None = None


class StayRow(SQLModel, table=True):
    """Rows of Stay."""

    __tablename__ = "stays"
    __table_args__ = (Index("stays_department", "department"),)

    patient: str = Field(primary_key=True)
    encounter: str
    department: str
    room: str
    bed: str
    finished_at: str | None = None
    died: bool


class OrderRow(SQLModel, table=True):
    """Rows of Order."""

    __tablename__ = "orders"
    __table_args__ = (
        Index("orders_patient_state", "patient", "state"),
        Index("orders_state", "state"),
    )

    id: str = Field(primary_key=True)
    version: int
    line: str
    outcome: str
    state: str
    reasons: str
    patient: str
    decided_at: str
    checks: str
    stopped_at: str | None = None
    first_seen_at: str | None = None
    not_before: str | None = None


class DrugRow(SQLModel, table=True):
    """Rows of Drug."""

    __tablename__ = "drugs"

    code: str = Field(primary_key=True)
    inn: str
    trade_name: str
    form: str
    strength: str
    unit: str
    group: str
    drug_class: str | None = None
    high_alert: bool
    hazardous: bool
    look_alike_group: str
    storage: str
    divisible_by: int
    prepack_allowed: bool
    price: str | None = None
    coating: str
    dosed: str
    usual_dose: str | None = None
    most_at_once: str | None = None
    most_a_day: str | None = None
    told_apart: str


class LotRow(SQLModel, table=True):
    """Rows of Lot."""

    __tablename__ = "lots"
    __table_args__ = (Index("lots_item", "item"),)

    id: str = Field(primary_key=True)
    item: str
    number: str
    expires_on: str
    unit_cost: str
    promised: str
    recalled: bool
    look: str


class SourcePackRow(SQLModel, table=True):
    """Rows of SourcePack."""

    __tablename__ = "source_packs"
    __table_args__ = (
        Index("source_packs_item", "item"),
        Index("source_packs_lot", "lot"),
    )

    code: str = Field(primary_key=True)
    item: str
    lot: str
    units: str
    left: str
    scanned: str


class CassetteRow(SQLModel, table=True):
    """Rows of Cassette."""

    __tablename__ = "cassettes"
    __table_args__ = (
        Index("cassettes_item", "item"),
        Index("cassettes_device_slot", "device", "slot"),
    )

    id: int = Field(primary_key=True)
    item: str
    device: str
    slot: int
    capacity: int
    state: str
    layers: str
    reserved: int
    opened_at: str | None = None
    reason: str


class PlannedDoseRow(SQLModel, table=True):
    """Rows of PlannedDose."""

    __tablename__ = "doses"
    __table_args__ = (
        Index("doses_state_due", "state", "due"),
        Index("doses_pack", "pack"),
        Index("doses_order", "order"),
        Index("doses_patient_state_due", "patient", "state", "due"),
        Index("doses_batch", "batch"),
    )

    id: str = Field(primary_key=True)
    order: str
    version: int
    patient: str
    drug: str
    due: str
    slot: str
    lane: str
    units: str
    dose_text: str
    department: str
    room: str
    bed: str
    stat: bool
    combine: bool
    state: str
    batch: str | None = None
    pack: str | None = None
    reason: str


class BatchRow(SQLModel, table=True):
    """Rows of Batch."""

    __tablename__ = "batches"
    __table_args__ = (Index("batches_day", "day"),)

    id: str = Field(primary_key=True)
    slot: str
    day: str
    cut_at: str
    frozen_at: str


class PackJobRow(SQLModel, table=True):
    """Rows of PackJob."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("jobs_state", "state"),
        Index("jobs_pack", "pack"),
    )

    id: str = Field(primary_key=True)
    pack: str
    device: str
    fills: str
    state: str
    queued_at: str
    replaces: str | None = None
    reason: str
    at_camera: str | None = None
    doubt: str | None = None


class PackRow(SQLModel, table=True):
    """Rows of Pack."""

    __tablename__ = "packs"
    __table_args__ = (
        Index("packs_state", "state"),
        Index("packs_job", "job"),
        Index("packs_patient", "patient"),
        Index("packs_trolley", "trolley"),
        Index("packs_batch", "batch"),
    )

    serial: str = Field(primary_key=True)
    lane: str
    patient: str
    doses: str
    due: str
    slot: str
    department: str
    room: str
    batch: str
    state: str
    expires_on: str | None = None
    label_digest: str
    contents: str
    lots: str
    job: str | None = None
    part: int
    parts: int
    stat: bool
    verdict: str | None = None
    reason: str
    trolley: str | None = None
    drawer: str
    in_drawer: bool
    replaces: str | None = None
    replaced_by: str | None = None


class TrolleyRow(SQLModel, table=True):
    """Rows of Trolley."""

    __tablename__ = "trolleys"
    __table_args__ = (
        Index("trolleys_state", "state"),
        Index("trolleys_department", "department"),
    )

    id: str = Field(primary_key=True)
    department: str
    slot: str
    day: str
    state: str
    label: str
    seal: str
    sealed_at: str | None = None
    received_at: str | None = None


class UserRow(SQLModel, table=True):
    """Rows of User."""

    __tablename__ = "users"
    __table_args__ = (Index("users_badge", "badge"),)

    id: str = Field(primary_key=True)
    name: str
    role: str
    badge: str
    pin_hash: str
    active: bool


class ReviewRow(SQLModel, table=True):
    """Rows of Review."""

    __tablename__ = "reviews"
    __table_args__ = (
        Index("reviews_decision", "decision"),
        Index("reviews_subject", "subject"),
    )

    id: str = Field(primary_key=True)
    kind: str
    subject: str
    opened_at: str
    verdict: str
    reasons: str
    evidence: str
    decision: str
    decided_by: str | None = None
    reasons_ru: str


class RequisitionRow(SQLModel, table=True):
    """Rows of Requisition."""

    __tablename__ = "requisitions"
    __table_args__ = (
        Index("requisitions_batch", "batch"),
        Index("requisitions_department_issued", "department", "issued"),
    )

    id: str = Field(primary_key=True)
    department: str
    item: str
    lot: str
    units: str
    doses: str
    batch: str
    issued: bool


class ImportRow(SQLModel, table=True):
    """Rows of Import."""

    __tablename__ = "imports"

    sha256: str = Field(primary_key=True)
    source: str
    name: str
    kind: str
    received_at: str
    orders: int


class IncidentRow(SQLModel, table=True):
    """Rows of Incident."""

    __tablename__ = "incidents"
    __table_args__ = (
        Index("incidents_closed", "closed"),
        Index("incidents_subject", "subject"),
    )

    id: str = Field(primary_key=True)
    kind: str
    text: str
    opened_at: str
    subject: str
    closed: bool
    text_ru: str


class CommandRow(SQLModel, table=True):
    """Rows of Command."""

    __tablename__ = "commands"
    __table_args__ = (Index("commands_device_done_seq", "device", "done", "seq"),)

    id: str = Field(primary_key=True)
    device: str
    kind: str
    seq: int
    job: str
    created_at: str
    done: bool


class PrintRow(SQLModel, table=True):
    """Rows of Print."""

    __tablename__ = "prints"
    __table_args__ = (Index("prints_printed", "printed"),)

    pack: str = Field(primary_key=True)
    device: str
    digest: str
    width: int
    height: int
    raster: str
    printed: bool
    tries: int


class ReceivedRow(SQLModel, table=True):
    """Rows of Received."""

    __tablename__ = "received"

    device: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    boot: int = Field(primary_key=True)
    event: int = Field(primary_key=True)
    at: str


class DeviceRow(SQLModel, table=True):
    """Rows of Device."""

    __tablename__ = "devices"

    id: str = Field(primary_key=True)
    kind: str
    state: str
    status: str
    last_command: int


class CodeEntryRow(SQLModel, table=True):
    """Rows of CodeEntry."""

    __tablename__ = "code_entries"
    __table_args__ = (Index("code_entries_meaning", "meaning"),)

    source: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    meaning: str
    example: str
    lines: int
    first_seen_at: str
    decided_by: str | None = None
    decided_at: str | None = None


class FeedRow(SQLModel, table=True):
    """Rows of Feed."""

    __tablename__ = "feeds"

    source: str = Field(primary_key=True)
    heard_at: str | None = None
    name: str
    counts: str
    cursor: str
    problem: str


class RulingRow(SQLModel, table=True):
    """Rows of Ruling."""

    __tablename__ = "rulings"
    __table_args__ = (Index("rulings_order", "order"),)

    id: str = Field(primary_key=True)
    order: str
    kind: str
    allergy: str
    holds_for: str
    reason: str
    by: str
    by_name: str
    second: str | None = None
    at: str
    ended_at: str | None = None
    ended_because: str
    rule: str
    about: str
    dose: str


class ReturnedLineRow(SQLModel, table=True):
    """Rows of ReturnedLine."""

    __tablename__ = "returned_lines"
    __table_args__ = (
        Index("returned_lines_state_department", "state", "department"),
        Index("returned_lines_patient_state", "patient", "state"),
        Index("returned_lines_order", "order"),
        Index("returned_lines_returned_at", "returned_at"),
    )

    id: str = Field(primary_key=True)
    order: str
    version: int
    line: str
    reasons: str
    patient: str
    code: str
    department: str
    room: str
    bed: str
    nurse: str
    returned_at: str
    state: str
    seen_by: str | None = None
    seen_at: str | None = None
    passed_to: str
    closed_at: str | None = None
    closed_by: str | None = None
    closed_because: str
    corrected_by: str | None = None


class NewestChangeRow(SQLModel, table=True):
    """Rows of NewestChange."""

    __tablename__ = "newest_changes"

    subject: str = Field(primary_key=True)
    at: str


class DayPlanRow(SQLModel, table=True):
    """Rows of DayPlan."""

    __tablename__ = "day_plans"

    source: str = Field(primary_key=True)
    day: str
    cursor: str
    orders: int
    in_force: int
    asked: int
    ended: int
    planned: int
    is_done: bool


class AnnouncedMoveRow(SQLModel, table=True):
    """Rows of AnnouncedMove."""

    __tablename__ = "announced_moves"
    __table_args__ = (Index("announced_moves_at", "at"),)

    patient: str = Field(primary_key=True)
    at: str = Field(primary_key=True)
    source: str
    told_at: str
    before: str
    stay: str
    is_done: bool


class SessionRow(SQLModel, table=True):
    """Rows of Session."""

    __tablename__ = "sessions"
    __table_args__ = (Index("sessions_expires_at", "expires_at"),)

    token_hash: str = Field(primary_key=True)
    user: str
    expires_at: str


class AnswerRow(SQLModel, table=True):
    """Rows of Answer."""

    __tablename__ = "answers"

    event: str = Field(primary_key=True)
    body_hash: str
    answer: str


class WritebackRow(SQLModel, table=True):
    """Rows of Writeback."""

    __tablename__ = "writebacks"
    __table_args__ = (Index("writebacks_sent", "sent"),)

    id: str = Field(primary_key=True)
    resource: str
    payload: str
    sent: bool


class SettingRow(SQLModel, table=True):
    """Rows of Setting."""

    __tablename__ = "settings"

    key: str = Field(primary_key=True)
    value: str


class LedgerRow(SQLModel, table=True):
    """Entries of the ledger; `data` is canonical text. Triggers made by the migration refuse every change."""

    __tablename__ = "ledger"
    __table_args__ = (Index("ledger_kind", "kind"),)

    seq: int = Field(primary_key=True)
    at: str
    actor: str
    kind: str
    data: str
    prev: str
    hash: str


class BalanceRow(SQLModel, table=True):
    """What each account holds of each lot: an exact fraction, never zero (an empty account has no row)."""

    __tablename__ = "balances"
    __table_args__ = (Index("balances_lot", "lot"),)

    account: str = Field(primary_key=True)
    lot: str = Field(primary_key=True)
    item: str
    numerator: int
    denominator: int


class GtinRow(SQLModel, table=True):
    """Rows of Gtin."""

    __tablename__ = "gtins"

    gtin: str = Field(primary_key=True)
    item: str
    units: str
    told_by: str
    told_at: str
