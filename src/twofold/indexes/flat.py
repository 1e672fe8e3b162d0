"""Exact search: every stored vector against the query, with FAISS's float16 kernel over the mapped segments.

Nothing is built or stored: the index is the vectors. Approximate kinds are measured against it.
"""

from __future__ import annotations

from collections.abc import Iterator

import faiss
import numpy as np
from numpy.typing import NDArray

from twofold.protocols import VectorBlocks
from twofold.scores import Mask, Numbers, Scores, Vectors


class FlatIndex:
    """All rows from `first` on, scanned: exactly the best by its own scores, within `margin` of the exact ones."""

    def __init__(self, stored: VectorBlocks, *, first: int = 0) -> None:
        self._stored = stored
        self._first = first

    @property
    def rows(self) -> int:
        """All rows that are stored."""
        return sum(len(vectors) for _, vectors in self._stored.blocks())

    def candidates(self, query: Vectors, count: int, allowed: Mask) -> tuple[Numbers, Scores]:
        """Up to `count` allowed rows, best first.

        query: float32 (dimension,); allowed: bool (rows,). Returns int64 (n,) and float32 (n,).
        """
        query = np.ascontiguousarray(query, dtype=np.float32)
        found = [
            _scan(query, vectors, first, count, allowed[first : first + len(vectors)])
            for first, vectors in self._blocks()
        ]
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        rows = np.concatenate([rows for rows, _ in found])
        scores = np.concatenate([scores for _, scores in found])
        best = np.lexsort((rows, -scores))[:count]
        return rows[best], scores[best]

    def _blocks(self) -> Iterator[tuple[int, NDArray[np.float16]]]:
        for first, vectors in self._stored.blocks():
            skipped = max(0, self._first - first)
            if skipped < len(vectors):
                yield first + skipped, vectors[skipped:]

    def margin(self, query: Vectors) -> float:
        """How far this index's score of a row may lie from `dense_scores`.

        Both add `dimension` products in float32, in different orders; each is within dimension × 2^-24 × |q| × |v| of
        the true sum (Higham, Accuracy and Stability of Numerical Algorithms, §3.1), so they differ by twice that.
        """
        return float(len(query) * 2.0**-23 * np.linalg.norm(query.astype(np.float64)) * self._stored.longest)


def _scan(
    query: Vectors, vectors: NDArray[np.float16], first: int, count: int, allowed: Mask
) -> tuple[Numbers, Scores]:
    """The best allowed rows of one stretch of stored vectors, in no order."""
    allowed_count = int(np.count_nonzero(allowed))
    count = min(count, allowed_count)
    if count == 0:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    quantizer = faiss.ScalarQuantizer(len(query), faiss.ScalarQuantizer.QT_fp16)
    bitmap = None if allowed_count == len(allowed) else np.packbits(allowed, bitorder="little")
    selector = None if bitmap is None else faiss.IDSelectorBitmap(len(bitmap), faiss.swig_ptr(bitmap))
    scanner = quantizer.select_InvertedListScanner(faiss.METRIC_INNER_PRODUCT, None, False, selector)
    scanner.set_query(faiss.swig_ptr(query))
    scanner.set_list(0, 0.0)
    scores = np.full(count, -np.inf, dtype=np.float32)
    rows = np.full(count, -1, dtype=np.int64)
    numbers = np.arange(len(vectors), dtype=np.int64)
    codes = vectors.view(np.uint8)
    scanner.scan_codes(
        len(vectors),
        faiss.swig_ptr(codes),
        faiss.swig_ptr(numbers),
        faiss.swig_ptr(scores),
        faiss.swig_ptr(rows),
        count,
    )
    found = rows >= 0  # a score that overflowed enters no heap
    return rows[found] + first, scores[found]
