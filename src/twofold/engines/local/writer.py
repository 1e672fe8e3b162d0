"""The writer: the only one that changes a collection, for as long as it holds the lock.

A commit appends vectors and syncs them, then records everything in one SQLite transaction. Its COMMIT is the
acknowledgement: two syncs, and nothing before it is visible to anybody.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from twofold.block import Block, Known
from twofold.engines.local import acknowledged
from twofold.engines.local.catalogue.change import Change, Placed, first_segment_number, known, last_segment
from twofold.engines.local.catalogue.connecting import fold, long, shrink
from twofold.engines.local.catalogue.connections import Lease
from twofold.engines.local.catalogue.records import read_segments, read_state
from twofold.engines.local.catalogue.rows import RowsCache
from twofold.engines.local.catalogue.schema import Head
from twofold.engines.local.compacting import Compaction
from twofold.engines.local.derived.fingerprints import fingerprint
from twofold.engines.local.derived.manifest import Manifest, Part
from twofold.engines.local.derived.manifest import Piece as IndexPiece
from twofold.engines.local.derived.publishing import Fill, Publisher
from twofold.engines.local.disk import Disk
from twofold.engines.local.folder import Folder
from twofold.engines.local.layout import CATALOGUE
from twofold.engines.local.locking import WriterLock
from twofold.engines.local.spaces import segments
from twofold.engines.local.spaces.maps import Piece, SegmentMaps
from twofold.engines.local.spaces.segments import Segment
from twofold.errors import CollectionError, CorruptionError, StorageError
from twofold.progress import Progress, silent
from twofold.reports import CompactReport
from twofold.scores import Numbers

Result = TypeVar("Result")


class Writer:
    """Adds, deletes and keeps state; each call is one commit, durable when it returns.

    A call that raises StorageError leaves the collection as it was, and may be tried again.
    """

    def __init__(self, folder: Folder, dimension: int, lock: WriterLock, lease: Lease, disk: Disk) -> None:
        self._held = folder
        self._folder = folder.inside
        self._dimension = dimension
        self._lock = lock
        self._lease = lease
        self._disk = disk
        self._publisher = Publisher(self._folder, disk)
        self._note = acknowledged.Note(self._folder)
        self._doubtful = False
        self._head = Head()
        self._segment: Segment | None = None

    def release(self) -> None:
        """Ends the right to write; called before the lock is given up."""
        with suppress(CollectionError), self._lease.held() as connection:
            if long(self._folder / f"{CATALOGUE}-wal"):  # what readers held back may be let go by now
                self._check()
                fold(connection)
        self._note.close()
        self._lease.close()

    def known(self, ids: Sequence[str]) -> dict[str, Known]:
        """What is stored of the living documents with these ids; unknown ids are missing from the answer."""
        with self._connection() as connection:
            return known(connection, ids)

    def commit(self, block: Block) -> Numbers:
        """Adds documents, in place of living ones with the same ids; gives their numbers, int64 (documents,).

        Raises VectorError before anything is written; StorageError; CorruptionError.
        """
        halves = block.halves(self._dimension)
        if not block.documents:
            return np.empty(0, np.int64)
        with self._connection() as connection:
            last = self._segment or Segment(1, 0, 0, self._head.generation)
            placed = list(segments.place(halves, last))
            for segment, rows in placed:
                segments.append(self._disk, self._folder, segment, rows)
            replaced = [entry.handle for entry in known(connection, [each.id for each in block.documents]).values()]
            return self._recorded(connection, lambda change: _add(change, block, placed, replaced))

    def delete(self, numbers: Sequence[int] | Numbers) -> int:
        """Marks documents as deleted; gives how many of them were living."""
        if not len(numbers):
            return 0
        with self._connection() as connection:
            marked = [int(number) for number in numbers]
            return self._recorded(connection, lambda change: change.mark(marked))

    def put_state(self, key: str, value: Any) -> None:
        """Keeps a JSON value under a key for a room above; None removes it."""
        with self._connection() as connection:
            self._recorded(connection, lambda change: change.put_state(key, value))

    def compact(self, progress: Progress = silent) -> CompactReport:
        """Gives the room of deleted documents back: rows are numbered anew, documents keep their numbers.

        Where nothing was deleted, only free pages of the catalogue are given back. Readers keep their snapshots. Raises
        StorageError, CorruptionError.
        """
        with self._connection() as connection:
            before = self._head
            gone = connection.execute("SELECT count(*) FROM documents WHERE deleted IS NOT NULL").fetchone()[0]
            if not gone and before.rows == before.next_row:
                return CompactReport(documents=0, rows=0, bytes=shrink(connection))
            rows = RowsCache().at(before, connection)
            old = read_segments(connection, before)
            compaction = Compaction(self._folder, self._disk, rows, self._pieces(connection), self._segment, progress)
            self._recorded(connection, compaction.record)
            self._doubtful = True  # numbers may come again, and rows must never be written over a file that is mapped
            freed = self._remove([segments.path_of(self._folder, each.number) for each in old])
            self._doubtful = False
            freed -= sum(each.size(self._dimension) for each in read_segments(connection, self._head))
            self._publisher.tidy(self._head.generation)
            freed += shrink(connection)
            self._disk.reached("compacted")
            return CompactReport(documents=gone, rows=before.next_row - before.rows, bytes=freed)

    def build(self, room: str, fill: Fill, first: int, end: int) -> IndexPiece:
        """Builds a piece of an index over the rows from `first` to before `end`; it counts once it is published.

        room: "indexes" or one below it. fill: writes files into an empty folder. Raises what `fill` raises, InputError,
        StorageError, CorruptionError.
        """
        with self._connection() as connection:
            vectors = fingerprint(connection, self._pieces(connection), first, end)
        part = self._publisher.build(room, fill)
        return IndexPiece(folder=part.folder, files=part.files, first=first, rows=end - first, vectors=vectors)

    def put_beside(self, room: str, fill: Fill) -> Part:
        """Builds a part of an index that covers no rows; it counts once it is published. Raises as `build`."""
        self._check()
        return self._publisher.build(room, fill)

    def publish(
        self, room: str, about: Mapping[str, Any], pieces: Sequence[IndexPiece], beside: Part | None = None
    ) -> Manifest:
        """Replaces the index of a room at once; what the new one does not name is removed.

        about: JSON that says what was made and measured. pieces: cover the rows from 0 on without a gap. After a crash
        or an error the index that was there is still there. Raises InputError, StorageError, CorruptionError.
        """
        self._check()
        fields = {"commit": self._head.commit, "generation": self._head.generation, "about": about}
        manifest = self._publisher.publish(room, fields, pieces, beside)
        if manifest is None:
            raise CorruptionError(f"the index in {self._folder / room} is gone though it was just published")
        return manifest

    def discard(self, room: str, part: Part) -> None:
        """Removes a part that was built and is not to be published. Raises StorageError."""
        self._check()
        self._publisher.discard(room, part)

    def sweep(self, room: str) -> None:
        """Removes all parts of a room that its index does not name. Raises InputError."""
        self._check()
        self._publisher.sweep(room)

    def fresh(self, room: str) -> Path:
        """A new, empty folder for an engine that commits in its own ways; nothing in it is checked.

        Its name was never used before, and it lies in a folder that is called by the collection's id. Nobody finds it
        until a state names it (`put_state`), and `keep` removes the others. room: "indexes" or "lexical". Raises
        InputError, StorageError.
        """
        self._check()
        self._publisher.made(room)
        folder = self._held.of_engine(room) / secrets.token_hex(8)
        self._disk.make_folder(folder)
        for each in (folder.parent, folder.parent.parent):
            self._disk.sync_folder(each)
        return folder

    def keep(self, room: str, name: str) -> None:
        """Removes all of an engine's folders but one, as those that a stopped writer left; a refusal is passed over."""
        self._check()
        home = self._held.of_engine(room)
        with suppress(FileNotFoundError):
            for each in os.listdir(home):
                if each != name:
                    with suppress(StorageError):  # it is in nobody's way; the next writer tries again
                        self._disk.remove_tree(home / each)

    def clear(self, room: str) -> None:
        """Throws away all that is derived in a room. Raises InputError, StorageError."""
        self._check()
        self._publisher.clear(room)

    def _check(self) -> None:
        """Raises LockedError where this process is not the writer, MovedError where the folder is not at its path."""
        self._lock.check()
        self._held.check()

    def _pieces(self, connection: sqlite3.Connection) -> list[Piece]:
        segments_ = read_segments(connection, self._head)
        return SegmentMaps(self._folder, self._dimension).pieces(self._head.generation, segments_)

    def _remove(self, paths: Sequence[Path]) -> int:
        """Removes replaced files, the lowest first; gives their bytes."""
        freed = 0
        for path in paths:
            freed += path.stat().st_size
            self._disk.remove(path)
            self._disk.reached("old segment removed")
        return freed

    def state(self, key: str) -> Any:
        """The JSON value under a key, or None."""
        with self._connection() as connection:
            return read_state(connection, key)

    def mend(self) -> None:
        """Reads the last commit, and cuts off what a crash or a refused write left behind its rows.

        Called when the lock is taken. A transaction that failed while it was being synced may still stand in SQLite's
        log, whole, and come to life after a crash; it speaks of the very bytes that are cut here. So an empty commit
        overwrites it first.
        """
        with self._lease.held() as connection:
            self._head = Head.read(connection)
            if said := acknowledged.lost(self._folder, acknowledged.noted(self._folder), self._head.commit):
                raise CorruptionError(said)
            self._segment = last_segment(connection, self._head)
            first = first_segment_number(connection)
            left = segments.leftovers(self._folder, first, self._segment, self._dimension)
            if left or self._doubtful:
                self._recorded(connection, _nothing)
            self._doubtful = bool(left)
            for path, size in left:
                if not size:
                    self._disk.remove(path)
                    continue
                with self._disk.opened(path, os.O_RDWR) as descriptor:
                    self._disk.cut(descriptor, path, size)
                    self._disk.sync(descriptor, path)
            self._doubtful = False
        self._publisher.tidy(self._head.generation)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        if self._doubtful:
            self.mend()
        with self._lease.held() as connection:
            yield connection

    def _recorded(self, connection: sqlite3.Connection, work: Callable[[Change], Result]) -> Result:
        """One transaction: the work and the new head, or nothing."""
        self._doubtful = True
        try:
            connection.execute("BEGIN IMMEDIATE")
            change = Change(connection, self._head, self._segment)
            result = work(change)
            head, segment = change.finish(), change.segment
            self._disk.reached("recorded")
            self._check()
            connection.execute("COMMIT")  # the acknowledgement
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        # Doubt ends last: whatever interrupts before that, the next call reads what was committed.
        self._head, self._segment = head, segment
        self._doubtful = False
        self._note.write(head.commit)
        self._disk.reached("committed")
        return result


def _nothing(_: Change) -> None:
    """The work of an empty commit."""


def _add(change: Change, block: Block, placed: Sequence[Placed], replaced: Sequence[int]) -> Numbers:
    if replaced:
        change.mark(replaced)
    numbers = change.add(block)
    owners = np.repeat(numbers, block.counts)
    start = 0
    for each in placed:
        part = slice(start, start + len(each[1]))
        change.describe(each, owners[part], block.spans[part])
        start = part.stop
    return numbers
