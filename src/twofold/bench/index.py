"""The frontier of indexes: recall, latency, bytes and building time of Twofold and other libraries, on one set of
vectors.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twofold.bench.index_peers import PEERS, Contender, PeerMissingError, Search
from twofold.bench.surroundings import header
from twofold.bench.texts import query_vectors
from twofold.bench.timing import MILLISECONDS
from twofold.collection.opening import open_collection
from twofold.errors import InputError
from twofold.evaluation.intervals import bootstrap_interval
from twofold.indexes.kinds import KINDS, IndexSettings, build, load
from twofold.plots.canvas import check_picture
from twofold.progress import Progress, silent
from twofold.readers.vectors import mapped_vectors
from twofold.scores import Vectors, checked_vectors, dense_scores, unit_vectors
from twofold.tables import Cell, Column, Estimate, Report, Table

K, COUNT, QUERIES = 10, 200, 500
"""The first ten count; as many rows are fetched and scored again as a ranking is deep."""
EFFORTS = {"scan": (0,), "ivf": (128, 512), "hnsw": (100, 300)}
EXACT = "FAISS flat, float32"


@dataclass(frozen=True, slots=True)
class Found:
    """One way of searching, measured. building: seconds; bytes a vector; recall in its interval; p50, p99 in ms."""

    name: str
    effort: str
    building: float
    bytes_a_vector: float
    recall: Estimate
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Blocks:
    """Vectors in memory, as an index asks for them."""

    vectors: NDArray[np.float16]

    def blocks(self) -> Sequence[tuple[int, NDArray[np.float16]]]:
        """All of them in one stretch."""
        return [(0, self.vectors)]

    @property
    def longest(self) -> float:
        """Vectors here have length 1."""
        return 1.0


def bench_index(
    data: Path,
    *,
    queries: Path | None = None,
    limit: int | None = None,
    plot: Path | None = None,
    progress: Progress = silent,
) -> Report:
    """Builds every index on the same vectors, two at once by their own means, and asks each on one thread.

    data: a collection, or a .npy file of vectors (n, dimension). queries: a .npy file; without one, points between two
    vectors. limit: only the first vectors. plot: a picture of recall against latency, by its suffix.
    """
    if plot is not None:
        check_picture(plot)
    halves = _vectors(data, limit)
    if len(halves) <= COUNT:
        raise InputError(f"{len(halves)} vectors are too few to be compared on; give more than {COUNT}", path=data)
    vectors = halves.astype(np.float32)
    asked, said = _queries(queries, vectors)
    questions = _Questions(vectors, asked, _truth(vectors, asked))
    contenders: Mapping[str, Callable[[], Iterator[tuple[Contender, float]]]] = {
        **{f"Twofold {kind}": partial(_ours, kind, halves) for kind in KINDS},
        **{name: partial(_peer, name, vectors) for name in (EXACT, *PEERS)},
    }
    found, missing = [], []
    for done, (name, make) in enumerate(contenders.items()):
        progress(done, len(contenders))
        try:
            for contender, building in make():
                found += [questions.measured(name, effort, contender, building) for effort in contender.searches]
        except PeerMissingError as error:
            missing.append(f"{error} is not installed, and left out")
    progress(len(contenders), len(contenders))
    if plot is not None:
        _draw(found, plot, f"{len(vectors):,} vectors of {vectors.shape[1]} numbers")
    said = f"{len(vectors):,} vectors of {vectors.shape[1]} numbers, {len(asked):,} {said}"
    notes = (
        said,
        f"{COUNT} rows fetched and scored again by the stored vectors (ScaNN reorders by its own); one thread a query",
        *missing,
    )
    return Report(header(), [_table(found, notes)])


def _vectors(data: Path, limit: int | None) -> NDArray[np.float16]:
    if data.suffix == ".npy" or data.is_file():
        lines = mapped_vectors(data)
        vectors = checked_vectors(lines[:limit], lines.shape[1], what=str(data))
        return unit_vectors(vectors, what=str(data)).astype(np.float16)
    with open_collection(data) as collection, collection.searcher() as searcher:
        return np.concatenate([vectors for _, vectors in searcher.dense.stored()])[:limit]


def _queries(path: Path | None, vectors: Vectors) -> tuple[Vectors, str]:
    if path is not None:
        return unit_vectors(query_vectors(path, vectors.shape[1], QUERIES), what=str(path)), "queries given"
    pairs = np.random.default_rng(0).choice(len(vectors), (QUERIES, 2))
    return unit_vectors(vectors[pairs[:, 0]] + np.float32(0.8) * vectors[pairs[:, 1]]), "points between two vectors"


def _truth(vectors: Vectors, asked: Vectors) -> list[set[int]]:
    return [set(np.argsort(-dense_scores(query, vectors), kind="stable")[:K].tolist()) for query in asked]


def _ours(kind: str, halves: NDArray[np.float16]) -> Iterator[tuple[Contender, float]]:
    with tempfile.TemporaryDirectory(prefix="twofold-bench-") as temporary:
        folder, everything = Path(temporary), np.ones(len(halves), np.bool_)
        start = time.perf_counter()
        build(IndexSettings(kind=kind), Blocks(halves), folder, threads=os.cpu_count() or 1)
        building = time.perf_counter() - start
        size = sum(file.stat().st_size for file in folder.iterdir()) / len(halves)

        def at(effort: int) -> Search:
            index = load(IndexSettings(kind=kind, effort=effort), folder)
            return lambda query, count: index.candidates(query, count, everything)[0]

        for effort in EFFORTS[kind]:
            yield Contender({f"effort {effort}" if effort else "": at(effort)}, size), building


def _peer(name: str, vectors: Vectors) -> Iterator[tuple[Contender, float]]:
    make = _flat if name == EXACT else PEERS[name]
    start = time.perf_counter()
    contender = make(vectors, os.cpu_count() or 1)
    yield contender, time.perf_counter() - start


def _flat(vectors: Vectors, threads: int) -> Contender:  # noqa: ARG001 - every contender is made alike
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return Contender({"": lambda query, count: index.search(query[None], count)[1][0]}, 4.0 * vectors.shape[1])


@contextmanager
def _one_thread() -> Iterator[None]:
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    yield
    faiss.omp_set_num_threads(before)


@dataclass(frozen=True, slots=True)
class _Questions:
    """The queries for every contender, and their exact answers."""

    vectors: Vectors
    asked: Vectors
    truth: list[set[int]]

    def measured(self, name: str, effort: str, contender: Contender, building: float) -> Found:
        """One way of searching, asked everything, one question at a time."""
        search = contender.searches[effort]
        seconds, recalls = np.empty(len(self.asked)), np.empty(len(self.asked))
        with _one_thread():
            search(self.asked[0], COUNT)
            for place, query in enumerate(self.asked):
                start = time.perf_counter()
                rows = search(query, COUNT)
                if contender.rescored:
                    rows = rows[np.argsort(-dense_scores(query, self.vectors[rows]), kind="stable")]
                seconds[place] = time.perf_counter() - start
                recalls[place] = len(self.truth[place] & set(rows[:K].tolist())) / K
        interval = bootstrap_interval(recalls)
        p50, p99 = np.percentile(seconds * MILLISECONDS, [50, 99]).tolist()
        recall = Estimate(float(recalls.mean()), interval.low, interval.high)
        return Found(name, effort, building, contender.bytes_a_vector, recall, p50, p99)


def _table(found: Sequence[Found], notes: tuple[str, ...]) -> Table:
    columns = (
        Column("index"),
        Column("effort"),
        Column("recall@10", digits=3),
        Column("p50", "ms", 3),
        Column("p99", "ms", 3),
        Column("of exact", digits=1),
        Column("build", "s", 1),
        Column("bytes a vector", digits=0),
    )
    exact = next(each.p50 for each in found if each.name == EXACT)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            each.name,
            each.effort,
            each.recall,
            each.p50,
            each.p99,
            exact / each.p50,
            each.building,
            each.bytes_a_vector,
        )
        for each in found
    )
    return Table("Indexes side by side", columns, rows, notes)


def _draw(found: Sequence[Found], path: Path, title: str) -> None:
    from twofold.plots.frontier import Point, frontier

    points = [
        Point(each.p50, each.recall.value, each.name, each.effort, each.recall.low, each.recall.high) for each in found
    ]
    frontier(points, path, title=title, x="a look-up, p50 in ms", y="recall@10")
