"""Chance: the mean cosine of questions with passages that do not answer them, from the collection and its encoder.

In a small or homogeneous collection nearly every passage resembles every question, and their mean says little of what
unrelated texts have in common. So equal passages count once, few of them move the estimate little from what the encoder
makes of texts that have nothing to do with each other (the prior), and however many there are it stays near that.
"""

from __future__ import annotations

import numpy as np

from twofold.scores import Vectors

WEIGHT = 20
"""The prior counts as so many passages."""
BEYOND = 0.25
"""Of the way from the prior to equality chance goes no further. On sixteen judged collections it went at most .13 of it
(docs/hybrid.md): what lies beyond is likeness among answers."""
HIGHEST = 0.9
"""Of the prior, for an encoder to which all texts are nearly one."""


def prior(queries: Vectors, passages: Vectors) -> float:
    """What chance is before a collection is looked at: the mean cosine of questions with all texts but their own.

    queries, passages: float32 (n, dimension), both sides of n > 1 texts that have nothing to do with each other.
    """
    cosines = (queries @ passages.T).astype(np.float64)
    others = cosines[~np.eye(len(cosines), dtype=np.bool_)]
    return float(np.clip(others.mean(), -HIGHEST, HIGHEST))


def chance(queries: Vectors, passages: Vectors, prior: float) -> float:
    """The mean cosine of questions with passages drawn at random, which are no answers but for the nearest one.

    queries: float32 (n, dimension); passages: float32 (m, dimension), no two of them equal. Each question leaves its
    nearest passage out, which in a small collection weighs much. Without anything to compare it is the prior.
    """
    others = len(passages) - 1
    if not len(queries) or others < 1:
        return prior
    cosines = queries @ passages.T
    left = (cosines.sum(axis=1, dtype=np.float64) - cosines.max(axis=1)) / others
    mixed = (others * left.mean() + WEIGHT * prior) / (others + WEIGHT)
    return float(np.clip(mixed, -HIGHEST, prior + BEYOND * (1 - prior)))
