"""Connections to a catalogue: opening, closing, errors.

Readers' connections cannot write. When the last writable connection is closed, SQLite does a checkpoint and removes the
log by its path, which needs the writer's lock. So only the writer has such a connection, and closes it while another,
read-only one is open (`WritingConnection`).
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import cast

from twofold import forking
from twofold.engines.local.catalogue.schema import CHECKPOINT_PAGES, PAGE_BYTES, check_format
from twofold.engines.local.folder import AGAIN, DESCRIPTORS, Folder
from twofold.engines.local.layout import CATALOGUE
from twofold.errors import CorruptionError, LockedError, MovedError, StorageError

FREE_SHARE = 0.2
"""The catalogue is written anew when so much of it is free: less is used up by the next documents."""
FRAME_BYTES = 24
"""What SQLite's log keeps beside each page (sqlite.org/fileformat.html, 4.2)."""
PATIENCE = 10.0
"""Seconds that SQLite waits for another process that opens or closes the catalogue at the same moment."""

_REFUSED = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
_WAITING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class WritingConnection(sqlite3.Connection):
    """A connection of the writer. Closing it does not change the log, because `guard` is closed after it.

    guard: a connection to the same catalogue that cannot write.
    """

    guard: sqlite3.Connection | None = None

    def close(self) -> None:
        """Closes both; a second call does nothing."""
        super().close()
        if self.guard is not None:
            self.guard.close()

    def __del__(self) -> None:
        with suppress(sqlite3.Error):  # it was never opened
            self.close()


_mixed: list[sqlite3.Connection] = []
"""Connections whose files belong to several folders. Closing one would take the locks of this process from the others'
shared memory (a lock of POSIX ends when any descriptor of its file is closed), and the next process that opens that
catalogue would cut it under those that have it mapped."""


class _Opening:
    """Lets one connection be opened at a time in this process, so that SQLite's files can be identified."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        forking.watch(self)

    def before_fork(self) -> None:
        """Waits for a connection that is being opened."""
        self.lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Releases the lock."""
        self.lock.release()

    def after_fork_in_child(self) -> None:
        """Releases the lock."""
        self.lock.release()


_opening = _Opening()


def belonging(folder: Folder, *, durable: bool, writes: bool) -> sqlite3.Connection:
    """A connection to a folder's catalogue, all of whose files are in that folder.

    SQLite opens catalogue, log and shared memory by path, one after the other, and meanwhile another folder may be put
    there. So afterwards the opened files are compared with the folder's. Raises MovedError, and what sqlite3 raises.
    """
    path = folder.path / CATALOGUE
    with _opening.lock:
        folder.check()
        before = _open_files()
        try:
            connection = _guarded(path, durable=durable) if writes else connect(path, durable=durable)
        except sqlite3.Error:
            folder.check()  # which may be why
            raise
        opened = {place for _, place in _open_files() - before}
        belongs = opened <= {folder.place(f"{CATALOGUE}{kind}") for kind in ("", "-wal", "-shm")}
        try:
            folder.check()
            if not belongs:
                raise MovedError(f"{folder.path} was replaced while it was being opened. {AGAIN}")
        except BaseException:
            if belongs:
                connection.close()
            else:
                _mixed.append(connection)
            raise
        return connection


