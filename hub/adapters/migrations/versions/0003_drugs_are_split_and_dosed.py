"""Drugs say into how many parts they split, what coats them, how often they are dosed, their usual and greatest doses, and what they are not."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this version: what could be split could be split into quarters."""
    with op.batch_alter_table("drugs") as drugs:
        drugs.add_column(sa.Column("divisible_by", sa.Integer(), nullable=False, server_default="1"))
        drugs.add_column(sa.Column("coating", sa.String(), nullable=False, server_default="plain"))
        drugs.add_column(sa.Column("dosed", sa.String(), nullable=False, server_default="daily"))
        drugs.add_column(sa.Column("usual_dose", sa.String(), nullable=True))
        drugs.add_column(sa.Column("most_at_once", sa.String(), nullable=True))
        drugs.add_column(sa.Column("most_a_day", sa.String(), nullable=True))
        drugs.add_column(sa.Column("told_apart", sa.String(), nullable=False, server_default=""))
    op.execute("UPDATE drugs SET divisible_by = 4 WHERE splittable")
    with op.batch_alter_table("drugs") as drugs:
        drugs.drop_column("splittable")
