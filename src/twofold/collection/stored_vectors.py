"""The stored token vectors of documents, read back for other tools."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twofold.engine import EngineSnapshot
from twofold.scores import Numbers, Vectors
from twofold.searching.stored_tokens import rows_of_passages
from twofold.space import Space
from twofold.token_codes import SLOTS, TokenCodes

AT_ONCE = 100
"""Documents whose vectors are held at a time."""
PassageTokens = tuple[str, tuple[int, int], int]
"""Id of the document, start and end of the passage in characters of its text, vectors."""


class StoredVectors:
    """The token vectors of some documents on a snapshot. documents: int64 (n,), ascending."""

    def __init__(self, snapshot: EngineSnapshot, space: Space, documents: Numbers) -> None:
        self._snapshot = snapshot
        self._space = space
        self._codes = TokenCodes(space.dimension, space.bits)
        self._documents = documents

    def count(self) -> int:
        """How many vectors there are."""
        held = 0
        for part in self._parts():
            rows = self._snapshot.passages(part, self._space.name).handles
            held += int(np.count_nonzero(self._snapshot.codes(rows, self._space.name)[:, :SLOTS]))
        return held

    def blocks(self) -> Iterator[tuple[list[PassageTokens], Vectors]]:
        """The passages of some documents, and their vectors as they were before they were turned, float32."""
        for part in self._parts():
            passages, ids = self._snapshot.passages(part, self._space.name), self._snapshot.ids(part)
            starts, rows = rows_of_passages(passages)
            stored = self._codes.vectors(self._snapshot.codes(passages.handles, self._space.name), rows)
            places = zip(starts.tolist(), stored.counts.tolist(), strict=True)
            lines = [
                (ids[passages.owners[place]], (int(passages.spans[place, 0]), int(passages.spans[place, 1])), count)
                for place, count in places
            ]
            yield lines, self._codes.restored(stored.vectors)

    def _parts(self) -> Iterator[Numbers]:
        for start in range(0, len(self._documents), AT_ONCE):
            yield self._documents[start : start + AT_ONCE]
