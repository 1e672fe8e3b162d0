"""The flat index over several stretches of rows: numbers count through, masks hold, the margin is kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from twofold.indexes.flat import FlatIndex
from twofold.scores import dense_scores

ROWS, DIMENSION = 900, 40


class Stretches:
    """Stored vectors in three stretches, as three segments give them."""

    def __init__(self) -> None:
        self.all = np.random.default_rng(3).standard_normal((ROWS, DIMENSION)).astype(np.float16)
        self.longest = float(np.linalg.norm(self.all.astype(np.float64), axis=1).max())

    def blocks(self) -> Sequence[tuple[int, NDArray[np.float16]]]:
        return [(first, self.all[first:end]) for first, end in ((0, 100), (100, 650), (650, ROWS))]


@pytest.mark.parametrize("share", [1.0, 0.3, 0.01])
def test_candidates_are_the_best_allowed_rows_of_all_stretches(share: float) -> None:
    stored, rng = Stretches(), np.random.default_rng(4)
    index = FlatIndex(stored)
    for _ in range(20):
        query = rng.standard_normal(DIMENSION).astype(np.float32)
        allowed = rng.random(ROWS) < share
        exact = dense_scores(query, stored.all.astype(np.float32))
        expected = sorted(np.flatnonzero(allowed).tolist(), key=lambda row: -exact[row])[:50]
        rows, scores = index.candidates(query, 50, allowed)
        assert rows.tolist() == expected
        assert np.abs(scores - exact[rows]).max(initial=0) <= index.margin(query)


def test_a_score_that_overflows_is_no_row() -> None:
    stored = Stretches()
    query = np.full(DIMENSION, -3e38, dtype=np.float32)
    rows, _ = FlatIndex(stored).candidates(query, ROWS, np.ones(ROWS, dtype=np.bool_))
    assert (rows >= 0).all()
