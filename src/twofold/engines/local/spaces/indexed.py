"""Search by an approximate index: its candidates and those of the rows that it lacks, scored by stored vectors."""

from __future__ import annotations

from math import ceil

import numpy as np

from twofold.engines.local.spaces.nearest import NearestSearch, first, scored
from twofold.engines.local.spaces.stored import StoredVectors
from twofold.engines.local.spaces.widening import SPARE, widening
from twofold.passage_scores import Nearest
from twofold.protocols import ExactIndex, VectorIndex
from twofold.scores import Mask, MaskCount, Numbers, Vectors

FEW = 2_000
"""So many allowed rows are all scored: that costs no more than asking an index, and misses nothing."""


class IndexedSearch:
    """A `NearestSearch` by an index that covers the first rows; later ones are searched exactly.

    tail: an exact index of the rows from `index.rows` on, None where there are none. exact: answers what the index
    cannot, since too few of its rows can be reached. candidates: rows that the index is asked for at least, where its
    codes are too coarse for no more than the ranking needs.
    """

    def __init__(
        self,
        snapshot: StoredVectors,
        index: VectorIndex,
        *,
        tail: ExactIndex | None,
        exact: NearestSearch,
        candidates: int = 0,
    ) -> None:
        self._snapshot = snapshot
        self._index = index
        self._tail = tail
        self._exact = exact
        self._candidates = candidates
        self._count, self._count_covered = MaskCount(), MaskCount()

    def nearest(self, query: Vectors, *, depth: int, top: int, allowed: Mask) -> Nearest:
        """The first `top` of the ranking of `depth` documents (see `NearestSearch`)."""
        allowed_count = self._count(allowed)
        if allowed_count <= FEW:
            candidates = scored(self._snapshot, query, np.flatnonzero(allowed)).nearest()
            return first(self._snapshot, candidates, min(top, depth))
        covered = allowed if self._tail is None else allowed[: self._index.rows]
        reachable = allowed_count if self._tail is None else self._count_covered(covered)
        found = self._of_index(query, depth, covered, reachable)
        if found is None:
            return self._exact.nearest(query, depth=depth, top=top, allowed=allowed)
        rows = np.concatenate([found, self._of_tail(query, depth, allowed, allowed_count - reachable)])
        return first(self._snapshot, scored(self._snapshot, query, rows).nearest(), min(top, depth))

    def _of_index(self, query: Vectors, depth: int, covered: Mask, reachable: int) -> Numbers | None:
        """Rows of at least `depth` documents, or all that pass; None where the index cannot reach so many."""
        for count in widening(max(self._candidates, self._first_count(depth))):
            try:
                rows, _ = self._index.candidates(query, count, covered)
            except RuntimeError:  # raised where an index cannot answer
                return None
            if len(rows) < min(count, reachable):
                return None
            if len(rows) == reachable or self._documents(rows) >= depth:
                return rows
        return None

    def _of_tail(self, query: Vectors, depth: int, allowed: Mask, allowed_count: int) -> Numbers:
        """Rows of at least `depth` documents, or all that pass, of those that the index lacks."""
        if self._tail is not None:
            for count in widening(self._first_count(depth)):
                rows, _ = self._tail.candidates(query, count, allowed)
                if len(rows) == allowed_count or self._documents(rows) >= depth:
                    return rows
        return np.empty(0, np.int64)

    def _documents(self, rows: Numbers) -> int:
        return len(rows) if self._snapshot.rows_per_document == 1 else len(np.unique(self._snapshot.documents_of(rows)))

    def _first_count(self, depth: int) -> int:
        rows = self._snapshot.rows_per_document
        return depth if rows == 1 else ceil(SPARE * depth * rows)
