"""How long one search takes: text in, hits out, one query after the other."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np

from twofold.errors import InputError
from twofold.protocols import Searcher

K = 10
"""Hits asked for: a first page."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of single searches (a text in, ten hits out, encoding included).

    p50, p95, p99: percentiles over the queries. queries: how many were asked.
    """

    p50: float
    p95: float
    p99: float
    queries: int

    def to_json(self) -> dict[str, float]:
        """p50, p95, p99 in milliseconds and how many queries were asked."""
        return asdict(self)


def search_latency(searcher: Searcher, texts: Iterable[str]) -> Latency:
    """Asks each text once, alone, and takes the time; the first is asked once more before, untimed.

    A run for evaluation encodes its queries in batches and goes to its full depth, which is neither what a user waits
    for. Raises InputError without a text.
    """
    asked = list(texts)
    if not asked:
        raise InputError("a latency needs at least one query")
    searcher.search(asked[0], k=K)
    taken = np.empty(len(asked), dtype=np.float64)
    for place, text in enumerate(asked):
        start = time.perf_counter()
        searcher.search(text, k=K)
        taken[place] = time.perf_counter() - start
    p50, p95, p99 = (float(each) for each in np.percentile(taken * 1000, [50, 95, 99]))
    return Latency(p50, p95, p99, len(asked))
