"""Judged queries, asked and measured: `evaluate` asks a searcher, `evaluate_run` takes a run that is there already."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from inspect import signature
from typing import TYPE_CHECKING, Any

from twofold.errors import InputError, MissingExtraError
from twofold.evaluation.intervals import bootstrap_interval
from twofold.evaluation.latency import Latency, search_latency
from twofold.evaluation.measures import DEFAULT_MEASURES, Measure, judged_share, measure_values, parse_measures
from twofold.judgements import Judgements, qrels_of
from twofold.progress import Progress, displayed
from twofold.protocols import Searcher
from twofold.rankings import Qrels, Run, ranked
from twofold.tables import Cell, Column, Estimate, Table

if TYPE_CHECKING:
    import pandas as pd

DEPTH = 1000
"""Documents a query; TREC's own depth."""
EXAMPLES = 5
"""Missing documents that are named."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure over all queries.

    mean: over the counted queries. low, high: its 95 % bootstrap interval. values: query id → value.
    """

    mean: float
    low: float
    high: float
    values: Mapping[str, float] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.mean:.4f} [{self.low:.4f}, {self.high:.4f}]"


@dataclass(frozen=True, slots=True, repr=False)
class Evaluation:
    """The result of evaluating a run.

    measures: by name. queries: how many the means are over. left_out: queries, asked or judged, that no mean counts,
    since they have no positive judgement; unjudged: those of them that have no judgement at all. without_results:
    queries that found nothing and count as zero. judged: of the first ten documents of each query, the share with a
    judgement (an unjudged one counts as not relevant, which may be wrong); None where nothing was found. missing:
    judged documents of the counted queries that the searcher does not have, sorted; they count as not found. None if it
    does not support `in`. own: queries that found the document of their own id; ignored: whether those were taken out.
    run: the rankings that were measured. latency: of single searches, None where none was timed.
    """

    measures: Mapping[str, Measured]
    queries: int
    left_out: int
    without_results: int
    judged: float | None
    run: Run = field(repr=False)
    latency: Latency | None = None
    missing: tuple[str, ...] | None = field(default=None, repr=False)
    own: int = 0
    ignored: bool = False
    unjudged: int = 0

    @property
    def per_query(self) -> dict[str, dict[str, float]]:
        """Each query's value by the measure's name: measure → query id → value, the queries in the order of the qrels.

        Their means are those of `measures`; a query that found nothing has 0.
        """
        return {name: dict(measured.values) for name, measured in self.measures.items()}

    def to_pandas(self) -> pd.DataFrame:
        """`per_query` as a DataFrame: a line a query, its id as the index, a column a measure.

        Raises MissingExtraError without pandas.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("pandas", "tables") from None
        return pd.DataFrame(self.per_query).rename_axis("query")

    def __getitem__(self, name: str) -> Measured:
        """One measure by its name, however it is spelled. Raises InputError where it was not measured."""
        measured = self.measures.get(parse_measures([name])[0].name)
        if measured is None:
            raise InputError(f"{name!r} was not measured; there are {', '.join(self.measures)}")
        return measured

    def __str__(self) -> str:
        return "\n".join(f"{name}: {measured}" for name, measured in self.measures.items())

    def __repr__(self) -> str:
        means = ", ".join(f"{name} {measured.mean:.4f}" for name, measured in self.measures.items())
        return f"<Evaluation of {self.queries:,} {'query' if self.queries == 1 else 'queries'}: {means}>"

    def table(self, title: str = "Evaluation") -> Table:
        """Every measure with its interval, and the latency where it was taken; notes say what was not counted."""
        rows: list[tuple[Cell, ...]] = [
            (name, Estimate(measured.mean, measured.low, measured.high)) for name, measured in self.measures.items()
        ]
        rows.append(("judged@10", self.judged))
        timed = self.latency
        latency = () if timed is None else (f"one query alone: p50 {timed.p50:.1f} ms, p95 {timed.p95:.1f} ms",)
        columns = (Column("measure"), Column("mean", digits=4))
        return Table(title, columns, tuple(rows), (*notes_of({"run": self}), *latency))

    def _repr_html_(self) -> str:
        return self.table().to_html()

    def to_json(self) -> dict[str, Any]:
        """Means, intervals and counts; the run and each query's value stay behind."""
        return {
            "measures": {
                name: {"mean": measured.mean, "low": measured.low, "high": measured.high}
                for name, measured in self.measures.items()
            },
            "queries": self.queries,
            "left_out": self.left_out,
            "unjudged": self.unjudged,
            "without_results": self.without_results,
            "judged@10": self.judged,
            "judged_missing": None if self.missing is None else len(self.missing),
            "judged_missing_examples": list((self.missing or ())[:EXAMPLES]),
            "own_ids_found": self.own,
            "own_ids_ignored": self.ignored,
            "latency_ms": None if self.latency is None else self.latency.to_json(),
        }


