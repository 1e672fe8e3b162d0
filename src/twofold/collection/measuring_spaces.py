"""Comparing two spaces of a collection: by judged queries, or by the overlap of their first hits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from twofold.collection.guarding import Encoders
from twofold.engine import EngineSnapshot
from twofold.errors import InputError
from twofold.evaluation.comparing import compare
from twofold.evaluation.comparison import Comparison
from twofold.evaluation.evaluating import Measured
from twofold.evaluation.intervals import bootstrap_interval
from twofold.rankings import Qrels, Run, ranked
from twofold.searching.searcher import SnapshotSearcher
from twofold.space import Space
from twofold.tuning.pseudo_queries import pseudo_queries

QUERIES = 200
"""Queries that are made of the collection's texts where none are given."""
FIRST = 10
"""Documents of each ranking that are held against each other."""
MEASURES = ("nDCG@10",)
SEED = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """Queries for the comparison. queries: id → text; qrels: their judgements. Raises InputError for one without."""

    queries: Mapping[str, str] = field(default_factory=dict)
    qrels: Qrels = field(default_factory=dict)

    def __post_init__(self) -> None:
        if lacking := [query for query in self.qrels if query not in self.queries]:
            raise InputError(f"the query {lacking[0]!r} is judged, but has no text among the queries")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A comparison of two spaces by dense search.

    queries: their number and origin. overlap: the share of the old space's first ten that is among the new one's first
    ten, with its 95 % interval. judged: the paired comparison by nDCG@10; None without
    judgements.
    """

    queries: int
    origin: str
    overlap: Measured
    judged: Comparison | None

    def to_json(self) -> dict[str, Any]:
        """Both as JSON values."""
        overlap = {name: getattr(self.overlap, name) for name in ("mean", "low", "high")}
        judged = None if self.judged is None else self.judged.to_json()
        return {"queries": self.queries, "origin": self.origin, "overlap@10": overlap, "judged": judged}


def compared(snapshot: EngineSnapshot, new: Space, encoders: Encoders, depth: int, judged: Judged) -> Compared | None:
    """Compares the default space with another. None if there are no queries."""
    queries = dict(judged.queries) or _generated(snapshot)
    if not queries or not encoders.of(snapshot.space).can_encode:
        return None
    runs: dict[str, Run] = {}
    for space in (snapshot.space, new):
        encoder = encoders.of(space)
        searcher = SnapshotSearcher(snapshot, snapshot.dense(space.name, exact=True), encoder, depth=depth)
        runs[space.name] = searcher.run(queries, depth=FIRST, mode="dense")
    old, other = (runs[space.name] for space in (snapshot.space, new))
    shares = {query: _overlap(old[query], other[query]) for query in queries if old[query]}
    if not shares:
        return None
    return Compared(
        queries=len(queries),
        origin="queries given" if judged.queries else "titles and openings of documents",
        overlap=_measured(shares),
        judged=compare(runs, judged.qrels, queries=queries, measures=MEASURES) if judged.qrels else None,
    )


def _generated(snapshot: EngineSnapshot) -> dict[str, str]:
    numbers = np.random.default_rng(SEED).permutation(snapshot.select())[: 2 * QUERIES]
    asked = islice(dict.fromkeys(pseudo_queries(snapshot.documents(numbers))), QUERIES)
    return {str(number): text for number, text in enumerate(asked)}


def _measured(shares: Mapping[str, float]) -> Measured:
    values = np.array(list(shares.values()), np.float64)
    interval = bootstrap_interval(values)
    return Measured(float(values.mean()), interval.low, interval.high, shares)


def _overlap(old: Mapping[str, float], new: Mapping[str, float]) -> float:
    first = ranked(old)[:FIRST]
    return len(set(first) & set(ranked(new)[:FIRST])) / len(first)
