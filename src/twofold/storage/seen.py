"""Ids that one long input has shown already, counted in a temporary file so that memory does not grow."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from twofold.storage.connections import translated


class Seen:
    """Counts ids that come again; a context manager, gone without a trace at its end."""

    def __init__(self) -> None:
        # An empty name is a private database on disk, in SQLite's folder for temporary files.
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("CREATE TABLE seen (id TEXT PRIMARY KEY) WITHOUT ROWID")

    def __enter__(self) -> Seen:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def again(self, ids: Sequence[str]) -> int:
        """How many of these came before, in an earlier call or earlier in this one; remembers them all."""
        with translated(Path(tempfile.gettempdir())):
            self._connection.execute("BEGIN")
            cursor = self._connection.executemany("INSERT OR IGNORE INTO seen VALUES (?)", ((each,) for each in ids))
            self._connection.execute("COMMIT")
        return len(ids) - max(cursor.rowcount, 0)
