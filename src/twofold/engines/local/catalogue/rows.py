"""Arrays over all rows of a space, derived from the catalogue: a row's document, its span, whether it is live.

They are cached from one commit to the next, within a generation: only new blocks and new deletions are read. Returned
arrays never change: new values go behind their end, a deletion copies the mask.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from twofold.engines.local.catalogue import checksums
from twofold.engines.local.catalogue.growing import Growing
from twofold.engines.local.catalogue.schema import SpaceHead
from twofold.errors import CorruptionError
from twofold.scores import Mask, Numbers

TOGETHER = 64
"""Blocks that are put into the arrays at a time."""


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of a space at one commit. Values that follow from a row's number are not stored: a million rows take 5
    MB.

    live: bool (rows,), whether the document is not deleted. with_rows: bool (document numbers,), whether the document
    is not deleted and has a row. owners: int64 (rows,), the document number of each row, never decreasing; None where
    row i is document i's, for every row. starts, ends: int32 (rows,), the span of each row in characters; starts is
    None where all are 0.
    """

    commit: int
    live: Mask
    with_rows: Mask
    owners: Numbers | None
    starts: NDArray[np.int32] | None
    ends: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.live)

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


_NO_ROWS = Rows(-1, np.empty(0, np.bool_), np.empty(0, np.bool_), None, None, np.empty(0, np.int32))


class RowsCache:
    """The rows of a complete space at the latest commit that was read; threads may share it.

    Of a space that is still being filled, each commit has one of its own, since rows are added for earlier documents.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._generation = 0
        self._rows = _NO_ROWS
        self._live, self._with_rows = Growing[Mask](), Growing[Mask]()
        self._owners = Growing[Numbers]()
        self._starts, self._ends = Growing[NDArray[np.int32]](), Growing[NDArray[np.int32]]()

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
                self._generation, self._rows = head.generation, _NO_ROWS
            self._rows = self._advanced(head, connection)
            return self._rows

    def after_fork_in_child(self) -> None:
        """Makes a lock of the child's own."""
        self._lock = threading.Lock()

    def _advanced(self, head: SpaceHead, connection: sqlite3.Connection) -> Rows:
        rows = self._rows
        owners, starts, ends = rows.owners, rows.starts, rows.ends
        with_rows = np.zeros(head.next_document - len(rows.with_rows), np.bool_)
        for fresh, (fresh_starts, fresh_ends) in _stretches(connection, head, len(rows)):
            here = np.arange(len(ends), len(ends) + len(fresh))
            with_rows[fresh - len(rows.with_rows)] = True
            if owners is None and not np.array_equal(fresh, here):
                owners = np.arange(len(ends))
            if owners is not None:
                owners = self._owners.put(owners, fresh, head.next_row)
            if starts is None and fresh_starts.any():
                starts = np.zeros(len(ends), np.int32)
            if starts is not None:
                starts = self._starts.put(starts, fresh_starts, head.next_row)
            ends = self._ends.put(ends, fresh_ends, head.next_row)
        live = self._live.put(rows.live, np.ones(len(ends) - len(rows), np.bool_))
        rows = Rows(head.commit, live, self._with_rows.put(rows.with_rows, with_rows), owners, starts, ends)
        gone = _deletions(connection, self._rows.commit)
        if len(gone):
            live = self._live.changed(live, expanded(*rows.ranges(np.sort(gone)))[0], False)
            rows = replace(rows, live=live, with_rows=self._with_rows.changed(rows.with_rows, gone, False))
        if int(np.count_nonzero(live)) != head.rows:
            raise CorruptionError(
                f"the catalogue is damaged: {np.count_nonzero(live)} rows are live by its blocks and marks, "
                f"{head.rows} by its head. Run `twofold verify COLLECTION`, or restore a backup."
            )
        return rows


def _stretches(
    connection: sqlite3.Connection, head: SpaceHead, before: int
) -> Iterator[tuple[Numbers, NDArray[np.int32]]]:
    """Rows from `before` on, many at a time: the document of each, int64 (n,), and their spans, int32 (2, n)."""
    blocks = _blocks(connection, head, before)
    while together := list(islice(blocks, TOGETHER)):
        owners, spans = zip(*together, strict=True)
        yield np.concatenate(owners), np.concatenate(spans).T


def _blocks(
    connection: sqlite3.Connection, head: SpaceHead, before: int
) -> Iterator[tuple[Numbers, NDArray[np.int32]]]:
    """The same of each block, checked, spans as int32 (n, 2); the first may extend a block that was half read."""
    end, count = before, head.next_row
    for line in connection.execute(
        "SELECT space, first_row, rows, segment, first_document, documents, spans, vectors_crc, checksum FROM blocks "
        "WHERE space = :space AND first_row >= "
        "(SELECT coalesce(max(first_row), 0) FROM blocks WHERE space = :space AND first_row <= :before) "
        "ORDER BY first_row",
        {"space": head.space, "before": before},
    ):
        *columns, checksum = line
        _, first_row, rows, _, first_document, documents, spans, _ = columns
        if checksums.of_row(*columns) != checksum or not first_row <= end <= count:
            raise CorruptionError(
                f"the catalogue is damaged: its block of rows from {first_row} is not what was written. "
                "Run `twofold verify COLLECTION`, or restore a backup."
            )
        skip = end - first_row
        if rows > skip:
            end = first_row + rows
            owners = np.frombuffer(documents, "<u4")[skip:].astype(np.int64) + first_document
            yield owners, np.frombuffer(spans, "<i4").reshape(-1, 2)[skip:]
    if end != count:
        raise CorruptionError(f"the catalogue is damaged: its blocks end at row {end}, its head says {count}")


def ranges(documents: Numbers, wanted: Numbers) -> tuple[Numbers, Numbers]:
    """The first row and the row after the last of each wanted document, in a never decreasing array of documents."""
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
