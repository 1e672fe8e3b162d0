"""A snapshot: one commit as a reader sees it, for as long as it is held.

It implements `protocols.Snapshot`. One catalogue transaction, arrays of all rows, and memory maps that no writer
changes; several threads may use one snapshot.
"""

from __future__ import annotations

import json
import re
import sqlite3
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from twofold.documents import Document
from twofold.engines.local.catalogue import filtering
from twofold.engines.local.catalogue.answers import Passing
from twofold.engines.local.catalogue.connecting import translated
from twofold.engines.local.catalogue.connections import Lease
from twofold.engines.local.catalogue.filtering import FilterCache
from twofold.engines.local.catalogue.living import LivingDocuments
from twofold.engines.local.catalogue.records import (
    DOCUMENT_COLUMNS,
    ID_COLUMNS,
    Line,
    as_document,
    is_whole,
    last_number,
    read_segments,
    read_state,
)
from twofold.engines.local.catalogue.rows import Rows, RowsCache, expanded
from twofold.engines.local.catalogue.schema import Head
from twofold.engines.local.derived.fingerprints import fingerprint
from twofold.engines.local.derived.manifest import Manifest, Manifests, home_of
from twofold.engines.local.derived.manifest import Piece as IndexPiece
from twofold.engines.local.folder import AGAIN, Folder
from twofold.engines.local.spaces.maps import Piece, SegmentMaps, gather
from twofold.engines.local.spaces.segments import Segment
from twofold.errors import CorruptionError, DocumentError, MovedError
from twofold.filters import Filter
from twofold.scores import Mask, Numbers, Vectors

BATCH = 256
"""Documents read at a time while iterating."""
FINGERPRINTS = 64
"""Fingerprints that are remembered: an index has a handful of pieces."""


class Derived:
    """What all snapshots of a collection share: arrays, maps and answers that were derived from the catalogue."""

    def __init__(self, folder: Folder, dimension: int) -> None:
        self.folder = folder  # its descriptor stays open for as long as a snapshot needs it
        self.maps = SegmentMaps(folder.inside, dimension)
        self.dimension = dimension
        self.rows = RowsCache()
        self.living = LivingDocuments()
        self.filters = FilterCache()
        self.manifests = Manifests()
        self.fingerprints: dict[tuple[int, int, int], str] = {}
        """(generation, first row, end) → the fingerprint of these rows, which never changes."""
        self.latest = 0
        """No snapshot from now on is of an earlier commit."""

    def seen(self, commit: int, before: int) -> None:
        """Notes the commit of a snapshot that was begun when `latest` was `before`.

        Raises MovedError where it is earlier: an older copy was written over the files.
        """
        if commit < before:
            raise MovedError(
                f"{self.folder.path} is at commit {commit} and was at {before} before: an older copy was written over "
                f"it after it was opened. {AGAIN}"
            )
        self.latest = max(self.latest, commit)


def _begun(connection: sqlite3.Connection) -> Head:
    connection.execute("BEGIN")
    return Head.read(connection)


_LONE = re.compile("[\ud800-\udfff]")


def possible(ids: Iterable[str]) -> list[str]:
    """The ids that a document may have; SQLite's JSON would end one with NUL early, and so find another.

    Raises DocumentError for an id that is no text.
    """
    wanted = list(ids)
    for identifier in wanted:
        if not isinstance(identifier, str):
            raise DocumentError(f"an id is a text, not {identifier!r}")
    return [identifier for identifier in wanted if "\0" not in identifier and not _LONE.search(identifier)]


