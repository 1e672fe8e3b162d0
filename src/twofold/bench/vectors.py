"""The size proof: many vectors of the user's own, opened in a new process and searched exactly."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from twofold.bench.search import exact_reference
from twofold.bench.surroundings import header
from twofold.bench.timing import MILLISECONDS, Workload, latencies, percentiles
from twofold.collection.opening import create, open_collection
from twofold.documents import Document
from twofold.encoders.given_vectors import GivenVectors
from twofold.files import write_aside
from twofold.progress import Progress, silent
from twofold.scores import Vectors, unit_vectors
from twofold.tables import Cell, Column, Report, Table

BLOCK = 50_000
QUERIES = 20
K = 10
SEED = 0


@dataclass(frozen=True, slots=True)
class _Opened:
    """What a new process measured: seconds, and how many documents it saw."""

    opening: float
    first: float
    search: NDArray[np.float64]
    reference: NDArray[np.float64]
    documents: int
    same_hits: int


def bench_vectors(
    *, count: int = 1_000_000, dimension: int = 384, rounds: int = 3, progress: Progress = silent
) -> Report:
    """Adds `count` random unit vectors with `vectors=`, then opens and searches them in a new process."""
    with tempfile.TemporaryDirectory(prefix="twofold-bench-") as folder:
        given, path = Path(folder) / "vectors.npy", Path(folder) / "vectors.twofold"
        write_random(given, count, dimension)
        start = time.perf_counter()
        with create(path, GivenVectors(dimension)) as collection:
            collection.add(_documents(count), vectors=given, progress=progress)
            stored = sum(collection.info().bytes.values())
        adding = time.perf_counter() - start
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as new_process:
            opened = new_process.submit(measure_opened, path, dimension, rounds).result()
    notes = (
        f"{opened.documents:,} random unit vectors of {dimension} numbers, {stored / count:,.0f} bytes each on disk",
        f"added in {adding:,.1f} s, {count / adding:,.0f} a second",
        f"in a new process, files in the system's cache; {QUERIES} queries, {rounds} rounds; {K} hits each",
        f"{opened.same_hits:,} of {QUERIES * K:,} hits are those of the reference, which holds float32 vectors",
    )
    return Report(header(), [_table(opened, notes)])


def write_random(path: Path, count: int, dimension: int) -> None:
    """A .npy file of random unit vectors, float32 (count, dimension), the same ones every time."""
    generator = np.random.default_rng(SEED)
    with write_aside(path) as file:
        npy.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (count, dimension)})
        for first in range(0, count, BLOCK):
            file.write(random_vectors(generator, min(BLOCK, count - first), dimension).tobytes())


def random_vectors(generator: np.random.Generator, count: int, dimension: int) -> Vectors:
    """Random unit vectors, float32 (count, dimension)."""
    return unit_vectors(generator.standard_normal((count, dimension), dtype=np.float32))


def _documents(count: int) -> Iterator[Document]:
    return (Document(f"{number:07}", f"document {number}") for number in range(count))


def measure_opened(path: Path, dimension: int, rounds: int) -> _Opened:
    """Runs in the new process: opens the collection, asks once, then in turns with FAISS over the same vectors."""
    queries = random_vectors(np.random.default_rng(SEED + 1), QUERIES, dimension)
    start = time.perf_counter()
    collection = open_collection(path)
    opening = time.perf_counter() - start
    with collection:
        start = time.perf_counter()
        collection.search(queries[0], k=K)
        first = time.perf_counter() - start
        with collection.searcher() as searcher:
            flat = exact_reference(searcher.dense)
        asked = list(queries)
        turns: dict[str, Workload] = {
            "ours": (partial(collection.search, k=K), asked),
            "reference": (lambda query: flat(query, K), asked),
        }
        taken = latencies(turns, rounds)
        same = sum(
            len({int(hit.id) for hit in collection.search(query, k=K)} & set(flat(query, K)[1][0].tolist()))
            for query in queries
        )
        return _Opened(opening, first, taken["ours"], taken["reference"], len(collection), same)


def _table(opened: _Opened, notes: tuple[str, ...]) -> Table:
    columns = (Column("what"), *(Column(name, "ms", 1) for name in ("p50", "p95", "p99")))
    rows: tuple[tuple[Cell, ...], ...] = (
        ("open", opened.opening * MILLISECONDS, None, None),
        ("the first exact search", opened.first * MILLISECONDS, None, None),
        ("exact search", *percentiles(opened.search)),
        ("FAISS IndexFlatIP, f32, in memory", *percentiles(opened.reference)),
    )
    return Table("Many vectors, opened and searched", columns, rows, notes)
