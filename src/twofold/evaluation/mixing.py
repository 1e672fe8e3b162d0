"""Ways to mix two runs that the field uses, to be compared with: they know ranks, or each list's own scores, only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twofold.rankings import Run, ranked

RRF_K = 60  # Cormack, Clarke & Büttcher 2009
DEPTH = 100


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
    mixed: Run = {}
    for run in runs:
        for query, scores in run.items():
            into = mixed.setdefault(query, {})
            for document, score in _scaled({each: scores[each] for each in ranked(scores)[:depth]}).items():
                into[document] = into.get(document, 0.0) + score
    return mixed


def _scaled(scores: Mapping[str, float]) -> dict[str, float]:
    low, high = min(scores.values(), default=0.0), max(scores.values(), default=0.0)
    return {document: (score - low) / (high - low) if high > low else 1.0 for document, score in scores.items()}
