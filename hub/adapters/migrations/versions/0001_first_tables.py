"""The first tables, and the triggers that keep the ledger append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


TRIGGERS = (
    """
    CREATE TRIGGER ledger_in_order BEFORE INSERT ON ledger
    WHEN (NEW.seq, NEW.prev) IS NOT (SELECT seq + 1, hash FROM ledger ORDER BY seq DESC LIMIT 1)
     AND (NEW.seq IS NOT 1 OR NEW.prev IS NOT printf('%064d', 0) OR EXISTS (SELECT 1 FROM ledger))
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: an entry follows the last one'); END
    """,
    """
    CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no entry is changed'); END
    """,
    """
    CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no entry is removed'); END
    """,
)


def upgrade() -> None:
    """Go to this version."""
    op.create_table(
        "patients",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("given", sa.String(), nullable=False),
        sa.Column("birth_date", sa.String(), nullable=True),
        sa.Column("allergies", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("patients_code", "patients", ["code"])
    op.create_table(
        "stays",
        sa.Column("patient", sa.String(), nullable=False),
        sa.Column("encounter", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("room", sa.String(), nullable=False),
        sa.Column("bed", sa.String(), nullable=False),
        sa.Column("finished_at", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("patient"),
    )
    op.create_index("stays_department", "stays", ["department"])
    op.create_table(
        "orders",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reasons", sa.String(), nullable=False),
        sa.Column("patient", sa.String(), nullable=False),
        sa.Column("decided_at", sa.String(), nullable=False),
        sa.Column("checks", sa.String(), nullable=False),
        sa.Column("stopped_at", sa.String(), nullable=True),
        sa.Column("first_seen_at", sa.String(), nullable=True),
        sa.Column("not_before", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("orders_patient", "orders", ["patient"])
    op.create_index("orders_state", "orders", ["state"])
    op.create_table(
        "drugs",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("inn", sa.String(), nullable=False),
        sa.Column("trade_name", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("strength", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("group", sa.String(), nullable=False),
        sa.Column("drug_class", sa.String(), nullable=True),
        sa.Column("high_alert", sa.Boolean(), nullable=False),
        sa.Column("hazardous", sa.Boolean(), nullable=False),
        sa.Column("look_alike_group", sa.String(), nullable=False),
        sa.Column("storage", sa.String(), nullable=False),
        sa.Column("splittable", sa.Boolean(), nullable=False),
        sa.Column("prepack_allowed", sa.Boolean(), nullable=False),
        sa.Column("price", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "lots",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("expires_on", sa.String(), nullable=False),
        sa.Column("unit_cost", sa.String(), nullable=False),
        sa.Column("promised", sa.String(), nullable=False),
        sa.Column("recalled", sa.Boolean(), nullable=False),
        sa.Column("look", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("lots_item", "lots", ["item"])
    op.create_table(
        "source_packs",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("lot", sa.String(), nullable=False),
        sa.Column("units", sa.String(), nullable=False),
        sa.Column("left", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_index("source_packs_item", "source_packs", ["item"])
    op.create_index("source_packs_lot", "source_packs", ["lot"])
    op.create_table(
        "cassettes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("layers", sa.String(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("cassettes_device_slot", "cassettes", ["device", "slot"])
    op.create_index("cassettes_item", "cassettes", ["item"])
    op.create_table(
        "doses",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("order", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("patient", sa.String(), nullable=False),
        sa.Column("drug", sa.String(), nullable=False),
        sa.Column("due", sa.String(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("units", sa.String(), nullable=False),
        sa.Column("dose_text", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("room", sa.String(), nullable=False),
        sa.Column("bed", sa.String(), nullable=False),
        sa.Column("stat", sa.Boolean(), nullable=False),
        sa.Column("combine", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("batch", sa.String(), nullable=True),
        sa.Column("pack", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("doses_batch", "doses", ["batch"])
    op.create_index("doses_order", "doses", ["order"])
    op.create_index("doses_pack", "doses", ["pack"])
    op.create_index("doses_patient", "doses", ["patient"])
    op.create_index("doses_state_due", "doses", ["state", "due"])
    op.create_table(
        "batches",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("cut_at", sa.String(), nullable=False),
        sa.Column("frozen_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("batches_day", "batches", ["day"])
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("pack", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("fills", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("queued_at", sa.String(), nullable=False),
        sa.Column("replaces", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at_camera", sa.String(), nullable=True),
        sa.Column("doubt", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("jobs_pack", "jobs", ["pack"])
    op.create_index("jobs_state", "jobs", ["state"])
    op.create_table(
        "packs",
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("patient", sa.String(), nullable=False),
        sa.Column("doses", sa.String(), nullable=False),
        sa.Column("due", sa.String(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("room", sa.String(), nullable=False),
        sa.Column("batch", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("expires_on", sa.String(), nullable=True),
        sa.Column("label_digest", sa.String(), nullable=False),
        sa.Column("contents", sa.String(), nullable=False),
        sa.Column("lots", sa.String(), nullable=False),
        sa.Column("job", sa.String(), nullable=True),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("stat", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("trolley", sa.String(), nullable=True),
        sa.Column("drawer", sa.String(), nullable=False),
        sa.Column("in_drawer", sa.Boolean(), nullable=False),
        sa.Column("replaces", sa.String(), nullable=True),
        sa.Column("replaced_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("serial"),
    )
    op.create_index("packs_batch", "packs", ["batch"])
    op.create_index("packs_job", "packs", ["job"])
    op.create_index("packs_patient", "packs", ["patient"])
    op.create_index("packs_state", "packs", ["state"])
    op.create_index("packs_trolley", "packs", ["trolley"])
    op.create_table(
        "trolleys",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("seal", sa.String(), nullable=False),
        sa.Column("sealed_at", sa.String(), nullable=True),
        sa.Column("received_at", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("trolleys_department", "trolleys", ["department"])
    op.create_index("trolleys_state", "trolleys", ["state"])
    op.create_table(
        "users",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("badge", sa.String(), nullable=False),
        sa.Column("pin_hash", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("users_badge", "users", ["badge"])
    op.create_table(
        "reviews",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("opened_at", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("reasons", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("reviews_decision", "reviews", ["decision"])
    op.create_index("reviews_subject", "reviews", ["subject"])
    op.create_table(
        "requisitions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("lot", sa.String(), nullable=False),
        sa.Column("units", sa.String(), nullable=False),
        sa.Column("doses", sa.String(), nullable=False),
        sa.Column("batch", sa.String(), nullable=False),
        sa.Column("issued", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("requisitions_batch", "requisitions", ["batch"])
    op.create_index("requisitions_department_issued", "requisitions", ["department", "issued"])
    op.create_table(
        "imports",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("received_at", sa.String(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("opened_at", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("incidents_closed", "incidents", ["closed"])
    op.create_index("incidents_subject", "incidents", ["subject"])
    op.create_table(
        "commands",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("commands_device_done_seq", "commands", ["device", "done", "seq"])
    op.create_table(
        "prints",
        sa.Column("pack", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("raster", sa.String(), nullable=False),
        sa.Column("printed", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("pack"),
    )
    op.create_index("prints_printed", "prints", ["printed"])
    op.create_table(
        "received",
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("boot", sa.Integer(), nullable=False),
        sa.Column("event", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("device", "source", "boot", "event"),
    )
    op.create_table(
        "devices",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("last_command", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("expires_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "answers",
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("body_hash", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("event"),
    )
    op.create_table(
        "writebacks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("payload", sa.String(), nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("writebacks_sent", "writebacks", ["sent"])
    op.create_table(
        "settings",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "ledger",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("data", sa.String(), nullable=False),
        sa.Column("prev", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ledger_kind", "ledger", ["kind"])
    op.create_table(
        "balances",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("lot", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("numerator", sa.Integer(), nullable=False),
        sa.Column("denominator", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account", "lot"),
    )
    op.create_index("balances_lot", "balances", ["lot"])
    for trigger in TRIGGERS:
        op.execute(trigger)
