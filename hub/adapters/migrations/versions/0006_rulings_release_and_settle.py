"""Pharmacists release a doubt by its rule and matter, and settle the dose of a range."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this version."""
    for name in ("rule", "about", "dose"):
        op.add_column("rulings", sa.Column(name, sa.String(), nullable=False, server_default=""))
