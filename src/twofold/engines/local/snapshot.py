"""A snapshot: one commit as a reader sees it, with the rows of one of its spaces, for as long as it is held.

It implements `protocols.Snapshot`. One catalogue transaction, arrays of all rows, and memory maps that no writer
changes; several threads may use one snapshot.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from twofold.engines.local.catalogue.answers import FilterMasks
from twofold.engines.local.catalogue.rows import Rows, expanded
from twofold.engines.local.catalogue.schema import Head
from twofold.engines.local.derived.fingerprints import fingerprint
from twofold.engines.local.derived.manifest import Manifest, home_of
from twofold.engines.local.derived.manifest import Piece as IndexPiece
from twofold.engines.local.description import Description
from twofold.engines.local.document_snapshot import DocumentSnapshot
from twofold.engines.local.pinned import Kept, Pinned
from twofold.engines.local.spaces.maps import Piece, gather
from twofold.engines.local.spaces.segments import Segment
from twofold.errors import CorruptionError
from twofold.facets import Facet
from twofold.filters import Filter
from twofold.scores import Mask, Numbers, Vectors

FINGERPRINTS = 64
"""Fingerprints that are remembered: an index has a handful of pieces."""


class StoredSnapshot(DocumentSnapshot):
    """One commit of a stored collection; close it, or use it as a context manager.

    space: whose rows and vectors it gives, the default one unless another is named.
    """

    def __init__(self, pinned: Pinned, space: str | None = None) -> None:
        self.space = pinned.description.space(space)
        super().__init__(pinned.lease, pinned.of(self.space.name))
        self._pinned = pinned
        self._shared = pinned.shared(self.space.name)
        self._kept = self._shared.kept if self.head.complete else Kept()
        self._rows: Rows | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets the commit go; twice does nothing."""
        self._pinned.close()

    @property
    def description(self) -> Description:
        """What collection.json says of the commit: its spaces, and which is the default one."""
        return self._pinned.description

    @property
    def catalogue_head(self) -> Head:
        """What the commit counts in all spaces."""
        return self._pinned.head

    @property
    def rows(self) -> Rows:
        """Arrays over all rows: whose they are, their spans, whether they are live."""
        if self._rows is None:
            with self._lease.held() as connection:
                self._rows = self._kept.rows.at(self._head, connection)
        return self._rows

    @property
    def rows_per_document(self) -> float:
        """Live rows over live documents, at least 1."""
        return max(1.0, self._head.rows / max(1, self._head.documents))

    def row_mask(self, where: Filter | None) -> Mask:
        """bool (rows,): the rows of live documents that pass the filter; read-only."""
        return self._masks(where).rows

    def document_mask(self, where: Filter | None) -> Mask:
        """bool (document numbers,): the live documents that have rows and pass the filter; read-only."""
        return self._masks(where).documents

    def _masks(self, where: Filter | None) -> FilterMasks:
        rows = self.rows
        if where is None:
            return FilterMasks(rows.live, rows.with_rows, rows.with_rows)
        return self._kept.filters.at(where, rows, self._head, self.reading)

    def count(self, where: Filter | None = None) -> int:
        """How many live documents pass the filter, those without rows among them."""
        if where is None:
            return self._head.documents
        return int(np.count_nonzero(self._live(where)))

    def document_numbers(self, where: Filter | None = None) -> Numbers:
        """int64: the numbers of the live documents that pass the filter, ascending."""
        return np.flatnonzero(self._live(where))

    def facets(self, field: str, where: Filter | None = None) -> list[Facet]:
        """The values of a field, each with the count of live documents that match the filter and hold it."""
        return self._kept.filters.facets(field, self._live(where), self._head, self.reading)

    def _live(self, where: Filter | None) -> Mask:
        """bool (document numbers,): the live documents that pass the filter, those without rows among them."""
        live = self._kept.live.at(self._head, self.rows, self.reading)
        if where is None:
            return live
        masks = self._masks(where)
        return masks.documents if live is self.rows.with_rows else masks.metadata & live

    def spans(self, rows: Numbers) -> NDArray[np.int32]:
        """int32 (n, 2): start and end of each row in characters of its document's text."""
        return self.rows.spans(rows)

    def vectors(self, rows: Numbers) -> Vectors:
        """float32 (n, dimension): the stored vectors of these rows."""
        return gather(self.blocks(), rows, self.space)

    def rows_of(self, documents: Numbers) -> tuple[Numbers, Numbers]:
        """All rows of these documents, and beside each the position of its document in `documents`."""
        return expanded(*self.rows.ranges(documents))

    def documents_of(self, rows: Numbers) -> Numbers:
        """int64 (n,): the document number of each row."""
        return self.rows.documents(rows)

    def blocks(self) -> Sequence[Piece]:
        """(number of the first row, (n, words)) for every stretch of rows, ascending, no gaps."""
        return self._pinned.pieces(self.space.name)

    @property
    def longest(self) -> float:
        """No stored vector is longer than this (Euclidean)."""
        return self._head.longest

    @property
    def segments(self) -> list[Segment]:
        """The space's segment files as the commit knows them."""
        return self._pinned.segments(self.space.name)

    def tokens_cut(self, documents: Numbers) -> Numbers:
        """int64 (n,): tokens of each of these documents that its vectors in the space do not cover."""
        with self._lease.held() as connection:
            found = dict(
                connection.execute(
                    "SELECT document, tokens FROM truncations "
                    "WHERE space = ? AND document IN (SELECT value FROM json_each(?))",
                    (self.space.name, json.dumps(documents.tolist())),
                )
            )
        return np.array([found.get(number, 0) for number in documents.tolist()], np.int64)

    @property
    def folder(self) -> Path:
        """The collection's folder, for opening files in it."""
        return self._pinned.derived.folder.inside

    def built(self, area: str) -> Manifest | None:
        """The index of an area ("indexes/" and the space), with its first pieces as far as they can be used here.

        A piece can be used whose files are whole at sight and that was made from rows of this snapshot. A writer
        that publishes takes replaced pieces away: who finds one gone while opening it asks again. Raises InputError for
        another area.
        """
        manifest = self._shared.manifests.at(home_of(self.folder, area), self._head.generation)
        return None if manifest is None else manifest.limited(self.fits)

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
        known, key = self._shared.fingerprints, (self._head.generation, first, end)
        if key not in known:
            with self._lease.held() as connection:
                found = fingerprint(connection, self.space.name, self.blocks(), (first, end))
            if len(known) >= FINGERPRINTS:
                known.clear()
            known[key] = found
            return found
        return known[key]
