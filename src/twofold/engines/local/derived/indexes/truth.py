"""Exact answers for many questions at once, without and with filters, as ground truth for measurements.

One pass over the stored vectors serves all questions and all masks: a matrix product proposes rows, and the stored
vectors score them as every search does. What was proposed can be kept: later only the rows that came since are
multiplied, and rows that were deleted are dropped.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from twofold.engines.local.spaces.nearest import NearestSearch, first, scored
from twofold.engines.local.spaces.stored import StoredVectors
from twofold.passage_scores import Nearest
from twofold.scores import Mask, Numbers, Scores, Vectors

ROWS = 16_384
"""Rows that are multiplied at a time: their scores for 400 questions take 26 MB."""
SPARE = 4
"""Rows proposed over those that are asked for: passages of one document come together, so do equal scores, and some of
what is kept will be deleted."""
ROUNDING = 1e-5
"""A product of vectors of length 1 is never so far off."""
TOO_FEW = 0.5
"""Where deletions have left a smaller share of what was kept, all is proposed anew."""


class Proposed:
    """For each mask and each question the best rows by a matrix product, over the first `covered` rows.

    queries: float32 (n, dimension). scores, rows: (masks, n, count), in no order, the score of an empty place -inf.
    floors: (masks, n), no other of these rows has a greater product. generation: whose numbers the rows have.
    """

    def __init__(
        self, queries: Vectors, scores: NDArray[np.float32], rows: NDArray[np.int64], floors: NDArray[np.float32],
        *, covered: int, generation: int,
    ) -> None:  # fmt: skip
        self.queries = queries
        self.covered = covered
        self.generation = generation
        self._scores = scores
        self._rows = rows
        self._floors = floors

    @classmethod
    def none(cls, queries: Vectors, masks: int, count: int, generation: int) -> Proposed:
        """Before any row was scored. count: how many are kept for each mask and question."""
        shape = masks, len(queries), count
        empty = np.full(shape, -np.inf, np.float32)
        floors = np.full(shape[:2], -np.inf, np.float32)
        return cls(queries, empty, np.zeros(shape, np.int64), floors, covered=0, generation=generation)

    def follow(self, snapshot: StoredVectors, masks: Sequence[Mask]) -> None:
        """Drops rows that a mask no longer allows, and scores newer rows."""
        for scores, rows, mask in zip(self._scores, self._rows, masks, strict=True):
            scores[~mask[rows]] = -np.inf
        for start, stored in snapshot.blocks():
            for offset in range(max(0, self.covered - start), len(stored), ROWS):
                part = stored[offset : offset + ROWS].astype(np.float32)
                self._take(self.queries @ part.T, start + offset, masks)
                self.covered = start + offset + len(part)
        np.maximum(self._floors, self._scores.min(axis=2), out=self._floors)

    def fits(self, masks: int, rows: int, generation: int) -> bool:
        """Whether it can follow: as many masks, rows of the same numbers, and it looked at none that is not there."""
        return len(self._scores) == masks and self.covered <= rows and self.generation == generation

    @property
    def worn(self) -> bool:
        """Whether deletions have left too little of what was kept."""
        full = np.isfinite(self._floors)  # the others never had as many rows as are kept
        return bool(full.any()) and float(np.isfinite(self._scores[full]).mean()) < TOO_FEW

    def of(self, mask: int) -> list[tuple[Vectors, Numbers, float]]:
        """Each question with the rows that are proposed for it behind a mask, and its floor."""
        return [
            (query, rows[np.isfinite(scores)], float(floor))
            for query, scores, rows, floor in zip(
                self.queries, self._scores[mask], self._rows[mask], self._floors[mask], strict=True
            )
        ]

    def _take(self, products: Scores, start: int, masks: Sequence[Mask]) -> None:
        """Puts in what beats the worst. products: float32 (questions, rows), of the rows from `start` on."""
        for scores, rows, mask in zip(self._scores, self._rows, masks, strict=True):
            inside = np.flatnonzero(mask[start : start + products.shape[1]])
            mine = products if len(inside) == products.shape[1] else products[:, inside]
            better = mine > scores.min(axis=1)[:, None]
            for question in np.flatnonzero(better.any(axis=1)).tolist():
                places = np.flatnonzero(better[question])
                both = np.concatenate([scores[question], mine[question, places]])
                numbers = np.concatenate([rows[question], start + inside[places]])
                kept = np.argpartition(-both, scores.shape[1] - 1)[: scores.shape[1]]
                scores[question], rows[question] = both[kept], numbers[kept]

    def to_bytes(self) -> bytes:
        """An .npz archive."""
        file = io.BytesIO()
        arrays = {"queries": self.queries, "scores": self._scores, "rows": self._rows, "floors": self._floors}
        numbers = {"covered": np.int64(self.covered), "generation": np.int64(self.generation)}
        np.savez(file, **numbers, **arrays)  # type: ignore[arg-type]  # numpy's stub
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Proposed:
        """What `to_bytes` gave. Raises ValueError for anything else."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                queries, scores, rows, floors = (archive[name] for name in ("queries", "scores", "rows", "floors"))
                covered, generation = int(archive["covered"]), int(archive["generation"])
                return cls(queries, scores, rows, floors, covered=covered, generation=generation)
        except (ValueError, KeyError, OSError, BadZipFile, EOFError, AttributeError, TypeError) as error:
            raise ValueError(f"these are no questions with their answers: {error}") from error


def proposed(
    snapshot: StoredVectors, queries: Vectors, masks: Sequence[Mask], *, top: int, generation: int
) -> Proposed:
    """For each mask and question more rows than `top` documents need, over all rows of a snapshot."""
    made = Proposed.none(queries, len(masks), SPARE * int(np.ceil(top * snapshot.rows_per_document)), generation)
    made.follow(snapshot, masks)
    return made


def exact_answers(
    snapshot: StoredVectors, exact: NearestSearch, candidates: Proposed, masks: Sequence[Mask], *, depth: int, top: int
) -> list[list[Nearest]]:
    """For each mask and each question the first `top` documents of exact search.

    candidates: the candidates with these masks, bool (rows,) each. exact: answers where the rows proposed are of too
    few documents, or where one that was not proposed could come as near as the last.
    """
    answers = []
    for number, mask in enumerate(masks):
        reachable = int(np.count_nonzero(mask))
        of_mask = []
        for query, rows, floor in candidates.of(number):
            found = first(snapshot, scored(snapshot, query, rows).nearest(), top)
            certain = len(found.documents) == top and found.scores[-1] > floor + ROUNDING
            if not certain and len(rows) < reachable:
                found = exact.nearest(query, depth=depth, top=top, allowed=mask)
            of_mask.append(found)
        answers.append(of_mask)
    return answers
