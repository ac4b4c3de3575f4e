"""A review names every frame of its evidence, frames are found by their pack, and makers' packs by their GTIN and serial."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

FACTS = sa.text("SELECT at, data FROM ledger WHERE kind = 'pack-verified'")
KEEP = sa.text("INSERT OR IGNORE INTO kept_frames (digest, pack, verdict, kept_at, days) VALUES (:digest, :pack, :verdict, :at, 0)")
SET = sa.text("UPDATE reviews SET evidence = :evidence WHERE id = :id")


def upgrade() -> None:
    """Go to this version."""
    reviews = op.get_bind()
    rows = reviews.execute(sa.text("SELECT id, evidence FROM reviews")).all()
    for id_, digest in rows:
        reviews.execute(SET, {"id": id_, "evidence": json.dumps([digest] if digest else [])})
    op.add_column("source_packs", sa.Column("scanned", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "gtins",
        sa.Column("gtin", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("units", sa.String(), nullable=False),
        sa.Column("told_by", sa.String(), nullable=False),
        sa.Column("told_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("gtin"),
    )
    op.create_table(
        "kept_frames",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("pack", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("kept_at", sa.String(), nullable=False),
        sa.Column("removed_at", sa.String(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "pack"),
    )
    op.create_index("kept_frames_pack", "kept_frames", ["pack"])
    op.create_index("kept_frames_removed_at_kept_at", "kept_frames", ["removed_at", "kept_at"])
    _name_frames(reviews)


def _name_frames(store: sa.Connection) -> None:
    """The frames of earlier verdicts are found by the ledger alone."""
    for at, text in store.execute(FACTS).all():
        fact = json.loads(text)
        if fact["evidence"]:
            kept_at = at.removesuffix("Z") + "+00:00"
            store.execute(KEEP, {"digest": fact["evidence"], "pack": fact["pack"], "verdict": fact["verdict"], "at": kept_at})
