"""Look-ups in a large collection: by its index and exactly, whole and filtered, beside FAISS's flat index."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold import filters
from twofold.bench.cold import cold_look_ups
from twofold.bench.search import exact_reference
from twofold.bench.surroundings import header
from twofold.bench.texts import query_vectors
from twofold.bench.timing import MILLISECONDS
from twofold.collection.collection import Collection
from twofold.collection.opening import open_collection
from twofold.engine import EVERYTHING, DenseSnapshot, EngineSnapshot, Selection
from twofold.errors import InputError
from twofold.evaluation.intervals import bootstrap_interval
from twofold.memory import anonymous_bytes
from twofold.progress import Progress, silent
from twofold.scores import Vectors, scaled
from twofold.searching.searcher import SnapshotSearcher
from twofold.tables import Cell, Column, Estimate, Report, Table

K, DEPTHS, QUERIES, FILTERED = 10, (200, 50), 500, 100
SHARES = (0.5, 0.05, 0.001)
MEBIBYTE = 2**20


def bench_lookups(path: Path, queries: Path, *, field: str | None = None, progress: Progress = silent) -> Report:
    """Looks up queries in a collection: float32 vector in, ten documents and their exact scores out, on one thread.

    queries: a .npy file of vectors (n, dimension) that its index was not tuned on. field: numbers in the metadata, by
    which half, a twentieth and a thousandth of the documents match.
    """
    with open_collection(path) as collection:
        contract = collection.contract
    vectors = query_vectors(queries, contract.dimension, QUERIES)
    asked = scaled(vectors, contract.similarity, what=str(queries))
    # Of its own, and first: files that this process has mapped stay in the cache.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as new_process:
        cold = new_process.submit(cold_look_ups, path, asked).result()
    before = anonymous_bytes(os.getpid())
    start = time.perf_counter()
    with open_collection(path) as collection, collection.searcher() as searcher:
        opened = time.perf_counter() - start
        searcher.search(asked[0], k=K)
        first = time.perf_counter() - start - opened
        after = anonymous_bytes(os.getpid())
        with collection.searcher(exact=True) as exact:
            tables = [_whole(collection, searcher, exact, asked, progress)]
            if field is not None:
                tables.append(filtered_look_ups(searcher, exact, asked[:FILTERED], field))
        memory = "unknown" if before is None or after is None else f"{(after - before) / MEBIBYTE:,.1f} MiB"
        opening = f"opened in {opened * MILLISECONDS:,.0f} ms, the first query took {first * MILLISECONDS:,.0f} ms more"
        notes = (f"{opening}; anonymous memory that both added: {memory}",)
    tables[0] = replace(tables[0], notes=(*tables[0].notes, *notes))
    return Report(header(), [*tables, cold])


def _whole(
    collection: Collection, searcher: SnapshotSearcher, exact: SnapshotSearcher, asked: Vectors, progress: Progress
) -> Table:
    truth = [_ids(exact.dense, query, DEPTHS[0]) for query in asked]
    progress(1, 2)
    flat = exact_reference(searcher.dense)
    reference = _seconds(lambda query: flat(query, K), asked[:50])
    index = collection.info().index
    rows: list[tuple[Cell, ...]] = []
    for depth in DEPTHS:
        recall = _recall([_ids(searcher.dense, query, depth) for query in asked], truth)
        seconds = _seconds(partial(_look_up, searcher.dense, depth=depth), asked)
        rows.append((f"{index.kind if index else 'exact'}, depth {depth}", recall, *_times(seconds, reference)))
    rows.append(("FAISS IndexFlatIP, f32, in memory", None, *_times(reference, reference)))
    progress(2, 2)
    columns = (Column("look-up"), Column("recall@10", digits=4), *_columns())
    passages = searcher.snapshot.counts.passages
    note = f"{passages:,} passages, {len(asked):,} queries; recall is of exact search over the stored vectors"
    return Table("Look-ups", columns, tuple(rows), (note,))


def filtered_look_ups(searcher: SnapshotSearcher, exact: SnapshotSearcher, asked: Vectors, field: str) -> Table:
    """Recall and latency behind filters that let a half, a twentieth and a thousandth through, one line each.

    asked: float32 (n, dimension), scaled. field: numbers in the metadata. Raises InputError where it holds too few.
    """
    snapshot = searcher.snapshot
    rows: list[tuple[Cell, ...]] = []
    for share in SHARES:
        bounds = fresh_bounds(snapshot, field, share)
        searcher.dense.nearest(asked[0], depth=1, top=1, selection=_below(field, next(bounds)))
        matching, seconds, found, truth = [], [], [], []
        for query in asked:
            selection = _below(field, next(bounds))
            start = time.perf_counter()
            found.append(_ids(searcher.dense, query, DEPTHS[0], selection))
            seconds.append(time.perf_counter() - start)
            matching.append(snapshot.count(selection.where))
            truth.append(_ids(exact.dense, query, DEPTHS[0], selection))
        times = np.array(seconds)
        named = f"{np.mean(matching) / snapshot.count():.2%} pass"
        rows.append((named, _recall(found, truth), *_times(times, times)[:2]))
    columns = (Column("filter"), Column("recall@10", digits=4), *_columns()[:2])
    notes = (
        f"{len(asked):,} queries a line, each with a bound on {field!r} that was not asked before; filter included",
    )
    return Table("Filtered look-ups", columns, tuple(rows), notes)


def whole_recall(searcher: SnapshotSearcher, exact: SnapshotSearcher, asked: Vectors) -> Estimate:
    """The recall@10 of exact search over the stored vectors. asked: float32 (n, dimension), scaled."""
    found = [_ids(searcher.dense, query, DEPTHS[0]) for query in asked]
    return _recall(found, [_ids(exact.dense, query, DEPTHS[0]) for query in asked])


def fresh_bounds(snapshot: EngineSnapshot, field: str, share: float) -> Iterator[float]:
    """Bounds of a number field, each another, below which lies about this share of the documents.

    Raises InputError where too few documents hold a number in the field.
    """
    low, high = 0.0, 1.0
    for _ in range(40):
        if _share(snapshot, field, high) >= share:
            break
        low, high = high, high * 2
    else:
        raise InputError(f"too few documents hold a number in {field!r} to let {share:.1%} of them through")
    for _ in range(30):
        middle = (low + high) / 2
        if _share(snapshot, field, middle) >= share:
            high = middle
        else:
            low = middle
    return (high + number * 1e-9 for number in count(1))


def _share(snapshot: EngineSnapshot, field: str, bound: float) -> float:
    return snapshot.count(_below(field, bound).where) / max(1, snapshot.count())


def _below(field: str, bound: float) -> Selection:
    return Selection(where=filters.parse({field: {"$lt": bound}}))


def _look_up(search: DenseSnapshot, query: Vectors, *, depth: int) -> object:
    return search.nearest(query, depth=depth, top=K)


def _ids(search: DenseSnapshot, query: Vectors, depth: int, selection: Selection = EVERYTHING) -> set[int]:
    return set(search.nearest(query, depth=depth, top=K, selection=selection).documents.tolist())


def _recall(found: list[set[int]], truth: list[set[int]]) -> Estimate:
    recalls = np.array(
        [len(mine & exact) / max(1, len(exact)) for mine, exact in zip(found, truth, strict=True)], np.float64
    )
    interval = bootstrap_interval(recalls)
    return Estimate(float(recalls.mean()), interval.low, interval.high)


def _seconds(look_up: Callable[[Vectors], object], asked: Vectors) -> NDArray[np.float64]:
    look_up(asked[0])
    seconds = np.empty(len(asked))
    for place, query in enumerate(asked):
        start = time.perf_counter()
        look_up(query)
        seconds[place] = time.perf_counter() - start
    return seconds


def _times(seconds: NDArray[np.float64], reference: NDArray[np.float64]) -> tuple[float, float, float]:
    p50, p99 = np.percentile(seconds * MILLISECONDS, [50, 99]).tolist()
    return p50, p99, float(np.median(reference)) * MILLISECONDS / p50


def _columns() -> tuple[Any, ...]:
    return Column("p50", "ms", 3), Column("p99", "ms", 3), Column("of flat", digits=1)
