"""An incident is told in both languages."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this version."""
    op.add_column("incidents", sa.Column("text_ru", sa.String(), nullable=False, server_default=""))
