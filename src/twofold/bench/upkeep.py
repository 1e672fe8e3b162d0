"""What a collection costs while it grows: added, indexed, opened, searched, and searched beside additions."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from twofold.bench import upkeep_beside as beside
from twofold.bench.lookups import filtered_look_ups, whole_recall
from twofold.bench.surroundings import header
from twofold.bench.timing import MILLISECONDS, seconds
from twofold.bench.upkeep_beside import Grown, Question, Searching, Singles
from twofold.bench.upkeep_opening import in_new_process, opened
from twofold.bench.upkeep_supply import FIELD, SINGLES, Supply, encoder_for, given_supply, made_supply, questions
from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.errors import InputError
from twofold.index_report import FLAT
from twofold.progress import Progress, silent
from twofold.protocols import Encoder
from twofold.reports import AddReport
from twofold.scores import Vectors, scaled
from twofold.searching.hybrid import SEARCH_MODES, SearchMode
from twofold.tables import Cell, Column, Report, Table

K, DEPTH = 10, 200
MANY, FILTERED, ANSWERED = 1_000, 100, 20
"""Queries of one `search_many`; those that are asked behind each filter; those whose answers are compared."""
SEARCHES = 1_000
"""How many are timed before something is added beside them."""
SEARCHING = 8
"""Threads that search while documents are added one at a time."""

Row = tuple[Cell, ...]
"""What was measured, what is asked for, what was seen, its unit."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the user gives, each of which may be missing: documents, their vectors, queries, an encoder, a number."""

    data: Sequence[Path] = ()
    vectors: Sequence[Path] = ()
    queries: Path | None = None
    rows: int | None = None
    encoder: Encoder | None = None


@dataclass(frozen=True, slots=True)
class _Measured:
    """The collection, what is added to it and what it is asked."""

    collection: Collection
    supply: Supply
    texts: list[str]
    vectors: Vectors
    """float32 (n, dimension): of the texts, as they are compared."""

    @property
    def path(self) -> Path:
        """Where other processes open it."""
        return self.collection.path

    def asked(self, count: int) -> list[Question]:
        """Dense questions by vector and hybrid ones by text, in turns."""
        pairs = zip(cycle(self.vectors), cycle(self.texts), strict=False)
        return [each for vector, text in islice(pairs, count) for each in (("dense", vector), ("hybrid", text))]


def bench_upkeep(given: Given, progress: Progress = silent) -> Report:
    """Makes a temporary collection of documents with vectors, and measures what it costs to keep it up.

    Without documents and vectors a small collection is made up. Raises InputError, VectorError, DocumentError.
    """
    if bool(given.data) != bool(given.vectors):
        raise InputError("give documents and --vectors, in one order, or neither")
    with tempfile.TemporaryDirectory(prefix="twofold-bench-") as temporary:
        folder = Path(temporary)
        if given.data:
            supply = given_supply(given.data, given.vectors, given.rows, folder)
        else:
            supply = made_supply(given.rows, folder)
        encoder = encoder_for(supply, given.encoder)
        with create(folder / "bench.twofold", encoder) as collection:
            texts = questions(given.queries, supply)
            vectors = scaled(collection.encoder.encode_queries(texts), collection.contract.similarity, what="queries")
            measured = _Measured(collection, supply, texts, vectors)
            rows: list[Row] = []
            for done, step in enumerate(STEPS):
                progress(done, len(STEPS))
                rows += step(measured)
            progress(len(STEPS), len(STEPS))
        return Report(header(), [_table(rows, measured)])


def _table(rows: Sequence[Row], measured: _Measured) -> Table:
    supply = measured.supply
    columns = (Column("what"), Column("asked for"), Column("seen", digits=3), Column("unit"))
    later = f"{supply.more:,} more twice, {SINGLES} one at a time twice"
    notes = (
        f"{supply.first:,} documents, {later}; {measured.vectors.shape[1]} numbers a vector",
        f"{len(measured.texts):,} queries; p99 beside additions is of one searching thread",
        "what is asked for, is asked for of 1,000,000 documents, on a quiet machine of two cores",
    )
    return Table("A collection that grows", columns, tuple(rows), notes)


