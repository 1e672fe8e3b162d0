"""The recall of an approximate index, and the search effort for a promised recall.

Questions are halved: one half chooses the effort, the other measures the recall, and if that is less than promised, the
effort is raised. A document that scores as high as the last of exact search's counts as found: equal vectors answer
equally well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twofold.engines.local.spaces.nearest import NearestSearch
from twofold.evaluation.intervals import bootstrap_interval
from twofold.index_report import IndexReport, OperatingPoint
from twofold.passage_scores import Nearest
from twofold.scores import Mask, Numbers, Vectors

K = 10
"""Recall is counted among the first ten documents, as the field does."""
MILLISECONDS = 1e3
FIRST_HALF, SECOND_HALF, EVERYTHING = slice(0, None, 2), slice(1, None, 2), slice(None)
"""Parts of the questions: one half chooses, the other checks."""
SHARES = (0.5, 0.05, 0.001)
"""What filters let through where recall is measured behind them."""


class Recalls:
    """Questions with their exact answers, against which ways of searching are measured.

    queries: float32 (n, dimension). answers: of each the first K documents of exact search among the allowed rows.
    allowed: bool (rows,).
    """

    def __init__(self, queries: Vectors, answers: Sequence[Nearest], allowed: Mask, *, depth: int) -> None:
        self._queries = queries
        self._answers = answers
        self._allowed = allowed
        self._depth = depth

    def __len__(self) -> int:
        return len(self._queries)

    def measure(self, search: NearestSearch, kind: str, effort: int = 0, part: slice = EVERYTHING) -> OperatingPoint:
        """Measures one way of searching on a part of the questions, each of them alone."""
        numbers = range(len(self._queries))[part]
        self._found(search, self._queries[numbers[0]])  # warm
        recalls, seconds = np.empty(len(numbers)), np.empty(len(numbers))
        for place, number in enumerate(numbers):
            start = time.perf_counter()
            found = self._found(search, self._queries[number])
            seconds[place] = time.perf_counter() - start
            recalls[place] = _share(found, self._answers[number])
        return _point(kind, effort, recalls, seconds)

    def _found(self, search: NearestSearch, query: Vectors) -> Nearest:
        return search.nearest(query, depth=self._depth, top=K, allowed=self._allowed)


def masks_by_share(allowed: Mask, documents: Numbers) -> dict[float, Mask]:
    """Random masks that match given shares of the documents, as models of unknown filters.

    A share that matches no row is left out. allowed: bool (rows,); documents: int64 (rows,), the document of each row.
    """
    draws = np.random.default_rng(0).random(int(documents.max(initial=-1)) + 1)[documents]
    masks = {share: allowed & (draws < share) for share in SHARES}
    return {share: mask for share, mask in masks.items() if mask.any()}


def least_effort(
    recalls: Recalls, kind: str, search_with: Callable[[int], NearestSearch], efforts: Sequence[int], promise: float
) -> list[OperatingPoint]:
    """What was measured on the first half of the questions until an effort reached the promised recall; the last is the
    choice.

    search_with: the search at an effort. efforts: from the least to the most; where none keeps the promise, the most is
    the last.
    """
    tried: list[OperatingPoint] = []
    for effort in efforts:
        tried.append(recalls.measure(search_with(effort), kind, effort, FIRST_HALF))
        if tried[-1].holds(promise):
            break
    return tried


def checked_effort(measure: Callable[[int], IndexReport], efforts: Sequence[int]) -> IndexReport:
    """What was measured on the second half of the questions, at the first effort that keeps the promise there.

    measure: the report of what the second half finds at an effort. efforts: from the one that the first half chose to
    the most; a larger one counts only within the report's latency, and none is asked for after one that is slower.
    Where none of them keeps the promise, the one that comes nearest to it is taken, the least of equals. `checked` says
    what all of them found.

    The same questions may judge one effort after another, since more effort finds no less of any question (of 800 over
    16,000 real passages two found less with the next effort of hnsw), and every interval draws the same questions: of
    the efforts that do not keep the promise, any can be taken for one that does only where the largest of them is, by
    one test with its one chance of error (as the calibration sets of Bates, Angelopoulos, Lei, Malik & Jordan 2021 are
    used). A third part of the questions would widen every interval by a fifth, and could refute as well, with no
    questions left to go on with. The recall itself is flattered a little at an effort that came after others, so it is
    said how many were asked for.
    """
    reports: list[IndexReport] = []
    for effort in efforts:
        reports.append(measure(effort))
        if reports[-1].kept or _slow(reports[-1]):
            break
    taken = max((each for each in reports if each is reports[0] or not _slow(each)), key=_nearness)
    return replace(taken, checked=tuple(each.reached for each in reports if each.reached is not None))


def best(points: Sequence[OperatingPoint], promise: float) -> OperatingPoint:
    """The fastest that reaches the promised recall; if none does, the one with the highest recall."""
    keeping = [point for point in points if point.holds(promise)]
    return min(keeping, key=lambda point: point.p50) if keeping else max(points, key=lambda point: point.recall)


def _slow(report: IndexReport) -> bool:
    return report.reached is not None and report.reached.p50 > report.latency


def _nearness(report: IndexReport) -> float:
    return 1.0 if report.worst is None else report.worst.low


def _share(found: Nearest, exact: Nearest) -> float:
    """How many of the exact answers were found, or others that score as high."""
    if not len(exact.scores):
        return 0.0
    return min(1.0, np.count_nonzero(found.scores >= exact.scores[-1]) / len(exact.scores))


def _point(kind: str, effort: int, recalls: NDArray[np.float64], seconds: NDArray[np.float64]) -> OperatingPoint:
    interval = bootstrap_interval(recalls)
    p50, p99 = np.percentile(seconds * MILLISECONDS, [50, 99]).tolist()
    return OperatingPoint(
        kind=kind,
        effort=effort,
        recall=float(recalls.mean()),
        low=interval.low,
        high=interval.high,
        p50=p50,
        p99=p99,
        queries=len(recalls),
    )
