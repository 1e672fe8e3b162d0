"""Other methods of fusion, to compare with: they use ranks, or each list's own scores, only.

And dense and lexical scores of the same candidates, mixed with one weight for all questions.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

from twofold.evaluation.evaluating import evaluate_run
from twofold.rankings import Qrels, Run, ranked

RRF_K = 60  # Cormack, Clarke & Büttcher 2009
DEPTH = 100
WEIGHTS = tuple(step / 20 for step in range(21))

ScorePairs = Mapping[str, Mapping[str, tuple[float, float]]]
"""query id → document id → (dense score, lexical score)."""


def reciprocal_ranks(runs: Sequence[Run], *, depth: int = DEPTH, k: int = RRF_K) -> Run:
    """Reciprocal rank fusion: the sum of 1 / (k + rank) over the lists that have a document among their first."""
    mixed: Run = {}
    for run in runs:
        for query, scores in run.items():
            into = mixed.setdefault(query, {})
            for rank, document in enumerate(ranked(scores)[:depth], 1):
                into[document] = into.get(document, 0.0) + 1 / (k + rank)
    return mixed


def min_max(runs: Sequence[Run], *, depth: int = DEPTH) -> Run:
    """The sum of each list's scores scaled to 0 to 1 over its own first documents; what a list lacks counts 0 there."""
    return _summed(runs, depth, _to_one)


def distribution_based(runs: Sequence[Run], *, depth: int = DEPTH) -> Run:
    """The same with 0 at three standard deviations below the list's mean, and 1 at three above (Mazzeschi 2023)."""
    return _summed(runs, depth, _by_deviations)


def weighted(pairs: ScorePairs, weight: float) -> Run:
    """Candidates that both sides have scored: either side scaled to 0 to 1 over them, the second by `weight`."""
    mixed: Run = {}
    for query, candidates in pairs.items():
        first, second = (_to_one({document: said[side] for document, said in candidates.items()}) for side in (0, 1))
        mixed[query] = {document: (1 - weight) * first[document] + weight * second[document] for document in candidates}
    return mixed


def best_weighted(pairs: ScorePairs, qrels: Qrels, measure: str) -> Run:
    """`weighted` with the weight that is best by the judgements, which is not known beforehand."""
    runs = [weighted(pairs, weight) for weight in WEIGHTS]
    return max(runs, key=lambda run: evaluate_run(run, qrels, measures=[measure])[measure].mean)


def _summed(runs: Sequence[Run], depth: int, scaled: Callable[[Mapping[str, float]], Mapping[str, float]]) -> Run:
    mixed: Run = {}
    for run in runs:
        for query, scores in run.items():
            into = mixed.setdefault(query, {})
            for document, score in scaled({each: scores[each] for each in ranked(scores)[:depth]}).items():
                into[document] = into.get(document, 0.0) + score
    return mixed


def _to_one(scores: Mapping[str, float]) -> dict[str, float]:
    low, high = min(scores.values(), default=0.0), max(scores.values(), default=0.0)
    return {document: (score - low) / (high - low) if high > low else 1.0 for document, score in scores.items()}


def _by_deviations(scores: Mapping[str, float]) -> dict[str, float]:
    if not scores:
        return {}
    mean, spread = statistics.fmean(scores.values()), statistics.pstdev(scores.values())
    if spread == 0:
        return dict.fromkeys(scores, 0.5)
    return {document: min(max((score - mean) / (6 * spread) + 0.5, 0.0), 1.0) for document, score in scores.items()}
