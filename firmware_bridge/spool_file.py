"""The file under a spool: one SQLite database whose commits are on the disk when they return, used by several threads."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pysqlite3 import dbapi2 as sqlite

BUSY_TIMEOUT_S = 5.0
OLDEST_SQLITE = (3, 51, 3)


class SpoolFull(Exception):
    """The spool holds as many commands or events as it may; nothing was written."""


class SpoolFile:
    """Tables in one file; what was committed outlives the process and the power."""

    def __init__(self, path: Path, schema: str) -> None:
        """Open or make the file and its tables; raise RuntimeError where it could not keep its word."""
        self._lock = threading.Lock()
        if sqlite.sqlite_version_info < OLDEST_SQLITE:
            raise RuntimeError(f"SQLite {sqlite.sqlite_version} can corrupt a WAL; 3.51.3 or newer is needed")
        self._connection = sqlite.connect(
            str(path), timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        (mode,) = self._connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise RuntimeError(f"{path}: no write-ahead log here ({mode}), choose a local disk")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(schema)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
