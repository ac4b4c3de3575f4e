"""Lines from before: what was not understood of them was English alone, and is still told."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pysqlite3 import dbapi2 as sqlite

from hub.adapters import database
from hub.adapters.codecs import codecs_of
from hub.adapters.repository import KINDS, Kind, SqlRepository
from hub.domain.identifiers import OrderId, PatientId
from hub.domain.orders import LineState, Order, OrderLine, Outcome
from hub.domain.returned_lines import ReturnedLine, ReturnState
from tests.services.small_world import order_line

NOW = datetime(2026, 3, 5, 6, tzinfo=UTC)
LINE = order_line("a")
EARLIER = ([], ""), (["a rate", "dose range with one end"], ""), ([], "dosageInstruction: Expected `array`, got `str`")


def older(line: str, unsupported: list[str], unreadable: str) -> str:
    return json.dumps(json.loads(line) | {"unsupported": unsupported, "unreadable": unreadable}, ensure_ascii=False)


def kind_of(record: type) -> Kind[Any]:
    return next(kind for kind in KINDS if kind.record is record)


def returned(order: OrderId, line: OrderLine) -> ReturnedLine:
    return ReturnedLine(f"r-{order}", order, 1, line, (), PatientId("p"), "", "W", "", "", "", NOW, ReturnState.OPEN)


def put_older(connection: Any, record: Any, unsupported: list[str], unreadable: str) -> None:
    """Write a record as the hub wrote it before lines were told in both languages."""
    kind = kind_of(type(record))
    there = {name for _, name, *_ in connection.execute(f"PRAGMA table_info({kind.table})")}
    row = {name: codec.encode_one(getattr(record, name)) for name, codec in codecs_of(type(record)).items() if name in there}
    row["line"] = older(row["line"], unsupported, unreadable)
    columns = ", ".join(f'"{name}"' for name in row)
    connection.execute(f"INSERT INTO {kind.table} ({columns}) VALUES ({', '.join('?' * len(row))})", list(row.values()))


@pytest.mark.parametrize("language", ["en", "ru"])
def test_lines_of_an_older_store_say_what_they_said(tmp_path: Path, language: str) -> None:
    connection = sqlite.connect(str(tmp_path / "hub.db"), isolation_level=None)
    database.migrate(connection, "0006")
    for number, (unsupported, unreadable) in enumerate(EARLIER):
        order = OrderId(f"o{number}")
        line = replace(LINE, id=order, note="натощак")
        put_older(connection, Order(order, 1, line, Outcome.NEEDS_REVIEW, LineState.NEEDS_REVIEW, (), PatientId("p"), NOW), unsupported, unreadable)
        put_older(connection, returned(order, line), unsupported, unreadable)
    database.migrate(connection)
    for record in (Order, ReturnedLine):
        lines = [each.line for each in SqlRepository(connection, kind_of(record)).where(order_by="id")]
        assert [line.note for line in lines] == ["натощак"] * 3
        assert [[words.said(language) for words in line.unsupported] for line in lines] == [unsupported for unsupported, _ in EARLIER]
        assert [line.unreadable.said(language) if line.unreadable else "" for line in lines] == [unreadable for _, unreadable in EARLIER]
    connection.close()
