"""A piece that has lost rows since it was built: its files number all of them; a translation maps them to the remaining
rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twofold.protocols import VectorIndex
from twofold.scores import Mask, Numbers, Scores, Vectors, same_mask

AT_ONCE = 2**18
"""Rows whose part in a mask is looked up at a time."""


class TranslatedIndex:
    """A `VectorIndex` over the remaining rows of another one.

    translation: int32 (rows of the other index,), ascending but for -1: the present number of each row, or -1 for a
    deleted one. It may be mapped and is never copied. rows: how many remain.
    """

    def __init__(self, index: VectorIndex, translation: NDArray[np.int32], rows: int) -> None:
        if index.rows != len(translation):
            raise ValueError(f"{len(translation)} rows are translated, and the index has {index.rows}")
        self._index = index
        self._translation = translation
        self._rows = rows
        self._last: tuple[Mask, Mask] | None = None

    @property
    def rows(self) -> int:
        """The remaining rows."""
        return self._rows

    def candidates(self, query: Vectors, count: int, allowed: Mask) -> tuple[Numbers, Scores]:
        """Up to `count` allowed rows, best first by the scores of the other index.

        query: float32 (dimension,); allowed: bool (rows,). Invalid numbers of a damaged translation are ignored.
        """
        found, scores = self._index.candidates(query, count, self._allowed(allowed))
        rows = self._translation[found].astype(np.int64)
        inside = (rows >= 0) & (rows < self._rows)
        return (rows, scores) if inside.all() else (rows[inside], scores[inside])

    def _allowed(self, allowed: Mask) -> Mask:
        """The mask over the other index's rows, cached for consecutive queries with the same mask."""
        last = self._last
        if last is None or not same_mask(last[0], allowed):
            last = self._last = allowed, self._translated(allowed)
        return last[1]

    def _translated(self, allowed: Mask) -> Mask:
        of_rows = np.append(allowed, False)  # the last one answers for rows that are gone
        found = np.empty(len(self._translation), np.bool_)
        for start in range(0, len(found), AT_ONCE):
            part = self._translation[start : start + AT_ONCE]
            np.take(of_rows, part, mode="wrap", out=found[start : start + AT_ONCE])
        return found
