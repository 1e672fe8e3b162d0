"""Exact search: candidates of an exact index widen until the answer is certain."""

from __future__ import annotations

import numpy as np

from twofold.engines.local.spaces.nearest import first, scored
from twofold.engines.local.spaces.stored import StoredVectors
from twofold.engines.local.spaces.widening import SPARE, widening
from twofold.passage_scores import Nearest
from twofold.protocols import ExactIndex
from twofold.scores import Mask, Scores, Vectors

SPARE_ROWS = 32
"""Rows fetched in addition by the first scan, so that a second one is seldom needed."""


class ExactSearch:
    """A `NearestSearch` that misses nothing: no document outside a ranking reaches or ties its last one."""

    def __init__(self, snapshot: StoredVectors, index: ExactIndex) -> None:
        self._snapshot = snapshot
        self._index = index

    def nearest(self, query: Vectors, *, depth: int, top: int, allowed: Mask) -> Nearest:
        """The first `top` of the ranking of `depth` documents (see `NearestSearch`)."""
        for count in widening(SPARE_ROWS + int(SPARE * depth * self._snapshot.rows_per_document)):
            rows, approximate = self._index.candidates(query, count, allowed)
            candidates = scored(self._snapshot, query, rows).nearest()
            if len(rows) < count or _certain(
                candidates.scores, depth, float(approximate[-1]) + self._index.margin(query)
            ):
                return first(self._snapshot, candidates, min(top, depth))
        raise AssertionError("widening does not end")


def _certain(scores: Scores, depth: int, unseen: float) -> bool:
    """Whether no document outside the candidates can reach or tie the last one of the ranking.

    unseen: no row that was not fetched scores higher than this.
    """
    if len(scores) < depth:
        return False
    return float(np.partition(scores, len(scores) - depth)[len(scores) - depth]) > unseen