@contextmanager
def looked_into(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to the catalogue of a folder that has no collection yet; no other one is opened meanwhile."""
    with _opening.lock, closing(connect(path, durable=True)) as connection:
        yield connection


def _guarded(path: Path, *, durable: bool) -> WritingConnection:
    guard = connect(path, durable=durable)
    try:
        connection = cast(WritingConnection, connect(path, durable=durable, writes=True))
    except BaseException:
        guard.close()
        raise
    connection.guard = guard
    return connection


def _open_files() -> set[tuple[str, tuple[int, int]]]:
    """Descriptor, device and inode of every catalogue, log and shared memory that this process has open."""
    found = set()
    for descriptor in os.listdir(DESCRIPTORS) if os.path.isdir(DESCRIPTORS) else ():
        with suppress(OSError):  # another thread has closed it
            if os.path.basename(os.readlink(f"{DESCRIPTORS}/{descriptor}")).startswith(CATALOGUE):
                status = os.stat(f"{DESCRIPTORS}/{descriptor}")
                found.add((descriptor, (status.st_dev, status.st_ino)))
    return found


def connect(path: Path, *, durable: bool, writes: bool = False, create: bool = False) -> sqlite3.Connection:
    """A connection to a catalogue, in autocommit; transactions are begun and ended explicitly.

    Raises what sqlite3 raises; see `translated`.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'rwc' if create else _mode(path, writes=writes)}",
        uri=True,
        timeout=PATIENCE,
        isolation_level=None,
        check_same_thread=False,
        factory=WritingConnection if writes else sqlite3.Connection,
    )
    try:
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        # A log that grew while somebody held an old commit shrinks.
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
    """Raises an error for a read-only folder without SQLite's shared file: reading without locks could see a
    half-written commit.
    """
    return StorageError(
        f"{path}: {error}. This user may not write to {path.parent}, where SQLite keeps a file that its readers share. "
        "Give the right to write to that folder, or read a copy, which a user makes who has it: "
        "`twofold backup COLLECTION --to FOLDER`"
    )


def shrink(connection: sqlite3.Connection) -> int:
    """Returns free pages to the disk if there are many; returns their bytes. Readers keep their snapshots."""
    size, free, all_ = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_size", "freelist_count", "page_count")
    )
    if free < FREE_SHARE * all_:
        return 0
    connection.execute("VACUUM")
    fold(connection)
    return size * free


def fold(connection: sqlite3.Connection) -> None:
    """A checkpoint: merges the log into the catalogue and truncates it, unless an older commit is read; by the writer
    only.

    A reader keeps the pages of its commit in the log; the first commits after it merge them.
    """
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {round(PATIENCE * 1000)}")


def long(log: Path) -> int:
    """Bytes of a log that is longer than normal; otherwise 0."""
    size = _size(log)
    return size if size > CHECKPOINT_PAGES * (PAGE_BYTES + FRAME_BYTES) else 0


def _mode(path: Path, *, writes: bool) -> str:
    """How SQLite may open a catalogue: on a read-only disk it needs no locks and no log."""
    if not _is_on_read_only_disk(path):
        return "rw" if writes else "ro"
    return "ro" if _size(path.with_name(f"{path.name}-wal")) else "ro&immutable=1"


if sys.platform == "win32":

    def _is_on_read_only_disk(path: Path) -> bool:  # noqa: ARG001 - as where it can be told
        return False

else:

    def _is_on_read_only_disk(path: Path) -> bool:
        try:
            return bool(os.statvfs(path.parent).f_flag & os.ST_RDONLY)
        except OSError:  # SQLite finds out what is the matter
            return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # it is not there, or goes at this moment
        return 0


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Converts SQLite's errors: a disk that cannot be written, a catalogue in use, or damaged bytes."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        code = (getattr(error, "sqlite_errorcode", None) or sqlite3.SQLITE_CORRUPT) & 0xFF
        if code in _REFUSED:
            raise StorageError(
                f"{path}: {error}. Nothing that was acknowledged is lost; "
                "free disk space or fix permissions, and run again."
            ) from error
        if code in _WAITING:
            raise LockedError(f"{path} is in use by another process ({error}); try again in a moment") from error
        if code == sqlite3.SQLITE_TOOBIG:
            raise StorageError(f"{path}: a document is larger than SQLite keeps in a row ({error})") from error
        raise CorruptionError(
            f"{path} is damaged: {error}. Run `twofold verify COLLECTION` to see which documents are hit, "
            "or restore a backup."
        ) from error
