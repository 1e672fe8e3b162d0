"""Recall is counted against exact search, on questions that choosing has not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twofold.documents import Document
from twofold.engines.local.derived.indexes.recall import (
    FIRST_HALF,
    SHARES,
    K,
    Recalls,
    best,
    checked_effort,
    least_effort,
    masks_by_share,
)
from twofold.index_report import IndexReport, OperatingPoint
from twofold.passage_scores import Nearest
from twofold.scores import Mask, Vectors
from twofold.tuning.pseudo_queries import WORDS, pseudo_queries

QUERIES = np.arange(40, dtype=np.float32)[:, None]


class Numbered:
    """The documents after the query's number; `wrong` of the first ten are others."""

    def __init__(self, wrong: int = 0) -> None:
        self.wrong = wrong
        self.asked: list[float] = []

    def nearest(self, query: Vectors, *, depth: int, top: int, allowed: Mask) -> Nearest:
        assert (depth, top) == (200, K)
        self.asked.append(float(query[0]))
        documents = int(query[0]) * 100 + np.arange(K, dtype=np.int64)
        documents[: self.wrong] += 1_000_000
        return Nearest(documents, np.repeat(np.array([0, 1], np.float32), [self.wrong, K - self.wrong]), documents)


def recalls() -> Recalls:
    documents = [np.arange(number * 100, number * 100 + K) for number in range(len(QUERIES))]
    answers = [Nearest(each, np.ones(K, np.float32), each) for each in documents]
    return Recalls(QUERIES, answers, np.ones(1, np.bool_), depth=200)


@pytest.mark.parametrize("wrong", [0, 1, 10])
def test_recall_is_the_share_of_the_exact_first_ten(wrong: int) -> None:
    point = recalls().measure(Numbered(wrong), "scan", 5, FIRST_HALF)
    assert point.recall == pytest.approx(1 - wrong / K)
    assert point.low <= point.recall <= point.high
    assert (point.kind, point.effort, point.queries) == ("scan", 5, 20)


def test_another_document_that_scores_as_high_counts_as_found() -> None:
    found = Numbered(0).nearest(QUERIES[3], depth=200, top=K, allowed=np.ones(1, np.bool_))
    others = Nearest(found.documents + 50, found.scores, found.passages)
    assert Recalls(QUERIES[3:4], [others], np.ones(1, np.bool_), depth=200).measure(Numbered(0), "scan").recall == 1


def test_the_least_effort_that_keeps_the_promise_is_the_last_that_one_half_is_asked_with() -> None:
    searches = {effort: Numbered(wrong) for effort, wrong in ((1, 5), (2, 1), (4, 0), (8, 0))}
    tried = least_effort(recalls(), "hnsw", searches.__getitem__, list(searches), 0.98)
    assert [(point.kind, point.effort) for point in tried] == [("hnsw", 1), ("hnsw", 2), ("hnsw", 4)]
    assert {asked % 2 for asked in searches[2].asked} == {0.0}
    assert not searches[8].asked


def test_where_nothing_keeps_the_promise_the_most_is_the_last_and_says_so() -> None:
    tried = least_effort(recalls(), "hnsw", lambda effort: Numbered(2), [1, 2], 0.98)
    assert [point.effort for point in tried] == [1, 2]
    assert not tried[-1].holds(0.98)
    assert tried[-1].holds(0.8)


def point(kind: str, low: float, p50: float) -> OperatingPoint:
    return OperatingPoint(kind=kind, effort=0, recall=low + 0.01, low=low, high=1.0, p50=p50, p99=p50, queries=9)


def test_the_best_is_the_fastest_that_keeps_the_promise_and_else_what_finds_most() -> None:
    scan, lists, walk = point("scan", 0.98, 9.0), point("ivf", 0.975, 7.0), point("hnsw", 0.97, 0.5)
    assert best([scan, lists, walk], 0.98) is lists
    assert best([scan, lists, walk], 0.96) is walk
    assert best([walk, scan, lists], 0.999) is scan


