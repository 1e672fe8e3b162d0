"""Look-ups with a cold file cache, as after a restart of the machine."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from twofold.bench.timing import MILLISECONDS
from twofold.collection.opening import open_collection
from twofold.scores import Vectors
from twofold.tables import Column, Table

ROUNDS, IN_A_ROW = 15, 100
K, DEPTH = 10, 200
FORGET, FORGOTTEN = getattr(os, "posix_fadvise", None), getattr(os, "POSIX_FADV_DONTNEED", None)
"""Asks the system to drop a file from its cache, where it can be asked."""


def drop_from_cache(folder: Path) -> None:
    """Drops the files of a folder from the system's cache, except those that a process has mapped; nothing where the
    system cannot be asked.
    """
    if FORGET is None:
        return
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                FORGET(descriptor, 0, 0, FORGOTTEN)
            finally:
                os.close(descriptor)


def cold_look_ups(path: Path, queries: Vectors) -> Table:
    """Times the first look-up after opening, each time with nothing in the cache, and a hundred in a row.

    queries: float32 (n, dimension) of length 1. Where the system cannot be asked to forget files, the table says so.
    """
    columns = (Column("nothing in the cache"), Column("p50", "ms", 1), Column("worst", "ms", 1))
    if FORGET is None:
        return Table("Cold look-ups", columns, (), ("this system cannot be asked to forget files",))
    opened, first = [], []
    for number in range(ROUNDS):
        opening, seconds = _after_dropping(path, queries[number % len(queries)][None])
        opened.append(opening)
        first += seconds
    _, row = _after_dropping(path, queries[np.arange(IN_A_ROW) % len(queries)])
    named = {"opening": opened, "the first look-up then": first, f"{IN_A_ROW} look-ups in a row": row}
    rows = tuple(
        (name, float(np.median(taken)) * MILLISECONDS, max(taken) * MILLISECONDS) for name, taken in named.items()
    )
    return Table("Cold look-ups", columns, rows, (f"{ROUNDS} rounds; the disk decides",))


def _after_dropping(path: Path, queries: Vectors) -> tuple[float, list[float]]:
    """Seconds of opening, and of each look-up."""
    drop_from_cache(path)
    start = time.perf_counter()
    with open_collection(path) as collection, collection.searcher(lexical=False) as searcher:
        searcher.snapshot.count()
        opening = time.perf_counter() - start
        seconds = []
        for query in queries:
            start = time.perf_counter()
            searcher.dense.nearest(query, depth=DEPTH, top=K)
            seconds.append(time.perf_counter() - start)
    return opening, seconds
