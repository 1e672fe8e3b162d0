"""The field's ways to mix two rankings, by hand-computed figures."""

from __future__ import annotations

import pytest

from twofold.evaluation.mixing import best_weighted, distribution_based, min_max, reciprocal_ranks, weighted

DENSE = {"q": {"a": 0.9, "b": 0.5, "c": 0.1}}
WORDS = {"q": {"c": 8.0, "d": 4.0}, "other": {"a": 1.0}}


def test_reciprocal_ranks_add_up_over_the_lists_that_have_a_document() -> None:
    mixed = reciprocal_ranks([DENSE, WORDS])
    assert mixed["q"] == pytest.approx({"a": 1 / 61, "b": 1 / 62, "c": 1 / 63 + 1 / 61, "d": 1 / 62})
    assert mixed["other"] == {"a": 1 / 61}


def test_min_max_scales_each_list_over_its_own_first_documents() -> None:
    assert min_max([DENSE, WORDS])["q"] == pytest.approx({"a": 1, "b": 0.5, "c": 0 + 1, "d": 0})
    assert min_max([DENSE], depth=2)["q"] == {"a": 1, "b": 0}
    assert min_max([{"q": {"a": 2.0}, "none": {}}]) == {"q": {"a": 1.0}, "none": {}}


def test_distribution_based_puts_a_lists_mean_at_one_half() -> None:
    mixed = distribution_based([DENSE])["q"]
    deviation = (2 / 3) ** 0.5 * 0.4
    assert mixed == pytest.approx({"a": 0.5 + 0.4 / (6 * deviation), "b": 0.5, "c": 0.5 - 0.4 / (6 * deviation)})
    assert distribution_based([{"q": {"a": 2.0}, "none": {}}]) == {"q": {"a": 0.5}, "none": {}}


def test_one_weight_mixes_what_both_sides_say_of_the_same_candidates() -> None:
    pairs = {"q": {"a": (0.9, 0.0), "b": (0.5, 6.0), "c": (0.1, 8.0)}}
    assert weighted(pairs, 0.0)["q"] == pytest.approx({"a": 1, "b": 0.5, "c": 0})
    assert weighted(pairs, 0.25)["q"] == pytest.approx({"a": 0.75, "b": 0.75 * 0.5 + 0.25 * 0.75, "c": 0.25})


@pytest.mark.parametrize(("answer", "first"), [("a", "a"), ("c", "c"), ("b", "b")])
def test_the_best_weight_is_the_one_that_the_judgements_like(answer: str, first: str) -> None:
    pairs = {"q": {"a": (0.9, 0.0), "b": (0.6, 6.0), "c": (0.1, 8.0)}}
    mixed = best_weighted(pairs, {"q": {answer: 1}}, "RR@10")["q"]
    assert max(mixed, key=lambda document: mixed[document]) == first
