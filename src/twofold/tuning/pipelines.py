"""Which way of searching is best within a budget of milliseconds, by judged questions.

A way is compared with hybrid search by questions that did not choose it: folds choose a stage's depth and weight for
one another. A stage serves only if the interval of its gain lies above 0; the more stages are compared, the wider is
the interval, so that one of many is not preferred by chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.errors import InputError
from twofold.evaluation.intervals import CONFIDENCE, Interval, bootstrap_interval
from twofold.searching.hybrid import SearchMode
from twofold.searching.pipeline import Pipeline
from twofold.tables import Cell, Column, Estimate, Table
from twofold.tuning.sharing import FEWEST, FOLDS, MEASURE, folds_of

Values = NDArray[np.float64]
"""float64 (questions,): nDCG@10 of each question."""
DEPTHS = (10, 20, 50, 100, 200)
WEIGHTS = (0.2, 0.4, 0.6, 0.8, 0.9, 1.0)
"""Shares of the ranker in the score; 1 is the ranker alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way of searching that was measured; quality is nDCG@10 of held-out questions.

    pipeline: with the weight that all questions together choose. milliseconds: a query, the median. quality, low, high:
    the mean and its 95 % interval. gain, least, most: over the mode that is searched otherwise, and the interval of the
    difference (`Choice.confidence`). frontier: whether no faster way is as good.
    """

    pipeline: Pipeline
    milliseconds: float
    quality: float
    low: float
    high: float
    gain: float
    least: float
    most: float
    frontier: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The way that is searched, and the evidence.

    budget: milliseconds a query. questions: how many chose. base: the mode that ways are compared with. confidence: of
    the intervals of gains. ways: those measured, the fastest first. beyond: ways that took more than the budget.
    """

    pipeline: Pipeline
    budget: float
    questions: int
    base: SearchMode
    confidence: float
    ways: tuple[Way, ...]
    beyond: tuple[tuple[Pipeline, float], ...] = ()

    def __str__(self) -> str:
        """The choice in a sentence."""
        return f"{self.pipeline} (of {len(self.ways)} ways within {self.budget:g} ms, {self.questions:,} questions)"

    def table(self) -> Table:
        """Every way that was measured, the fastest first."""
        columns = (
            Column("way of searching"),
            Column("depth"),
            Column("weight", digits=1),
            Column("ms", digits=1),
            Column(MEASURE, digits=4),
            Column(f"gain over {self.base}", digits=3),
            Column(""),
        )
        rows: list[tuple[Cell, ...]] = [
            (
                *way.pipeline.columns(),
                way.milliseconds,
                Estimate(way.quality, way.low, way.high),
                Estimate(way.gain, way.least, way.most),
                "*" if way.frontier else "",
            )
            for way in self.ways
        ]
        rows += [(*pipeline.columns(), taken, None, None, "") for pipeline, taken in self.beyond]
        notes = (
            "* on the frontier: no faster way is as good; without quality: beyond the budget, not measured",
            f"{self.questions:,} questions, each judged by what others chose; quality with its 95 % interval",
            f"gain with its {self.confidence:.1%} interval; a stage whose interval includes 0 is not switched on",
        )
        return Table(f"Ways of searching within {self.budget:g} ms", columns, tuple(rows), notes)

    def to_json(self) -> dict[str, Any]:
        """The choice as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Choice:
        """The choice that `to_json` wrote."""
        ways = (Way(**{**way, "pipeline": Pipeline.from_json(way["pipeline"])}) for way in values["ways"])
        beyond = ((Pipeline.from_json(pipeline), float(taken)) for pipeline, taken in values["beyond"])
        pipeline = Pipeline.from_json(values["pipeline"])
        return cls(**{**values, "pipeline": pipeline, "ways": tuple(ways), "beyond": tuple(beyond)})


def chosen_pipeline(values: Mapping[Pipeline, Values], milliseconds: Mapping[Pipeline, float], budget: float) -> Choice:
    """The best way within the budget, where it is better than hybrid search by more than chance.

    values: of each pipeline the value of every question, in one order. milliseconds: of each mode, and of each ranker
    and depth whatever the weight (`timed`). The choice does not depend on the order of questions. Raises InputError
    for fewer than 10 questions, and where no mode is within the budget.
    """
    fitting = {pipeline: each for pipeline, each in values.items() if milliseconds[timed(pipeline)] <= budget}
    modes = [pipeline for pipeline in fitting if pipeline.ranker is None]
    questions = len(next(iter(values.values())))
    check_budget(milliseconds, budget)
    if questions < FEWEST:
        raise InputError(f"{questions} judged questions are too few to choose by; give {FEWEST} at least")
    base = next((each for each in modes if each.mode == "hybrid"), None)
    base = base or max(modes, key=lambda each: float(values[each].mean()))
    folds = folds_of(np.stack(list(values.values()), axis=1))
    stages: dict[tuple[str, ...], list[Pipeline]] = {(each.mode,): [each] for each in modes if each != base}
    for pipeline in fitting:
        if pipeline.ranker is not None:
            stages.setdefault((pipeline.mode, pipeline.ranker), []).append(pipeline)
    compared = max(len(stages), 1)
    measuring = _Measuring(values, milliseconds, values[base], 1 - (1 - CONFIDENCE) / compared, folds)
    best, best_gain = base, 0.0
    for options in stages.values():
        found = measuring.way(options)
        if found.least > 0 and found.gain > best_gain:
            best, best_gain = found.pipeline, found.gain
    groups: dict[Pipeline, list[Pipeline]] = {}
    for pipeline in fitting:
        groups.setdefault(timed(pipeline), []).append(pipeline)
    return Choice(
        pipeline=best,
        budget=budget,
        questions=questions,
        base=base.mode,
        confidence=measuring.confidence,
        ways=on_frontier([measuring.way(group) for group in groups.values()]),
        beyond=tuple((each, taken) for each, taken in milliseconds.items() if taken > budget),
    )


def timed(pipeline: Pipeline) -> Pipeline:
    """The pipeline whose time another one shares: weights cost nothing."""
    return Pipeline(mode=pipeline.mode, ranker=pipeline.ranker, depth=pipeline.depth)


def check_budget(milliseconds: Mapping[Pipeline, float], budget: float) -> None:
    """Raises InputError where no mode is within the budget."""
    modes = {pipeline.mode: taken for pipeline, taken in milliseconds.items() if pipeline.ranker is None}
    if min(modes.values()) > budget:
        said = ", ".join(f"{mode} {taken:.1f}" for mode, taken in modes.items())
        raise InputError(f"no search takes {budget:g} ms or less here (milliseconds: {said}); give a larger budget")


def on_frontier(ways: Sequence[Way]) -> tuple[Way, ...]:
    """The ways, the fastest first; those that are better than every faster one are on the frontier."""
    told: list[Way] = []
    for way in sorted(ways, key=lambda each: (each.milliseconds, -each.quality)):
        better = all(way.quality > other.quality for other in told)
        told.append(replace(way, frontier=better))
    return tuple(told)


@dataclass(frozen=True, slots=True)
class _Measuring:
    """What ways are measured by. base: the values that they are compared with."""

    values: Mapping[Pipeline, Values]
    milliseconds: Mapping[Pipeline, float]
    base: Values
    confidence: float
    folds: NDArray[np.int64]

    def way(self, options: Sequence[Pipeline]) -> Way:
        """The best of some pipelines, and the values of questions by what the other folds choose."""
        values = np.stack([self.values[each] for each in options], axis=1)
        held_out = np.empty(len(values))
        for fold in range(FOLDS):
            inside = self.folds == fold
            held_out[inside] = values[inside, int(np.argmax(values[~inside].mean(axis=0)))]
        best = options[int(np.argmax(values.mean(axis=0)))]
        quality, gains = bootstrap_interval(held_out), held_out - self.base
        change = bootstrap_interval(gains, confidence=self.confidence) if gains.any() else Interval(0.0, 0.0)
        return Way(
            pipeline=best,
            milliseconds=self.milliseconds[timed(best)],
            quality=float(held_out.mean()),
            low=min(quality.low, float(held_out.mean())),  # of equal values it may differ by a rounding
            high=max(quality.high, float(held_out.mean())),
            gain=float(gains.mean()),
            least=min(change.low, float(gains.mean())),
            most=max(change.high, float(gains.mean())),
        )