def evaluate(
    searcher: Searcher,
    queries: Mapping[str, str],
    qrels: Judgements,
    *,
    measures: Iterable[str] = DEFAULT_MEASURES,
    depth: int = DEPTH,
    all_judged: bool = False,
    timed: int = 0,
    ignore_identical_ids: bool = False,
    progress: Progress | bool = False,
) -> Evaluation:
    """Asks a searcher the judged queries and measures what it finds.

    searcher: a collection, or another object with `run` (protocols.py). queries: id → text. qrels: their judgements:
    {query: {document: relevance}}, {query: [documents]}, pairs or triples, records or a table (docs/evaluation.md).
    measures: as ir_measures names them. depth: documents a query; no measure may read beyond it. all_judged: counts
    every judged query; without it, one without a positive judgement is neither asked nor counted. timed: so many of the
    queries are asked again, one by one, for their latency. ignore_identical_ids: take the document whose id is the
    query's own out of each ranking, as BEIR does where queries are documents themselves (ArguAna, Quora); without it
    they count. progress: True shows it on standard error, a function is called with it, in queries, if the searcher's
    `run` takes `progress`, as a collection's does.

    What is measured is one run, whose queries the searcher may take in batches. Of a searcher that supports
    `id in searcher`, as a collection does, the judged documents that it lacks are counted. Raises InputError for an
    unknown measure, one that reads beyond the depth, a counted query without a text, and when no query is left.
    """
    parsed, qrels = checked_measures(measures, depth), qrels_of(qrels)
    if timed < 0:
        raise InputError(f"timed is a count of queries, 0 for none, not {timed}")
    counted = _counted(qrels, all_judged)
    textless = next((query for query in counted if query not in queries), None)
    if textless is not None:
        raise InputError(f"the query {textless!r} is judged, but has no text among the queries")
    # One document more, so that a ranking without the query's own is still as deep.
    with displayed(progress, "Searching", "queries") as shown:
        told = {"progress": shown} if "progress" in signature(searcher.run).parameters else {}
        run = searcher.run({query: queries[query] for query in counted}, depth=depth + ignore_identical_ids, **told)
    own = _own(run)
    run = without_own(run, depth) if ignore_identical_ids else run
    evaluation = _evaluation(parsed, run, qrels, counted, len(queries.keys() | qrels.keys()) - len(counted))
    unjudged = len(queries.keys() - qrels.keys())
    missing = _missing(searcher, qrels, counted) if isinstance(searcher, Container) else None
    evaluation = replace(evaluation, missing=missing, own=own, ignored=ignore_identical_ids, unjudged=unjudged)
    if not timed:
        return evaluation
    return replace(evaluation, latency=search_latency(searcher, [queries[query] for query in counted[:timed]]))


def _missing(held: Container[object], qrels: Qrels, counted: Iterable[str]) -> tuple[str, ...]:
    judged = {document for query in counted for document in qrels[query]}
    return tuple(sorted(document for document in judged if document not in held))


def without_own(run: Run, depth: int | None = None) -> Run:
    """The run without the document of each query's own id, cut at the depth."""
    kept = {query: [each for each in ranked(found) if each != query][:depth] for query, found in run.items()}
    return {query: {each: run[query][each] for each in documents} for query, documents in kept.items()}


def _own(run: Run) -> int:
    """How many queries found the document of their own id."""
    return sum(query in found for query, found in run.items())


