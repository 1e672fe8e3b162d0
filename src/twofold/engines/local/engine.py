"""The door of the local engine: a collection's folder, created or opened, read through snapshots and changed by one
writer.
"""

from __future__ import annotations

import os
import shlex
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from twofold import forking
from twofold.description import new_id
from twofold.engine import Facts, Questions
from twofold.engines.local import acknowledged
from twofold.engines.local.catalogue.connecting import fold, long
from twofold.engines.local.catalogue.connections import Connections
from twofold.engines.local.copying import Copying
from twofold.engines.local.derived.indexes.opened import Indexes
from twofold.engines.local.derived.lexical import following
from twofold.engines.local.derived.lexical.backed_up import with_index
from twofold.engines.local.derived.lexical.readers import LexicalReaders
from twofold.engines.local.description import Description
from twofold.engines.local.disk import Disk
from twofold.engines.local.folder import Folder
from twofold.engines.local.in_memory import new_folder, vanish
from twofold.engines.local.layout import CATALOGUE, DERIVED, FORMAT, LOCK, VECTORS, check_outside
from twofold.engines.local.locking import WriterLock
from twofold.engines.local.maintaining import LocalWriter, recall
from twofold.engines.local.making import free, made
from twofold.engines.local.pinned import Derived, Pinned
from twofold.engines.local.reader import LocalSnapshot
from twofold.engines.local.verifying import Verification
from twofold.errors import (
    CollectionError,
    CorruptionError,
    LockedError,
    MovedError,
    StorageError,
    TwofoldError,
)
from twofold.files import absolute, folder_aside
from twofold.index_report import RecallReport
from twofold.progress import Progress, silent
from twofold.reports import BackupReport, VerifyReport
from twofold.space import Space


