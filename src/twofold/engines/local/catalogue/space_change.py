"""The changes of one commit to one space in the catalogue, inside the transaction of a `Change`."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray

from twofold.block import Part
from twofold.engines.local.catalogue import checksums
from twofold.engines.local.catalogue.owners import count_rows
from twofold.engines.local.catalogue.schema import Counts
from twofold.engines.local.spaces.segments import Halves, Segment, after, longest, raw
from twofold.errors import CorruptionError
from twofold.scores import Numbers

BLOCK_ROWS = 1024
"""The most rows that one line of the table `blocks` describes."""
GROWING_ROWS = 256
"""Small commits extend the last block up to here, so that documents added one by one do not make a block each."""


Placed = tuple[Segment, Halves]
"""A segment before an append, and the rows appended, float16 (n, dimension)."""


class SpaceChange:
    """The changes of the next commit in one space.

    segments: those that count, ascending by their rows. total: what the checksums of its lines have grown by.
    """

    def __init__(self, connection: sqlite3.Connection, name: str, counts: Counts, segments: Sequence[Segment]) -> None:
        self._connection = connection
        self._name = name
        self._longest = counts.longest
        self._counts: dict[str, int] = {key: value for key, value in asdict(counts).items() if key != "longest"}
        self.segments = list(segments)
        self.total = 0

    @property
    def next_row(self) -> int:
        """The number of the row that comes next."""
        return self._counts["next_row"]

    def counts(self) -> Counts:
        """The space's current counts."""
        return Counts(longest=self._longest, **self._counts)

    def fill_until(self, number: int) -> None:
        """Says that live documents with smaller numbers are in the space."""
        self._counts["filled"] = number

    def take(self, documents: Numbers, part: Part, placed: Sequence[Placed]) -> None:
        """Adds the rows of these documents, which were appended to segments, and their truncated tokens.

        documents: int64 (n,), beyond all that have rows. placed: the result of `segments.place`.
        """
        owners = np.repeat(documents, part.counts)
        start = 0
        for each in placed:
            share = slice(start, start + len(each[1]))
            self.describe(each, owners[share], part.spans[share])
            start = share.stop
        cut = [(number, tokens) for number, tokens in zip(documents.tolist(), part.truncated, strict=True) if tokens]
        lines = [(*line, checksums.of_row(*line)) for line in ((self._name, *each) for each in cut)]
        if lines:
            self._connection.executemany("INSERT INTO truncations VALUES (?, ?, ?, ?)", lines)
        self.total += sum(line[-1] for line in lines)
        self._count(rows=start, truncated=len(cut), tokens_cut=sum(tokens for _, tokens in cut))

    def describe(self, placed: Placed, owners: Numbers, spans: NDArray[np.int32]) -> None:
        """Records rows that were appended to a segment.

        placed: the result of `segments.place`. owners: int64 (n,), the document of each row. spans: int32 (n, 2).
        """
        segment, vectors = placed
        if segment.rows == 0:
            line = segment.line(self._name)
            self._connection.execute("INSERT INTO segments VALUES (?, ?, ?, ?, ?)", line)
            self.total += line[-1]
            self.segments.append(segment)
        self.segments[-1] = after(segment, vectors)
        self._longest = max(self._longest, longest(vectors))
        start = self._extend(segment, vectors, owners, spans)
        for begin in range(start, len(vectors), BLOCK_ROWS):
            part = slice(begin, begin + BLOCK_ROWS)
            self._add_block((segment.end + begin, segment.number), vectors[part], owners[part], spans[part])
        self._count(next_row=len(vectors))

    def forget(self, documents: Numbers) -> None:
        """Subtracts deleted documents from the counts. documents: int64 (n,), ascending."""
        found = self._connection.execute(
            "SELECT document, tokens, checksum FROM truncations "
            "WHERE space = ? AND document IN (SELECT value FROM json_each(?))",
            (self._name, json.dumps(documents.tolist())),
        ).fetchall()
        self._connection.executemany(
            "DELETE FROM truncations WHERE space = ? AND document = ?", [(self._name, number) for number, *_ in found]
        )
        self.total -= sum(checksum for *_, checksum in found)
        self._count(
            rows=-count_rows(self._connection, self._name, documents),
            truncated=-len(found),
            tokens_cut=-sum(tokens for _, tokens, _ in found),
        )

    def start_generation(self, forgotten: Sequence[Segment]) -> None:
        """Forgets these segments with their rows, and numbers rows from 0 again.

        The others are to be kept one by one (`keep`), in their order and in that of the rows that are described anew.
        """
        if len(forgotten) == len(self.segments):
            self._longest = 0.0
        self.segments, self._counts["next_row"] = [], 0
        for segment in forgotten:
            self._clear("segments", "number = ?", segment.number)
            self._clear("blocks", "first_row >= ? AND first_row < ?", segment.first_row, segment.end)

    def keep(self, segment: Segment) -> None:
        """Numbers the rows of a segment that stays as it is: they follow the last one there is by now.

        Raises CorruptionError where one of its lines is damaged.
        """
        first = self._counts["next_row"]
        kept = replace(segment, first_row=first)
        if first < segment.first_row:  # all lines before the first deletion stay as they are
            self._move_blocks(segment, segment.first_row - first)
            line = kept.line(self._name)
            self._connection.execute(
                "UPDATE segments SET first_row = ?, checksum = ? WHERE space = ? AND number = ?",
                (first, line[-1], self._name, segment.number),
            )
            self.total += line[-1] - segment.line(self._name)[-1]
        self.segments.append(kept)
        self._count(next_row=segment.rows)

    def _move_blocks(self, segment: Segment, by: int) -> None:
        """Gives the blocks of a segment smaller numbers, the first one first, so that no two ever have the same."""
        lines = self._connection.execute(
            "SELECT space, first_row, rows, segment, first_document, documents, spans, vectors_crc, checksum "
            "FROM blocks WHERE space = ? AND first_row >= ? AND first_row < ? ORDER BY first_row",
            (self._name, segment.first_row, segment.end),
        ).fetchall()
        for *columns, checksum in lines:
            space, first_row, *rest = columns
            if checksums.of_row(*columns) != checksum:
                raise CorruptionError(
                    f"the catalogue is damaged: its block of rows from {first_row} is not what was written. "
                    "Run `twofold verify COLLECTION`, or restore a backup."
                )
            fresh = checksums.of_row(space, first_row - by, *rest)
            self._connection.execute(
                "UPDATE blocks SET first_row = ?, checksum = ? WHERE space = ? AND first_row = ?",
                (first_row - by, fresh, space, first_row),
            )
            self.total += fresh - checksum

    def drop(self) -> None:
        """Removes everything about the space from the catalogue."""
        for table in ("blocks", "segments", "truncations"):
            self._clear(table)

    def _clear(self, table: str, condition: str = "TRUE", *values: int) -> None:
        """Forgets lines of a table that meet a condition."""
        where = f"FROM {table} WHERE space = ? AND {condition}"
        found = self._connection.execute(f"SELECT checksum {where}", (self._name, *values))
        self.total -= sum(checksum for (checksum,) in found)
        self._connection.execute(f"DELETE {where}", (self._name, *values))

    def _add_block(self, place: tuple[int, int], vectors: Halves, owners: Numbers, spans: NDArray[np.int32]) -> None:
        """place: the first row, and the segment."""
        first, (first_row, segment) = int(owners[0]), place
        offsets = (owners - first).astype("<u4").tobytes()
        crc = zlib.crc32(raw(vectors))
        line = (self._name, first_row, len(vectors), segment, first, offsets, spans.astype("<i4").tobytes(), crc)
        checksum = checksums.of_row(*line)
        self._connection.execute("INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*line, checksum))
        self.total += checksum

    def _extend(self, segment: Segment, vectors: Halves, owners: Numbers, spans: NDArray[np.int32]) -> int:
        """Puts the first rows of a small commit into the last block; returns their number."""
        last = self._connection.execute(
            "SELECT first_row, rows, segment, first_document, documents, spans, vectors_crc, checksum FROM blocks "
            "WHERE space = ? ORDER BY first_row DESC LIMIT 1",
            (self._name,),
        ).fetchone()
        if last is None or last[2] != segment.number or last[1] + len(vectors) > GROWING_ROWS:
            return 0
        first_row, rows, _, first_document, documents, old_spans, crc, checksum = last
        line = (
            self._name,
            first_row,
            rows + len(vectors),
            segment.number,
            first_document,
            documents + (owners - first_document).astype("<u4").tobytes(),
            old_spans + spans.astype("<i4").tobytes(),
            zlib.crc32(raw(vectors), crc),
        )
        fresh = checksums.of_row(*line)
        self._connection.execute(
            "UPDATE blocks SET rows = ?, documents = ?, spans = ?, vectors_crc = ?, checksum = ? "
            "WHERE space = ? AND first_row = ?",
            (line[2], line[5], line[6], line[7], fresh, self._name, first_row),
        )
        self.total += fresh - checksum
        return len(vectors)

    def _count(self, **more: int) -> None:
        for name, by in more.items():
            self._counts[name] += by
