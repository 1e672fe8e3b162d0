"""Confidence intervals of shares."""

from __future__ import annotations

from scipy.stats import binomtest

from twofold.evaluation.intervals import CONFIDENCE, Interval


def share_interval(count: int, of: int, *, confidence: float = CONFIDENCE) -> Interval:
    """The interval of a share that was observed `count` times in `of` trials (Wilson 1927); 0 to 1 without trials."""
    if of == 0:
        return Interval(0.0, 1.0)
    found = binomtest(count, of).proportion_ci(confidence, method="wilson")
    return Interval(float(found.low), float(found.high))
