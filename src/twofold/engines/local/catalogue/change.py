"""What one commit does to the catalogue, inside one transaction of the caller's.

`Change` starts from the head, collects what is added, marked and put, and writes the next head at the end; nothing is
visible to anybody before the caller's COMMIT.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.block import Block, Known
from twofold.engines.local.catalogue import checksums
from twofold.engines.local.catalogue.records import USER
from twofold.engines.local.catalogue.schema import Head
from twofold.engines.local.spaces.segments import Halves, Segment, after, longest, raw
from twofold.scores import Numbers

BLOCK_ROWS = 1024
"""The most rows that one line of the table `blocks` describes."""
GROWING_ROWS = 256
"""Small commits extend the last block up to here, so that documents added one by one do not make a block each."""


Placed = tuple[Segment, Halves]
"""A segment before an append, and the rows appended, float16 (n, dimension)."""


class Change:
    """The next commit in the making.

    segment: the last one that counts, None where there is none.
    """

    def __init__(self, connection: sqlite3.Connection, head: Head, segment: Segment | None) -> None:
        self._connection = connection
        self.segment = segment
        self.number = head.commit + 1
        self._longest = head.longest
        self._counts: dict[str, int] = {
            name: getattr(head, name) for name in head.__slots__ if name not in ("commit", "longest", "total")
        }
        self._counts["total"] = head.total

    def finish(self) -> Head:
        """Writes the new head, the last thing before COMMIT, and gives it."""
        total = checksums.wrapped(self._counts.pop("total"))
        head = Head(commit=self.number, longest=self._longest, total=total, **self._counts)
        head.write(self._connection)
        return head

    def start_generation(self) -> None:
        """Forgets rows, blocks, segments and deleted documents: rows are numbered from 0 again."""
        dropped = (
            "SELECT checksum FROM documents WHERE deleted IS NOT NULL",
            "SELECT checksum FROM blocks",
            "SELECT checksum FROM segments",
        )
        for checksums_of in dropped:
            self._count(total=-sum(checksum for (checksum,) in self._connection.execute(checksums_of)))
        self._connection.execute("DELETE FROM documents WHERE deleted IS NOT NULL")
        self._connection.execute("DELETE FROM blocks")
        self._connection.execute("DELETE FROM segments")
        self._longest, self.segment = 0.0, None
        self._count(generation=1, next_row=-self._counts["next_row"])

    @property
    def generation(self) -> int:
        """The generation of the rows that this commit leaves."""
        return self._counts["generation"]

    def count_rows(self, rows: int) -> None:
        """Numbers that a compaction gave to rows."""
        self._count(next_row=rows)

    def mark(self, numbers: Sequence[int]) -> int:
        """Marks living documents as deleted; gives how many of these were living."""
        rows = self._connection.execute(
            "SELECT number, checksum, rows, truncated FROM documents "
            "WHERE deleted IS NULL AND number IN (SELECT value FROM json_each(?))",
            (json.dumps(list(map(int, numbers))),),
        ).fetchall()
        marks = [checksums.of_deletion(number, self.number) for number, *_ in rows]
        self._connection.executemany(
            "UPDATE documents SET deleted = ?, checksum = ? WHERE number = ?",
            [
                (self.number, checksums.wrapped(checksum + mark), number)
                for (number, checksum, *_), mark in zip(rows, marks, strict=True)
            ],
        )
        self._count(
            documents=-len(rows),
            rows=-sum(count for _, _, count, _ in rows),
            truncated=-sum(tokens > 0 for *_, tokens in rows),
            tokens_cut=-sum(tokens for *_, tokens in rows),
            total=sum(marks),
        )
        return len(rows)

    def add(self, block: Block) -> Numbers:
        """Adds a block's documents under new numbers; gives these, int64 (documents,)."""
        first = self._counts["next_document"]
        lines = list(self._lines(block, first))
        self._connection.executemany("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?)", lines)
        self._count(
            next_document=len(lines),
            next_row=len(block.vectors),
            documents=len(lines),
            rows=len(block.vectors),
            truncated=sum(tokens > 0 for tokens in block.truncated),
            tokens_cut=sum(block.truncated),
            total=sum(line[8] for line in lines),
        )
        return np.arange(first, first + len(lines), dtype=np.int64)

    def describe(self, placed: Placed, owners: Numbers, spans: NDArray[np.int32]) -> None:
        """Records rows that were appended to a segment.

        placed: what `segments.place` gave. owners: int64 (n,), the document of each row. spans: int32 (n, 2).
        """
        segment, vectors = placed
        if segment.rows == 0:
            self._connection.execute(
                "INSERT INTO segments VALUES (?, ?, ?)", (segment.number, segment.first_row, segment.checksum)
            )
            self._count(total=segment.checksum)
        self.segment = after(segment, vectors)
        self._longest = max(self._longest, longest(vectors))
        start = self._extend(segment, vectors, owners, spans)
        for begin in range(start, len(vectors), BLOCK_ROWS):
            part = slice(begin, begin + BLOCK_ROWS)
            line = _block_line(segment.end + begin, segment.number, vectors[part], owners[part], spans[part])
            self._connection.execute("INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?)", line)
            self._count(total=line[-1])

    def put_state(self, key: str, value: Any) -> None:
        """Keeps a JSON value under a key; None removes it."""
        found = self._connection.execute("SELECT checksum FROM state WHERE key = ?", (USER + key,)).fetchone()
        self._connection.execute("DELETE FROM state WHERE key = ?", (USER + key,))
        self._count(total=-found[0] if found else 0)
        if value is not None:
            line = (USER + key, json.dumps(value, ensure_ascii=False, sort_keys=True))
            checksum = checksums.of_row(*line)
            self._connection.execute("INSERT INTO state VALUES (?, ?, ?)", (*line, checksum))
            self._count(total=checksum)

    def _lines(self, block: Block, first: int) -> Iterator[tuple[Any, ...]]:
        for number, document, text_hash, truncated, rows in zip(
            range(first, first + len(block.documents)),
            block.documents,
            block.text_hashes,
            block.truncated,
            block.counts.tolist(),
            strict=True,
        ):
            metadata = document.metadata_json() if document.metadata else "{}"
            contents = (document.id.encode(), document.title.encode(), metadata.encode(), document.text.encode())
            checksum = checksums.of_document((number, truncated, rows, self.number), (*contents, text_hash))
            yield (
                number, document.id, document.title, metadata, truncated, rows, self.number,
                text_hash, checksum, document.text,
            )  # fmt: skip

    def _extend(self, segment: Segment, vectors: Halves, owners: Numbers, spans: NDArray[np.int32]) -> int:
        """Puts the first rows of a small commit into the last block; gives how many."""
        last = self._connection.execute(
            "SELECT first_row, rows, first_document, documents, spans, vectors_crc, checksum FROM blocks "
            "WHERE segment = ? ORDER BY first_row DESC LIMIT 1",
            (segment.number,),
        ).fetchone()
        if last is None or last[1] + len(vectors) > GROWING_ROWS:
            return 0
        first_row, rows, first_document, documents, old_spans, crc, checksum = last
        line = (
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
            "UPDATE blocks SET rows = ?, documents = ?, spans = ?, vectors_crc = ?, checksum = ? WHERE first_row = ?",
            (line[1], line[4], line[5], line[6], fresh, first_row),
        )
        self._count(total=fresh - checksum)
        return len(vectors)

    def _count(self, **more: int) -> None:
        for name, by in more.items():
            self._counts[name] += by


