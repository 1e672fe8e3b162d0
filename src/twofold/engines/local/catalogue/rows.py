"""Arrays over all rows of a space, derived from the catalogue: whose a row is, its span, whether it is living.

They are kept from one commit to the next, within a generation: only new blocks and new deletions are read. Arrays that
were handed out never change: appending goes behind their end, a deletion copies the mask.
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from twofold.engines.local.catalogue import checksums
from twofold.engines.local.catalogue.schema import SpaceHead
from twofold.errors import CorruptionError
from twofold.scores import Mask, Numbers

_Array = TypeVar("_Array", bound=NDArray[Any])


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of a space at one commit. What follows from a row's place is not kept: a million of their own take 5 MB.

    living: bool (rows,), whether the document is not deleted. with_rows: bool (document numbers,), whether the document
    is not deleted and has a row. owners: int64 (rows,), the document number of each row, never falling; None where row
    i is document i's, for every row. starts, ends: int32 (rows,), the span of each row in characters; starts is None
    where all are 0.
    """

    commit: int
    living: Mask
    with_rows: Mask
    owners: Numbers | None
    starts: NDArray[np.int32] | None
    ends: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.living)

    def documents(self, rows: Numbers) -> Numbers:
        """int64 (n,): the document number of each of these rows."""
        return np.asarray(rows, np.int64) if self.owners is None else self.owners[rows]

    def spans(self, rows: Numbers) -> NDArray[np.int32]:
        """int32 (n, 2): start and end of each of these rows."""
        ends = self.ends[rows]
        return np.stack([np.zeros_like(ends) if self.starts is None else self.starts[rows], ends], axis=1)

    def ranges(self, documents: Numbers) -> tuple[Numbers, Numbers]:
        """The first row and the row after the last of each of these documents; equal where it has none."""
        if self.owners is not None:
            return ranges(self.owners, documents)
        first = np.clip(documents, 0, len(self))
        return first, np.clip(documents + 1, 0, len(self))