class Store:
    """One collection's folder; threads may share it, and a forked child may use it.

    path: the folder, absolute. inside: the same, for opening files in it. disk: its file operations, which tests
    replace. temporary: whether the folder is removed when the store is closed, garbage-collected, or the process ends.
    wait: seconds that writing waits for another writer, by default.
    """

    def __init__(self, folder: Folder, disk: Disk, *, temporary: bool = False, wait: float = 0.0) -> None:
        self.path = folder.path
        self.inside = folder.inside
        self._folder = folder
        self._disk = disk
        self._temporary = temporary
        self._wait = wait
        self._lock = WriterLock(folder.inside / LOCK, disk)
        self._readers = Connections(folder, durable=disk.durable)
        self._writers = Connections(folder, durable=disk.durable, writes=True)
        self._derived = Derived(folder)
        self._indexes = Indexes()
        self._lexical_readers = LexicalReaders(folder)
        self._writer: LocalWriter | None = None
        end = partial(_ended, folder, self._lock, self._readers, self._writers, os.getpid() if temporary else None)
        self._end = weakref.finalize(self, end)
        forking.watch(self)

    @classmethod
    def create(
        cls,
        path: str | Path | None,
        *,
        space: Space,
        settings: Mapping[str, Any],
        disk: Disk | None = None,
        wait: float = 0.0,
    ) -> Store:
        """A new, empty collection; None is in memory (or a temporary folder) and is deleted when it is closed.

        space: its first, the default one. settings: JSON of the packages above. Raises InputError if there is a
        collection already, NotACollectionError for a folder that holds something else, StorageError.
        """
        description = Description.now(space, settings)
        if path is None:
            disk = Disk(durable=False)
            return cls(made(new_folder(), description, disk), disk, temporary=True, wait=wait)
        disk = disk or Disk()
        return cls(made(free(absolute(path), disk), description, disk), disk, wait=wait)

    @classmethod
    def open(cls, path: str | Path, *, disk: Disk | None = None, wait: float = 0.0) -> Store:
        """The collection in a folder; takes no lock.

        Raises NotACollectionError, FormatError, CorruptionError, StorageError.
        """
        folder = Folder.open(path)
        folder.known()
        if folder.place(CATALOGUE) is None:
            raise CorruptionError(f"{folder.path} has lost its {CATALOGUE}; restore a backup")
        store = cls(folder, disk or Disk(), wait=wait)
        try:
            store.snapshot().close()
        except TwofoldError:
            store.close()
            raise
        return store

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes connections; open snapshots stay valid until they are closed."""
        self._end()

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError(
            f"an open collection cannot be pickled or copied; send its path, {str(self.path)!r}, and open it there"
        )

    @property
    def description(self) -> Description:
        """The content of collection.json when it was last read, which each snapshot and each writer does."""
        return self._folder.description

    @property
    def space(self) -> Space:
        """The default space, as known without a snapshot."""
        return self.description.space()

    def snapshot(self) -> LocalSnapshot:
        """A snapshot of the latest commit, until it is closed. Raises MovedError, CorruptionError, StorageError."""
        with self._told():
            while (snapshot := self._latest()) is None:
                pass
            return snapshot

    def _latest(self) -> LocalSnapshot | None:
        """The latest commit; None if collection.json was replaced meanwhile, since its spaces may differ."""
        description, lease = self._folder.description, self._readers.lease()
        try:
            snapshot = LocalSnapshot(Pinned(lease, self._derived, description), self._indexes, self._lexical_readers)
            self._folder.check()
        except BaseException as error:
            lease.close()
            if isinstance(error, CorruptionError) and self._is_replaced(description):
                return None
            raise
        if self._folder.description is description:
            self._derived.keep(description.names())
            return snapshot
        snapshot.close()
        return None

    def _is_replaced(self, description: Description) -> bool:
        self._folder.check()
        return self._folder.description is not description

    @contextmanager
    def writing(self, wait: float | None = None) -> Iterator[LocalWriter]:
        """The writer, with the lock; the thread that holds it may enter again and gets the same one.

        wait: seconds to wait for one writer, by default the store's. Raises LockedError naming the holder;
        MovedError; StorageError. A child that was forked inside the block is not the writer: what it calls on it raises
        CollectionError.
        """
        with self._told(), self._lock.held(self._wait if wait is None else wait):
            if self._writer is not None:
                yield self._writer
                return
            self._folder.check()
            lease = self._writers.lease()
            writer = LocalWriter(self._folder, self.snapshot, self._lock, lease, self._disk)
            try:
                self._derived.keep(self._folder.description.names())  # before files of others are removed
                writer.recover()
                self._writer = writer
                yield writer
            finally:
                if self._writer is writer:  # a forked child may have taken one of its own
                    self._writer = None
                writer.release()

    def verify(self, progress: Progress = silent) -> VerifyReport:
        """Verifies every checksum on the latest commit; reports damage and the documents concerned.

        Writers may write meanwhile. Raises CorruptionError only if the head cannot be read; StorageError.
        """
        noted = acknowledged.noted(self.inside)  # before the snapshot, for writers go on
        with self.snapshot() as snapshot, self.snapshot() as beside:
            report = Verification(snapshot, beside, progress).run(self.inside, noted)
            if damage := following.damage(self._folder, snapshot):
                report.damage.append(damage)
            return report

    def recall(self, questions: Questions) -> RecallReport:
        """The recall of searches against exact search, measured now. Raises InputError for a collection without
        passages.
        """
        with self.snapshot() as snapshot:
            return recall(snapshot, questions, self.path)

    def backup(self, path: str | Path, progress: Progress = silent) -> BackupReport:
        """Copies the latest commit into a new folder while writers may write; returns the copy's counts.

        The folder gets its name when everything in it is synced and verified. Raises InputError where the folder is not
        empty or inside the collection, CorruptionError where this collection is damaged, StorageError.
        """
        self.check_outside(path)
        disk = self._disk if self._disk.durable else Disk()
        noted = acknowledged.noted(self.inside)
        with folder_aside(path) as folder:
            with with_index(self._folder, self.snapshot) as (snapshot, lexical):
                if said := acknowledged.lost(self.inside, noted, snapshot.commit):
                    raise CorruptionError(said)
                copying = Copying(snapshot, lexical, folder, disk, progress)
                report = copying.run(replace(snapshot.description, id=new_id()))
            with Store.open(folder, disk=disk) as copy:
                damage = copy.verify(copying.verified).damage
            copying.tidy()
            if any(each.derived for each in damage):
                copying.without_index()
            if damage := [each for each in damage if not each.derived]:
                more = f" (and {len(damage) - 1} more)" if len(damage) > 1 else ""
                raise CorruptionError(
                    f"{self.path} is damaged, so no backup was made: {damage[0]}{more}. "
                    f"To see all: `twofold verify {shlex.quote(str(self.path))}`."
                )
            disk.reached("copy verified")
        return report

    def facts(self) -> Facts:
        """Facts beside the documents."""
        made = self.description
        return Facts(
            format=FORMAT,
            created=made.created,
            bytes=self.bytes(),
            log_held_back=self.held_back(),
        )

    def check_outside(self, path: str | Path) -> None:
        """Raises InputError for a path inside a collection's folder, where only its engine may write."""
        check_outside(path)

    def folder(self, area: str) -> Path:
        """The folder of this collection in an area, whose subfolders `Writer.fresh` makes; it may not exist."""
        return self._folder.of_engine(area)

    def bytes(self) -> dict[str, int]:
        """Bytes on disk by part: catalogue, its log (before the next checkpoint), vectors, indexes, lexical, other."""
        parts = {"catalogue": 0, "log": 0, "vectors": 0, **dict.fromkeys(sorted(DERIVED), 0), "other": 0}
        top = os.fspath(self.inside)
        for folder, _, names in os.walk(top):
            area = next(iter(Path(folder).relative_to(top).parts), "")
            for name in names:
                with suppress(OSError):  # a writer may have taken it away by now
                    parts[_part(area, name)] += os.lstat(os.path.join(folder, name)).st_size
        return parts

    def held_back(self) -> int:
        """Bytes of the catalogue's log that the last checkpoint could not merge, because snapshots held an older
        commit.

        0 while the log is small. The first commits after those snapshots are closed do the checkpoint.
        """
        return long(self.inside / f"{CATALOGUE}-wal")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Refuses a closed store, and raises MovedError if that is the cause of another error."""
        if not self._end.alive:
            again = "it was in memory and is gone; make a new one" if self._temporary else "open it again"
            raise CollectionError(f"{self.path} was closed: {again}")
        self._folder.check()
        try:
            yield
        except (MovedError, LockedError):
            raise
        except (CorruptionError, StorageError):
            self._folder.check()
            raise

    def before_fork(self) -> None:
        """Nothing: the pool and the lock have their own methods."""

    def after_fork_in_parent(self) -> None:
        """Nothing."""

    def after_fork_in_child(self) -> None:
        """Makes new locks, in case a thread held one; there is no writer."""
        self._writer = None
        self._folder.after_fork_in_child()
        self._derived.after_fork_in_child()
        self._lexical_readers.after_fork_in_child()


def _part(area: str, name: str) -> str:
    """Which part of a collection a file belongs to."""
    if area:
        return area if area == VECTORS or area in DERIVED else "other"
    return "catalogue" if name == CATALOGUE else "log" if name.startswith(f"{CATALOGUE}-") else "other"


def _ended(
    folder: Folder, lock: WriterLock, readers: Connections, writers: Connections, temporary_of: int | None
) -> None:
    """Closes a store: its connections, and the folder of one in memory, if this process created it."""
    if temporary_of is None and writers.used:
        with suppress(CollectionError):  # whoever writes now, or opens it next, folds the log in
            _fold(folder, lock, writers)
    writers.close()
    readers.close()
    if temporary_of == os.getpid():  # a forked child has its parent's folder in view, not in its keeping
        vanish(folder)


def _fold(folder: Folder, lock: WriterLock, writers: Connections) -> None:
    """Does a checkpoint with the writer's lock, unless another process holds it."""
    with lock.held():
        folder.check()
        lease = writers.lease()
        try:
            with lease.held() as connection:
                fold(connection)
        finally:
            lease.close()
