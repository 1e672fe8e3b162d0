"""SQLite connections of one catalogue: a small pool that threads share and that a fork empties.

A lease is the exclusive use of one pooled connection; its lock serialises threads that share it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from twofold import forking
from twofold.engines.local.catalogue.connecting import belonging, translated
from twofold.engines.local.folder import Folder
from twofold.engines.local.layout import CATALOGUE
from twofold.errors import CollectionError

IDLE = 8
"""Connections kept open for the next caller."""


class Lease:
    """The use of one connection."""

    def __init__(self, pool: Connections, connection: sqlite3.Connection) -> None:
        self._pool = pool
        self._connection = connection
        self.path = pool.path
        self.lock = threading.RLock()
        self.closed = False
        self.inherited = False

    @contextmanager
    def held(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread at a time; SQLite's errors are converted."""
        with self.lock, translated(self.path):
            if self.inherited:
                raise CollectionError("this snapshot or writer belongs to the process before the fork; take a new one")
            if self.closed:
                raise CollectionError("this snapshot or writer was closed; take a new one")
            yield self._connection

    def close(self) -> None:
        """Ends an open transaction and returns the connection to the pool; a second call does nothing."""
        with self.lock:
            if not self.closed and not self.inherited:
                self.closed = True
                self._pool.take_back(self, self._connection)

    def abandon(self) -> None:
        """In a forked child: drops the parent's connection, and does not touch one that was in use at that moment."""
        if self.lock.acquire(blocking=False):
            with suppress(sqlite3.Error):
                self._connection.close()
        else:
            _left.append(self._connection)
        self.lock = threading.RLock()
        self.inherited = True


_left: list[sqlite3.Connection] = []
"""Connections that a child may neither use nor close; kept, so that nothing closes them."""


class Connections:
    """The pool of one catalogue.

    durable: whether commits wait for the disk. writes: for the writer, which holds the lock; others are read-only.
    """

    def __init__(self, folder: Folder, *, durable: bool, writes: bool = False) -> None:
        self.path = folder.path / CATALOGUE
        self.used = False
        """Whether this process has had a connection."""
        self._folder = folder
        self._durable = durable
        self._writes = writes
        self._lock = threading.RLock()
        self._idle: list[sqlite3.Connection] = []
        self._leases: set[Lease] = set()
        self._closed = False
        forking.watch(self)

    def lease(self) -> Lease:
        """A connection for exclusive use until its `close`. Raises MovedError, StorageError, CorruptionError."""
        with self._lock:
            if self._closed:
                raise CollectionError(f"{self.path.parent} was closed; open it again")
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            with translated(self.path):
                connection = belonging(self._folder, durable=self._durable, writes=self._writes)
        lease = Lease(self, connection)
        with self._lock:
            self.used = True
            self._leases.add(lease)
        return lease

    def take_back(self, lease: Lease, connection: sqlite3.Connection) -> None:
        """Returns a connection to the pool, or closes it."""
        fit = True
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            fit = False
        with self._lock:
            self._leases.discard(lease)
            if fit and not self._closed and len(self._idle) < IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Closes idle connections; leased ones are closed when they are returned."""
        with self._lock:
            self._closed = True
            self._close_idle()

    def before_fork(self) -> None:
        """Closes idle connections, so that a child inherits only leased ones."""
        self._lock.acquire()
        self._close_idle()

    def after_fork_in_parent(self) -> None:
        """Releases the lock."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Starts without a connection."""
        self._lock = threading.RLock()
        self.used = False
        for lease in self._leases:
            lease.abandon()
        self._leases = set()

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()
