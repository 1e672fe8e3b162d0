"""The quality of a second stage for every depth and weight, from one reading of the deepest candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from twofold.evaluation.measures import measure_values, parse_measure
from twofold.protocols import BoundedRanker, ProbableRanker, Ranker
from twofold.rankings import Qrels, Run
from twofold.scores import Scores, order
from twofold.searching.pipeline import Pipeline
from twofold.searching.reranking import mixable
from twofold.searching.stored_tokens import StoredTokens
from twofold.tuning.pipelines import Values
from twofold.tuning.sharing import MEASURE, TOP


@dataclass(frozen=True, slots=True)
class Reread:
    """The candidates of one question in the order of the first stage: ids, first scores and the ranker's, float32 (n,).

    Neither score depends on the depth, so a shorter list of candidates is the beginning of a longer one.
    """

    ids: Sequence[str]
    first: Scores
    scores: Scores

    @classmethod
    def of(cls, first: Mapping[str, float], scores: Mapping[str, float]) -> Self:
        """From both scores by id. first: in order, at least those that the ranker scored."""
        ids = [document for document in first if document in scores]
        return cls(
            ids,
            np.array([first[document] for document in ids], dtype=np.float32),
            np.array([scores[document] for document in ids], dtype=np.float32),
        )

    def best(self, ranker: Ranker | StoredTokens, depth: int, weight: float) -> dict[str, float]:
        """The first documents of the new ranking with their scores. depth: candidates. weight: of the ranker."""
        ids, first, scores = self.ids[:depth], self.first[:depth], self.scores[:depth]
        if weight != 1:
            mixed = (1 - weight) * first.astype(np.float64) + weight * mixable(ranker, scores).astype(np.float64)
            scores = mixed.astype(np.float32)
        return {ids[place]: float(scores[place]) for place in order(scores, ids)[:TOP].tolist()}


def values_of_stages(
    name: str,
    ranker: Ranker | StoredTokens,
    read: Mapping[str, Reread],
    judged: Qrels,
    *,
    depths: Sequence[int],
    weights: Sequence[float],
) -> dict[Pipeline, Values]:
    """The value of each question by each depth and weight of a ranker over hybrid search.

    name: by which the ranker is loaded. read: by query, the candidates; as many as the largest depth. weights: those
    below 1 only for a ranker whose scores can be mixed.
    """
    measure, queries = parse_measure(MEASURE), list(read)
    mixes = isinstance(ranker, ProbableRanker | BoundedRanker | StoredTokens)
    values: dict[Pipeline, Values] = {}
    for depth in depths:
        for weight in weights if mixes else (1.0,):
            run: Run = {query: each.best(ranker, depth, weight) for query, each in read.items()}
            pipeline = Pipeline(mode="hybrid", ranker=name, depth=depth, weight=weight)
            values[pipeline] = measure_values([measure], run, judged, queries)[measure.name]
    return values
