"""Dense search of one snapshot: selections in, documents with exact scores out. Implements engine.DenseSnapshot."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twofold.drawing import drawn
from twofold.engine import EVERYTHING, Passages, Selection
from twofold.engines.local.selecting import Selecting
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.engines.local.spaces.nearest import NearestSearch, scored
from twofold.engines.local.spaces.segments import Halves
from twofold.engines.local.turns import turns
from twofold.passage_scores import Nearest, PassageScores
from twofold.scores import Numbers, Vectors

ROWS = 16_384
"""Rows that are given at a time."""


class DenseRows:
    """The rows of one snapshot, found by `search`: exactly, or by an index."""

    def __init__(self, snapshot: StoredSnapshot, search: NearestSearch, selecting: Selecting) -> None:
        self._snapshot = snapshot
        self._search = search
        self._selecting = selecting

    def nearest(self, query: Vectors, *, depth: int, top: int, selection: Selection = EVERYTHING) -> Nearest:
        """The first `top` of the ranking of `depth` documents; see engine.DenseSnapshot."""
        with turns.taken():
            return self._search.nearest(query, depth=depth, top=top, allowed=self._selecting.rows(selection))

    def scored(self, query: Vectors, documents: Numbers) -> PassageScores:
        """All passages of these documents with their scores; those without a vector are left out."""
        return scored(self._snapshot, query, self._snapshot.rows_of(documents)[0])

    def vectors(self, passages: Numbers) -> Vectors:
        """float32 (n, dimension): the stored vectors of these passages."""
        return self._snapshot.vectors(passages)

    def tokens_cut(self, documents: Numbers) -> Numbers:
        """int64 (n,): tokens of each of these documents that its vectors do not cover."""
        return self._snapshot.tokens_cut(documents)

    def stored(self) -> Iterator[tuple[Numbers, Halves]]:
        """All stored vectors in blocks, with the handles of their passages, ascending; see engine.DenseSnapshot."""
        live = self._snapshot.row_mask(None)
        for first, vectors in self._snapshot.blocks():
            for start in range(0, len(vectors), ROWS):
                part = vectors[start : start + ROWS]
                here = np.flatnonzero(live[first + start : first + start + len(part)])
                if len(here):
                    yield here + first + start, part if len(here) == len(part) else part[here]

    def drawn(self, count: int) -> Passages:
        """Up to `count` passages of different vectors, decided by the vectors alone; see engine.DenseSnapshot."""
        rows = drawn(self._snapshot.blocks(), self._snapshot.row_mask(None), count)
        return Passages(rows, self._snapshot.documents_of(rows), self._snapshot.spans(rows))
