"""Pages of the ledger for people: the newest entries first, or those about some ids in their order."""

from typing import Any

import msgspec
from pysqlite3 import dbapi2 as sqlite

from hub.adapters.ledger_store import LedgerStore
from hub.domain.ledger import LedgerEntry, canonical_text
from hub.services.views import LedgerPage, LedgerQuestion

_SELECT = "SELECT seq, at, actor, kind, data, prev, hash FROM ledger"
_MOST_IDS = 100


def ledger_page(connection: sqlite.Connection, question: LedgerQuestion) -> LedgerPage:
    """Answer a question to the ledger; at most a hundred ids are looked for."""
    terms: list[str] = ["1"]
    values: list[Any] = []
    if question.before:
        terms.append("seq < ?")
        values.append(question.before)
    for column, value in (("kind", question.kind), ("actor", question.actor)):
        if value:
            terms.append(f"{column} = ?")
            values.append(value)
    names = question.about[:_MOST_IDS]
    if names:
        terms.append("(" + " OR ".join(["instr(data, ?) > 0"] * len(names)) + ")")
        values.extend(canonical_text(name) for name in names)
    order = "" if question.oldest_first else " DESC"
    statement = f"{_SELECT} WHERE {' AND '.join(terms)} ORDER BY seq{order} LIMIT ?"
    rows = connection.execute(statement, [*values, question.limit]).fetchall()
    head_seq, head_hash = LedgerStore(connection).head
    return LedgerPage(tuple(_entry(row) for row in rows), head_seq, head_hash)


def _entry(row: tuple[Any, ...]) -> LedgerEntry:
    seq, at, actor, kind, data, prev, hash_ = row
    return LedgerEntry(seq, at, actor, kind, msgspec.json.decode(data), prev, hash_)
