"""Chance: the mean cosine of questions with passages that do not answer them, from the collection and its encoder.

In a small or homogeneous collection nearly every passage resembles every question, so their mean cosine says little
about unrelated texts. So equal passages count once, the estimate starts at the encoder's mean cosine of unrelated texts
(the prior), few passages change it little, and it is bounded above near the prior.
"""

from __future__ import annotations

import numpy as np

from twofold.scores import Vectors

WEIGHT = 20
"""The prior has the weight of this many passages."""
BEYOND = 0.25
"""Chance is at most this share of the way from the prior to 1. On sixteen judged collections it was at most .13
(docs/hybrid.md): larger values come from similar answers."""
HIGHEST = 0.9
"""The largest prior, for an encoder that gives all texts nearly the same vector."""


def prior(queries: Vectors, passages: Vectors) -> float:
    """Chance before a collection is measured: the mean cosine of questions with all other texts.

    queries, passages: float32 (n, dimension), both sides of n > 1 unrelated texts.
    """
    cosines = (queries @ passages.T).astype(np.float64)
    others = cosines[~np.eye(len(cosines), dtype=np.bool_)]
    return float(np.clip(others.mean(), -HIGHEST, HIGHEST))


def chance(queries: Vectors, passages: Vectors, prior: float) -> float:
    """The mean cosine of questions with passages drawn at random, which are no answers but for the nearest one.

    queries: float32 (n, dimension); passages: float32 (m, dimension), no two of them equal. For each question its
    nearest passage is left out, which matters in a small collection. Without passages it is the prior.
    """
    return float(np.clip(_weighted(queries, passages, prior), -HIGHEST, prior + BEYOND * (1 - prior)))


def chance_among(passages: Vectors, asked: int) -> float:
    """Chance where no question can be encoded: the mean cosine of passages with others drawn at random.

    passages: float32 (m, dimension), no two of them equal. asked: so many of them take the place of questions. Without
    an encoder there are no probe texts: the prior is 0, and how alike unrelated texts are is not known, so it is no
    bound.
    """
    return float(np.clip(_weighted(passages[:asked], passages, 0.0), -HIGHEST, HIGHEST))


def _weighted(queries: Vectors, passages: Vectors, prior: float) -> float:
    """The mean cosine of each question with all passages but its nearest, and the prior with its weight."""
    others = len(passages) - 1
    if not len(queries) or others < 1:
        return prior
    cosines = queries @ passages.T
    left = (cosines.sum(axis=1, dtype=np.float64) - cosines.max(axis=1)) / others
    return float((others * left.mean() + WEIGHT * prior) / (others + WEIGHT))
