"""The one function that computes dense scores, and the one order that ranks them.

Every dense score that is shown or ranked anywhere comes from `dense_scores`. It sums each row in a fixed order, so a
document's score depends on query and document alone: not on how many others are scored with it, nor on the thread.
A matrix product does not promise that (BLAS blocks by the size of the whole), so none is used here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twofold.errors import VectorError

Vectors = NDArray[np.float32]
"""float32 (n, dimension), C-contiguous: one vector a line."""
Scores = NDArray[np.float32]
"""float32 (n,): higher is better."""
Numbers = NDArray[np.int64]
"""int64 (n,): numbers of rows or of documents."""
Similarity = Literal["cosine", "dot"]
Mask = NDArray[np.bool_]
"""bool (n,): one truth a row."""


def same_mask(one: Mask, other: Mask) -> bool:
    """Whether two masks are the same values in the same memory, so that counts of one hold for the other.

    Masks do not change while they are in use, and a reference to one keeps its memory.
    """
    if one is other:
        return True
    return (one.ctypes.data, one.shape, one.strides) == (other.ctypes.data, other.shape, other.strides)


class MaskCount:
    """How many rows a mask lets through, counted once while question after question comes with the same mask."""

    def __init__(self) -> None:
        self._last: tuple[Mask, int] | None = None

    def __call__(self, mask: Mask) -> int:
        """The number of truths in it."""
        last = self._last
        if last is None or not same_mask(last[0], mask):
            last = self._last = (mask, int(np.count_nonzero(mask)))
        return last[1]


UNIT_TOLERANCE = 1e-5
"""A length this near to 1 is 1: float32 rounds the squares of 4,096 numbers to within 1e-6 or so."""


def dense_scores(query: Vectors, vectors: Vectors) -> Scores:
    """The dot product of one query with each vector, summed row by row in a fixed order.

    query: float32 (dimension,); vectors: float32 (n, dimension). Returns float32 (n,).
    """
    query = np.ascontiguousarray(query, dtype=np.float32)
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    scores: Scores = np.einsum("ij,j->i", vectors, query)
    return scores


def order(scores: Scores, ids: Sequence[str]) -> Numbers:
    """Positions from the best score to the worst; equal scores by the UTF-8 bytes of the id.

    scores: float32 (n,); ids: n document ids. NaN raises VectorError, since it cannot be ranked.
    """
    if np.isnan(scores).any():
        raise VectorError("a score is NaN and cannot be ranked")
    # Code points and UTF-8 bytes sort alike, so comparing the strings compares the bytes.
    positions = sorted(range(len(ids)), key=lambda position: (-float(scores[position]), ids[position]))
    return np.asarray(positions, dtype=np.int64)


def best_positions(scores: Scores, top: int, ids_of: Callable[[Numbers], Sequence[str]]) -> Numbers:
    """The positions of the `top` best, best first; equal scores by the UTF-8 bytes of the id.

    scores: float32 (n,). ids_of: gives the ids at some positions; asked only where equal scores need them, for those
    among which the first `top` must be.
    """
    if len(scores) > top:
        last = np.partition(scores, len(scores) - top)[len(scores) - top]
        contenders = np.flatnonzero(scores >= last)
    else:
        contenders = np.arange(len(scores))
    falling = contenders[np.argsort(-scores[contenders], kind="stable")]
    if (np.diff(scores[falling]) == 0).any():
        falling = contenders[order(scores[contenders], ids_of(contenders))]
    return falling[:top]


def checked_vectors(values: object, dimension: int, *, what: str = "vectors") -> Vectors:
    """`values` as float32 (n, dimension), or VectorError saying what is wrong with which line."""
    vectors = np.asarray(values)
    if vectors.dtype.kind not in "fiu":
        raise VectorError(f"{what} must be numbers, not {vectors.dtype}")
    if vectors.ndim != 2 or vectors.shape[1] != dimension:
        raise VectorError(f"{what} have the shape {vectors.shape}; this collection takes (n, {dimension})")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinity, and is refused below
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        raise VectorError(f"{what}: line {bad[0]} holds NaN or infinity ({len(bad)} such lines in all)")
    return vectors


def unit_vectors(vectors: Vectors, *, what: str = "vectors") -> Vectors:
    """Each vector divided by its length; one that is of unit length already stays as it is, bit for bit.

    vectors: float32 (n, dimension). Each line's result depends on that line alone. A zero vector has no direction and
    raises VectorError.
    """
    exact = vectors.astype(np.float64)
    lengths = np.sqrt(np.einsum("ij,ij->i", exact, exact))
    zero = np.flatnonzero(lengths == 0)
    if len(zero):
        raise VectorError(f"{what}: line {zero[0]} is a zero vector, which has no direction ({len(zero)} in all)")
    lengths[np.abs(lengths - 1) < UNIT_TOLERANCE] = 1
    scaled_lines: Vectors = (exact / lengths[:, None]).astype(np.float32)
    return scaled_lines


def scaled(vectors: Vectors, similarity: Similarity, *, what: str = "vectors") -> Vectors:
    """Vectors as a similarity compares them: of unit length for cosine, as they are for dot."""
    return unit_vectors(vectors, what=what) if similarity == "cosine" else vectors
