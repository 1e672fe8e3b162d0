"""What exact search finds for many questions at once, whole and behind filters: the measure of every approximation.

One pass over the stored vectors serves all questions and all masks: a matrix product proposes rows, and the stored
vectors score them as every search does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twofold.engine import Nearest
from twofold.engines.local.spaces.nearest import NearestSearch, first, scored
from twofold.engines.local.spaces.stored import StoredVectors
from twofold.scores import Mask, Numbers, Scores, Vectors

ROWS = 16_384
"""Rows that are multiplied at a time: their scores for 400 questions take 26 MB."""
SPARE = 4
"""Rows proposed over those that are asked for: passages of one document come together, and so do equal scores."""
ROUNDING = 1e-5
"""A product of vectors of length 1 is never so far off."""


def exact_answers(
    snapshot: StoredVectors, exact: NearestSearch, queries: Vectors, masks: Sequence[Mask], *, depth: int, top: int
) -> list[list[Nearest]]:
    """For each mask and each question the first `top` documents of exact search.

    queries: float32 (n, dimension); masks: bool (rows,) each. exact: answers where the rows proposed are of
    too few documents, or where one that was not proposed could come as near as the last.
    """
    count = SPARE * int(np.ceil(top * snapshot.rows_per_document))
    answers = []
    for mask, proposed in zip(masks, _proposed(snapshot, queries, masks, count), strict=True):
        reachable = int(np.count_nonzero(mask))
        of_mask = []
        for query, (rows, floor) in zip(queries, proposed, strict=True):
            found = first(snapshot, scored(snapshot, query, rows), top)
            certain = len(found.documents) == top and found.scores[-1] > floor + ROUNDING
            if not certain and len(rows) < reachable:
                found = exact.nearest(query, depth=depth, top=top, allowed=mask)
            of_mask.append(found)
        answers.append(of_mask)
    return answers


def _proposed(
    snapshot: StoredVectors, queries: Vectors, masks: Sequence[Mask], count: int
) -> list[list[tuple[Numbers, float]]]:
    """For each mask and each question the `count` best rows by a matrix product, and the product of the worst."""
    best = [_Best(len(queries), count) for _ in masks]
    for start, stored in snapshot.blocks():
        for offset in range(0, len(stored), ROWS):
            part = stored[offset : offset + ROWS].astype(np.float32)
            products = queries @ part.T
            for mask, kept in zip(masks, best, strict=True):
                inside = np.flatnonzero(mask[start + offset : start + offset + len(part)])
                if len(inside) == len(part):
                    kept.take(products, start + offset + inside)
                elif len(inside):
                    kept.take(products[:, inside], start + offset + inside)
    return [
        [(rows[np.isfinite(scores)], float(scores.min())) for rows, scores in zip(kept.rows, kept.scores, strict=True)]
        for kept in best
    ]


class _Best:
    """The best rows so far, for each question."""

    def __init__(self, questions: int, count: int) -> None:
        self.scores: Scores = np.full((questions, count), -np.inf, np.float32)
        self.rows: Numbers = np.zeros((questions, count), np.int64)

    def take(self, products: Scores, rows: Numbers) -> None:
        """Puts in what beats the worst of them. products: float32 (questions, rows)."""
        better = products > self.scores.min(axis=1)[:, None]
        for question in np.flatnonzero(better.any(axis=1)).tolist():
            places = np.flatnonzero(better[question])
            scores = np.concatenate([self.scores[question], products[question, places]])
            numbers = np.concatenate([self.rows[question], rows[places]])
            kept = np.argpartition(-scores, self.scores.shape[1] - 1)[: self.scores.shape[1]]
            self.scores[question], self.rows[question] = scores[kept], numbers[kept]
