"""SQLite connections of one catalogue: a small pool that threads share and that a fork empties.

A lease is one connection in one hand; its lock keeps two threads that share the hand apart.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from twofold.errors import CollectionError, CorruptionError, LockedError, StorageError
from twofold.storage import forking
from twofold.storage.schema import CHECKPOINT_PAGES, PAGE_BYTES, check_format

IDLE = 8
"""Connections kept open for the next caller."""
FREE_SHARE = 0.2
"""The catalogue is written anew when so much of it is free: less is used up by the next documents."""
FRAME_BYTES = 24
"""What SQLite's log keeps beside each page (sqlite.org/fileformat.html, 4.2)."""
PATIENCE = 10.0
"""Seconds that SQLite waits for another process that opens or closes the catalogue at the same moment."""

_REFUSED = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
_WAITING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class Lease:
    """One connection while somebody holds it."""

    def __init__(self, pool: Connections, connection: sqlite3.Connection) -> None:
        self._pool = pool
        self._connection = connection
        self.path = pool.path
        self.lock = threading.RLock()
        self.closed = False
        self.inherited = False

    @contextmanager
    def held(self) -> Iterator[sqlite3.Connection]:
        """The connection for one thread at a time, with SQLite's errors as ours."""
        with self.lock, translated(self.path):
            if self.inherited:
                raise CollectionError("this snapshot or writer belongs to the process before the fork; take a new one")
            if self.closed:
                raise CollectionError("this snapshot or writer was closed; take a new one")
            yield self._connection

    def close(self) -> None:
        """Ends whatever transaction is open and gives the connection back; twice does nothing."""
        with self.lock:
            if not self.closed and not self.inherited:
                self.closed = True
                self._pool.take_back(self, self._connection)

    def abandon(self) -> None:
        """In a forked child: lets go of the parent's connection, or leaves it where it was in use at that moment."""
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

    path: the catalogue file. durable: whether commits wait for the disk.
    """

    def __init__(self, path: Path, *, durable: bool) -> None:
        self.path = path
        self._durable = durable
        self._lock = threading.RLock()
        self._idle: list[sqlite3.Connection] = []
        self._leases: set[Lease] = set()
        self._closed = False
        forking.watch(self)

    def lease(self) -> Lease:
        """A connection of one's own until its `close`."""
        with self._lock:
            if self._closed:
                raise CollectionError(f"{self.path.parent} was closed; open it again")
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            with translated(self.path):
                connection = connect(self.path, durable=self._durable)
        lease = Lease(self, connection)
        with self._lock:
            self._leases.add(lease)
        return lease

    def take_back(self, lease: Lease, connection: sqlite3.Connection) -> None:
        """The end of a lease: the connection waits for the next caller, or is closed."""
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
        """Closes what is idle; what is leased is closed when it comes back."""
        with self._lock:
            self._closed = True
            self._close_idle()

    def before_fork(self) -> None:
        """Closes what is idle, so that a child inherits nothing but what somebody holds."""
        self._lock.acquire()
        self._close_idle()

    def after_fork_in_parent(self) -> None:
        """Goes on."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Begins anew, with no connection."""
        self._lock = threading.RLock()
        for lease in self._leases:
            lease.abandon()
        self._leases = set()

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()


def connect(path: Path, *, durable: bool, create: bool = False) -> sqlite3.Connection:
    """A connection to a catalogue, in autocommit; transactions are begun and ended in words.

    Raises what sqlite3 raises; see `translated`.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'rwc' if create else _mode(path)}",
        uri=True,
        timeout=PATIENCE,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        # A log that grew while somebody held an old commit gives its room back.
        connection.execute(f"PRAGMA journal_size_limit = {CHECKPOINT_PAGES * PAGE_BYTES}")
        if not create:
            check_format(connection)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.OperationalError) and path.exists() and not os.access(path.parent, os.W_OK):
            raise _not_shared(path, error) from error
        raise
    return connection


def _not_shared(path: Path, error: sqlite3.Error) -> StorageError:
    """Says why a folder that can only be read is not enough; reading past SQLite's locks could meet a writer."""
    return StorageError(
        f"{path}: {error}. This user may not write to {path.parent}, where SQLite keeps a file that its readers share. "
        "Give the right to write to that folder, or read a copy of your own (twofold backup makes one)"
    )


def shrink(connection: sqlite3.Connection) -> int:
    """Gives free pages back to the disk where they are many; gives their bytes. Readers keep what they see."""
    size, free, all_ = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_size", "freelist_count", "page_count")
    )
    if free < FREE_SHARE * all_:
        return 0
    connection.execute("VACUUM")
    # A reader keeps the pages of its commit in the log; the first commits after it fold them in.
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {round(PATIENCE * 1000)}")
    return size * free


def held_back(connection: sqlite3.Connection, log: Path) -> int:
    """Bytes of the log that cannot be folded into the catalogue because somebody reads an older commit.

    0 for a log no larger than it may always grow to. What can be folded in by now is.
    """
    if not log.exists() or log.stat().st_size <= CHECKPOINT_PAGES * (PAGE_BYTES + FRAME_BYTES):
        return 0
    try:
        _, frames, folded = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    except sqlite3.OperationalError:  # whoever may only read cannot know
        return 0
    return max(0, int(frames) - int(folded)) * (PAGE_BYTES + FRAME_BYTES)


def _mode(path: Path) -> str:
    """How SQLite may open a catalogue: on a disk that nobody can write it needs no locks and no log."""
    if path.parent.exists() and not os.statvfs(path.parent).f_flag & os.ST_RDONLY:
        return "rw"
    log = path.with_name(f"{path.name}-wal")
    return "ro" if log.exists() and log.stat().st_size else "ro&immutable=1"


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors as ours: a disk that refused, a catalogue in use, or bytes that are not what was written."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        code = (getattr(error, "sqlite_errorcode", None) or sqlite3.SQLITE_CORRUPT) & 0xFF
        if code in _REFUSED:
            raise StorageError(
                f"{path}: {error}. Nothing that was acknowledged is lost; make room or rights, and run again."
            ) from error
        if code in _WAITING:
            raise LockedError(f"{path} is in use by another process ({error}); try again in a moment") from error
        if code == sqlite3.SQLITE_TOOBIG:
            raise StorageError(f"{path}: a document is larger than SQLite keeps in a row ({error})") from error
        raise CorruptionError(
            f"{path} is damaged: {error}. Run twofold verify to see which documents are hit, or restore a backup."
        ) from error
