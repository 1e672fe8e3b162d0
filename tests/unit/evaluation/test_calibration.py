"""Calibration of probabilities, and telling two groups apart."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from twofold.errors import InputError
from twofold.evaluation.calibration import area_under_curve, calibration_error


def test_the_calibration_error_is_what_bins_are_off_by_weighted_by_their_size() -> None:
    said, true = np.array([0.05, 0.05, 0.95, 0.95]), np.array([0, 0, 1, 0])
    assert calibration_error(said, true) == pytest.approx((0.1 + 0.9) / 4)
    assert calibration_error(np.array([1.0, 0.0]), np.array([1, 0])) == 0
    with pytest.raises(InputError, match="no probabilities"):
        calibration_error(np.empty(0), np.empty(0))


def test_the_area_under_the_curve_is_that_of_the_rank_sum_ties_by_half() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 9, 40).astype(float), rng.integers(3, 12, 30).astype(float)
    expected = mannwhitneyu(one, other).statistic / (len(one) * len(other))
    assert area_under_curve(one, other) == pytest.approx(expected)
    with pytest.raises(InputError, match="both kinds"):
        area_under_curve(one, np.empty(0))
