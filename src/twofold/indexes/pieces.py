"""An index in pieces: each covers a stretch of rows, and together they answer as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twofold.protocols import VectorBlocks, VectorIndex
from twofold.scores import Mask, Numbers, Scores, Vectors, same_mask


class Stretch:
    """The stored vectors of the rows from `first` to before `end`, numbered from 0, as a piece is built from them."""

    def __init__(self, stored: VectorBlocks, first: int, end: int) -> None:
        self._stored = stored
        self._first = first
        self._end = end

    def blocks(self) -> Sequence[tuple[int, NDArray[np.float16]]]:
        """(number of the first row, float16 (n, dimension)), ascending, no gaps."""
        found = []
        for start, vectors in self._stored.blocks():
            part = vectors[max(self._first - start, 0) : max(self._end - start, 0)]
            if len(part):
                found.append((max(start, self._first) - self._first, part))
        return found

    @property
    def longest(self) -> float:
        """No vector is longer than this."""
        return self._stored.longest


class PiecewiseIndex:
    """A `VectorIndex` over the rows of all pieces, which follow one another."""

    def __init__(self, pieces: Sequence[VectorIndex]) -> None:
        self._pieces = pieces
        ends = np.cumsum([piece.rows for piece in pieces])
        self._stretches = [slice(end - piece.rows, end) for piece, end in zip(pieces, ends.tolist(), strict=True)]
        self._divided: tuple[Mask, list[tuple[Mask, int]]] | None = None

    @property
    def rows(self) -> int:
        """The rows of all pieces."""
        return sum(piece.rows for piece in self._pieces)

    def candidates(self, query: Vectors, count: int, allowed: Mask) -> tuple[Numbers, Scores]:
        """Up to `count` allowed rows, best first by the scores of their pieces, which all come near the cosine.

        query: float32 (dimension,); allowed: bool (rows,). Raises RuntimeError where a piece cannot reach all of its
        rows and gives fewer than asked for: the others would hide it.
        """
        if len(self._pieces) == 1:
            return self._pieces[0].candidates(query, count, allowed)
        found = []
        for piece, stretch, (mine, allowed_count) in zip(
            self._pieces, self._stretches, self._parts(allowed), strict=True
        ):
            if not allowed_count:
                continue
            rows, scores = piece.candidates(query, count, mine)
            if len(rows) < min(count, allowed_count):
                raise RuntimeError(
                    f"the piece of rows {stretch.start} to {stretch.stop - 1} does not reach all of them"
                )
            found.append((rows + stretch.start, scores))
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        all_rows, all_scores = (np.concatenate(each) for each in zip(*found, strict=True))
        best = np.lexsort((all_rows, -all_scores))[:count]
        return all_rows[best], all_scores[best]

    def _parts(self, allowed: Mask) -> list[tuple[Mask, int]]:
        """Each piece's part of a mask and the count of its allowed rows, cached for consecutive queries."""
        divided = self._divided
        if divided is None or not same_mask(divided[0], allowed):
            parts = [allowed[stretch] for stretch in self._stretches]
            divided = self._divided = allowed, [(part, int(np.count_nonzero(part))) for part in parts]
        return divided[1]
