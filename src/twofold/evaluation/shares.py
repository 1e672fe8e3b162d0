"""How far a share may be off that was seen so many times of so many."""

from __future__ import annotations

from scipy.stats import binomtest

from twofold.evaluation.intervals import CONFIDENCE, Interval


def share_interval(count: int, of: int, *, confidence: float = CONFIDENCE) -> Interval:
    """The interval of a share that was seen `count` times of `of` (Wilson 1927); of nothing, it may be anything."""
    if of == 0:
        return Interval(0.0, 1.0)
    found = binomtest(count, of).proportion_ci(confidence, method="wilson")
    return Interval(float(found.low), float(found.high))
