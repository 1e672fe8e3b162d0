"""The door of the storage room: a collection's folder, made or opened, read by snapshots and changed by one writer."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from twofold.errors import CollectionError, CorruptionError, InputError, NotACollectionError, TwofoldError
from twofold.files import folder_aside
from twofold.progress import Progress, silent
from twofold.storage import acknowledged, forking
from twofold.storage.connections import Connections, connect, held_back, translated
from twofold.storage.copying import BackupReport, Copying
from twofold.storage.disk import Disk
from twofold.storage.layout import CATALOGUE, DERIVED, DESCRIPTION, LOCK, UNFINISHED, VECTORS, Description
from twofold.storage.locking import WriterLock
from twofold.storage.publishing import Publisher
from twofold.storage.reading import Derived, StoredSnapshot
from twofold.storage.schema import Head, make_tables
from twofold.storage.verifying import Damage, Verification, VerifyReport, wrong
from twofold.storage.writing import Writer

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108
ROOM_IN_MEMORY = 2**30
"""Bytes that must be free in shared memory for a collection to live there rather than in a temporary folder."""


class Store:
    """One collection's folder; threads may share it, and a forked child may go on with it.

    path: the folder. description: what collection.json says. disk: what touches files, for tests to
    stand in. temporary: whether the folder goes when the store is closed, forgotten, or the process ends.
    """

    def __init__(self, path: Path, description: Description, disk: Disk, *, temporary: bool = False) -> None:
        self.path = path
        self.description = description
        self._disk = disk
        self._lock = WriterLock(path / LOCK, disk)
        self._connections = Connections(path / CATALOGUE, durable=disk.durable)
        self._derived = Derived(path, description.dimension)
        self._writer: Writer | None = None
        end = partial(_vanish, path, self._connections, os.getpid()) if temporary else self._connections.close
        self._end = weakref.finalize(self, end)
        forking.watch(self)

    @classmethod
    def create(
        cls,
        path: str | Path | None,
        *,
        dimension: int,
        contract: Mapping[str, Any],
        source: Mapping[str, Any],
        settings: Mapping[str, Any],
        disk: Disk | None = None,
    ) -> Store:
        """A new, empty collection; None lives in memory (or a temporary folder) and vanishes when it is closed.

        contract, source, settings: JSON of the rooms above. Raises InputError where a collection is already,
        NotACollectionError for a folder that holds something else, StorageError.
        """
        description = Description.now(dimension, contract, source, settings)
        if path is None:
            folder = Path(tempfile.mkdtemp(prefix="twofold-", dir=_memory()))
            return cls(folder, description, _made(folder, description, Disk(durable=False)), temporary=True)
        folder = Path(path)
        return cls(folder, description, _made(folder, description, disk or Disk()))

    @classmethod
    def open(cls, path: str | Path, *, disk: Disk | None = None) -> Store:
        """The collection in a folder; takes no lock.

        Raises NotACollectionError, FormatError, CorruptionError, StorageError.
        """
        folder = Path(path)
        description = Description.read(folder)
        if not (folder / CATALOGUE).exists():
            raise CorruptionError(f"{folder} has lost its {CATALOGUE}; restore a backup")
        store = cls(folder, description, disk or Disk())
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
        """Closes connections; snapshots that are held stay good until they are closed."""
        self._end()

    def snapshot(self) -> StoredSnapshot:
        """The latest commit, held until it is closed."""
        lease = self._connections.lease()
        try:
            return StoredSnapshot(lease, self._derived)
        except BaseException:
            lease.close()
            raise

    @contextmanager
    def writing(self, wait: float = 0) -> Iterator[Writer]:
        """The writer, with the lock; the thread that has it may ask again and gets the same one.

        wait: seconds to wait for another writer. Raises LockedError naming the holder; StorageError.
        """
        with self._lock.held(wait):
            if self._writer is not None:
                yield self._writer
                return
            writer = Writer(self.path, self.description.dimension, self._connections.lease(), self._disk)
            try:
                writer.mend()
                self._writer = writer
                yield writer
            finally:
                self._writer = None
                writer.release()

    def verify(self, progress: Progress = silent, *, repair: bool = False) -> VerifyReport:
        """Every checksum computed again, on the latest commit; says what is damaged and which documents it hits.

        repair: takes damaged derived folders away, so that they are made again; nothing else is touched. Raises
        CorruptionError only where there is no head to start from; with repair also LockedError, StorageError.
        """
        noted = acknowledged.noted(self.path)  # before the snapshot, for writers go on
        with self.snapshot() as snapshot, self.snapshot() as beside:
            report = Verification(snapshot, beside, progress).run(self.path, noted)
        if repair and any(each.derived for each in report.damage):
            with self._lock.held(), self.snapshot() as snapshot:
                report.damage[:] = [self._repaired(each, snapshot) for each in report.damage]
        return report

    def _repaired(self, damage: Damage, snapshot: StoredSnapshot) -> Damage:
        if not damage.derived:
            return damage
        path = self.path / damage.place
        if path.exists() and wrong(path, snapshot):  # nobody has put another in its place meanwhile
            Publisher(self.path, self._disk).remove(path)
        return replace(damage, repaired=True)

    def backup(self, path: str | Path, progress: Progress = silent) -> BackupReport:
        """Copies the latest commit into a new folder while writers go on; says what the copy holds.

        The folder takes its name when everything in it is synced and every checksum was found right. Raises InputError
        where the folder is not empty or inside the collection, CorruptionError where this collection is damaged,
        StorageError.
        """
        self.check_outside(path)
        disk = self._disk if self._disk.durable else Disk()
        noted = acknowledged.noted(self.path)
        with folder_aside(path) as folder:
            with self.snapshot() as snapshot:
                if said := acknowledged.lost(self.path, noted, snapshot.commit):
                    raise CorruptionError(said)
                copying = Copying(snapshot, folder, disk, progress)
                report = copying.run(self.description)
            with Store(folder, self.description, disk) as copy:
                damage = copy.verify(copying.verified).damage
            if damage:
                more = f" (and {len(damage) - 1} more)" if len(damage) > 1 else ""
                raise CorruptionError(
                    f"{self.path} is damaged, so no backup was made: {damage[0]}{more}. Run twofold verify to see all."
                )
            disk.reached("copy verified")
        return report

    def check_outside(self, path: str | Path) -> None:
        """Raises InputError for a path inside this collection's folder, where only this room may write."""
        if Path(path).resolve().is_relative_to(self.path.resolve()):
            raise InputError(f"this is inside the collection {self.path}; choose a folder elsewhere", path=path)

    def bytes(self) -> dict[str, int]:
        """Bytes on disk by part: catalogue, its log (what is not folded in yet), vectors, indexes, lexical, other."""
        parts = {"catalogue": 0, "log": 0, "vectors": 0, **dict.fromkeys(sorted(DERIVED), 0), "other": 0}
        for folder, _, names in os.walk(self.path):
            room = next(iter(Path(folder).relative_to(self.path).parts), "")
            for name in names:
                with suppress(OSError):  # a writer may have taken it away by now
                    parts[_part(room, name)] += os.lstat(os.path.join(folder, name)).st_size
        return parts

    def held_back(self) -> int:
        """Bytes of the catalogue's log that snapshots hold back, here or in another process; 0 while it is small.

        They are folded in by the first commits after those snapshots were closed.
        """
        lease = self._connections.lease()
        try:
            with lease.held() as connection:
                return held_back(connection, self.path / f"{CATALOGUE}-wal")
        finally:
            lease.close()

    def before_fork(self) -> None:
        """Nothing: the pool and the lock see to themselves."""

    def after_fork_in_parent(self) -> None:
        """Nothing."""

    def after_fork_in_child(self) -> None:
        """New locks for what is kept in memory, in case a thread held one; no writer."""
        self._writer = None
        self._derived.maps.after_fork_in_child()
        self._derived.rows.after_fork_in_child()
        self._derived.filters.after_fork_in_child()


