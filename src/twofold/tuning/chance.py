"""Chance: the mean cosine of questions with passages that do not answer them, from the collection and its encoder.

In a small or homogeneous collection nearly every passage resembles every question, and their mean says little of what
unrelated texts have in common. So equal passages count once, few of them move the estimate little from what the encoder
makes of texts that have nothing to do with each other (the prior), and however many there are it stays near that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twofold.protocols import VectorBlocks
from twofold.scores import Mask, Numbers, Vectors

MIXER = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio (Knuth's multiplicative hashing)."""
ROWS = 16_384
"""Rows that are hashed at a time."""
WEIGHT = 20
"""The prior counts as so many passages."""
BEYOND = 0.25
"""Of the way from the prior to equality chance goes no further. On sixteen judged collections it went at most .13 of it
(docs/hybrid.md): what lies beyond is likeness among answers."""
HIGHEST = 0.9
"""Of the prior, for an encoder to which all texts are nearly one."""


def drawn(stored: VectorBlocks, allowed: Mask, count: int) -> Numbers:
    """int64 (n,): up to `count` allowed rows of different vectors, as if by chance, but decided by the vectors alone.

    So neither ids nor the order in which documents came change what is drawn, or its order. Of rows with equal vectors
    the first is drawn. allowed: bool (rows,).
    """
    draws = np.empty(len(allowed), np.uint64)
    for first, block in stored.blocks():
        for start in range(0, len(block), ROWS):
            part = block[start : start + ROWS]
            draws[first + start : first + start + len(part)] = _draws(part)
    rows = np.flatnonzero(allowed)
    _, places = np.unique(draws[rows], return_index=True)
    return rows[places[:count]]


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


def _draws(vectors: NDArray[np.float16]) -> NDArray[np.uint64]:
    """uint64 (n,): a number of each float16 vector, equal for equal ones."""
    width = -(-vectors.shape[1] // 4)
    padded = np.zeros((len(vectors), 4 * width), np.float16)
    padded[:, : vectors.shape[1]] = vectors
    powers = np.cumprod(np.full(width, MIXER))
    mixed = (padded.view(np.uint64) * powers).sum(axis=1, dtype=np.uint64)
    hashed: NDArray[np.uint64] = (mixed ^ (mixed >> np.uint64(29))) * MIXER
    return hashed
