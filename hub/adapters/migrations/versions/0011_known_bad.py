"""Known-bad pouches measure machine and people."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this version."""
    op.create_table(
        "station_looks",
        sa.Column("case", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("shown_at", sa.String(), nullable=False),
        sa.Column("least_s", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.String(), nullable=True),
        sa.Column("decision", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("case", "person"),
    )
    op.create_index("station_looks_person_shown_at", "station_looks", ["person", "shown_at"])
    op.create_table(
        "trials",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("judge", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("expected", sa.String(), nullable=False),
        sa.Column("made_at", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=True),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("decided_at", sa.String(), nullable=True),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("trials_person_result", "trials", ["person", "result"])
    op.create_index("trials_judge_kind", "trials", ["judge", "kind"])
