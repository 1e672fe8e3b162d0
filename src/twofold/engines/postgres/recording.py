"""Commits: one transaction each, whose COMMIT is the acknowledgement; and what became of one whose answer was lost."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TypeVar

import psycopg

from twofold.addresses import Address
from twofold.description import Described
from twofold.engines.postgres.connecting import Connection, connected, speaking
from twofold.engines.postgres.locking import lock, unlock
from twofold.engines.postgres.schema import Head
from twofold.errors import CollectionError, LockedError, StorageError
from twofold.logs import logger_of

logger = logger_of(__name__)

PATIENCE = 15.0
"""Seconds in which the server must say what became of a commit whose answer was lost."""
PAUSE = 0.1
_OWN = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND backend_start = %s"
Result = TypeVar("Result")


class Change:
    """One commit that is being made: its connection, and the head that it will write."""

    def __init__(self, connection: Connection, head: Head) -> None:
        self.connection = connection
        self.head = head


class Recording:
    """The connection that holds the writer's lock. described: what is known of the collection. told: called after each
    commit with what it is now."""

    def __init__(self, address: Address, described: Described, wait: float, told: Callable[[Described], None]) -> None:
        self._address = address
        self._identity = described.id
        self._told = told
        self._ended = False
        self._process = os.getpid()
        self._known = described
        self._session: tuple[object, ...] = ()
        self._connection = self._locked(wait)

    def release(self) -> None:
        """Gives up the lock with its connection."""
        self._ended = True
        if self._process != os.getpid():  # a forked child has its parent's connection in view, not in its keeping
            return
        with suppress(CollectionError):
            unlock(self._connection, self._address, self._identity)
        self._connection.close()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """The connection that holds the lock, outside any transaction; one that broke is replaced, with the lock taken
        again. Raises LockedError where another writer has it by now, StorageError."""
        if self._ended or self._process != os.getpid():
            raise LockedError(
                f"this process does not hold the lock of {self._address}: it was given back; take it again"
            )
        if self._connection.closed:
            self._connection = self._locked(0)
        with speaking(self._address):
            yield self._connection

    def head(self) -> Head:
        """The last commit."""
        with self.connection() as connection:
            head = Head.read(connection, self._address, self._known)
            self._known = head.description
            return head

    def recorded(self, work: Callable[[Change], Result]) -> Result:
        """One transaction: the work and the new head, or nothing. Raises StorageError and what the work raises."""
        with self.connection() as connection:
            try:
                connection.execute("BEGIN")
                before = Head.read(connection, self._address, self._known)
                self._known, change = before.description, Change(connection, before)
                result = work(change)
                replace(change.head, commit=before.commit + 1).write(connection, before.description)
                found = connection.execute("SELECT pg_current_xact_id()::text").fetchone()
            except BaseException:
                with suppress(psycopg.Error):
                    connection.execute("ROLLBACK")
                raise
            try:
                connection.execute("COMMIT")  # the acknowledgement
            except psycopg.OperationalError as error:
                connection.close()
                if found is None or not self._was_committed(str(found[0])):
                    raise StorageError(
                        f"{self._address}: the connection ended during a commit, and nothing of it is stored "
                        f"({' '.join(str(error).split())}); run it again"
                    ) from error
                logger.info("%s: an answer was lost, and its commit is stored", self._address)
            self._known = change.head.description
            self._told(self._known)
            return result

    def _was_committed(self, transaction: str) -> bool:
        """Whether the server has committed a transaction, asked on another connection. Raises StorageError where it
        does not say."""
        deadline, said = time.monotonic() + PATIENCE, ""
        while time.monotonic() < deadline:
            try:
                with connected(self._address) as connection:
                    # The session that made it may still be there, waiting for a network that is gone.
                    connection.execute(_END, self._session)
                    found = connection.execute("SELECT pg_xact_status(%s::xid8)", (transaction,)).fetchone()
            except (CollectionError, psycopg.Error) as error:
                said = f": {error}"
            else:
                if found is not None and found[0] in ("committed", "aborted"):
                    return bool(found[0] == "committed")
            time.sleep(PAUSE)
        raise StorageError(
            f"{self._address}: the connection ended during a commit, and the server does not say whether it is stored"
            f"{said}. Run it again: documents that are stored are found by their ids, and none is stored twice"
        )

    def _locked(self, wait: float) -> Connection:
        connection = connected(self._address)
        try:
            lock(connection, self._address, self._identity, wait)
            with speaking(self._address):
                self._session = connection.execute(_OWN).fetchall()[0]
        except BaseException:
            connection.close()
            raise
        return connection
