"""The database file: how it is opened, what must be true of it before anything is written, and its migrations."""

from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2 as sqlite

OLDEST_SQLITE = (3, 51, 3)
HEAD = "0013"
BUSY_TIMEOUT_S = 5.0
CACHED_STATEMENTS = 512
LEDGER_TRIGGERS = frozenset({"ledger_in_order", "ledger_no_update", "ledger_no_delete"})

_COMMON = ("PRAGMA recursive_triggers = ON", "PRAGMA mmap_size = 0", "PRAGMA temp_store = MEMORY")
_WRITER = (*_COMMON, "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA cache_size = -32768")
_READER = (*_COMMON, "PRAGMA query_only = ON", "PRAGMA wal_autocheckpoint = 0", "PRAGMA cache_size = -16384")


class UnsoundDatabase(RuntimeError):
    """The library or the file lacks something that the ledger's promises rest on."""


def open_writer(path: Path) -> sqlite.Connection:
    """Open the file for the one writer, at the newest version of the tables, and check all that durability rests on."""
    _check_library()
    connection = _opened(path, _WRITER)
    try:
        migrate(connection)
        check(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite.Connection:
    """Open the file for queries only; it never checkpoints."""
    _check_library()
    return _opened(path, _READER)


def check(connection: sqlite.Connection) -> None:
    """Raise UnsoundDatabase unless the writer's connection has WAL, FULL, recursive triggers and an append-only ledger."""
    expected = {"journal_mode": "wal", "synchronous": 2, "recursive_triggers": 1}
    for name, value in expected.items():
        found = connection.execute(f"PRAGMA {name}").fetchone()[0]
        if found != value:
            raise UnsoundDatabase(f"{name} is {found}, not {value}")
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ledger'")
    missing = LEDGER_TRIGGERS - {name for (name,) in rows}
    if missing:
        raise UnsoundDatabase(f"the ledger lacks {', '.join(sorted(missing))}: it could be changed")


def version(connection: sqlite.Connection) -> str:
    """Return the version of the tables in the file, or an empty text for a new file."""
    table = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if table else None
    return str(row[0]) if row else ""


def migrate(connection: sqlite.Connection, target: str = "head") -> None:
    """Bring the tables to their newest version in one transaction; nothing is loaded where they are there already."""
    if target == "head" and version(connection) == HEAD:
        return
    from alembic import command

    with engine_on(connection).connect() as bound:
        config = alembic_config()
        config.attributes["connection"] = bound
        connection.execute("BEGIN IMMEDIATE")
        command.upgrade(config, target)
        bound.commit()


def alembic_config() -> Any:
    """Return Alembic's configuration for the migrations that come with the package."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    return config


def engine_on(connection: sqlite.Connection) -> Any:
    """Return an SQLAlchemy engine whose one connection is the given one."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import StaticPool

    return create_engine("sqlite://", module=sqlite, creator=lambda: connection, poolclass=StaticPool)


def _opened(path: Path, pragmas: tuple[str, ...]) -> sqlite.Connection:
    connection = sqlite.connect(
        str(path),
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=CACHED_STATEMENTS,
    )
    for pragma in pragmas:
        connection.execute(pragma).fetchall()
    return connection


def _check_library() -> None:
    if sqlite.sqlite_version_info < OLDEST_SQLITE:
        needed = ".".join(map(str, OLDEST_SQLITE))
        raise UnsoundDatabase(
            f"SQLite {sqlite.sqlite_version} can corrupt a write-ahead log; {needed} or later is needed"
        )
