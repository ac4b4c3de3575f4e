"""Reviews from before named one frame; they name a list of it now."""

from pathlib import Path

from pysqlite3 import dbapi2 as sqlite

from hub.adapters import database
from hub.adapters.repository import KINDS, SqlRepository
from hub.domain.records import Review

DIGEST = "ab" * 32
REVIEWS = next(kind for kind in KINDS if kind.record is Review)
INSERT = (
    "INSERT INTO reviews (id, kind, subject, opened_at, verdict, reasons, evidence, decision, decided_by, reasons_ru)"
    " VALUES (?, 'pouch', 'S', '2026-03-05T06:00:00+00:00', 'LOOK', '[]', ?, '', NULL, '[]')"
)


def test_reviews_of_an_older_store_name_their_frame_in_a_list(tmp_path: Path) -> None:
    connection = sqlite.connect(str(tmp_path / "hub.db"), isolation_level=None)
    database.migrate(connection, "0008")
    connection.execute(INSERT, ("with", DIGEST))
    connection.execute(INSERT, ("without", ""))
    database.migrate(connection)
    reviews = SqlRepository(connection, REVIEWS)
    assert {review.id: review.evidence for review in reviews.where(order_by="id")} == {"with": (DIGEST,), "without": ()}
    connection.close()
