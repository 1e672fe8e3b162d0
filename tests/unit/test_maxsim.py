"""MaxSim against its definition, and texts without vectors."""

from __future__ import annotations

import numpy as np
import pytest

from twofold.maxsim import TOGETHER, TokenVectors, maxsim
from twofold.scores import Vectors, unit_vectors

RNG = np.random.default_rng(5)


def unit(count: int, dimension: int = 16) -> Vectors:
    vectors = RNG.standard_normal((count, dimension)).astype(np.float32)
    return unit_vectors(vectors)


def of(documents: list[Vectors]) -> TokenVectors:
    return TokenVectors(np.concatenate(documents), np.array([len(each) for each in documents], np.int64))


def test_each_vector_of_the_query_finds_its_nearest_and_the_mean_is_the_score() -> None:
    query = unit(7)
    documents = [unit(count) for count in (1, TOGETHER - 1, TOGETHER, TOGETHER + 1, 3 * TOGETHER + 5)]
    expected = [(query.astype(np.float64) @ each.astype(np.float64).T).max(axis=1).mean() for each in documents]
    np.testing.assert_allclose(maxsim(query, of(documents)), expected, atol=1e-6)


def test_a_score_has_the_same_bits_whatever_else_is_scored() -> None:
    query = unit(9)
    documents = [unit(int(count)) for count in RNG.integers(1, 90, 30)]
    together = maxsim(query, of(documents))
    assert [maxsim(query, of([each]))[0] for each in documents] == together.tolist()
    chosen = np.array([29, 3, 17])
    assert maxsim(query, of(documents).of(chosen)).tolist() == together[chosen].tolist()


def test_scores_below_zero_are_not_raised_by_what_fills_a_block() -> None:
    query = unit(1)
    assert maxsim(query, of([-query]))[0] == pytest.approx(-1)


def test_a_text_without_vectors_is_last_and_nothing_gives_nothing() -> None:
    query, some = unit(3), unit(4)
    scores = maxsim(query, of([some[:0], some]))
    assert scores[0] == -1 < scores[1]
    assert maxsim(query, TokenVectors(some[:0], np.empty(0, np.int64))).shape == (0,)
    assert maxsim(query[:0], of([some])).tolist() == [-1]
