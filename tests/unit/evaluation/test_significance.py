from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from twofold.evaluation.significance import (
    Differences,
    effect_size,
    holm,
    randomization_p,
    smallest_difference,
    t_test_p,
)


def drawn(count: int, mean: float, seed: int = 0) -> Differences:
    return np.random.default_rng(seed).normal(mean, 0.2, count)


def test_few_queries_are_counted_in_every_way_as_scipy_does() -> None:
    for seed in range(5):
        differences = drawn(12, 0.1, seed)
        reference = stats.permutation_test(
            (differences,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=True
        )
        assert randomization_p(differences) == pytest.approx(reference.pvalue, abs=1e-12)


def test_many_queries_are_drawn_near_the_t_test_and_the_same_for_a_seed() -> None:
    differences = drawn(200, 0.03, 2)
    p = randomization_p(differences, seed=7)
    assert p == randomization_p(differences, seed=7)
    assert p != randomization_p(differences, seed=8)
    assert p == pytest.approx(t_test_p(differences), abs=0.01)


def test_no_drawn_p_is_zero_and_equal_systems_have_one() -> None:
    assert randomization_p(drawn(300, 1.0), draws=999) == 2 / 1000  # both tails count
    assert randomization_p(np.zeros(40)) == randomization_p(np.array([0.5, 0.0, 0.0])) == 1.0
    assert t_test_p(np.zeros(40)) == 1.0


def test_ties_of_the_sum_count_as_extreme_however_they_are_rounded() -> None:
    # ±0.1 ±0.2 ±0.3: of eight sums two are as far out as 0.6, whatever 0.1 + 0.2 comes to.
    assert randomization_p(np.array([0.1, 0.2, 0.3])) == 2 / 8
    assert randomization_p(np.array([0.3, -0.1, -0.2])) == 1.0


def test_queries_without_a_difference_change_no_randomisation_p() -> None:
    differences = drawn(10, 0.1)
    assert randomization_p(np.concatenate([differences, np.zeros(90)])) == randomization_p(differences)


def test_the_t_test_is_scipys() -> None:
    for seed in range(5):
        differences = drawn(30, 0.05, seed)
        assert t_test_p(differences) == pytest.approx(stats.ttest_1samp(differences, 0.0).pvalue, rel=1e-9)
    assert t_test_p(np.full(10, 0.25)) == 0.0


def test_the_effect_is_the_mean_in_standard_deviations() -> None:
    differences = np.array([0.1, 0.3, -0.1, 0.5])
    assert effect_size(differences) == pytest.approx(0.2 / np.std(differences, ddof=1))
    assert effect_size(np.zeros(3)) == 0.0
    assert effect_size(np.full(3, 0.1)) is None


def test_the_smallest_difference_is_found_four_times_in_five() -> None:
    generator = np.random.default_rng(5)
    spread, count = 0.2, 50
    sample = generator.normal(0, 1, count)
    true = smallest_difference(sample * (spread / sample.std(ddof=1)))
    found = sum(t_test_p(generator.normal(true, spread, count)) < 0.05 for _ in range(4000))
    assert found / 4000 == pytest.approx(0.8, abs=0.02)


def test_more_queries_show_smaller_differences_and_a_stricter_level_larger_ones() -> None:
    pattern = np.array([0.1, -0.1])
    few, many = np.tile(pattern, 10), np.tile(pattern, 1000)
    assert smallest_difference(few) == pytest.approx(10 * smallest_difference(many), rel=0.1)
    assert smallest_difference(few, alpha=0.01) > smallest_difference(few) > smallest_difference(few, power=0.5)


def test_holm_corrects_by_rank_and_never_turns_the_order_round() -> None:
    assert holm([0.01, 0.04, 0.03]) == [pytest.approx(0.03), pytest.approx(0.06), pytest.approx(0.06)]
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


def test_under_the_null_hypothesis_one_in_twenty_is_below_five_per_cent() -> None:
    generator = np.random.default_rng(11)
    below = sum(randomization_p(generator.normal(0, 1, 12)) < 0.05 for _ in range(1500))
    assert below / 1500 == pytest.approx(0.05, abs=3 * math.sqrt(0.05 * 0.95 / 1500))
