"""The quality of first and second stages on one judged collection: on all questions, on easy and on hard ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.collection.collection import Collection
from twofold.collection.measuring_pipelines import values_of
from twofold.collection.opening import create
from twofold.documents import titled
from twofold.errors import InputError
from twofold.evaluation.intervals import bootstrap_interval
from twofold.lexical.analysing import Analysis, LexicalSettings
from twofold.progress import Progress, silent
from twofold.protocols import Encoder, Ranker
from twofold.rankings import Qrels, Run
from twofold.readers.beir import Beir, read_beir
from twofold.tables import Cell, Column, Estimate, Table

FIRST, TOP = 100, 10
EVERYTHING = 50_000
"""Pairs of a question and a document that a cross-encoder reads at most, where it reads every document."""
HARD = 3
"""One question in so many is hard."""
SLICE = 25
"""Questions between two reports of progress."""


@dataclass(frozen=True, slots=True)
class Stages:
    """The second stages that are measured."""

    cross_encoders: Sequence[Ranker] = ()
    late_interaction: Sequence[Ranker] = field(default=())


def stage_quality(
    folder: Path, encoder: Encoder, stages: Stages, *, split: str = "test", progress: Progress = silent
) -> Table:
    """nDCG@10 of a bi-encoder, of hybrid search, and of second stages over the first 100 of each.

    Cross-encoders also read every document, where that is no more than 50,000 pairs. Hard questions are the third that
    shares the fewest terms with its relevant documents. Raises InputError.
    """
    judged = read_beir(folder, split)
    qrels = {query: judged.qrels[query] for query in judged.queries if max(judged.qrels[query].values()) > 0}
    queries = {query: judged.queries[query] for query in qrels}
    if len(queries) < HARD:
        raise InputError(f"{HARD} judged questions at least are divided into easy and hard ones", path=folder)
    hard = _hard(judged, queries, qrels)
    rows: list[tuple[Cell, ...]] = []
    with create(None, encoder) as collection:
        collection.add(judged.documents())
        base = None
        for name, options in _ways(collection, stages, len(queries)):
            if isinstance(options, str):
                rows.append((name, options, None, None, None))
                continue
            values = values_of(_run(collection, queries, options, progress), qrels)
            base = values if base is None else base
            rows.append((name, *(_mean(values[some]) for some in (slice(None), ~hard, hard)), _mean(values - base)))
    columns = (
        Column("way"),
        *(Column(name, digits=4) for name in ("all questions", "easy", "hard", "gain over the bi-encoder")),
    )
    notes = (
        f"nDCG@10 of {len(queries):,} questions, with 95 % bootstrap intervals",
        f"hard: the third ({int(hard.sum()):,}) that shares the fewest terms with relevant documents; easy: the rest",
    )
    return Table(f"Quality on {judged.name}, {judged.split}", columns, tuple(rows), notes)


def _ways(collection: Collection, stages: Stages, questions: int) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """Each way with the options of its search, or why it is not measured; the bi-encoder first."""
    yield "bi-encoder", {"mode": "dense", "ranker": False}
    hybrid = collection.info().lexical is not None
    if hybrid:
        yield "hybrid", {"mode": "hybrid", "ranker": False}
    if not stages.cross_encoders:
        yield "a cross-encoder", "not measured: name one with --cross-encoder"
    for ranker in [*stages.cross_encoders, *stages.late_interaction]:
        over: dict[str, Any] = {"ranker": ranker, "rerank_depth": FIRST}
        yield f"bi-encoder's first {FIRST} by {ranker.name}", {"mode": "dense", **over}
        if hybrid:
            yield f"hybrid's first {FIRST} by {ranker.name}", {"mode": "hybrid", **over}
    for ranker in stages.cross_encoders:
        pairs = questions * len(collection)
        fits = {"mode": "dense", "ranker": ranker, "rerank_depth": len(collection), "depth": len(collection)}
        yield (
            f"everything by {ranker.name}",
            fits if pairs <= EVERYTHING else f"not measured: {pairs:,} pairs, more than {EVERYTHING:,}",
        )


def _run(collection: Collection, queries: Mapping[str, str], options: Mapping[str, Any], progress: Progress) -> Run:
    found: Run = {}
    asked = list(queries.items())
    for start in range(0, len(asked), SLICE):
        found |= collection.run(dict(asked[start : start + SLICE]), **{"depth": FIRST, **options})
        progress(len(found), len(asked))
    return found


def _hard(judged: Beir, queries: Mapping[str, str], qrels: Qrels) -> NDArray[np.bool_]:
    """bool (questions,): those with the smallest share of their terms in their relevant documents."""
    analysis = Analysis(LexicalSettings())
    wanted = {document for grades in qrels.values() for document, grade in grades.items() if grade > 0}
    terms = {
        document.id: frozenset(analysis.terms(titled(document.title, document.text)))
        for document in judged.documents()
        if document.id in wanted
    }
    shared = []
    for query, text in queries.items():
        asked = set(analysis.terms(text))
        relevant = [terms[document] for document, grade in qrels[query].items() if grade > 0 and document in terms]
        shared.append(max((len(asked & each) / max(len(asked), 1) for each in relevant), default=0.0))
    hard = np.zeros(len(shared), np.bool_)
    hard[np.argsort(shared, kind="stable")[: len(shared) // HARD]] = True
    return hard


def _mean(values: NDArray[np.float64]) -> Estimate:
    mean, interval = float(values.mean()), bootstrap_interval(values)
    return Estimate(mean, min(interval.low, mean), max(interval.high, mean))
