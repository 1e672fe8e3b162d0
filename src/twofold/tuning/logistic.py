"""Logistic regression of a few features, by Newton's method; the result depends on the data alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
"""float64 (n, features)."""
Floats = NDArray[np.float64]
"""float64 (n,)."""
STEPS, NEAR = 100, 1e-10


def fitted(features: Matrix, truths: Floats, *, ridge: float = 1e-6, around: Floats | None = None) -> Floats:
    """float64 (features,): the coefficients of the most likely model.

    features: with a column of ones for the constant. truths: 0 or 1. ridge: the penalty for the squared distance from
    `around` (zeros), in observations; it keeps the result finite where a feature divides the truths. Penalising every
    coefficient makes the problem strictly convex, so Newton's method with halved steps ends at its only minimum.
    """
    centre = np.zeros(features.shape[1]) if around is None else around
    found = centre.astype(np.float64, copy=True)
    loss = _loss(features, truths, found, ridge, centre)
    for _ in range(STEPS):
        means = probability(features @ found)
        gradient = features.T @ (means - truths) + ridge * (found - centre)
        curvature = (features * (means * (1 - means))[:, None]).T @ features + ridge * np.eye(len(found))
        step, share = np.linalg.solve(curvature, gradient), 1.0
        while share > NEAR and (after := _loss(features, truths, found - share * step, ridge, centre)) > loss:
            share /= 2
        if share <= NEAR:
            break
        found, before, loss = found - share * step, loss, after
        if before - loss <= NEAR * max(1.0, abs(loss)):
            break
    return found


def probability(logits: Floats) -> Floats:
    """float64 (n,): the logistic function, without overflow."""
    found: Floats = 0.5 * (1 + np.tanh(np.asarray(logits, np.float64) / 2))
    return found


def _loss(features: Matrix, truths: Floats, found: Floats, ridge: float, centre: Floats) -> float:
    logits = features @ found
    likelihood = np.logaddexp(0, logits).sum() - truths @ logits
    return float(likelihood + ridge / 2 * ((found - centre) ** 2).sum())
