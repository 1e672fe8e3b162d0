"""The ids of one long input so far, in a temporary file, so that memory does not grow."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Sequence
from types import TracebackType

from twofold.errors import StorageError


class Seen:
    """Counts repeated ids; a context manager that deletes its file at the end.

    The first block of ids stays in memory: many inputs have no second one, and then there is no file.
    """

    def __init__(self) -> None:
        self._first: list[str] | None = None
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Seen:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.close()

    def again(self, ids: Sequence[str]) -> int:
        """How many of these came before, in an earlier call or earlier in this one; stores them all."""
        if self._first is None:
            self._first = list(ids)
            return len(ids) - len(set(ids))
        try:
            if self._connection is None:
                self._connection = _database()
                _insert(self._connection, self._first)
            return len(ids) - _insert(self._connection, ids)
        except sqlite3.Error as error:
            raise StorageError(
                f"{tempfile.gettempdir()}: a temporary file of ids cannot be written there ({error}). Nothing that was "
                "acknowledged is lost; free disk space, and run again"
            ) from error


def _database() -> sqlite3.Connection:
    # An empty name is a private database on disk, in SQLite's folder for temporary files.
    connection = sqlite3.connect("", isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("CREATE TABLE seen (id TEXT PRIMARY KEY) WITHOUT ROWID")
    return connection


def _insert(connection: sqlite3.Connection, ids: Sequence[str]) -> int:
    """Stores ids; returns how many of them were new."""
    connection.execute("BEGIN")
    cursor = connection.executemany("INSERT OR IGNORE INTO seen VALUES (?)", ((each,) for each in ids))
    connection.execute("COMMIT")
    return max(cursor.rowcount, 0)
