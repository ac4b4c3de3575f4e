"""Order lines hold their dosages; sources have codes of their own, and what they last sent is known."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this version."""
    op.create_table(
        "code_entries",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("meaning", sa.String(), nullable=False),
        sa.Column("example", sa.String(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("first_seen_at", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("source", "kind", "code"),
    )
    op.create_index("code_entries_meaning", "code_entries", ["meaning"])
    op.create_table(
        "feeds",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("heard_at", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("counts", sa.String(), nullable=False),
        sa.Column("cursor", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("source"),
    )
    connection = op.get_bind()
    for order, text in connection.execute(sa.text("SELECT id, line FROM orders")).all():
        connection.execute(sa.text("UPDATE orders SET line = :line WHERE id = :id"), {"id": order, "line": with_dosages(text)})


def with_dosages(text: str) -> str:
    """Return a line's JSON with dose, route and timing as its one dosage."""
    line = json.loads(text)
    line["dosages"] = [{name: line.pop(name) for name in ("dose", "timing", "route")}]
    return json.dumps(line, ensure_ascii=False)
