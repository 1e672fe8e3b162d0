from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from twofold.errors import InputError
from twofold.evaluation.correlations import Numbers, pearson, pearson_interval, spearman, spearman_interval


def drawn(count: int, seed: int = 0) -> tuple[Numbers, Numbers]:
    generator = np.random.default_rng(seed)
    judged = generator.integers(0, 6, count).astype(np.float64)
    return judged, judged + generator.normal(0, 2, count)


def test_both_are_scipys_with_ties_and_without() -> None:
    for seed in range(5):
        judged, scored = drawn(80, seed)
        for first, second in ((judged, scored), (judged, np.round(scored)), (scored, scored**3)):
            assert pearson(first, second) == pytest.approx(stats.pearsonr(first, second)[0], abs=1e-12)
            assert spearman(first, second) == pytest.approx(stats.spearmanr(first, second)[0], abs=1e-12)


def test_the_intervals_are_those_of_resampled_pairs_ranked_anew() -> None:
    judged, scored = drawn(120)
    generator = np.random.default_rng(9)
    for found, correlation in (
        (spearman_interval(judged, scored), stats.spearmanr),
        (pearson_interval(judged, scored), stats.pearsonr),
    ):
        resampled = [
            correlation(judged[chosen], scored[chosen])[0] for chosen in generator.integers(0, 120, size=(2000, 120))
        ]
        low, high = np.quantile(resampled, [0.025, 0.975])
        assert found.low == pytest.approx(low, abs=0.012)
        assert found.high == pytest.approx(high, abs=0.012)


def test_an_interval_is_the_same_for_a_seed() -> None:
    judged, scored = drawn(30)
    assert spearman_interval(judged, scored, seed=3) == spearman_interval(judged, scored, seed=3)
    assert spearman_interval(judged, scored, seed=3) != spearman_interval(judged, scored, seed=4)


def test_a_resample_of_equal_values_is_left_out() -> None:
    first, second = np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])
    interval = spearman_interval(first, second)
    assert -1 <= interval.low <= interval.high <= 1


def test_what_has_no_correlation_is_refused() -> None:
    few, nan, equal = np.array([1.0]), np.array([1.0, np.nan]), np.array([2.0, 2.0])
    fine = np.array([1.0, 2.0])
    for first, second, said in (
        (few, few, "at least two pairs"),
        (fine, nan, "all values finite"),
        (fine, equal, "all of one side are equal"),
        (fine, few, "not 2 and 1"),
    ):
        with pytest.raises(InputError, match=said):
            spearman(first, second)
        with pytest.raises(InputError, match=said):
            pearson_interval(first, second)
