"""Searches by text, one at a time, in every mode: text in, hits out, whole and filtered."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np

from twofold.bench.lookups import SHARES, fresh_bounds
from twofold.bench.surroundings import header
from twofold.bench.timing import MILLISECONDS
from twofold.collection.opening import open_collection
from twofold.errors import InputError
from twofold.progress import Progress, silent
from twofold.readers.queries import read_queries
from twofold.searching.hybrid import SEARCH_MODES, SearchMode
from twofold.searching.searcher import SnapshotSearcher
from twofold.tables import Cell, Column, Report, Table

QUERIES, FILTERED = 500, 100
Where = Mapping[str, Any] | None


def bench_hybrid(path: Path, queries: Path, *, field: str | None = None, progress: Progress = silent) -> Report:
    """Searches a collection that has a lexical index: a text in, ten documents with text and score out.

    queries: a file of questions. field: numbers in the metadata, by which half, a twentieth and a thousandth of the
    documents match, each question with another bound. Raises InputError for a collection that has no lexical index.
    """
    texts = list(islice(read_queries(queries).values(), QUERIES))
    with open_collection(path) as collection, collection.searcher() as searcher:
        if "hybrid" not in searcher.modes:
            raise InputError("the collection cannot be searched hybrid: run `twofold tune` first", path=path)
        rows = [_row(searcher, mode, "none", texts, lambda: None) for mode in SEARCH_MODES]
        progress(1, 2)
        if field is not None:
            for share in SHARES:
                rows.extend(_filtered(searcher, field, share, texts[:FILTERED]))
        progress(2, 2)
        passages = searcher.snapshot.counts.passages
    columns = (
        Column("mode"),
        Column("filter"),
        *(Column(name, "ms", 1) for name in ("p50", "p95", "p99")),
        Column("hits", digits=1),
    )
    note = f"{passages:,} passages, {len(texts):,} questions, {FILTERED} where they are filtered; filter included"
    return Report(header(), [Table("Text in, hits out", columns, tuple(rows), (note,))])


def _filtered(searcher: SnapshotSearcher, field: str, share: float, texts: list[str]) -> list[tuple[Cell, ...]]:
    bounds = fresh_bounds(searcher.snapshot, field, share)
    return [
        _row(searcher, mode, f"{share:.1%} pass", texts, lambda: {field: {"$lt": next(bounds)}})
        for mode in SEARCH_MODES
    ]


def _row(
    searcher: SnapshotSearcher, mode: SearchMode, named: str, texts: list[str], where: Callable[[], Where]
) -> tuple[Cell, ...]:
    seconds, hits = [], []
    for text in islice(cycle(texts), 3):  # the first of a kind also makes what later ones find made
        searcher.search(text, mode=mode, where=where())
    for text in texts:
        condition = where()
        start = time.perf_counter()
        found = searcher.search(text, mode=mode, where=condition)
        seconds.append(time.perf_counter() - start)
        hits.append(len(found))
    p50, p95, p99 = np.percentile(np.array(seconds) * MILLISECONDS, [50, 95, 99]).tolist()
    return mode, named, p50, p95, p99, float(np.mean(hits))