def _part(room: str, name: str) -> str:
    """Which part of a collection a file belongs to."""
    if room:
        return room if room == VECTORS or room in DERIVED else "other"
    return "catalogue" if name == CATALOGUE else "log" if name.startswith(f"{CATALOGUE}-") else "other"


def _made(folder: Path, description: Description, disk: Disk) -> Disk:
    """Makes an empty collection in a folder; collection.json comes last, and makes it one."""
    _check_free(folder)
    missing = [each for each in (folder.absolute(), *folder.absolute().parents) if not each.exists()]
    disk.make_folder(folder)
    with WriterLock(folder / LOCK, disk).held():
        _check_free(folder)
        _clear(folder, disk)
        disk.make_folder(folder / VECTORS)
        path = folder / CATALOGUE
        with translated(path), closing(connect(path, durable=disk.durable, create=True)) as connection:
            make_tables(connection)
        disk.reached("catalogue created")
        for each in (folder / VECTORS, *missing):
            disk.sync_folder(each.parent)
        disk.publish(folder / DESCRIPTION, description.to_bytes())
        disk.reached("created")
    return disk


def _check_free(folder: Path) -> None:
    if (folder / DESCRIPTION).exists():
        raise InputError("there is a collection here already; open it, or choose another path", path=folder)
    if folder.exists() and not folder.is_dir():
        raise NotACollectionError(f"{folder} is a file; a collection is a folder")
    names = {name.name for name in folder.iterdir()} if folder.exists() else set()
    foreign = sorted(name for name in names - UNFINISHED if not name.startswith(f".{DESCRIPTION}."))
    if foreign:
        raise NotACollectionError(
            f"{folder} is not empty and is no collection (it holds {', '.join(foreign[:3])}); choose another path"
        )
    if (folder / CATALOGUE).exists() and _commits(folder / CATALOGUE):
        raise CorruptionError(f"{folder} holds documents but has lost its {DESCRIPTION}; restore a backup")


def _commits(catalogue: Path) -> int:
    """How many commits an orphaned catalogue holds; one that cannot be read was never finished."""
    try:
        with translated(catalogue), closing(connect(catalogue, durable=True)) as connection:
            return Head.read(connection).commit
    except CollectionError:
        return 0


def _clear(folder: Path, disk: Disk) -> None:
    """Removes what a creation left that was stopped half-way."""
    for path in folder.iterdir():
        if path.is_file() and path.name != LOCK:
            disk.remove(path)


def _memory() -> Path | None:
    try:
        free = shutil.disk_usage(SHARED_MEMORY).free
    except OSError:
        return None
    return SHARED_MEMORY if free >= ROOM_IN_MEMORY and os.access(SHARED_MEMORY, os.W_OK) else None


def _vanish(folder: Path, connections: Connections, process: int) -> None:
    # A forked child has its parent's folder in view, not in its keeping.
    if os.getpid() == process:
        connections.close()
        shutil.rmtree(folder, ignore_errors=True)
