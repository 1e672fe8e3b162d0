"""`compare`: systems on the same judged queries, each compared with a baseline by paired tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from twofold.errors import InputError
from twofold.evaluation.comparison import Comparison, Contrast
from twofold.evaluation.evaluating import Evaluation, Measured, evaluate, evaluate_run
from twofold.evaluation.intervals import bootstrap_interval
from twofold.evaluation.significance import (
    ALPHA,
    Differences,
    effect_size,
    holm,
    randomization_p,
    smallest_difference,
    t_test_p,
)
from twofold.judgements import Judgements, qrels_of
from twofold.protocols import Searcher
from twofold.rankings import Run

MEASURES = ("nDCG@10",)
"""One question, one test: every further measure makes each p larger."""


def compare(
    systems: Mapping[str, Run | Evaluation | Searcher],
    qrels: Judgements,
    *,
    queries: Mapping[str, str] | None = None,
    measures: Iterable[str] = MEASURES,
    baseline: str | None = None,
    all_judged: bool = False,
    timed: int = 0,
    seed: int = 0,
) -> Comparison:
    """Measures systems on the same judged queries and tests each against the baseline.

    systems: by name, a run, an evaluation (its run and latency are taken), or a searcher, which is asked `queries` (id
    → text) and `timed` of them one by one. queries: needed for searchers only. measures, of which every further one
    makes each p larger, qrels, all_judged, timed: as in `evaluate`. baseline: a name, the first without it. seed: of
    the randomisation test.

    The result prints as tables and shows as HTML in a notebook. Raises InputError for fewer than two systems, a
    baseline that is none of them, a searcher without queries, fewer than two counted queries, and what `evaluate`
    raises.
    """
    baseline, qrels = _checked(systems, baseline), qrels_of(qrels)
    names = [baseline, *(name for name in systems if name != baseline)]
    wanted = tuple(measures)
    evaluations = {}
    for name in names:
        system = systems[name]
        if isinstance(system, Evaluation):
            taken = evaluate_run(system.run, qrels, measures=wanted, all_judged=all_judged)
            evaluations[name] = replace(
                taken, latency=system.latency, missing=system.missing, own=system.own, ignored=system.ignored
            )
        elif isinstance(system, Mapping):
            evaluations[name] = evaluate_run(dict(system), qrels, measures=wanted, all_judged=all_judged)
        elif queries is None:
            raise InputError(f"{name!r} is a searcher, so the texts of the queries are needed to ask it")
        else:
            evaluations[name] = evaluate(system, queries, qrels, measures=wanted, all_judged=all_judged, timed=timed)
    return Comparison(baseline, evaluations, _contrasts(evaluations, baseline, seed))


def _checked(systems: Mapping[str, object], baseline: str | None) -> str:
    if len(systems) < 2:
        raise InputError(f"a comparison needs at least two systems, not {len(systems)}")
    first = next(iter(systems)) if baseline is None else baseline
    if first not in systems:
        raise InputError(f"the baseline {first!r} is none of the systems: {', '.join(systems)}")
    return first


def _contrasts(evaluations: Mapping[str, Evaluation], baseline: str, seed: int) -> tuple[Contrast, ...]:
    counted = evaluations[baseline].queries
    if counted < 2:
        raise InputError(f"a comparison needs at least two judged queries, not {counted}")
    pairs = [(measure, name) for measure in evaluations[baseline].measures for name in evaluations if name != baseline]
    alpha = ALPHA / len(pairs)  # what Holm asks of the smallest p
    found = [
        _contrast(evaluations[baseline], evaluations[name], (name, measure), alpha, seed) for measure, name in pairs
    ]
    corrected = holm([contrast.p for contrast in found])
    return tuple(replace(contrast, corrected=p) for contrast, p in zip(found, corrected, strict=True))


def _contrast(before: Evaluation, after: Evaluation, asked: tuple[str, str], alpha: float, seed: int) -> Contrast:
    name, measure = asked
    of_baseline = before[measure].values
    values = {query: value - of_baseline[query] for query, value in after[measure].values.items()}
    differences: Differences = np.array(list(values.values()), dtype=np.float64)
    interval = bootstrap_interval(differences)
    p = randomization_p(differences, seed=seed)
    return Contrast(
        system=name,
        measure=measure,
        difference=Measured(
            float(differences.mean()),
            interval.low,
            interval.high,
            dict(zip(values, differences.tolist(), strict=True)),
        ),
        wins=int(np.count_nonzero(differences > 0)),
        losses=int(np.count_nonzero(differences < 0)),
        ties=int(np.count_nonzero(differences == 0)),
        p=p,
        corrected=p,
        p_t=t_test_p(differences),
        effect=effect_size(differences),
        smallest=smallest_difference(differences, alpha=alpha),
    )
