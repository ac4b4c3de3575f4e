"""What was not understood of a line, and why one could not be read, stands in both languages."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("orders", "returned_lines")
READ_AT_ONCE = 1000


def upgrade() -> None:
    """Go to this version."""
    connection = op.get_bind()
    for table in TABLES:
        rows = sa.text(f"SELECT id, line FROM {table} WHERE id > :last ORDER BY id LIMIT {READ_AT_ONCE}")
        written = sa.text(f"UPDATE {table} SET line = :line WHERE id = :id")
        last = ""
        while found := connection.execute(rows, {"last": last}).all():
            connection.execute(written, [{"id": row, "line": in_both(text)} for row, text in found])
            last = found[-1][0]


def in_both(text: str) -> str:
    """Return a line's JSON with its words as pairs; an older text has no Russian, so it stands for both."""
    line = json.loads(text)
    line["unsupported"] = [_pair(words) for words in line.get("unsupported", [])]
    line["unreadable"] = _pair(line["unreadable"]) if line.get("unreadable") else None
    return json.dumps(line, ensure_ascii=False)


def _pair(words: str) -> dict[str, Any]:
    return {"en": words, "ru": words}