def _added(measured: _Measured) -> list[Row]:
    """All documents at once, what is derived included."""
    collection, supply = measured.collection, measured.supply
    reports: list[AddReport] = []

    def add() -> None:
        documents, vectors = supply.documents(0, supply.first), supply.lines(0, supply.first)
        reports.append(collection.add(documents, vectors=vectors))
        with collection.searcher() as searcher:
            known = "hybrid" in searcher.modes
        if not known:  # those whose vectors are of words already are not tuned unasked
            collection.tune()

    taken = seconds(add)
    return [
        (f"{reports[0].added:,} documents added, upkeep included", "", taken, "s"),
        ("the same", "", reports[0].added / taken, "1/s"),
    ]


def _indexed(measured: _Measured) -> list[Row]:
    """The index `hnsw`, its look-ups beside exact ones."""
    collection, vectors = measured.collection, measured.vectors
    taken = seconds(lambda: collection.optimize(index="hnsw"))
    info = collection.info()
    index = info.index
    with collection.searcher() as searcher, collection.searcher(exact=True) as exact:
        recall = whole_recall(searcher, exact, vectors)
        look_up = partial(searcher.dense.nearest, depth=DEPTH, top=K)
        scan = partial(exact.dense.nearest, depth=DEPTH, top=K)
        fast, slow = _each(look_up, vectors), _each(scan, vectors[:FILTERED])
    effort = index.reached.effort if index is not None and index.reached is not None else None
    return [
        ("optimize(index='hnsw')", "", taken, "s"),
        ("effort that it chose", "", effort, ""),
        ("recall@10 of its look-ups", ">= .98", recall, ""),
        ("p50 of a look-up", "<= 2", fast[0], "ms"),
        ("p50 of an exact look-up", "", slow[0], "ms"),
        ("bytes of the index a row", "", None if index is None else index.bytes / max(1, index.rows), "bytes"),
        ("bytes of everything a row", "", sum(info.bytes.values()) / max(1, info.passages), "bytes"),
    ]


def _opened(measured: _Measured) -> list[Row]:
    """In a new process each: by a vector, and by a text."""
    rows: list[Row] = []
    for mode, query in measured.asked(1):
        found = in_new_process(opened, measured.path, mode, query)
        rows += [
            (f"opened and the first {mode} query answered, in a new process", "<= 150", found.milliseconds, "ms"),
            (f"the same, anonymous memory beside the libraries, {mode}", "<= 20", found.megabytes, "MB"),
        ]
    return rows


def _searched(measured: _Measured) -> list[Row]:
    """One query at a time: text in, hits out."""
    collection, texts = measured.collection, measured.texts
    wanted: dict[SearchMode, str] = {"hybrid": "p50 <= 8"}
    rows: list[Row] = []
    for mode in SEARCH_MODES:
        p50, p99 = _each(partial(collection.search, k=K, mode=mode), texts)
        rows += [(f"{mode}, p50", wanted.get(mode, ""), p50, "ms"), (f"{mode}, p99", "", p99, "ms")]
    p50, p99 = _each(lambda text: collection.encoder.encode_queries([text]), texts)
    return [*rows, ("of dense and hybrid: encoding, p50", "", p50, "ms"), ("encoding, p99", "", p99, "ms")]


def _filtered(measured: _Measured) -> list[Row]:
    """Vector in, documents and scores out, each behind a filter that was not asked before."""
    collection = measured.collection
    with collection.searcher() as searcher, collection.searcher(exact=True) as exact:
        found = filtered_look_ups(searcher, exact, measured.vectors[:FILTERED], FIELD)
    rows: list[Row] = []
    for named, recall, p50, _ in found.rows:
        rows += [(f"filter, {named}: recall@10", ">= .98", recall, ""), ("the same, p50", "<= 10", p50, "ms")]
    return rows


def _together(measured: _Measured) -> list[Row]:
    """Many queries with one call beside one call each."""
    texts, rows = list(islice(cycle(measured.texts), MANY)), list[Row]()
    modes: tuple[SearchMode, ...] = ("hybrid", "dense")
    for mode in modes:
        with measured.collection.searcher() as searcher:
            search = partial(searcher.search, k=K, mode=mode)
            search(texts[0])
            alone = MANY / seconds(partial(_one_by_one, search, texts))
            together = MANY / seconds(partial(searcher.search_many, texts, k=K, mode=mode))
        rows += [
            (f"search_many of {MANY:,} {mode} queries", "", together, "1/s"),
            ("the same, one at a time", "", alone, "1/s"),
            ("ratio", ">= 1.5", together / alone, ""),
        ]
    return rows