class RowsCache:
    """The rows of a space at the latest commit that anybody read; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._generation = 0
        self._rows: Rows
        self._living: Mask
        self._with_rows: Mask
        self._owners: Numbers | None
        self._starts: NDArray[np.int32] | None
        self._ends: NDArray[np.int32]
        self._forget()

    def at(self, head: SpaceHead, connection: sqlite3.Connection) -> Rows:
        """The rows of the commit `head`, which the connection's transaction must see; raises CorruptionError."""
        rows = self._rows
        if head.commit == rows.commit:
            return rows
        with self._lock:
            if head.commit == self._rows.commit:
                return self._rows
            if head.commit < self._rows.commit:
                # Another thread has read a later commit meanwhile; an older snapshot is on its own.
                return RowsCache().at(head, connection)
            if head.generation != self._generation:
                self._generation = head.generation
                self._forget()
            self._rows = self._advanced(head, connection)
            return self._rows

    def after_fork_in_child(self) -> None:
        """Makes a lock of the child's own."""
        self._lock = threading.Lock()

    def _forget(self) -> None:
        self._rows = Rows(-1, np.empty(0, np.bool_), np.empty(0, np.bool_), None, None, np.empty(0, np.int32))
        self._living, self._with_rows, self._ends = self._rows.living, self._rows.with_rows, self._rows.ends
        self._owners = self._starts = None

    def _advanced(self, head: SpaceHead, connection: sqlite3.Connection) -> Rows:
        before, count = len(self._rows), head.next_row
        self._make_room(count, head.next_document)
        self._read_blocks(connection, head.space, before, count)
        rows = Rows(
            head.commit,
            _sealed(self._living[:count]),
            _sealed(self._with_rows[: head.next_document]),
            None if self._owners is None else _sealed(self._owners[:count]),
            None if self._starts is None else _sealed(self._starts[:count]),
            _sealed(self._ends[:count]),
        )
        gone = _deletions(connection, self._rows.commit)
        if len(gone):
            self._living, self._with_rows = _without(rows, gone)
            rows = replace(rows, living=_sealed(self._living), with_rows=_sealed(self._with_rows))
        living = rows.living
        if int(np.count_nonzero(living)) != head.rows:
            raise CorruptionError(
                f"the catalogue is damaged: {np.count_nonzero(living)} rows are living by its blocks and marks, "
                f"{head.rows} by its head. Run twofold verify, or restore a backup."
            )
        return rows

    def _make_room(self, count: int, documents: int) -> None:
        if documents > len(self._with_rows):
            room = documents if self._rows.commit < 0 else documents + documents // 4 + 1024
            longer = np.zeros(room, np.bool_)
            longer[: len(self._with_rows)] = self._with_rows
            self._with_rows = longer
        if count > len(self._ends) or count > len(self._living):
            # A first reading takes what it needs, later growth a quarter more, so that it is rarely copied.
            room = count if self._rows.commit < 0 else count + count // 4 + 1024
            self._ends, self._living = _longer(self._ends, room), _longer(self._living, room)
            if self._owners is not None:
                self._owners = _longer(self._owners, room)
            if self._starts is not None:
                self._starts = _longer(self._starts, room)

    def _read_blocks(self, connection: sqlite3.Connection, space: str, before: int, count: int) -> None:
        """Reads rows `before` to `count` into the arrays; the first of them may extend a block half read."""
        end = before
        for line in connection.execute(
            "SELECT space, first_row, rows, segment, first_document, documents, spans, vectors_crc, checksum "
            "FROM blocks WHERE space = :space AND first_row >= "
            "(SELECT coalesce(max(first_row), 0) FROM blocks WHERE space = :space AND first_row <= :before) "
            "ORDER BY first_row",
            {"space": space, "before": before},
        ):
            *columns, checksum = line
            _, first_row, rows, _, first_document, documents, spans, _ = columns
            if checksums.of_row(*columns) != checksum or not first_row <= end <= count:
                raise CorruptionError(
                    f"the catalogue is damaged: its block of rows from {first_row} is not what was written. "
                    "Run twofold verify, or restore a backup."
                )
            skip = end - first_row
            if rows <= skip:
                continue
            end = first_row + rows
            place = slice(end - rows + skip, end)
            owners = np.frombuffer(documents, "<u4")[skip:].astype(np.int64) + first_document
            starts, self._ends[place] = np.frombuffer(spans, "<i4").reshape(-1, 2)[skip:].T
            self._living[place] = True
            self._with_rows[owners] = True
            if self._owners is None and not np.array_equal(owners, np.arange(place.start, place.stop)):
                self._owners = np.arange(len(self._ends), dtype=np.int64)
            if self._owners is not None:
                self._owners[place] = owners
            if self._starts is None and starts.any():
                self._starts = np.zeros(len(self._ends), np.int32)
            if self._starts is not None:
                self._starts[place] = starts
        if end != count:
            raise CorruptionError(f"the catalogue is damaged: its blocks end at row {end}, its head says {count}")


def ranges(documents: Numbers, wanted: Numbers) -> tuple[Numbers, Numbers]:
    """The first row and the row after the last of each wanted document, in a never falling array of documents."""
    starts = np.searchsorted(documents, wanted, side="left").astype(np.int64)
    if not len(documents):
        return starts, starts
    # Most documents have one row, and the row after it says so more cheaply than a second search.
    ends = starts + (documents.take(starts, mode="clip") == wanted)
    more = documents.take(ends, mode="clip") == wanted
    ends[more] = np.searchsorted(documents, wanted[more], side="right")
    return starts, ends


def expanded(starts: Numbers, ends: Numbers) -> tuple[Numbers, Numbers]:
    """All rows of the ranges, one range after the other, and beside each the position of its range."""
    lengths = ends - starts
    positions = np.repeat(np.arange(len(starts), dtype=np.int64), lengths)
    before = np.cumsum(lengths) - lengths
    return np.arange(len(positions), dtype=np.int64) + np.repeat(starts - before, lengths), positions


def _deletions(connection: sqlite3.Connection, since: int) -> Numbers:
    found = connection.execute("SELECT number FROM documents WHERE deleted > ?", (since,))
    return np.fromiter((number for (number,) in found), dtype=np.int64)


def _without(rows: Rows, gone: Numbers) -> tuple[Mask, Mask]:
    """The masks of live rows and of documents with rows, copied, without these documents."""
    living, with_rows = rows.living.copy(), rows.with_rows.copy()
    living[expanded(*rows.ranges(np.sort(gone)))[0]] = False
    with_rows[gone] = False
    return living, with_rows


def _longer(array: _Array, room: int) -> _Array:
    longer = np.empty((room, *array.shape[1:]), dtype=array.dtype)
    longer[: len(array)] = array
    return cast(_Array, longer)


def _sealed(array: _Array) -> _Array:
    view = array.view()
    view.flags.writeable = False
    return view
