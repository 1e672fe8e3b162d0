"""Chance: what unrelated texts have in common, bounded and pulled to the prior."""

from __future__ import annotations

import numpy as np
import pytest

from twofold.scores import unit_vectors
from twofold.tuning.chance import BEYOND, HIGHEST, WEIGHT, chance, chance_among, prior

RNG = np.random.default_rng(0)


def directions(count: int, like: float = 0.0) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Unit vectors, the more alike the larger `like`."""
    return unit_vectors(RNG.standard_normal((count, 8), np.float32) + np.float32(like))


def test_chance_is_the_mean_of_all_cosines_but_each_questions_greatest_and_of_the_prior() -> None:
    queries, passages = directions(5), directions(41)
    cosines = np.sort(queries @ passages.T, axis=1)[:, :-1]
    expected = (40 * float(cosines.mean()) + WEIGHT * 0.1) / (40 + WEIGHT)
    assert chance(queries, passages, 0.1) == pytest.approx(expected, rel=1e-5)


def test_chance_is_the_prior_where_there_is_nothing_to_compare() -> None:
    assert chance(directions(0), directions(9), 0.2) == 0.2
    assert chance(directions(5), directions(1), 0.2) == 0.2
    assert chance(directions(5), directions(0), 0.2) == 0.2


@pytest.mark.parametrize("count", [2, 50, 4_000])
def test_however_alike_passages_are_chance_stays_near_the_prior(count: int) -> None:
    alike = directions(count, like=50)
    assert chance(alike[:20], alike, 0.1) <= 0.1 + BEYOND * 0.9
    assert chance(alike[:20], alike, 0.7) <= 0.7 + BEYOND * 0.3
    assert chance(-alike[:20], alike, -0.9) >= -HIGHEST


def test_the_prior_is_the_mean_cosine_of_texts_with_the_others_and_well_below_one() -> None:
    queries, passages = directions(4, like=1), directions(4, like=1)
    cosines = queries @ passages.T
    assert prior(queries, passages) == pytest.approx((cosines.sum() - np.trace(cosines)) / 12, rel=1e-5)
    assert prior(np.ones((3, 1), np.float32), np.ones((3, 1), np.float32)) == HIGHEST


def test_among_passages_chance_is_the_mean_cosine_with_the_others_pulled_to_nothing() -> None:
    passages = directions(41, like=1)
    cosines = passages[:5] @ passages.T
    others = cosines.sum() - 5  # each with itself
    expected = (float(others) / 5 + WEIGHT * 0) / (40 + WEIGHT)
    assert chance_among(passages, 5) == pytest.approx(expected, rel=1e-5)
    assert chance_among(directions(4_000, like=50), 256) == HIGHEST
    assert chance_among(directions(1), 256) == chance_among(directions(0), 256) == 0
