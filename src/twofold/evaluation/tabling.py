"""Evaluations by name as tables: one row a system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from twofold.tables import Cell, Column, Estimate, Table

if TYPE_CHECKING:
    from twofold.evaluation.evaluating import Evaluation

EXAMPLES = 5
"""Missing documents that are named."""


def quality_table(evaluations: Mapping[str, Evaluation], title: str = "Quality") -> Table:
    """Every measure with its interval, and how much of the first ten was judged; notes say what was not counted."""
    measures = list(dict.fromkeys(name for each in evaluations.values() for name in each.measures))
    columns = (
        Column("system"),
        *(Column(name, digits=4) for name in measures),
        Column("judged@10", "%", digits=1),
    )
    rows = tuple((name, *_measured(each, measures), _percent(each.judged)) for name, each in evaluations.items())
    return Table(title, columns, rows, _notes(evaluations))


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


def _notes(evaluations: Mapping[str, Evaluation]) -> tuple[str, ...]:
    first = next(iter(evaluations.values()))
    notes = [f"means over {first.queries:,} queries with their 95 % bootstrap intervals"]
    left_out = max(each.left_out for each in evaluations.values())
    if left_out:
        notes.append(f"{left_out:,} {_queries(left_out)} without a positive judgement left out")
    notes += [
        f"{name}: {each.without_results:,} {_queries(each.without_results)} without results count as zero"
        for name, each in evaluations.items()
        if each.without_results
    ]
    notes += _missing(first.missing or ())
    own = max(each.own for each in evaluations.values())
    if own:
        what = "was left out" if first.ignored else "counts (--ignore-identical-ids leaves it out, as BEIR does)"
        notes.append(f"{own:,} {_queries(own)} found the document of the same id, which {what}")
    if any(each.judged is not None and each.judged < 1 for each in evaluations.values()):
        notes.append(
            "judged@10: the share of the first ten documents that somebody judged; the others count as not relevant"
        )
    return tuple(notes)


def _missing(missing: tuple[str, ...]) -> list[str]:
    if not missing:
        return []
    examples = ", ".join(missing[:EXAMPLES])
    more = ", …" if len(missing) > EXAMPLES else ""
    is_not = "document is not" if len(missing) == 1 else "documents are not"
    return [f"{len(missing):,} judged {is_not} in the collection and cannot be found: {examples}{more}"]


def _queries(count: int) -> str:
    return "query" if count == 1 else "queries"
