"""Which way of searching is chosen: by held-out questions, within the budget, and only where the gain is no chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from twofold.errors import InputError
from twofold.rankings import Qrels
from twofold.scores import Scores
from twofold.searching.pipeline import Pipeline
from twofold.tuning.pipelines import Choice, Values, Way, chosen_pipeline, on_frontier
from twofold.tuning.second_stages import Reread, values_of_stages

DENSE, LEXICAL, HYBRID = (Pipeline(mode=mode) for mode in ("dense", "lexical", "hybrid"))
TIMES = {LEXICAL: 1.0, DENSE: 5.0, HYBRID: 6.0}


def stage(depth: int, weight: float = 1.0, ranker: str = "some") -> Pipeline:
    return Pipeline(mode="hybrid", ranker=ranker, depth=depth, weight=weight)


def modes(count: int, seed: int = 0) -> dict[Pipeline, Values]:
    draw = np.random.default_rng(seed)
    hybrid = draw.uniform(0.2, 0.8, count)
    return {LEXICAL: hybrid - 0.1, DENSE: hybrid - 0.15, HYBRID: hybrid}


def chosen(values: Mapping[Pipeline, Values], budget: float = 100.0, **times: float) -> Choice:
    stages = {each: 10.0 + each.depth / 10 for each in values if each.ranker is not None and each.weight == 1}
    return chosen_pipeline(values, {**TIMES, **stages}, budget)


def test_a_stage_that_helps_every_question_is_switched_on_with_its_best_depth_and_weight() -> None:
    values = modes(50)
    gains = {stage(10): 0.02, stage(10, 0.6): 0.03, stage(50): 0.04, stage(50, 0.6): 0.06}
    choice = chosen({**values, **{each: values[HYBRID] + gain for each, gain in gains.items()}})
    assert choice.pipeline == stage(50, 0.6)
    assert choice.base == "hybrid"
    way = next(each for each in choice.ways if each.pipeline == choice.pipeline)
    assert way.gain == pytest.approx(0.06)
    assert way.least > 0


def test_a_stage_whose_interval_includes_nothing_is_not_switched_on() -> None:
    values = modes(50)
    noise = np.random.default_rng(3).normal(0.01, 0.2, 50)
    choice = chosen({**values, stage(50): values[HYBRID] + noise})
    (way,) = (each for each in choice.ways if each.pipeline.ranker is not None)
    assert way.gain > 0 > way.least
    assert choice.pipeline == HYBRID


def test_of_many_stages_that_are_noise_few_are_switched_on_though_the_best_looks_good() -> None:
    switched = 0
    for seed in range(16):
        values, draw = modes(50, seed), np.random.default_rng(seed)
        noise = {stage(10, 1.0, name): draw.normal(0, 0.2, 50) for name in "abcdefghijkl"}
        choice = chosen({**values, **{each: values[HYBRID] + some for each, some in noise.items()}})
        switched += choice.pipeline != HYBRID
    assert switched <= 1


def test_what_is_beyond_the_budget_is_told_and_not_chosen() -> None:
    values = modes(50)
    values |= {stage(10): values[HYBRID] + 0.02, stage(100): values[HYBRID] + 0.1}
    choice = chosen(values, budget=15.0)
    assert choice.pipeline == stage(10)
    assert choice.beyond == ((stage(100), 20.0),)
    assert chosen(values, budget=5.5).pipeline == LEXICAL, "without hybrid search the better of the others is the base"
    with pytest.raises(InputError, match=r"no search takes 0.5 ms or less here .*lexical 1.0"):
        chosen(values, budget=0.5)


def test_the_order_of_questions_decides_nothing() -> None:
    values = {**modes(50), stage(10): modes(50, 1)[HYBRID], stage(20): modes(50, 2)[HYBRID]}
    turned = {each: found[::-1] for each, found in values.items()}
    first, second = chosen(values), chosen(turned)
    assert first.pipeline == second.pipeline
    for one, other in zip(first.ways, second.ways, strict=True):
        assert one.quality == pytest.approx(other.quality)


def test_too_few_questions_are_refused_and_a_choice_goes_to_json_and_back() -> None:
    with pytest.raises(InputError, match="9 judged questions are too few"):
        chosen(modes(9))
    values = modes(20)
    choice = chosen({**values, stage(10): values[HYBRID] + 0.1, stage(200): values[HYBRID]}, budget=20.0)
    assert Choice.from_json(choice.to_json()) == choice
    shown = choice.table().to_text()
    assert "hybrid + some" in shown
    assert "97.5%" not in shown
    assert str(choice) == "hybrid + some, depth 10 (of 4 ways within 20 ms, 20 questions)"


def test_the_frontier_has_no_way_that_a_faster_one_equals() -> None:
    def way(pipeline: Pipeline, milliseconds: float, quality: float) -> Way:
        return Way(
            pipeline=pipeline, milliseconds=milliseconds, quality=quality, low=0, high=1, gain=0, least=0, most=0
        )

    found = on_frontier([way(HYBRID, 6, 0.5), way(DENSE, 5, 0.3), way(LEXICAL, 1, 0.3), way(stage(10), 9, 0.6)])
    assert [(each.pipeline, each.frontier) for each in found] == [
        (LEXICAL, True),
        (DENSE, False),
        (HYBRID, True),
        (stage(10), True),
    ]


class Bounded:
    name = "bounded"

    def scores(self, query: str, texts: Sequence[str]) -> Scores:
        return np.zeros(len(texts), np.float32)

    def bounded(self, scores: Scores) -> Scores:
        return np.asarray((scores + 1) / 2, np.float32)


def test_a_shorter_list_of_candidates_is_the_beginning_of_the_longer_one() -> None:
    first = {f"d{n}": 1 - n / 20 for n in range(20)}
    ranker = {f"d{n}": 0.9 if n == 15 else 0.0 for n in range(20)}
    judged: Qrels = {"q": {"d15": 1}}
    read = {"q": Reread.of(first, ranker)}
    values = values_of_stages("x", Bounded(), read, judged, depths=(10, 20), weights=(0.1, 1.0))
    assert values[stage(10, 1.0, "x")].tolist() == [0.0]
    assert values[stage(20, 1.0, "x")].tolist() == [1.0]
    assert values[stage(20, 0.1, "x")][0] == 0, "the first score has most of the weight, and d15 is not among ten"


def test_a_pipeline_checks_itself() -> None:
    wrongs: list[dict[str, Any]] = [{"mode": "both"}, {"mode": "dense", "ranker": "a"}, {"mode": "dense", "depth": 3}]
    for wrong in wrongs:
        with pytest.raises(InputError):
            Pipeline(**wrong)
