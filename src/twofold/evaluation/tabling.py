"""Evaluations by name as tables: one row a system."""

from __future__ import annotations

from collections.abc import Mapping

from twofold.evaluation.evaluating import Evaluation, notes_of
from twofold.tables import Cell, Column, Estimate, Table


def quality_table(evaluations: Mapping[str, Evaluation], title: str = "Quality") -> Table:
    """Every measure with its interval, and how much of the first ten was judged; notes say what was not counted."""
    measures = list(dict.fromkeys(name for each in evaluations.values() for name in each.measures))
    columns = (
        Column("system"),
        *(Column(name, digits=4) for name in measures),
        Column("judged@10", "%", digits=1),
    )
    rows = tuple((name, *_measured(each, measures), _percent(each.judged)) for name, each in evaluations.items())
    return Table(title, columns, rows, notes_of(evaluations))


def latency_table(evaluations: Mapping[str, Evaluation]) -> Table | None:
    """p50, p95 and p99 of single searches; None where no system was timed."""
    if all(each.latency is None for each in evaluations.values()):
        return None
    columns = (
        Column("system"),
        *(Column(name, "ms", digits=1) for name in ("p50", "p95", "p99")),
        Column("queries"),
    )
    rows = tuple(
        (name, *((None,) * 4 if (timed := each.latency) is None else (timed.p50, timed.p95, timed.p99, timed.queries)))
        for name, each in evaluations.items()
    )
    note = "one query after the other: text in, ten hits out, encoding included; the runs above encode in batches"
    return Table("Latency", columns, rows, (note,))


def _measured(evaluation: Evaluation, measures: list[str]) -> list[Cell]:
    there = (evaluation.measures.get(name) for name in measures)
    return [None if each is None else Estimate(each.mean, each.low, each.high) for each in there]


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
