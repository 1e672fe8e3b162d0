"""Whether a store's rankings survived its import: its exact search, computed from its vectors, against ours."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.collection.collection import Collection
from twofold.collection.ranking_differences import QUESTIONS, TOP, Ranked, RankingDifference, ranking_difference
from twofold.stores.entries import Entry, ForeignStore, Metric


class Sampled:
    """Vectors of a store that are asked as questions, spread over its entries. entries: how many there are."""

    def __init__(self, entries: int) -> None:
        self._every = max(1, entries // QUESTIONS)
        self._seen = 0
        self.vectors: list[NDArray[np.float32]] = []

    def see(self, vector: NDArray[np.float32]) -> None:
        """Takes one in so many of the vectors that are imported."""
        if self._seen % self._every == 0 and len(self.vectors) < QUESTIONS:
            self.vectors.append(vector)
        self._seen += 1


def survived(store: ForeignStore, collection: Collection, sampled: Sampled) -> RankingDifference | None:
    """Asks both for the first ten of the sampled vectors, both by exact search; None where there is nothing to ask.

    The store's vectors are read once more. Scores are the collection's: cosines or dot products, of the store's vectors
    as they are there, and of ours as they are stored.
    """
    if not sampled.vectors:
        return None
    questions = np.stack(sampled.vectors)
    theirs = _Exact(questions, store.about.metric, collection.contract.similarity).over(store)
    found = collection.search_many(questions, k=TOP, mode="dense", exact=True, ranker=False)
    ours: list[Ranked] = [[(hit.id, hit.score) for hit in hits] for hits in found]
    return ranking_difference("dense", theirs, ours)[0]


class _Exact:
    """The first ten of questions among all vectors of a store, by its own metric, in float64.

    questions: float32 (n, dimension). similarity: of the scores that are returned.
    """

    def __init__(self, questions: NDArray[np.float32], metric: Metric, similarity: str) -> None:
        self._questions = questions.astype(np.float64)
        self._metric = metric
        self._similarity = similarity
        self._best: list[list[tuple[float, str, float]]] = [[] for _ in questions]

    def over(self, store: ForeignStore) -> list[Ranked]:
        """Reads everything once."""
        dimension = self._questions.shape[1]
        for block in store.blocks():
            some = [each for each in block if each.vector is not None and each.vector.shape == (dimension,)]
            if some:
                self._take(some)
        return [
            [(name, score) for _, name, score in sorted(best, key=lambda each: (-each[0], each[1]))]
            for best in self._best
        ]

    def _take(self, entries: list[Entry]) -> None:
        vectors = np.stack([each.vector for each in entries if each.vector is not None]).astype(np.float64)
        products = self._questions @ vectors.T
        lengths, own = np.linalg.norm(vectors, axis=1), np.linalg.norm(self._questions, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            cosines = products / (own[:, None] * lengths)
        near: dict[str, Any] = {"dot": products, "cosine": cosines, "l2": 2 * products - lengths**2}
        by, scores = near[self._metric], cosines if self._similarity == "cosine" else products
        for place, best in enumerate(self._best):
            finite = np.where(np.isfinite(by[place]), by[place], -np.inf)
            first = np.argsort(-finite, kind="stable")[: 2 * TOP]
            some = [(float(finite[n]), entries[n].id, float(scores[place, n])) for n in first if finite[n] > -np.inf]
            best[:] = heapq.nlargest(TOP, best + some)