def _grown(measured: _Measured) -> list[Row]:
    """More documents beside one searching thread: added by another process, then by this one."""
    collection, supply = measured.collection, measured.supply
    second = supply.first + supply.more
    adders: dict[str, Callable[[], Grown]] = {
        "separate processes": lambda: in_new_process(beside.grown_elsewhere, measured.path, supply, supply.first),
        "one process": lambda: beside.grown(collection, supply, second),
    }
    rows: list[Row] = []
    for named, add in adders.items():
        questions = measured.asked(len(measured.texts))
        with Searching(collection, questions, 1) as before:
            before.wait(SEARCHES)
        with Searching(collection, questions, 1) as meanwhile:
            grown = add()
        rows += [
            (f"{supply.more:,} more, {named}: acknowledged, searchable", "", grown.acknowledged - grown.begun, "s"),
            ("the same: upkeep done", "<= 15", grown.done - grown.begun, "s"),
        ]
        for mode in before.taken:
            usual, then = before.p99(mode), meanwhile.p99(mode, grown.begun, grown.done)
            rows += [
                (f"{named}: p99 of {mode} searches before", "", usual, "ms"),
                ("the same meanwhile", "<= 3 times", then, "ms"),
                ("ratio", "<= 3", then / usual if then and usual else None, ""),
            ]
        rows.append((f"{named}: searches that failed", "0", len(before.failed) + len(meanwhile.failed), ""))
    return rows


def _single(measured: _Measured) -> list[Row]:
    """Documents added one at a time and found by dense and by lexical search, beside threads that search."""
    collection, supply, start = measured.collection, measured.supply, measured.supply.singles
    adders: dict[str, Callable[[], Singles]] = {
        "separate processes": lambda: in_new_process(beside.singly_elsewhere, measured.path, supply, start, SINGLES),
        "one process": lambda: beside.singly(collection, supply, start + SINGLES, SINGLES),
    }
    rows: list[Row] = []
    for named, add in adders.items():
        with Searching(collection, measured.asked(len(measured.texts)), SEARCHING) as searching:
            found = add()
        taken = np.array(found.seconds) * MILLISECONDS
        rows += [
            (
                f"one document added and found, {SEARCHING} threads searching, {named}: median",
                "<= 40",
                float(np.median(taken)) if len(taken) else None,
                "ms",
            ),
            ("the same, worst", "", float(taken.max()) if len(taken) else None, "ms"),
            (f"{named}: additions that failed, documents not found", "0", len(found.failed) + found.missed, ""),
            (f"{named}: searches that failed", "0", len(searching.failed), ""),
        ]
    return rows


def _optimized(measured: _Measured) -> list[Row]:
    """Answers beside `optimize`, which chooses by itself, and beside `tune`."""
    collection = measured.collection
    works: dict[str, Callable[[], object]] = {"optimize()": collection.optimize, "tune()": collection.tune}
    rows: list[Row] = []
    for named, work in works.items():
        asked: list[Question] = [*measured.asked(ANSWERED), *(("lexical", each) for each in measured.texts[:ANSWERED])]
        begun = time.perf_counter()
        given, changed = beside.changed_answers(collection, asked, work)
        taken = time.perf_counter() - begun
        rows += [
            (f"{named} while searches go on, with their answers before and after", "", taken, "s"),
            ("answers meanwhile", "", given, ""),
            ("of them neither those before nor those after", "0", changed, ""),
        ]
    index = collection.info().index
    reached = None if index is None else index.reached
    return [
        *rows,
        ("what optimize() chose: kind", "", FLAT if index is None else index.kind, ""),
        ("its recall@10 on held-out questions", ">= .98", None if reached is None else reached.recall, ""),
        ("its p50 of a look-up", "<= 5", None if reached is None else reached.p50, "ms"),
    ]


STEPS: tuple[Callable[[_Measured], list[Row]], ...] = (
    _added,
    _indexed,
    _opened,
    _searched,
    _filtered,
    _together,
    _grown,
    _single,
    _optimized,
)


def _one_by_one(ask: Callable[..., object], items: Sequence[str]) -> None:
    for item in items:
        ask(item)


def _each(ask: Callable[..., object], items: Sequence[str] | Vectors) -> tuple[float, float]:
    """p50 and p99 of one call after the other, in milliseconds; the first is called once more before."""
    ask(items[0])
    p50, p99 = np.percentile([seconds(partial(ask, item)) * MILLISECONDS for item in items], [50, 99]).tolist()
    return p50, p99