def _block_line(
    first_row: int, segment: int, vectors: Halves, owners: Numbers, spans: NDArray[np.int32]
) -> tuple[int, int, int, int, bytes, bytes, int, int]:
    first = int(owners[0])
    offsets = (owners - first).astype("<u4").tobytes()
    crc = zlib.crc32(raw(vectors))
    line = (first_row, len(vectors), segment, first, offsets, spans.astype("<i4").tobytes(), crc)
    return (*line, checksums.of_row(*line))


def known(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, Known]:
    """What the catalogue has of living documents under these ids; unknown ids are missing from the answer."""
    rows = connection.execute(
        "SELECT d.id, d.number, d.text_hash, d.metadata, d.truncated FROM json_each(?) AS wanted "
        "CROSS JOIN documents AS d ON d.id = wanted.value WHERE d.deleted IS NULL",
        (json.dumps(list(ids)),),
    )
    return {identifier: Known(*rest) for identifier, *rest in rows}


def first_segment_number(connection: sqlite3.Connection) -> int:
    """The number of the first segment that counts, 1 where there is none."""
    return int(connection.execute("SELECT coalesce(min(number), 1) FROM segments").fetchone()[0])


def last_segment(connection: sqlite3.Connection, head: Head) -> Segment | None:
    """The segment that the next rows go to, unless it is full."""
    line = connection.execute("SELECT number, first_row FROM segments ORDER BY number DESC LIMIT 1").fetchone()
    return Segment(line[0], line[1], head.next_row - line[1], head.generation) if line else None
