"""What one commit does to the catalogue, inside one transaction of the caller's.

`Change` starts from the head, collects what is added, marked and put, with a `SpaceChange` for the rows of each space,
and writes the next head at the end; nothing is visible to anybody before the caller's COMMIT.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from twofold.block import Block, Known
from twofold.engines.local.catalogue import checksums
from twofold.engines.local.catalogue.records import USER
from twofold.engines.local.catalogue.schema import Counts, Head
from twofold.engines.local.catalogue.space_change import SpaceChange
from twofold.engines.local.spaces.segments import Segment
from twofold.scores import Numbers


class Change:
    """The next commit in the making.

    segments: for each space that may be changed those that count, ascending by their rows.
    """

    def __init__(self, connection: sqlite3.Connection, head: Head, segments: Mapping[str, Sequence[Segment]]) -> None:
        self._connection = connection
        self.number = head.commit + 1
        self.generation = head.generation
        self._next_document = head.next_document
        self._documents = head.documents
        self._total = head.total
        self.spaces = {
            name: SpaceChange(connection, name, counts, segments.get(name, ())) for name, counts in head.spaces.items()
        }

    def finish(self) -> Head:
        """Writes the new head, the last thing before COMMIT, and gives it."""
        head = Head(
            commit=self.number,
            generation=self.generation,
            next_document=self._next_document,
            documents=self._documents,
            total=checksums.wrapped(self._total + sum(space.total for space in self.spaces.values())),
            spaces={name: space.counts() for name, space in self.spaces.items()},
        )
        head.write(self._connection)
        return head

    def start_generation(self) -> None:
        """Forgets deleted documents, and numbers rows anew from now on; each space says which ones it keeps."""
        dropped = self._connection.execute("SELECT checksum FROM documents WHERE deleted IS NOT NULL")
        self._total -= sum(checksum for (checksum,) in dropped)
        self._connection.execute("DELETE FROM documents WHERE deleted IS NOT NULL")
        self.generation += 1

    def add_space(self, name: str) -> None:
        """Begins a space without rows; it is complete where there are no documents."""
        filled = 0 if self._documents else self._next_document
        self.spaces[name] = SpaceChange(self._connection, name, Counts(begun=self.number, filled=filled), ())

    def drop_space(self, name: str) -> None:
        """Forgets a space."""
        space = self.spaces.pop(name)
        space.drop()
        self._total += space.total

    def mark(self, numbers: Sequence[int]) -> int:
        """Marks live documents as deleted; gives how many of these were live."""
        rows = self._connection.execute(
            "SELECT number, checksum FROM documents "
            "WHERE deleted IS NULL AND number IN (SELECT value FROM json_each(?)) ORDER BY number",
            (json.dumps(list(map(int, numbers))),),
        ).fetchall()
        marks = [checksums.of_deletion(number, self.number) for number, _ in rows]
        self._connection.executemany(
            "UPDATE documents SET deleted = ?, checksum = ? WHERE number = ?",
            [
                (self.number, checksums.wrapped(checksum + mark), number)
                for (number, checksum), mark in zip(rows, marks, strict=True)
            ],
        )
        marked = np.array([number for number, _ in rows], np.int64)
        for space in self.spaces.values():
            space.forget(marked)
        self._documents -= len(rows)
        self._total += sum(marks)
        return len(rows)

    def add(self, block: Block) -> Numbers:
        """Adds a block's documents under new numbers; gives these, int64 (documents,)."""
        first = self._next_document
        lines = list(self._lines(block, first))
        self._connection.executemany("INSERT INTO documents VALUES (?, ?, ?, ?, ?, NULL, ?, ?, ?)", lines)
        self._next_document += len(lines)
        self._documents += len(lines)
        self._total += sum(line[6] for line in lines)
        return np.arange(first, first + len(lines), dtype=np.int64)

    def put_state(self, key: str, value: Any) -> None:
        """Keeps a JSON value under a key; None removes it."""
        found = self._connection.execute("SELECT checksum FROM state WHERE key = ?", (USER + key,)).fetchone()
        self._connection.execute("DELETE FROM state WHERE key = ?", (USER + key,))
        self._total -= found[0] if found else 0
        if value is not None:
            line = (USER + key, json.dumps(value, ensure_ascii=False, sort_keys=True))
            checksum = checksums.of_row(*line)
            self._connection.execute("INSERT INTO state VALUES (?, ?, ?)", (*line, checksum))
            self._total += checksum

    def _lines(self, block: Block, first: int) -> Iterator[tuple[Any, ...]]:
        numbers = range(first, first + len(block.documents))
        for number, document, text_hash in zip(numbers, block.documents, block.text_hashes, strict=True):
            metadata = document.metadata_json() if document.metadata else "{}"
            contents = (document.id.encode(), document.title.encode(), metadata.encode(), document.text.encode())
            checksum = checksums.of_document((number, self.number), (*contents, text_hash))
            yield (
                number, document.id, document.title, metadata, self.number, text_hash, checksum, document.text,
            )  # fmt: skip


def known(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, Known]:
    """What the catalogue has of live documents under these ids; unknown ids are missing from the answer."""
    rows = connection.execute(
        "SELECT d.id, d.number, d.text_hash, d.metadata FROM json_each(?) AS wanted "
        "CROSS JOIN documents AS d ON d.id = wanted.value WHERE d.deleted IS NULL",
        (json.dumps(list(ids)),),
    )
    return {identifier: Known(*rest) for identifier, *rest in rows}


def live_between(connection: sqlite3.Connection, first: int, end: int) -> Numbers:
    """int64, ascending: the numbers of live documents from `first` on, below `end`."""
    found = connection.execute(
        "SELECT number FROM documents WHERE number >= ? AND number < ? AND deleted IS NULL ORDER BY number",
        (first, end),
    )
    return np.fromiter((number for (number,) in found), dtype=np.int64)


def next_live(connection: sqlite3.Connection, first: int, otherwise: int) -> int:
    """The number of the first live document from `first` on."""
    found = connection.execute(
        "SELECT number FROM documents WHERE number >= ? AND deleted IS NULL ORDER BY number LIMIT 1", (first,)
    ).fetchone()
    return otherwise if found is None else int(found[0])
