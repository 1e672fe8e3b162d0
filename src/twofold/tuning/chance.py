"""Chance: the mean cosine of questions with passages that do not answer them, from the collection alone."""

from __future__ import annotations

import numpy as np

from twofold.protocols import VectorBlocks
from twofold.scores import Mask, Numbers, Vectors

MIXER = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio (Knuth's multiplicative hashing)."""


def drawn(stored: VectorBlocks, allowed: Mask, count: int) -> Numbers:
    """int64 (n,): up to `count` of the allowed rows, as if by chance, but decided by the vectors themselves.

    So neither ids nor the order in which documents came change what is drawn, or its order. allowed: bool (rows,).
    """
    draws = np.empty(len(allowed), np.uint64)
    for first, block in stored.blocks():
        numbers = np.zeros((len(block), 4), np.float16)
        numbers[:, : block.shape[1]] = block[:, :4]
        mixed = numbers.view(np.uint64)[:, 0] * MIXER
        draws[first : first + len(block)] = (mixed ^ (mixed >> np.uint64(29))) * MIXER
    rows = np.flatnonzero(allowed)
    return rows[np.argsort(draws[rows], kind="stable")[:count]]


def chance(queries: Vectors, passages: Vectors) -> float:
    """The mean dense score of questions with passages drawn at random, which are no answers but for the nearest one.

    queries: float32 (n, dimension); passages: float32 (m, dimension). Each question leaves its nearest passage out,
    which in a small collection weighs much. Without anything to compare it is 0.
    """
    if not len(queries) or len(passages) < 2:
        return 0.0
    scores = queries @ passages.T
    others = scores.sum(axis=1, dtype=np.float64) - scores.max(axis=1)
    return float(others.mean() / (len(passages) - 1))
