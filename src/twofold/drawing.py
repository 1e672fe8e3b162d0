"""Rows drawn as if by chance, but decided by their vectors alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from twofold.scores import Mask, Numbers

MIXER = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio (Knuth's multiplicative hashing)."""
ROWS = 16_384
"""Rows that are hashed at a time."""


def drawn(blocks: Iterable[tuple[int, NDArray[np.float16]]], allowed: Mask, count: int) -> Numbers:
    """int64 (n,): up to `count` allowed rows of different vectors, as if by chance, but decided by the vectors alone.

    So neither ids nor the order in which documents came change what is drawn, or its order. Of rows with equal vectors
    the first is drawn. blocks: (number of the first row, float16 (n, dimension)) for every range of rows, ascending,
    without gaps. allowed: bool (rows,).
    """
    draws = np.empty(len(allowed), np.uint64)
    for first, block in blocks:
        for start in range(0, len(block), ROWS):
            part = block[start : start + ROWS]
            draws[first + start : first + start + len(part)] = _draws(part)
    rows = np.flatnonzero(allowed)
    _, places = np.unique(draws[rows], return_index=True)
    return rows[places[:count]]


def _draws(vectors: NDArray[np.float16]) -> NDArray[np.uint64]:
    """uint64 (n,): a number of each float16 vector, equal for equal ones."""
    width = -(-vectors.shape[1] // 4)
    padded = np.zeros((len(vectors), 4 * width), np.float16)
    padded[:, : vectors.shape[1]] = vectors
    powers = np.cumprod(np.full(width, MIXER))
    mixed = (padded.view(np.uint64) * powers).sum(axis=1, dtype=np.uint64)
    hashed: NDArray[np.uint64] = (mixed ^ (mixed >> np.uint64(29))) * MIXER
    return hashed