def checked(efforts: dict[int, tuple[float, float, float]], first: int = 1) -> tuple[IndexReport, list[int]]:
    """What is taken of efforts whose lower ends, whole and behind a filter, and times are these; and what was asked."""
    asked: list[int] = []

    def measure(effort: int) -> IndexReport:
        asked.append(effort)
        whole, behind, p50 = efforts[effort]
        reached = replace(point("hnsw", whole, p50), effort=effort)
        filtered = ((0.5, point("hnsw", behind, 99.0)),)
        return IndexReport(kind="hnsw", why="", promise=0.98, latency=5.0, reached=reached, filtered=filtered)

    return checked_effort(measure, [effort for effort in efforts if effort >= first]), asked


@pytest.mark.parametrize("refuted", [(0.96, 1.0), (1.0, 0.96), (0.96, 0.96)])
def test_an_effort_that_the_second_half_refutes_whole_or_behind_a_filter_gives_way_to_the_next(
    refuted: tuple[float, float],
) -> None:
    lows = {1: (*refuted, 1.0), 2: (*refuted, 2.0), 3: (0.98, 0.98, 3.0), 4: (1.0, 1.0, 4.0)}
    report, asked = checked(lows)
    assert report.kept
    assert report.reached is not None
    assert report.reached.effort == 3
    assert [each.effort for each in report.checked] == asked == [1, 2, 3]
    assert report.checked[-1] == report.reached


def test_an_effort_that_the_second_half_confirms_is_the_only_one_that_it_is_asked_with() -> None:
    report, asked = checked({1: (0.9, 0.9, 1.0), 2: (0.98, 1.0, 9.0), 3: (1.0, 1.0, 9.0)}, first=2)
    assert (report.kept, asked, len(report.checked)) == (True, [2], 1)


def test_no_effort_beyond_the_time_is_taken_and_none_is_asked_for_after_it() -> None:
    report, asked = checked({1: (0.9, 0.9, 1.0), 2: (0.95, 0.96, 5.0), 3: (1.0, 1.0, 5.1), 4: (1.0, 1.0, 1.0)})
    assert not report.kept
    assert report.reached is not None
    assert report.reached.effort == 2
    assert [each.effort for each in report.checked] == asked == [1, 2, 3]
    report, asked = checked({1: (0.9, 0.9, 5.1), 2: (1.0, 1.0, 1.0)})
    assert (report.kept, asked) == (False, [1])


def test_where_no_effort_keeps_the_promise_the_least_of_those_that_come_nearest_is_taken() -> None:
    report, asked = checked({1: (0.9, 0.99, 1.0), 2: (0.95, 0.96, 2.0), 3: (0.97, 0.95, 3.0), 4: (0.97, 0.94, 4.0)})
    assert not report.kept
    assert report.reached is not None
    assert (report.reached.effort, asked) == (2, [1, 2, 3, 4])


def test_a_promise_holds_by_the_lower_end_of_the_interval() -> None:
    figures = {"kind": "scan", "effort": 1, "recall": 0.99, "high": 1.0, "p50": 1.0, "p99": 2.0, "queries": 9}
    assert OperatingPoint(low=0.975, **figures).holds(0.98)  # type: ignore[arg-type]  # counts and shares in one dict
    assert not OperatingPoint(low=0.974, **figures).holds(0.98)  # type: ignore[arg-type]  # as above


def test_pseudo_queries_are_titles_and_openings_by_turns() -> None:
    text = "The first sentence. " + "word " * 30 + ". Last."
    documents = [Document(str(number), text, "A  title") for number in range(2)]
    documents += [Document("untitled", "Only words here"), Document("nothing", "", "")]
    assert list(pseudo_queries(documents)) == ["A title", " ".join(["word"] * WORDS), "Only words here"]


def test_a_filter_that_lets_nothing_through_is_not_measured() -> None:
    everything, documents = np.ones(20_000, np.bool_), np.arange(20_000)
    assert list(masks_by_share(everything, documents)) == list(SHARES)
    assert all(mask.any() for mask in masks_by_share(everything[:50], documents[:50]).values())
    assert SHARES[-1] not in masks_by_share(everything[:50], documents[:50])