def evaluate_run(
    run: Run,
    qrels: Judgements,
    *,
    measures: Iterable[str] = DEFAULT_MEASURES,
    all_judged: bool = False,
    ignore_identical_ids: bool = False,
) -> Evaluation:
    """Measures a run against judgements; what the run lacks counts as zero (see `evaluate`).

    Raises InputError also for a run of which no query is judged: ids of one kind do not fit those of another.
    """
    parsed, qrels = parse_measures(measures), qrels_of(qrels)
    own = _own(run)
    run = without_own(run) if ignore_identical_ids else run
    counted = _counted(qrels, all_judged)
    unjudged = len(run.keys() - qrels.keys())
    if run and unjudged == len(run):
        raise InputError(
            f"none of the run's queries is judged: its ids are such as {next(iter(run))!r}, and judged are such as "
            f"{next(iter(qrels))!r}"
        )
    evaluation = _evaluation(parsed, run, qrels, counted, len(run.keys() | qrels.keys()) - len(counted))
    return replace(evaluation, own=own, ignored=ignore_identical_ids, unjudged=unjudged)


def checked_measures(measures: Iterable[str], depth: int = DEPTH) -> tuple[Measure, ...]:
    """The measures of these names. Raises InputError for an unknown one, and for one that reads beyond the depth."""
    if depth < 1:
        raise InputError(f"a depth is at least 1, not {depth}")
    parsed = parse_measures(measures)
    for measure in parsed:
        if measure.cutoff is not None and measure.cutoff > depth:
            raise InputError(f"{measure} reads {measure.cutoff} documents a query, but the depth is {depth}")
    return parsed


def _counted(qrels: Qrels, all_judged: bool) -> list[str]:
    counted = [query for query, judged in qrels.items() if all_judged or any(grade > 0 for grade in judged.values())]
    if not counted:
        raise InputError("no query has a positive judgement, so there is nothing to measure")
    return counted


def _evaluation(measures: tuple[Measure, ...], run: Run, qrels: Qrels, counted: list[str], left_out: int) -> Evaluation:
    measured = {}
    for name, values in measure_values(measures, run, qrels, counted).items():
        interval = bootstrap_interval(values)
        by_query = dict(zip(counted, values.tolist(), strict=True))
        measured[name] = Measured(float(values.mean()), interval.low, interval.high, by_query)
    without_results = sum(not run.get(query) for query in counted)
    judged = judged_share(run, qrels, counted)
    return Evaluation(measured, len(counted), left_out, without_results, judged, run)


def notes_of(evaluations: Mapping[str, Evaluation]) -> tuple[str, ...]:
    """What tables of these evaluations say below their figures: what was not counted, and what counts as what."""
    first = next(iter(evaluations.values()))
    notes = [f"means over {first.queries:,} queries with their 95 % bootstrap intervals"]
    left_out = max(each.left_out for each in evaluations.values())
    if left_out:
        unjudged = max(each.unjudged for each in evaluations.values())
        of_these = f", {unjudged:,} of them without any judgement" if unjudged else ""
        notes.append(f"{left_out:,} {_queries(left_out)} without a positive judgement left out{of_these}")
    notes += [
        f"{name}: {each.without_results:,} {_queries(each.without_results)} without results count as zero"
        for name, each in evaluations.items()
        if each.without_results
    ]
    notes += _not_found(first.missing or ())
    own = max(each.own for each in evaluations.values())
    if own:
        what = "was left out" if first.ignored else "counts (--ignore-identical-ids leaves it out, as BEIR does)"
        notes.append(f"{own:,} {_queries(own)} found the document of the same id, which {what}")
    if any(each.judged is not None and each.judged < 1 for each in evaluations.values()):
        notes.append(
            "judged@10: the share of the first ten documents that somebody judged; the others count as not relevant"
        )
    return tuple(notes)


def _not_found(missing: tuple[str, ...]) -> list[str]:
    if not missing:
        return []
    examples = ", ".join(missing[:EXAMPLES])
    more = ", …" if len(missing) > EXAMPLES else ""
    is_not = "document is not" if len(missing) == 1 else "documents are not"
    return [f"{len(missing):,} judged {is_not} in the collection and cannot be found: {examples}{more}"]


def _queries(count: int) -> str:
    return "query" if count == 1 else "queries"
