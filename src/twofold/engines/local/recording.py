"""Commits: one SQLite transaction each, whose COMMIT is the acknowledgement; and recovery after a crash.

collection.json is the truth about which spaces there are. What the catalogue or the folder `vectors` has of others was
left by a stopped `add_space` or `drop_space`, and goes.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from twofold.engines.local import acknowledged
from twofold.engines.local.catalogue.change import Change
from twofold.engines.local.catalogue.connecting import fold, long
from twofold.engines.local.catalogue.connections import Lease
from twofold.engines.local.catalogue.records import read_segments
from twofold.engines.local.catalogue.schema import Head
from twofold.engines.local.derived.manifest import INDEXES, names
from twofold.engines.local.derived.publishing import Publisher
from twofold.engines.local.description import Description
from twofold.engines.local.disk import Disk, passed_over
from twofold.engines.local.folder import Folder
from twofold.engines.local.layout import CATALOGUE, DESCRIPTION, VECTORS, home_of_space
from twofold.engines.local.locking import WriterLock
from twofold.engines.local.spaces import segments
from twofold.engines.local.spaces.maps import Piece, SegmentMaps
from twofold.engines.local.spaces.segments import Segment
from twofold.errors import CollectionError, CorruptionError
from twofold.logs import logger_of

logger = logger_of(__name__)

Result = TypeVar("Result")


class Recording:
    """What the writer knows of the last commit, and how it makes the next one.

    head: the last commit. segments: those of each space, ascending by their rows; the next rows go to the last one.
    doubtful: whether the disk may hold more than `head` says, as after a refused write; the next call recovers first.
    """

    def __init__(self, folder: Folder, lock: WriterLock, lease: Lease, disk: Disk) -> None:
        self._folder = folder
        self._inside = folder.inside
        self._lock = lock
        self._lease = lease
        self._disk = disk
        self._publisher = Publisher(folder.inside, disk)
        self._note = acknowledged.Note(folder.inside)
        self.doubtful = False
        self.head = Head()
        self.segments: dict[str, list[Segment]] = {}

    @property
    def description(self) -> Description:
        """What collection.json says."""
        return self._folder.description

    def release(self) -> None:
        """Ends the right to write; called before the lock is given up."""
        with suppress(CollectionError), self._lease.held() as connection:
            if long(self._inside / f"{CATALOGUE}-wal"):  # what readers held back may be let go by now
                self.check()
                fold(connection)
        self._note.close()
        self._lease.close()

    def check(self) -> None:
        """Raises LockedError where this process is not the writer, MovedError where the folder is not at its path."""
        self._lock.check()
        self._folder.check()

    def describe(self, description: Description) -> None:
        """Puts a later revision in the place of collection.json, by one rename, which is durable when this returns."""
        self.check()
        self._disk.publish(self._inside / DESCRIPTION, description.to_bytes())
        self._disk.reached("described")
        self._folder.check()

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """The catalogue as the last commit left it."""
        if self.doubtful:
            self.recover()
        with self._lease.held() as connection:
            yield connection

    def recorded(self, connection: sqlite3.Connection, work: Callable[[Change], Result]) -> Result:
        """One transaction: the work and the new head, or nothing."""
        self.doubtful = True
        try:
            connection.execute("BEGIN IMMEDIATE")
            change = Change(connection, self.head, self.segments)
            result = work(change)
            head = change.finish()
            self._disk.reached("recorded")
            self.check()
            connection.execute("COMMIT")  # the acknowledgement
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        # Doubt ends last: whatever interrupts before that, the next call reads what was committed.
        self.head, self.segments = head, {name: space.segments for name, space in change.spaces.items()}
        self.doubtful = False
        self._note.write(head.commit)
        self._disk.reached("committed")
        return result

    def recover(self) -> None:
        """Reads the last commit, and cuts off what a crash or a refused write left behind its rows.

        Called when the lock is taken. A transaction that failed while it was being synced may still stand in SQLite's
        log, whole, and come to life after a crash; it speaks of the very bytes that are cut here. So an empty commit
        overwrites it first.
        """
        with self._lease.held() as connection:
            self._read(connection)
            unknown = [name for name in self.head.spaces if name not in self.description.names()]
            left = [each for name in sorted(self.description.names()) for each in self._leftovers(name)]
            ahead = self._publisher.ahead(self.head.generation)
            if left or ahead or unknown or self.doubtful:
                logger.warning(
                    "%s: recovers what a stopped writer left behind commit %d", self._inside, self.head.commit
                )
                self.recorded(connection, lambda change: _forget(change, unknown))
            self.doubtful = bool(left)
            for path, size in left:
                self._cut(path, size)
            self.doubtful = False
            self.drop_folders()
            self._drop_asides()
        self._publisher.tidy(self.head.generation)

    def drop_folders(self) -> None:
        """Removes the vectors and indexes of spaces that collection.json does not name."""
        for home in (self._inside / VECTORS, self._inside / INDEXES):
            for name in sorted(set(names(home)) - self.description.names()):
                self._disk.dropped(home / name)
                self._disk.reached("space removed")

    def _drop_asides(self) -> None:
        """Removes what a stopped `describe` left."""
        for name in os.listdir(self._inside):
            if name.startswith(f".{DESCRIPTION}."):
                self._disk.remove(self._inside / name)

    def vectors(self, name: str, counting: Sequence[Segment] | None = None) -> list[Piece]:
        """The rows of a space, those of the last commit unless its segments are given. Raises CorruptionError."""
        maps = SegmentMaps(home_of_space(self._inside, name), self.description.space(name))
        return maps.pieces(self.segments[name] if counting is None else counting)

    def _read(self, connection: sqlite3.Connection) -> None:
        self.head = Head.read(connection)
        if said := acknowledged.lost(self._inside, acknowledged.noted(self._inside), self.head.commit):
            raise CorruptionError(said)
        self.segments = {
            name: read_segments(connection, self.head.of(name)) for name in sorted(self.description.names())
        }

    def _leftovers(self, name: str) -> Sequence[tuple[Path, int]]:
        home, words = home_of_space(self._inside, name), self.description.space(name).words
        return segments.leftovers(home, self.segments[name], words)

    def _cut(self, path: Path, size: int) -> None:
        """Cuts off what nothing speaks of. Where that is forbidden, it stays, and the next rows are written over it."""
        if not size:
            self._disk.dropped(path)
            return
        with passed_over(), self._disk.opened(path, os.O_RDWR) as descriptor:
            self._disk.cut(descriptor, path, size)
            self._disk.sync(descriptor, path)


def _forget(change: Change, unknown: Sequence[str]) -> None:
    """The work of a commit that recovers: none, but for spaces that are no more."""
    for name in unknown:
        change.drop_space(name)
