"""Pharmacists rule about lines by name, rejected lines wait for the ward, deaths are told apart, and changes know their order."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this version."""
    op.add_column("stays", sa.Column("died", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "newest_changes",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_table(
        "rulings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("order", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("allergy", sa.String(), nullable=False),
        sa.Column("holds_for", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("by_name", sa.String(), nullable=False),
        sa.Column("second", sa.String(), nullable=True),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("ended_at", sa.String(), nullable=True),
        sa.Column("ended_because", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("rulings_order", "rulings", ["order"])
    op.create_table(
        "returned_lines",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("order", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("reasons", sa.String(), nullable=False),
        sa.Column("patient", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("room", sa.String(), nullable=False),
        sa.Column("bed", sa.String(), nullable=False),
        sa.Column("nurse", sa.String(), nullable=False),
        sa.Column("returned_at", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("seen_by", sa.String(), nullable=True),
        sa.Column("seen_at", sa.String(), nullable=True),
        sa.Column("passed_to", sa.String(), nullable=False),
        sa.Column("closed_at", sa.String(), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("closed_because", sa.String(), nullable=False),
        sa.Column("corrected_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("returned_lines_state_department", "returned_lines", ["state", "department"])
    op.create_index("returned_lines_patient", "returned_lines", ["patient"])
    op.create_index("returned_lines_order", "returned_lines", ["order"])
    op.create_index("returned_lines_returned_at", "returned_lines", ["returned_at"])
