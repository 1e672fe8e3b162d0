"""The documents of one commit, as a reader's transaction sees them."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from twofold.documents import Document
from twofold.engines.local.catalogue import filtering
from twofold.engines.local.catalogue.connecting import translated
from twofold.engines.local.catalogue.connections import Lease
from twofold.engines.local.catalogue.records import (
    DOCUMENT_COLUMNS,
    ID_COLUMNS,
    Line,
    as_document,
    as_texts,
    is_whole,
    last_number,
    read_state,
)
from twofold.engines.local.catalogue.schema import SpaceHead
from twofold.errors import CorruptionError, DocumentError
from twofold.filters import Filter
from twofold.scores import Numbers

BATCH = 256
"""Documents read at a time while iterating."""
_LONE = re.compile("[\ud800-\udfff]")


def possible(ids: Iterable[str]) -> list[str]:
    """The ids that a document may have; SQLite's JSON would truncate one with NUL, and find another document.

    Raises DocumentError for an id that is no text.
    """
    wanted = list(ids)
    for identifier in wanted:
        if not isinstance(identifier, str):
            raise DocumentError(f"an id is a text, not {identifier!r}")
    return [identifier for identifier in wanted if "\0" not in identifier and not _LONE.search(identifier)]


class DocumentSnapshot:
    """The documents of one commit. head: the commit, as the space has it by which `$truncated` is answered."""

    def __init__(self, lease: Lease, head: SpaceHead) -> None:
        self._lease = lease
        self._head = head

    @property
    def commit(self) -> int:
        """The commit's number."""
        return self._head.commit

    @property
    def head(self) -> SpaceHead:
        """The commit's counts: documents, and of the space rows, truncated documents, tokens not encoded."""
        return self._head

    def check_fields(self, where: Filter) -> None:
        """Raises FilterError, naming the nearest, for a field that no live document has with the type asked for."""
        with self._lease.held() as connection:
            filtering.check_fields(where, connection)

    def check_unambiguous(self, where: Filter) -> None:
        """Raises FilterError where a matching document has several values under a dotted name."""
        with self._lease.held() as connection:
            filtering.check_unambiguous(where, self._head.space, connection)

    def has_text(self) -> bool:
        """Whether any live document has a text or a title; own vectors may have none."""
        live = "SELECT EXISTS (SELECT 1 FROM documents WHERE deleted IS NULL AND (text <> '' OR title <> ''))"
        with self._lease.held() as connection, translated(self._lease.path):
            return bool(connection.execute(live).fetchone()[0])

    def numbers_from(self, first: int, count: int) -> Numbers:
        """int64: the numbers of the first live documents from `first` on, at most `count`, ascending."""
        with self._lease.held() as connection:
            found = connection.execute(
                "SELECT number FROM documents WHERE number >= ? AND deleted IS NULL ORDER BY number LIMIT ?",
                (first, count),
            )
            return np.fromiter((number for (number,) in found), dtype=np.int64)

    def find(self, ids: Sequence[str]) -> dict[str, int]:
        """The numbers of the live documents with these ids; unknown ids are left out. Raises DocumentError."""
        ids = possible(ids)
        with self._lease.held() as connection:
            return dict(
                connection.execute(
                    "SELECT d.id, d.number FROM json_each(?) AS wanted "
                    "CROSS JOIN documents AS d ON d.id = wanted.value WHERE d.deleted IS NULL",
                    (json.dumps(list(ids)),),
                )
            )

    def each(self) -> Iterator[Document]:
        """All live documents in the order in which they were added, each checked; with at most one batch in memory."""
        for lines in self._batches(0):
            yield from map(as_document, lines)

    def written(self, first: int, since: int) -> Iterator[tuple[int, str, str]]:
        """(number, title, text), ascending, of the documents from a number on that were not deleted by a commit.

        Documents that were deleted later are included, so that derived data does not depend on the time of reading. A
        compaction removes their lines. Raises CorruptionError for a damaged document; a damaged deleted one is skipped.
        """
        for lines in self._batches(first, since):
            yield from ((line[0], *as_texts(line)) for line in lines if line[2] is None or is_whole(line))

    def documents(self, documents: Numbers) -> list[Document]:
        """These documents, each checked against its checksum. Raises CorruptionError naming the id."""
        return [as_document(line) for line in self._lines(DOCUMENT_COLUMNS, documents)]

    def ids(self, documents: Numbers) -> list[str]:
        """The ids of these documents, in their order."""
        with translated(self._lease.path):
            return [line[1].decode() for line in self._lines(ID_COLUMNS, documents)]

    def text_hashes(self, documents: Numbers) -> list[bytes]:
        """What tells the packages above whether each of these documents must be encoded again."""
        return [line[1] for line in self._lines("SELECT number, text_hash", documents)]

    def state(self, key: str) -> Any:
        """The JSON value that a package above keeps under a key, or None."""
        with self._lease.held() as connection:
            return read_state(connection, key)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The catalogue inside this snapshot's transaction, for the local engine only; one thread at a time."""
        with self._lease.held() as connection:
            yield connection

    def _batches(self, first: int, since: int | None = None) -> Iterator[list[Line]]:
        """The lines of documents from a number on, ascending: live ones, and those deleted after a commit."""
        last, kept = first - 1, "deleted IS NULL" if since is None else f"(deleted IS NULL OR deleted > {int(since)})"
        while True:
            with self._lease.held() as connection:
                found = connection.execute(
                    f"{DOCUMENT_COLUMNS} FROM documents WHERE number > ? AND {kept} ORDER BY number LIMIT ?",
                    (last, BATCH),
                ).fetchall()
            if not found:
                return
            last = last_number(found, last)
            yield found

    def _lines(self, select: str, documents: Numbers) -> list[Line]:
        wanted = np.asarray(documents).tolist()
        with self._lease.held() as connection:
            found = connection.execute(
                f"{select} FROM (SELECT value AS wanted FROM json_each(?)) CROSS JOIN documents ON number = wanted",  # noqa: S608
                (json.dumps(wanted),),
            )
            lines = {line[0]: line for line in found}
        if lost := [number for number in wanted if number not in lines]:
            raise CorruptionError(f"the catalogue has lost document number {lost[0]}; run `twofold verify COLLECTION`")
        return [lines[number] for number in wanted]
