"""Search by an approximate index: its candidates and those of the rows that it lacks, scored by stored vectors."""

from __future__ import annotations

from math import ceil

import numpy as np

from twofold.protocols import ExactIndex, Snapshot, VectorIndex
from twofold.scores import Mask, Numbers, Vectors
from twofold.searching.nearest import Nearest, NearestSearch, first, scored

FEW = 2_000
"""So many passing rows are all scored: that costs no more than asking an index, and misses nothing."""
SPARE = 1.25
"""Rows fetched beyond one ranking's usual share where documents have several."""
WIDEN = 4
"""Each wider search fetches so many times more rows."""


class IndexedSearch:
    """A `NearestSearch` by an index that covers the first rows; later ones are searched exactly.

    tail: an exact index of the rows from `index.rows` on, None where there are none. exact: answers what the index
    cannot, since too few of its rows can be reached.
    """

    def __init__(
        self, snapshot: Snapshot, index: VectorIndex, *, tail: ExactIndex | None, exact: NearestSearch
    ) -> None:
        self._snapshot = snapshot
        self._index = index
        self._tail = tail
        self._exact = exact

    def nearest(self, query: Vectors, *, depth: int, top: int, allowed: Mask) -> Nearest:
        """The first `top` of the ranking of `depth` documents (see `NearestSearch`)."""
        passing = int(np.count_nonzero(allowed))
        if passing <= FEW:
            candidates = scored(self._snapshot, query, np.flatnonzero(allowed))
            return first(self._snapshot, candidates, min(top, depth))
        covered = allowed[: self._index.rows]
        reachable = passing if self._tail is None else int(np.count_nonzero(covered))
        count = self._first_count(depth)
        while True:
            rows, _ = self._index.candidates(query, count, covered)
            if len(rows) < min(count, reachable):
                return self._exact.nearest(query, depth=depth, top=top, allowed=allowed)
            rows = np.concatenate([rows, self._of_tail(query, count, allowed)])
            candidates = scored(self._snapshot, query, rows)
            if len(candidates.documents) >= depth or len(rows) == passing:
                return first(self._snapshot, candidates, min(top, depth))
            count *= WIDEN

    def _first_count(self, depth: int) -> int:
        rows = self._snapshot.rows_per_document
        return depth if rows == 1 else ceil(SPARE * depth * rows)

    def _of_tail(self, query: Vectors, count: int, allowed: Mask) -> Numbers:
        if self._tail is None:
            return np.empty(0, np.int64)
        return self._tail.candidates(query, count, allowed)[0]
