from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from twofold.errors import InputError
from twofold.evaluation.comparing import compare
from twofold.evaluation.evaluating import evaluate, evaluate_run
from twofold.evaluation.significance import holm, randomization_p, t_test_p
from twofold.rankings import Hit, Qrels, Run
from twofold.scores import Vectors

COUNT = 60
QRELS: Qrels = {f"q{query}": {f"d{query % 10}": 1} for query in range(COUNT)}
QUERIES = {query: f"text of {query}" for query in QRELS}


def run_with(good: float, seed: int = 0) -> Run:
    """A run whose first document is the right one for that share of the queries; else it is the second."""
    generator = np.random.default_rng(seed)
    return {
        query: {document: 2.0 if generator.random() < good else 0.5, "other": 1.0}
        for query, judged in QRELS.items()
        for document in judged
    }


class Fixed:
    """A searcher that answers from a run, and counts its single searches."""

    def __init__(self, run: Run) -> None:
        self.answers = run
        self.searches = 0

    def search(
        self, query: str | Vectors, *, k: int = 10, offset: int = 0, where: Mapping[str, Any] | None = None
    ) -> list[Hit]:
        self.searches += 1
        return []

    def run(self, queries: Mapping[str, str], *, depth: int = 1000) -> Run:
        return {query: self.answers[query] for query in queries}


def test_each_system_is_held_against_the_first_query_by_query() -> None:
    old, new = run_with(0.3), run_with(0.9, seed=1)
    comparison = compare({"old": old, "new": new}, QRELS, measures=["RR@10"])
    (contrast,) = comparison.contrasts
    before, after = (evaluate_run(run, QRELS, measures=["RR@10"])["RR@10"] for run in (old, new))
    values = np.array([after.values[query] - before.values[query] for query in QRELS])
    assert contrast.difference.mean == pytest.approx(after.mean - before.mean)
    assert contrast.difference.low <= contrast.difference.mean <= contrast.difference.high
    assert (contrast.wins, contrast.losses, contrast.ties) == (
        (values > 0).sum(),
        (values < 0).sum(),
        (values == 0).sum(),
    )
    assert contrast.p == randomization_p(values)
    assert contrast.p_t == t_test_p(values)
    assert contrast.verdict == "better"
    assert comparison.worse == ()


def test_the_baseline_can_be_named_and_what_is_worse_is_said() -> None:
    comparison = compare({"old": run_with(0.2), "new": run_with(0.9)}, QRELS, baseline="new")
    assert list(comparison.evaluations) == ["new", "old"]
    (contrast,) = comparison.worse
    assert (contrast.system, contrast.measure, contrast.verdict) == ("old", "nDCG@10", "worse")


def test_all_p_values_of_a_comparison_are_corrected_together() -> None:
    systems = {name: run_with(0.4 + 0.1 * place, seed=place) for place, name in enumerate("abcd")}
    comparison = compare(systems, QRELS, measures=["RR@10", "Success@1"])
    assert len(comparison.contrasts) == 6
    assert [each.corrected for each in comparison.contrasts] == holm([each.p for each in comparison.contrasts])
    one = compare({"a": systems["a"], "d": systems["d"]}, QRELS, measures=["RR@10"]).contrasts[0]
    among_six = comparison.contrasts[2]
    assert (one.system, one.p) == (among_six.system, among_six.p)
    assert one.corrected < among_six.corrected
    assert one.smallest < among_six.smallest


def test_a_system_against_itself_shows_nothing() -> None:
    (contrast,) = compare({"a": run_with(0.5), "b": run_with(0.5)}, QRELS).contrasts
    assert (contrast.p, contrast.p_t, contrast.effect, contrast.verdict) == (1.0, 1.0, 0.0, "not shown")
    assert (contrast.wins, contrast.losses, contrast.ties) == (0, 0, COUNT)
    assert contrast.moved() == ([], [])


def test_the_queries_that_moved_most_come_furthest_first() -> None:
    qrels: Qrels = {query: {"good": 1} for query in "abcde"}
    places = {"a": (1, 2), "b": (4, 1), "c": (1, 1), "d": (2, 1), "e": (1, 5)}
    systems = {
        name: {
            query: {"good": -place[side], **{f"x{n}": -n - 1.5 for n in range(9)}} for query, place in places.items()
        }
        for side, name in enumerate(("before", "after"))
    }
    comparison = compare(systems, qrels, measures=["RR"])
    assert comparison.contrasts[0].moved(1) == (["e"], ["b"])
    assert comparison.contrasts[0].moved() == (["e", "a"], ["b", "d"])
    moved = comparison.tables(queries={"e": "the one that fell"})[-1]
    assert [row[0] for row in moved.rows] == ["e", "a", "b", "d"]
    assert moved.rows[0] == ("e", "the one that fell", 1.0, 0.2, -0.8)


def test_searchers_are_asked_and_timed_and_evaluations_keep_their_latency() -> None:
    searcher = Fixed(run_with(0.5))
    comparison = compare({"run": run_with(0.5), "asked": searcher}, QRELS, queries=QUERIES, timed=5)
    latency = comparison.evaluations["asked"].latency
    assert latency is not None
    assert (latency.queries, searcher.searches) == (5, 6)  # the first is asked once more before
    assert latency.p50 <= latency.p95 <= latency.p99
    assert comparison.evaluations["run"].latency is None
    measured = evaluate(searcher, QUERIES, QRELS, measures=["P@1"], timed=3)
    again = compare({"run": run_with(0.5), "measured": measured}, QRELS)
    assert again.evaluations["measured"].latency == measured.latency
    assert again.contrasts[0].measure == "nDCG@10"


def test_a_comparison_prints_shows_in_a_notebook_and_goes_to_json() -> None:
    comparison = compare({"old": run_with(0.2), "<new>": run_with(0.9)}, QRELS)
    text, html = str(comparison), comparison._repr_html_()
    for said in ("Quality", "judged@10", "Against old", "could show", "Queries that moved most", "better"):
        assert said in text
    assert "&lt;new&gt;" in html
    assert html.count("<table>") == 4
    values = json.loads(json.dumps(comparison.to_json()))
    assert values["baseline"] == "old"
    assert values["contrasts"][0]["verdict"] == "better"
    assert len(values["contrasts"][0]["differences"]) == COUNT


def test_unjudged_documents_are_counted() -> None:
    evaluation = evaluate_run(run_with(0.5), QRELS)
    assert evaluation.judged == 0.5  # of two documents one is judged
    assert evaluate_run({}, QRELS).judged is None
    assert evaluate_run({"q0": {"d0": 1.0}}, QRELS).judged == 1.0


def test_what_cannot_be_compared_is_refused() -> None:
    run = run_with(0.5)
    with pytest.raises(InputError, match="at least two systems, not 1"):
        compare({"a": run}, QRELS)
    with pytest.raises(InputError, match="the baseline 'c' is none of the systems: a, b"):
        compare({"a": run, "b": run}, QRELS, baseline="c")
    with pytest.raises(InputError, match="'b' is a searcher, so the texts"):
        compare({"a": run, "b": Fixed(run)}, QRELS)
    with pytest.raises(InputError, match="at least two judged queries, not 1"):
        compare({"a": run, "b": run}, {"q0": {"d0": 1}})
    with pytest.raises(InputError, match="unknown measure"):
        compare({"a": run, "b": run}, QRELS, measures=["quality"])
