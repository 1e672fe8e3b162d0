"""Chance: the mean cosine of questions with passages that do not answer them, from the collection alone."""

from __future__ import annotations

import numpy as np

from twofold.scores import Vectors


def chance(queries: Vectors, passages: Vectors) -> float:
    """The mean dense score of questions with passages drawn at random, nearly none of which can be an answer.

    queries: float32 (n, dimension); passages: float32 (m, dimension). Raises nothing; without any it is 0.
    """
    if not len(queries) or not len(passages):
        return 0.0
    # The mean of all products is the product of the means.
    return float(np.dot(queries.mean(axis=0, dtype=np.float64), passages.mean(axis=0, dtype=np.float64)))
