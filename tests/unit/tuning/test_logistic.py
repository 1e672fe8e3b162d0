"""Logistic regression: the optimum, also where a feature divides the truths, and what the penalty draws to."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from twofold.tuning.logistic import fitted, probability


def test_the_coefficients_are_those_of_the_greatest_likelihood() -> None:
    rng = np.random.default_rng(0)
    features = np.stack([np.ones(300), rng.normal(size=300), rng.exponential(size=300)], axis=1)
    truths = (rng.random(300) < probability(features @ np.array([-1.0, 2.0, 0.5]))).astype(float)

    def loss(found: NDArray[np.float64]) -> float:
        logits = features @ found
        return float(np.logaddexp(0, logits).sum() - truths @ logits)

    assert fitted(features, truths) == pytest.approx(minimize(loss, np.zeros(3), tol=1e-12).x, abs=1e-3)


def test_truths_that_a_feature_divides_give_finite_coefficients() -> None:
    features = np.stack([np.ones(20), np.linspace(-1, 1, 20)], axis=1)
    found = fitted(features, (features[:, 1] > 0).astype(float), ridge=0.1)
    assert np.isfinite(found).all()
    assert found[1] > 1


def test_a_large_penalty_draws_to_the_given_coefficients() -> None:
    features, centre = np.stack([np.ones(20), np.linspace(-1, 1, 20)], axis=1), np.array([0.5, 1.0])
    assert fitted(features, np.ones(20), ridge=1e9, around=centre) == pytest.approx(centre, abs=1e-6)
