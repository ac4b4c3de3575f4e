"""What is asked of some patients in some states is found by the patient: a state alone finds the whole hospital's."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

WIDENED = {
    "orders": ("state",),
    "doses": ("state", "due"),
    "returned_lines": ("state",),
}
"""By table: what is indexed behind the patient."""


def upgrade() -> None:
    """Go to this version."""
    for table, members in WIDENED.items():
        op.create_index("_".join((table, "patient", *members)), table, ["patient", *members])
        op.drop_index(f"{table}_patient", table)
