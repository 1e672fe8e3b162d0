"""Long documents: quality by how deep the evidence lies, and how often the passage that is shown holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np

from twofold.bench.surroundings import header
from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.documents import Document
from twofold.encoders.loading import load_encoder
from twofold.errors import InputError
from twofold.evaluation.evaluating import evaluate_run
from twofold.evaluation.intervals import bootstrap_interval
from twofold.passages.sizes import PassageMode
from twofold.plots.canvas import check_picture
from twofold.plots.depths import Line, depths
from twofold.progress import Progress, silent
from twofold.protocols import Encoder, SpanEncoder, TokenSpans
from twofold.rankings import Hit, Qrels, Run
from twofold.readers.beir import Beir, read_beir
from twofold.readers.opening import either_form, numbered_lines
from twofold.searching.hybrid import SearchMode
from twofold.tables import Cell, Column, Estimate, Report, Table

MEASURE = "nDCG@10"
RANKED = 10
EVIDENCE = "evidence.tsv"
DEPTHS = (512, 2_048, 8_192)
"""Tokens of a document before which the evidence begins."""
NAMES = ("first 512", "to 2,048", "to 8,192", "beyond")
OF_PASSAGES: Literal["BM25 of passages"] = "BM25 of passages"
FIRST = 200
"""Documents, the first by their own BM25, that are ranked by the BM25 of their passages."""
STRUCTURE: PassageMode = {"tokens": 200, "overlap": 32}

Mode = SearchMode | Literal["BM25 of passages"]
Spans = Mapping[str, Mapping[str, list[tuple[int, int]]]]
"""Query id → document id → start and end of each piece of evidence, in characters."""


@dataclass(frozen=True, slots=True)
class Division:
    """One way to divide documents, and the modes in which it is searched."""

    name: str
    passages: PassageMode
    modes: tuple[Mode, ...]
    context: Literal["title", "document"] = "title"


DIVISIONS = (
    Division("truncation", "none", ("dense",)),
    Division("windows", "auto", ("dense", "lexical", OF_PASSAGES, "hybrid")),
    Division("structure", STRUCTURE, ("dense", OF_PASSAGES, "hybrid")),
    Division("late chunking", STRUCTURE, ("dense", "hybrid"), "document"),
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is known of the questions: how deep the evidence of each lies (a position in NAMES), and where it is."""

    judged: Beir
    queries: Mapping[str, str]
    evidence: Spans
    deep: Mapping[str, int] = field(default_factory=dict)


def bench_long(
    folder: Path,
    *,
    split: str = "test",
    queries: int | None = None,
    encoder: Encoder | None = None,
    plot: Path | None = None,
    progress: Progress = silent,
) -> Report:
    """nDCG@10 by the depth of the evidence, for each way to divide long documents and each mode of search.

    folder: a BEIR folder with evidence.tsv (query-id, corpus-id, start, end in characters). queries: every n-th, so
    that about so many are left. encoder: the embedded default where none is given; it has to say how it reads texts as
    tokens. plot: a picture. Raises InputError.
    """
    if plot is not None:
        check_picture(plot)
    encoder = encoder or load_encoder()
    asked = _asked(read_beir(folder, split), queries, encoder)
    ways = [each for each in DIVISIONS if each.context == "title" or isinstance(encoder, SpanEncoder)]
    rows: list[tuple[Cell, ...]] = []
    for done, way in enumerate(ways, start=1):
        with create(None, encoder, passages=way.passages, context=way.context) as collection:
            collection.add(asked.judged.documents())
            if way.modes != ("dense",):
                collection.tune()
            rows += [(way.name, mode, *_measured(collection, asked, mode)) for mode in way.modes]
        progress(done, len(ways))
    if plot is not None:
        lines = [Line(f"{row[0]}, {row[1]}", [each for each in row[3:7] if not isinstance(each, str)]) for row in rows]
        depths(lines, plot, NAMES, title=f"Long documents, {asked.judged.name}", y=MEASURE)
    return Report(header(), [_table(asked, encoder, rows)])


def read_evidence(folder: Path) -> Spans:
    """Where the evidence of each question is. Raises InputError, naming file and line."""
    place = either_form(folder, EVIDENCE)
    if place is None:
        raise InputError(f"there is no {EVIDENCE} (query-id, corpus-id, start, end) in it", path=folder)
    found: dict[str, dict[str, list[tuple[int, int]]]] = {}
    for number, line in islice(numbered_lines(place), 1, None):
        fields = line.decode().rstrip("\r\n").split("\t")
        if len(fields) != 4 or not (fields[2].isdigit() and fields[3].isdigit()):
            raise InputError("a line is query-id, corpus-id, start and end, with tabs", path=place, line=number)
        found.setdefault(fields[0], {}).setdefault(fields[1], []).append((int(fields[2]), int(fields[3])))
    return found


