"""What is drawn from a collection is decided by vectors, not by names or order."""

from __future__ import annotations

import numpy as np

from twofold.drawing import drawn

RNG = np.random.default_rng(0)
VECTORS = RNG.standard_normal((500, 8)).astype(np.float16)


class Blocks:
    """Vectors in two stretches."""

    longest = 10.0

    def __init__(self, vectors: np.ndarray[tuple[int, ...], np.dtype[np.float16]]) -> None:
        self._vectors = vectors

    def blocks(self) -> list[tuple[int, np.ndarray[tuple[int, ...], np.dtype[np.float16]]]]:
        return [(0, self._vectors[:123]), (123, self._vectors[123:])]


def test_equal_vectors_are_drawn_once_and_others_all_whatever_numbers_they_share() -> None:
    vectors = np.zeros((300, 10), np.float16)
    vectors[:, 9] = np.arange(300) // 3
    rows = drawn(Blocks(vectors).blocks(), np.ones(300, np.bool_), 300)
    assert sorted(rows.tolist()) == list(range(0, 300, 3))


def test_the_same_vectors_are_drawn_in_the_same_order_however_they_came() -> None:
    everything = np.ones(500, np.bool_)
    first = VECTORS[drawn(Blocks(VECTORS).blocks(), everything, 50)]
    shuffled = VECTORS[RNG.permutation(500)]
    assert (shuffled[drawn(Blocks(shuffled).blocks(), everything, 50)] == first).all()


def test_only_allowed_rows_are_drawn_and_each_once() -> None:
    allowed = np.arange(500) % 3 == 0
    rows = drawn(Blocks(VECTORS).blocks(), allowed, 1000)
    assert sorted(rows.tolist()) == np.flatnonzero(allowed).tolist()


def test_what_is_drawn_looks_like_chance() -> None:
    rows = drawn(Blocks(VECTORS).blocks(), np.ones(500, np.bool_), 250)
    assert 80 < np.count_nonzero(rows < 250) < 170
    assert abs(float(VECTORS[rows, 0].mean(dtype=np.float64) - VECTORS[:, 0].mean(dtype=np.float64))) < 0.2
    assert len(drawn(Blocks(VECTORS[:, :3]).blocks(), np.ones(500, np.bool_), 10)) == 10
