from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from twofold.errors import InputError
from twofold.evaluation.evaluating import evaluate, evaluate_run
from twofold.evaluation.intervals import bootstrap_interval
from twofold.evaluation.tabling import quality_table
from twofold.rankings import Hit, Qrels, Run
from twofold.scores import Vectors

QUERIES = {"q1": "one two", "q2": "three", "q3": "unjudged", "q4": "nothing good", "q5": "zebra"}
QRELS: Qrels = {"q1": {"d1": 1, "d2": 2}, "q2": {"d3": 1}, "q4": {"d1": 0}, "q5": {"d1": 1}}
TEXTS = {"d1": "one", "d2": "one two", "d3": "four", "d4": "three"}


class WordOverlap:
    """A searcher that counts common words; it remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def search(
        self, query: str | Vectors, *, k: int = 10, offset: int = 0, where: Mapping[str, Any] | None = None
    ) -> list[Hit]:
        raise NotImplementedError

    def run(self, queries: Mapping[str, str], *, depth: int = 1000) -> Run:
        self.asked.extend((query, depth) for query in queries)
        return {query: self._scores(text, depth) for query, text in queries.items()}

    def _scores(self, text: str, depth: int) -> dict[str, float]:
        common = {id: len(set(text.split()) & set(words.split())) for id, words in TEXTS.items()}  # noqa: A001
        found = sorted((item for item in common.items() if item[1]), key=lambda item: (-item[1], item[0]))
        return {document: float(count) for document, count in found[:depth]}


def test_only_queries_with_a_positive_judgement_are_asked_and_counted() -> None:
    searcher = WordOverlap()
    evaluation = evaluate(searcher, QUERIES, QRELS)
    assert searcher.asked == [("q1", 1000), ("q2", 1000), ("q5", 1000)]
    assert (evaluation.queries, evaluation.left_out, evaluation.without_results) == (3, 2, 1)
    assert list(evaluation.measures) == ["nDCG@10", "Recall@100", "RR@10"]
    assert evaluation["MRR@10"].values == {"q1": 1.0, "q2": 0.0, "q5": 0.0}
    assert evaluation["recall@100"].mean == pytest.approx(1 / 3)
    assert evaluation.run == {"q1": {"d2": 2.0, "d1": 1.0}, "q2": {"d4": 1.0}, "q5": {}}


def test_all_judged_queries_can_be_counted_too() -> None:
    evaluation = evaluate(WordOverlap(), QUERIES, QRELS, all_judged=True)
    assert (evaluation.queries, evaluation.left_out) == (4, 1)
    assert evaluation["RR@10"].mean == pytest.approx(1 / 4)


def test_a_run_that_is_there_measures_as_if_it_had_been_asked_for() -> None:
    asked = evaluate(WordOverlap(), QUERIES, QRELS)
    taken = evaluate_run(asked.run | {"q3": {"d1": 1.0}}, QRELS)
    assert taken.measures == asked.measures
    assert (taken.queries, taken.left_out, taken.without_results) == (3, 2, 1)


def test_each_mean_comes_with_the_interval_of_its_values() -> None:
    generator = np.random.default_rng(3)
    qrels = {str(q): {str(d): 1 for d in generator.choice(50, 3, replace=False)} for q in range(40)}
    run = {str(q): {str(d): float(score) for d, score in enumerate(generator.random(50))} for q in range(40)}
    measured = evaluate_run(run, qrels, measures=["nDCG@10"])["nDCG@10"]
    values = np.array(list(measured.values.values()))
    interval = bootstrap_interval(values)
    assert (measured.mean, measured.low, measured.high) == (values.mean(), interval.low, interval.high)
    assert measured.low < measured.mean < measured.high
    assert str(evaluate_run(run, qrels, measures=["nDCG@10"])) == f"nDCG@10: {measured}"
    assert str(measured) == f"{measured.mean:.4f} [{measured.low:.4f}, {measured.high:.4f}]"


def test_an_evaluation_goes_to_json() -> None:
    values = json.loads(json.dumps(evaluate(WordOverlap(), QUERIES, QRELS, measures=["P@1"]).to_json()))
    counts = ("queries", "left_out", "unjudged", "without_results", "judged@10", "judged_missing", "own_ids_found")
    assert values.keys() == {"measures", "judged_missing_examples", "own_ids_ignored", "latency_ms", *counts}
    assert values["measures"]["P@1"].keys() == {"mean", "low", "high"}


def test_what_cannot_be_measured_is_refused_before_anything_is_asked() -> None:
    searcher = WordOverlap()
    with pytest.raises(InputError, match="unknown measure 'quality'"):
        evaluate(searcher, QUERIES, QRELS, measures=["quality"])
    with pytest.raises(InputError, match="Recall@100 reads 100 documents a query, but the depth is 50"):
        evaluate(searcher, QUERIES, QRELS, depth=50)
    with pytest.raises(InputError, match="a depth is at least 1, not 0"):
        evaluate(searcher, QUERIES, QRELS, depth=0)
    with pytest.raises(InputError, match="timed is a count of queries, 0 for none, not -1"):
        evaluate(searcher, QUERIES, QRELS, timed=-1)
    with pytest.raises(InputError, match="the query 'q2' is judged, but has no text"):
        evaluate(searcher, {"q1": "one"}, QRELS)
    with pytest.raises(InputError, match="no query has a positive judgement"):
        evaluate(searcher, QUERIES, {"q4": {"d1": 0}})
    with pytest.raises(InputError, match="'P@1' was not measured; there are nDCG@10"):
        evaluate(WordOverlap(), QUERIES, QRELS)["P@1"]
    assert searcher.asked == []


class Holding(WordOverlap):
    """The same, which says what it holds."""

    def __contains__(self, document_id: object) -> bool:
        return document_id in TEXTS


def test_judged_documents_that_the_searcher_lacks_are_counted() -> None:
    qrels: Qrels = {"q1": {"d1": 1, "gone": 1, "away": 0}, "q4": {"not counted": 0}}
    evaluation = evaluate(Holding(), QUERIES, qrels)
    assert evaluation.missing == ("away", "gone")
    assert evaluation.to_json()["judged_missing"] == 2
    assert evaluation.to_json()["judged_missing_examples"] == ["away", "gone"]
    assert "2 judged documents are not in the collection and cannot be found: away, gone" in str(
        quality_table({"a": evaluation}).notes
    )
    assert evaluate(WordOverlap(), QUERIES, qrels).missing is None


def test_the_document_of_a_querys_own_id_counts_unless_it_is_ignored() -> None:
    queries, qrels = {"d2": "one two"}, {"d2": {"d1": 1}}
    kept = evaluate(WordOverlap(), queries, qrels)
    assert (list(kept.run["d2"]), kept["RR@10"].mean, kept.own) == (["d2", "d1"], 0.5, 1)
    assert "--ignore-identical-ids" in str(quality_table({"a": kept}).notes)
    ignored = evaluate(WordOverlap(), queries, qrels, measures=["RR@1"], depth=1, ignore_identical_ids=True)
    assert (list(ignored.run["d2"]), ignored["RR@1"].mean, ignored.own) == (["d1"], 1.0, 1)
    again = evaluate_run(kept.run, qrels, ignore_identical_ids=True)
    assert again["RR@10"].mean == 1.0