class StoredSnapshot:
    """One commit of a stored collection; close it, or use it as a context manager."""

    def __init__(self, lease: Lease, derived: Derived) -> None:
        self._lease = lease
        self._derived = derived
        self._rows: Rows | None = None
        self._pieces: list[Piece] | None = None
        self._segments: list[Segment] = []
        latest = derived.latest
        with lease.held() as connection:
            self._head = _begun(connection)
            while not self._maps_segments():
                connection.execute("ROLLBACK")
                before, self._head = self._head, _begun(connection)
                if self._head.generation == before.generation:
                    break  # it is damage, and whoever needs the vectors will hear of it
        derived.seen(self._head.commit, latest)
        self._end = weakref.finalize(self, lease.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets the commit go; twice does nothing."""
        self._end()

    @property
    def commit(self) -> int:
        """The commit's number."""
        return self._head.commit

    @property
    def head(self) -> Head:
        """What the commit counts: documents, rows, truncated, tokens cut."""
        return self._head

    @property
    def rows(self) -> Rows:
        """Arrays over all rows: whose they are, their spans, whether they are living."""
        if self._rows is None:
            with self._lease.held() as connection:
                self._rows = self._derived.rows.at(self._head, connection)
        return self._rows

    @property
    def rows_per_document(self) -> float:
        """Living rows over living documents, at least 1."""
        return max(1.0, self._head.rows / max(1, self._head.documents))

    def check_fields(self, where: Filter) -> None:
        """Raises FilterError, naming the nearest, for a field that no living document has with the type asked for."""
        with self._lease.held() as connection:
            filtering.check_fields(where, connection)

    def check_unambiguous(self, where: Filter) -> None:
        """Raises FilterError where a document that passes has several values under a name with a dot."""
        with self._lease.held() as connection:
            filtering.check_unambiguous(where, connection)

    def passing(self, where: Filter | None) -> Mask:
        """bool (rows,): the rows of live documents that pass the filter; read-only."""
        return self._passing(where).rows

    def passing_documents(self, where: Filter | None) -> Mask:
        """bool (document numbers,): the live documents that have rows and pass the filter; read-only."""
        return self._passing(where).documents

    def _passing(self, where: Filter | None) -> Passing:
        rows = self.rows
        if where is None:
            return Passing(rows.living, rows.with_rows, rows.with_rows)
        return self._derived.filters.at(where, rows, self._head, self.reading)

    def count(self, where: Filter | None = None) -> int:
        """How many living documents pass the filter, those without rows among them."""
        if where is None:
            return self._head.documents
        return int(np.count_nonzero(self._living(where)))

    def has_text(self) -> bool:
        """Whether any living document has a text or a title; own vectors may have none."""
        living = "SELECT EXISTS (SELECT 1 FROM documents WHERE deleted IS NULL AND (text <> '' OR title <> ''))"
        with self._lease.held() as connection, translated(self.folder):
            return bool(connection.execute(living).fetchone()[0])

    def document_numbers(self, where: Filter | None = None) -> Numbers:
        """int64: the numbers of the living documents that pass the filter, ascending."""
        return np.flatnonzero(self._living(where))

    def _living(self, where: Filter | None) -> Mask:
        """bool (document numbers,): the living documents that pass the filter, those without rows among them."""
        living = self._derived.living.at(self._head, self.rows, self.reading)
        if where is None:
            return living
        passing = self._passing(where)
        return passing.documents if living is self.rows.with_rows else passing.metadata & living

    def find(self, ids: Sequence[str]) -> dict[str, int]:
        """The numbers of the living documents with these ids; unknown ids are missing. Raises DocumentError."""
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
        """All living documents in the order in which they were added, each checked; never more than a batch held."""
        for lines in self._batches(0):
            yield from map(as_document, lines)

    def written(self, first: int, since: int) -> Iterator[tuple[int, Document]]:
        """(number, document), ascending, of all from the number `first` on that were not deleted by the commit `since`.

        So those are among them that were deleted later, for whoever keeps something derived that must not depend on
        when it read. A compaction drops their lines. Raises CorruptionError for a damaged document; one that is deleted
        is passed over.
        """
        for lines in self._batches(first, since):
            yield from ((line[0], as_document(line)) for line in lines if line[4] is None or is_whole(line))

    def _batches(self, first: int, since: int | None = None) -> Iterator[list[Line]]:
        """The lines of documents from a number on, ascending: living ones, and those deleted after a commit."""
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

    def documents(self, documents: Numbers) -> list[Document]:
        """These documents, each checked against its checksum. Raises CorruptionError naming the id."""
        return [as_document(line) for line in self._lines(DOCUMENT_COLUMNS, documents)]

    def ids(self, documents: Numbers) -> list[str]:
        """The ids of these documents, in their order."""
        with translated(self._lease.path):
            return [line[1].decode() for line in self._lines(ID_COLUMNS, documents)]

    def spans(self, rows: Numbers) -> NDArray[np.int32]:
        """int32 (n, 2): start and end of each row in characters of its document's text."""
        return self.rows.spans(rows)

    def vectors(self, rows: Numbers) -> Vectors:
        """float32 (n, dimension): the stored vectors of these rows."""
        return gather(self.blocks(), rows, self._derived.dimension)

    def rows_of(self, documents: Numbers) -> tuple[Numbers, Numbers]:
        """All rows of these documents, and beside each the position of its document in `documents`."""
        return expanded(*self.rows.ranges(documents))

    def documents_of(self, rows: Numbers) -> Numbers:
        """int64 (n,): the document number of each row."""
        return self.rows.documents(rows)

    def blocks(self) -> Sequence[Piece]:
        """(number of the first row, float16 (n, dimension)) for every stretch of rows, ascending, no gaps."""
        if self._pieces is None:
            self._pieces = self._derived.maps.pieces(self._head.generation, self.segments)
        return self._pieces

    def _maps_segments(self) -> bool:
        """Maps the vectors while their files are there: a compaction may remove them once the snapshot is made."""
        self._segments = []
        try:
            self.blocks()
        except CorruptionError:
            return False
        return True

    @property
    def longest(self) -> float:
        """No stored vector is longer than this (Euclidean)."""
        return self._head.longest

    @property
    def segments(self) -> list[Segment]:
        """The segment files as the commit knows them."""
        with self._lease.held() as connection:
            if not self._segments:
                self._segments = read_segments(connection, self._head)
            return self._segments

    @property
    def folder(self) -> Path:
        """The collection's folder, for opening files in it."""
        return self._derived.folder.inside

    def built(self, room: str) -> Manifest | None:
        """The index of a room ("indexes" or one below it), with its first pieces as far as they can be used here.

        A piece can be used whose files are whole at sight and that was made from rows of this snapshot. A writer
        that publishes takes replaced pieces away: who finds one gone while opening it asks again. Raises InputError for
        another room.
        """
        manifest = self._derived.manifests.at(home_of(self.folder, room))
        if manifest is None or manifest.generation != self._head.generation:
            return None
        return manifest.limited(self.fits)

    def fits(self, piece: IndexPiece) -> bool:
        """Whether a piece of this generation was made from rows of this snapshot."""
        if piece.end > self._head.next_row:
            return False
        try:
            return self.fingerprint(piece.first, piece.end) == piece.vectors
        except CorruptionError:  # whoever needs the vectors will hear of it
            return False

    def fingerprint(self, first: int, end: int) -> str:
        """Tells the rows from `first` to before `end` from all others. Raises CorruptionError."""
        known, key = self._derived.fingerprints, (self._head.generation, first, end)
        if key not in known:
            with self._lease.held() as connection:
                found = fingerprint(connection, self.blocks(), first, end)
            if len(known) >= FINGERPRINTS:
                known.clear()
            known[key] = found
            return found
        return known[key]

    def state(self, key: str) -> Any:
        """The JSON value that a room above keeps under a key, or None."""
        with self._lease.held() as connection:
            return read_state(connection, key)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The catalogue inside this snapshot's transaction, for the storage room only; one thread at a time."""
        with self._lease.held() as connection:
            yield connection

    def _lines(self, select: str, documents: Numbers) -> list[Line]:
        wanted = np.asarray(documents).tolist()
        with self._lease.held() as connection:
            found = connection.execute(
                f"{select} FROM (SELECT value AS wanted FROM json_each(?)) CROSS JOIN documents ON number = wanted",  # noqa: S608
                (json.dumps(wanted),),
            )
            lines = {line[0]: line for line in found}
        if lost := [number for number in wanted if number not in lines]:
            raise CorruptionError(f"the catalogue has lost document number {lost[0]}; run twofold verify")
        return [lines[number] for number in wanted]
