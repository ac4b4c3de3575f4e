"""The schema: tables hold what the records say, and the migrations make exactly the tables."""

import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pysqlite3 import dbapi2 as sqlite
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool
from sqlmodel import SQLModel

from hub.adapters import database, tables, verification_tables
from hub.adapters.codecs import codecs_of
from hub.adapters.migrations.draft import draft
from hub.adapters.repository import KINDS, Kind


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.table)
def test_a_table_has_the_members_of_its_record_as_columns(kind: Kind[Any]) -> None:
    table = SQLModel.metadata.tables[kind.table]
    assert [column.name for column in table.columns] == [field.name for field in fields(kind.record)]
    assert tuple(column.name for column in table.primary_key.columns) == kind.key
    for name, codec in codecs_of(kind.record).items():
        assert table.columns[name].nullable == codec.optional, name


def test_the_migrations_make_exactly_the_tables(tmp_path: Path) -> None:
    assert (tables.LedgerRow.__tablename__, verification_tables.LookRow.__tablename__) == ("ledger", "station_looks")
    connection = database.open_writer(tmp_path / "hub.db")
    engine = create_engine("sqlite://", module=sqlite, creator=lambda: connection, poolclass=StaticPool)
    with engine.connect() as bound:
        assert compare_metadata(MigrationContext.configure(bound), SQLModel.metadata) == []
    connection.close()


def test_the_version_that_the_code_expects_is_the_newest_migration() -> None:
    scripts = ScriptDirectory.from_config(database.alembic_config())
    assert scripts.get_heads() == [database.HEAD]


def test_a_failing_migration_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    connection = sqlite.connect(str(tmp_path / "hub.db"), isolation_level=None)
    connection.execute("CREATE TABLE packs (x)")
    with pytest.raises(Exception, match="already exists"):
        database.migrate(connection)
    connection.close()
    connection = sqlite.connect(str(tmp_path / "hub.db"), isolation_level=None)
    assert [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")] == ["packs"]
    connection.close()


def test_an_up_to_date_database_is_opened_without_the_migration_tool(tmp_path: Path) -> None:
    database.open_writer(tmp_path / "hub.db").close()
    program = (
        "import sys; from pathlib import Path; from hub.adapters.database import open_writer; "
        "open_writer(Path(sys.argv[1])).close(); sys.exit('alembic' in sys.modules or 'sqlalchemy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path / "hub.db")], timeout=30, check=False).returncode == 0


def test_a_draft_of_the_next_migration_says_nothing_where_nothing_is_new(tmp_path: Path) -> None:
    scripts = tmp_path / "migrations"
    shutil.copytree(Path(database.__file__).with_name("migrations"), scripts, ignore=shutil.ignore_patterns("__pycache__"))
    number = draft("nothing new", scripts)
    (written,) = scripts.glob(f"versions/{number}_nothing_new.py")
    assert f"down_revision = '{database.HEAD}'" in written.read_text()
    assert "op." not in written.read_text().split("def upgrade")[1]
