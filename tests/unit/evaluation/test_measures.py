from __future__ import annotations

import math

import numpy as np
import pytest

from twofold.errors import InputError
from twofold.evaluation.measures import DEFAULT_MEASURES, FAMILIES, measure_values, parse_measure, parse_measures
from twofold.rankings import Run


@pytest.mark.parametrize(
    ("name", "shown", "cutoff"),
    [
        ("nDCG@10", "nDCG@10", 10),
        (" ndcg@010 ", "nDCG@10", 10),
        ("Recall@100", "Recall@100", 100),
        ("R@5", "Recall@5", 5),
        ("R(rel=2)@5", "Recall(rel=2)@5", 5),
        ("MRR@10", "RR@10", 10),
        ("RR", "RR", None),
        ("map@100", "AP@100", 100),
        ("P@10", "P@10", 10),
        ("judged@10", "Judged@10", 10),
        ("Success@1", "Success@1", 1),
        ("R-Prec", "Rprec", None),
        ("bpref", "Bpref", None),
    ],
)
def test_a_measure_is_known_by_its_usual_names(name: str, shown: str, cutoff: int | None) -> None:
    measure = parse_measure(name)
    assert (str(measure), measure.cutoff) == (shown, cutoff)
    assert parse_measure(shown) == measure


@pytest.mark.parametrize(
    "name", ["", "nDGC@10", "nDCG@", "nDCG@10@10", "nDCG@x", "nDCG@-1", "NumQ", "__import__('os')"]
)
def test_an_unknown_measure_lists_the_known_ones(name: str) -> None:
    with pytest.raises(InputError, match=f"unknown measure .*known are {', '.join(FAMILIES)}"):
        parse_measure(name)


@pytest.mark.parametrize(
    "name", ["nDCG@0", "P", "Rprec@5", "P(foo=1)@5", "P(1)@5", "nDCG(dcg='x')@5", "P(rel=)@5", "AP(rel='a')"]
)
def test_a_measure_with_a_wrong_cutoff_or_parameter_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot be computed: see to the cutoff and the parameters"):
        parse_measure(name)


def test_measures_keep_their_order_and_come_once() -> None:
    assert [m.name for m in parse_measures(["RR@10", "ndcg@10", "MRR@10"])] == ["RR@10", "nDCG@10"]
    assert [m.name for m in parse_measures(DEFAULT_MEASURES)] == list(DEFAULT_MEASURES)
    with pytest.raises(InputError, match="no measure was named"):
        parse_measures([])


def test_values_are_those_that_one_computes_by_hand() -> None:
    qrels = {"a": {"d1": 2, "d2": 1, "d3": 0}, "b": {"d9": 1}}
    run = {"a": {"d3": 3.0, "d1": 2.0, "x": 1.0, "d2": 0.5}, "b": {"d1": 9.0}}
    measures = parse_measures(["nDCG@10", "nDCG@3", "Recall@2", "RR@10", "RR@1", "AP@10", "P@2", "Judged@3"])
    values = measure_values(measures, run, qrels, ["b", "a"])
    ideal = 2 + 1 / math.log2(3)
    expected = {
        "nDCG@10": (2 / math.log2(3) + 1 / math.log2(5)) / ideal,
        "nDCG@3": (2 / math.log2(3)) / ideal,
        "Recall@2": 1 / 2,
        "RR@10": 1 / 2,
        "RR@1": 0.0,
        "AP@10": (1 / 2 + 2 / 4) / 2,
        "P@2": 1 / 2,
        "Judged@3": 2 / 3,
    }
    assert {name: value.tolist() for name, value in values.items()} == {
        name: [0.0, pytest.approx(value, abs=1e-6)] for name, value in expected.items()
    }


def test_a_query_without_results_counts_as_zero_in_every_measure() -> None:
    measures = parse_measures(["nDCG@10", "Recall@100", "RR@10", "Judged@10", "Bpref", "Rprec", "AP", "Success@1"])
    qrels = {"a": {"d": 1}, "b": {"d": 1}, "c": {"d": 1}}
    runs: list[Run] = [{"a": {}, "c": {"d": 1.0}}, {"a": {}}, {}]
    for run in runs:
        values = measure_values(measures, run, qrels, ["a", "b", "c"])
        for value in values.values():
            assert value.tolist() == [0.0, 0.0, float("c" in run)]


def test_equal_scores_are_measured_in_twofolds_order_the_smaller_id_first() -> None:
    run = {"a": dict.fromkeys(["d1", "d2", "d3"], 0.5), "z": dict.fromkeys(["d3", "d2", "d1"], 0.5)}
    qrels = {"a": {"d1": 1}, "z": {"d3": 1}}
    measures = parse_measures(["RR@10", "P@1", "Recall@1", "nDCG@1", "AP", "Success@1", "RR"])
    for name, (first, last) in measure_values(measures, run, qrels, ["a", "z"]).items():
        assert first == 1.0, name
        assert last == pytest.approx(1 / 3 if name in ("RR@10", "AP", "RR") else 0.0), name


def test_scores_that_float32_cannot_tell_apart_keep_their_order() -> None:
    run = {"q": {"b": 1.0 + 1e-12, "a": 1.0}}
    assert measure_values(parse_measures(["nDCG@1"]), run, {"q": {"b": 1}}, ["q"])["nDCG@1"].tolist() == [1.0]


def test_a_negative_relevance_is_not_relevant_and_for_bpref_unjudged() -> None:
    run = {"q": {"bad": 3.0, "good": 2.0}}
    measures = parse_measures(["nDCG@10", "P@2", "Judged@2", "Bpref"])
    values = measure_values(measures, run, {"q": {"bad": -1, "good": 1}}, ["q"])
    assert np.concatenate(list(values.values())) == pytest.approx([1 / math.log2(3), 0.5, 1.0, 1.0])


def test_a_score_that_cannot_be_ranked_is_refused() -> None:
    with pytest.raises(InputError, match="the score is nan"):
        measure_values(parse_measures(["P@1"]), {"q": {"d": math.nan}}, {"q": {"d": 1}}, ["q"])
