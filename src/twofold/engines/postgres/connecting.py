"""Connections to a server: opened, kept for the next use, and what psycopg raises in the words of errors.py."""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from twofold import forking
from twofold.addresses import Address
from twofold.errors import CollectionError, CorruptionError, InputError, NotACollectionError, StorageError

Connection = psycopg.Connection[tuple[Any, ...]]
Query = str | sql.SQL | sql.Composed
SECONDS = 10
"""How long a server may take to accept a connection, unless the address says otherwise (connect_timeout)."""
IDLE = 8
"""Connections that are kept for the next use."""
_ALIVE = {"keepalives": "1", "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}


def connected(address: Address, schema: str | None = None) -> Connection:
    """A new connection, outside any transaction; names without a schema are looked up in the collection's.

    schema: None for the collection's own. Raises StorageError.
    """
    name = f"twofold {os.getpid()} on {socket.gethostname()[:30]} {secrets.token_hex(4)}"
    given = {name for name, _ in address.parameters}
    usual = {"connect_timeout": str(SECONDS), "application_name": name, **_ALIVE}
    options = {key: value for key, value in usual.items() if key not in given}
    try:
        connection = psycopg.connect(make_conninfo(address.url("postgresql"), **options), autocommit=True)
    except psycopg.ProgrammingError as error:
        raise InputError(f"{address} is no address of a PostgreSQL server: {_said(error)}") from error
    except psycopg.Error as error:
        raise StorageError(
            f"{address} cannot be reached: {_said(error)}. Check that the server runs, and host, port, database, user "
            "and password (PGPASSWORD, or ~/.pgpass)"
        ) from error
    with speaking(address):
        look_up_in(connection, address.name if schema is None else schema)
    return connection


def look_up_in(connection: Connection, schema: str) -> None:
    """Names without a schema are looked up in this one, then in that of pgvector, wherever it was installed."""
    found = connection.execute(
        "SELECT nspname FROM pg_extension JOIN pg_namespace AS n ON n.oid = extnamespace WHERE extname = 'vector'"
    ).fetchone()
    schemas = [schema, *({str(found[0])} - {"pg_catalog"} if found else ())]
    connection.execute(sql.SQL("SET search_path TO {}").format(sql.SQL(", ").join(map(sql.Identifier, schemas))))


@contextmanager
def speaking(address: Address) -> Iterator[None]:
    """Work on a server. Raises NotACollectionError, CorruptionError or StorageError for what psycopg raises."""
    try:
        yield
    except psycopg.Error as error:
        raise _translated(address, error) from error


def _translated(address: Address, error: psycopg.Error) -> CollectionError:
    said = _said(error)
    match error:
        case psycopg.errors.UndefinedTable() | psycopg.errors.InvalidSchemaName() | psycopg.errors.UndefinedColumn():
            return NotACollectionError(f"{address}: the collection's tables are gone or changed: {said}")
        case psycopg.errors.InsufficientPrivilege():
            return StorageError(f"{address}: {said}. Nothing was changed; grant this role what it needs")
        case psycopg.errors.DataError() | psycopg.errors.IntegrityError():
            return CorruptionError(f"{address}: the tables hold what Twofold does not write: {said}")
        case psycopg.OperationalError():
            return StorageError(
                f"{address}: {said}. What was not acknowledged is not stored; check the server and the network, and "
                "run it again"
            )
    return StorageError(f"{address}: {said}. What was not acknowledged is not stored")


def _said(error: psycopg.Error) -> str:
    """What the server said, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


class Session:
    """One connection while it is in use; threads take turns.

    `execute` and `rows` are the ways to ask. Raises CollectionError once it was closed.
    """

    def __init__(self, address: Address, connection: Connection) -> None:
        self.address = address
        self.connection = connection
        self._turn = threading.RLock()
        self._open = True

    @contextmanager
    def held(self) -> Iterator[Connection]:
        """Exclusive use of the connection."""
        with self._turn, speaking(self.address):
            if not self._open:
                raise CollectionError(f"{self.address}: this snapshot was closed; take another one")
            yield self.connection

    def rows(self, query: Query, parameters: Any = None, *, binary: bool = False) -> list[Any]:
        """All lines of an answer. binary: values come as the server's bytes, which numpy reads."""
        with self.held() as connection, connection.cursor(binary=binary) as cursor:
            return cursor.execute(query, parameters).fetchall()

    def row(self, query: Query, parameters: Any = None) -> tuple[Any, ...]:
        """The first line of an answer that has one."""
        first: tuple[Any, ...] = self.rows(query, parameters)[0]
        return first

    def end(self) -> bool:
        """Ends the use; says whether this was the first call."""
        with self._turn:
            was, self._open = self._open, False
            return was


class Connections:
    """The connections of one process to one collection; threads may share it, and a forked child may use it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._closed = False
        self._of_parent: list[Connection] = []
        forking.watch(self)

    def taken(self) -> Connection:
        """A connection outside any transaction; one that broke meanwhile is replaced. Raises StorageError."""
        while True:
            with self._lock:
                if not self._idle:
                    break
                connection = self._idle.pop()
            try:
                connection.execute("SELECT 1")
            except psycopg.Error:
                connection.close()
            else:
                return connection
        return connected(self._address)

    def give_back(self, connection: Connection) -> None:
        """Ends its transaction and keeps it for the next use; what cannot be used again is closed."""
        with suppress(psycopg.Error):
            connection.execute("ROLLBACK")
        with self._lock:
            if not self._closed and len(self._idle) < IDLE and not connection.closed:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Closes what is idle; what is in use is closed when it is given back."""
        with self._lock:
            self._closed, idle, self._idle = True, self._idle, []
        for each in idle:
            each.close()

    def before_fork(self) -> None:
        """Nothing: the child takes connections of its own."""

    def after_fork_in_parent(self) -> None:
        """Nothing."""

    def after_fork_in_child(self) -> None:
        """Leaves the parent's connections alone: closing them here would end them there."""
        self._lock = threading.Lock()
        self._of_parent += self._idle
        self._idle = []