def holds(start: int, end: int, evidence: list[tuple[int, int]]) -> bool:
    """Whether a passage and a piece of the evidence share at least half of the shorter of both."""
    return any(2 * (min(end, last) - max(start, first)) >= min(end - start, last - first) for first, last in evidence)


def _asked(judged: Beir, count: int | None, encoder: Encoder) -> Question:
    if not isinstance(encoder, TokenSpans):
        raise InputError("depth is counted in the encoder's tokens, and this one does not say how it reads a text")
    evidence = read_evidence(judged.folder)
    known = [name for name in judged.queries if name in evidence]
    if not known:
        raise InputError(f"no question of the split {judged.split} has evidence", path=judged.folder)
    chosen = known[:: -(-len(known) // count)] if count else known
    first = {name: next(iter(evidence[name].items())) for name in chosen}
    wanted = {document for document, _ in first.values()}
    starts = {each.id: _starts(each, encoder) for each in judged.documents() if each.id in wanted}
    deep = {
        name: int(np.searchsorted(DEPTHS, np.searchsorted(starts[document], min(spans)[0]), side="right"))
        for name, (document, spans) in first.items()
    }
    return Question(judged, {name: judged.queries[name] for name in chosen}, evidence, deep)


def _starts(document: Document, encoder: TokenSpans) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    starts: np.ndarray[tuple[int], np.dtype[np.int32]] = encoder.spans([document.text])[0][:, 0]
    return starts


def _ranked(collection: Collection, asked: Question, mode: Mode) -> tuple[Run, list[list[Hit]]]:
    """The rankings, and the first hit of each question."""
    texts = list(asked.queries.values())
    if mode != OF_PASSAGES:
        first = collection.search_many(texts, k=1, mode=mode)
        return collection.run(asked.queries, depth=RANKED, mode=mode), [list(hits) for hits in first]
    found = collection.search_many(texts, k=FIRST, mode="lexical", passages=1)
    best = [sorted(hits, key=lambda hit: (-(hit.passage.score or 0), hit.id))[:RANKED] for hits in found]
    ranked = [{hit.id: hit.passage.score or 0.0 for hit in hits} for hits in best]
    return dict(zip(asked.queries, ranked, strict=True)), [hits[:1] for hits in best]


def _measured(collection: Collection, asked: Question, mode: Mode) -> list[Cell]:
    """nDCG@10 of all questions and of those of each depth, and how often the passage shown holds the evidence."""
    qrels: Qrels = {name: asked.judged.qrels[name] for name in asked.queries}
    ranked, shown = _ranked(collection, asked, mode)
    values = evaluate_run(ranked, qrels, measures=[MEASURE]).per_query[MEASURE]
    groups = [[values[name] for name, depth in asked.deep.items() if depth == each] for each in range(len(NAMES))]
    held = [
        100.0 * holds(hit.passage.start, hit.passage.end, asked.evidence[name][hit.id])
        for name, hits in zip(asked.queries, shown, strict=True)
        for hit in hits
        if hit.id in asked.evidence[name]
    ]
    return [_mean(list(values.values())), *map(_mean, groups), _mean(held)]


def _mean(values: list[float]) -> Cell:
    if not values:
        return None
    interval = bootstrap_interval(np.array(values, np.float64))
    mean = float(np.mean(values))
    return Estimate(mean, min(interval.low, mean), max(interval.high, mean))


def _table(asked: Question, encoder: Encoder, rows: list[tuple[Cell, ...]]) -> Table:
    counts = [sum(depth == each for depth in asked.deep.values()) for each in range(len(NAMES))]
    columns = (
        Column("documents"),
        Column("search"),
        Column("all", MEASURE, 3),
        *(Column(name, f"{count:,}", 3) for name, count in zip(NAMES, counts, strict=True)),
        Column("first passage", "%", 1),
    )
    counted = "in brackets the questions whose evidence begins within so many tokens of the document"
    held = "first passage: of the documents with evidence that stand first, those whose passage shares half with it"
    notes = (
        f"{len(asked.queries):,} questions, {counted}; {encoder.precision}; 95 % bootstrap intervals over questions",
        held,
        f"{OF_PASSAGES}: of the first {FIRST} documents by their own BM25, by the highest of their passages",
    )
    return Table(f"Long documents, {asked.judged.name}", columns, tuple(rows), notes)
