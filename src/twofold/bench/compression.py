"""Vector compression: codes of equal size, and the nDCG@10 that they keep on judged collections."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.bench.index import Blocks
from twofold.bench.surroundings import header
from twofold.collection.opening import create
from twofold.encoders.loading import load_encoder
from twofold.errors import InputError
from twofold.evaluation.measures import measure_values, parse_measure
from twofold.indexes.kinds import IndexSettings, build, load
from twofold.progress import Progress, silent
from twofold.protocols import Encoder
from twofold.readers.beir import Beir, read_beir
from twofold.scores import Numbers, Vectors, dense_scores
from twofold.tables import Cell, Column, Report, Table

MEASURE, FETCHED, FIRST = "nDCG@10", 200, 10
"""As many candidates are scored again as a ranking is deep by default."""
CENTROIDS = 256
"""Of each part of a product code; a collection with fewer documents cannot train one and is left out."""
ROTATIONS = 10
"""Rounds in which OPQ learns its rotation; FAISS's 50 take minutes and gain nothing that shows here."""
EFFORT = 400
SCAN, HNSW = "Twofold scan", "Twofold hnsw"

Candidates = Callable[[Vectors], Iterator[Numbers]]
"""float32 (queries, dimension) → for each query its rows, best first by the code alone."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A judged collection as vectors: float16 documents, float32 queries, and judged queries."""

    name: str
    documents: NDArray[np.float16]
    ids: Sequence[str]
    queries: Vectors
    names: Sequence[str]
    qrels: dict[str, dict[str, int]]

    def value(self, rankings: Iterable[Numbers]) -> float:
        """Mean nDCG@10 of rankings of rows, in the order of the queries."""
        run = {
            name: {self.ids[row]: float(-place) for place, row in enumerate(rows[:FIRST].tolist())}
            for name, rows in zip(self.names, rankings, strict=True)
        }
        return float(measure_values([parse_measure(MEASURE)], run, self.qrels, self.names)[MEASURE].mean())

    def exact(self) -> Iterator[Numbers]:
        """The rankings by float32 scores of all documents."""
        vectors = self.documents.astype(np.float32)
        for query in self.queries:
            yield np.argsort(-dense_scores(query, vectors), kind="stable")[:FIRST]

    def rescored(self, candidates: Iterable[Numbers]) -> Iterator[Numbers]:
        """The first candidates by their stored vectors."""
        for query, rows in zip(self.queries, candidates, strict=True):
            ascending = np.sort(rows[:FETCHED])
            vectors = self.documents[ascending].astype(np.float32)
            yield ascending[np.argsort(-dense_scores(query, vectors), kind="stable")]


def codes_of(dimension: int) -> list[tuple[Fraction, str]]:
    """Codes by bytes a dimension, as FAISS's factory names them: scalar, product and RaBitQ codes, less dimensions.

    RaBitQ (Gao & Long 2024, extended 2025), product quantisation (Jégou et al. 2011), OPQ (Ge et al. 2013).
    """
    half, quarter, eighth = (dimension // part for part in (2, 4, 8))
    named = {
        Fraction(2): ["SQfp16"],
        Fraction(1): ["SQ8", "RaBitQ8", f"PQ{dimension}x8"],
        Fraction(1, 2): ["SQ4", "RaBitQ4", f"PQ{half}x8", f"OPQ{half},PQ{half}x8", f"PCA{half},SQ8"],
        Fraction(1, 4): ["RaBitQ2", f"PQ{quarter}x8", f"OPQ{quarter},PQ{quarter}x8", f"PCA{quarter},SQ8"],
        Fraction(1, 8): ["RaBitQ", f"PQ{eighth}x8", f"OPQ{eighth},PQ{eighth}x8", f"PCA{eighth},SQ8"],
    }
    return [(size, name) for size, names in named.items() for name in names]


def bench_compression(
    data: Path, *, only: Iterable[str] = (), encoder: Encoder | None = None, progress: Progress = silent
) -> Report:
    """nDCG@10 by codes alone, and with the first 200 scored again, of the judged collections in a folder.

    data: a folder of BEIR folders. only: some of them, by name. One vector a document. Raises InputError where none
    has judgements and documents enough.
    """
    folders = sorted(path for path in data.iterdir() if (path / "qrels").is_dir())
    chosen = [path for path in folders if path.name in set(only)] if only else folders
    encoder = encoder or load_encoder()
    if encoder.contract.dimension % 8:
        raise InputError(f"codes are compared at equal bytes, so {encoder.contract.dimension} must be a multiple of 8")
    kept: dict[str, dict[str, tuple[float, float]]] = {}
    exact: dict[str, float] = {}
    for done, path in enumerate(chosen):
        progress(done, len(chosen))
        judged = _judged(read_beir(path, "test"), encoder)
        if len(judged.documents) <= CENTROIDS:
            continue
        exact[judged.name] = judged.value(judged.exact())
        for name, candidates in _all_candidates(judged):
            rows = list(candidates(judged.queries))
            both = judged.value(rows), judged.value(judged.rescored(rows))
            kept.setdefault(name, {})[judged.name] = both[0] / exact[judged.name], both[1] / exact[judged.name]
    if not exact:
        raise InputError(f"no judged collection with more than {CENTROIDS} documents", path=data)
    sizes = {name: size for size, name in codes_of(encoder.contract.dimension)}
    return Report(header(), [_means(kept, sizes), *_by_collection(kept, exact), _claims(kept)])


def _judged(beir: Beir, encoder: Encoder) -> Judged:
    with create(None, encoder, passages="none") as collection:
        collection.add(beir.documents())
        with collection.searcher() as searcher:
            snapshot = searcher.snapshot
            documents = np.concatenate([vectors for _, vectors in searcher.dense.stored()])
            ids = snapshot.ids((numbers := snapshot.select())[snapshot.passages(numbers).owners])
    judged = {name: grades for name, grades in beir.qrels.items() if any(grade > 0 for grade in grades.values())}
    queries = encoder.encode_queries([beir.queries[name] for name in judged])
    return Judged(beir.name, documents, ids, queries, list(judged), judged)


def _all_candidates(judged: Judged) -> Iterator[tuple[str, Candidates]]:
    for _, name in codes_of(judged.queries.shape[1]):
        yield name, _by_code(name, judged.documents.astype(np.float32))
    for name, settings in ((SCAN, IndexSettings(kind="scan")), (HNSW, IndexSettings(kind="hnsw", effort=EFFORT))):
        with tempfile.TemporaryDirectory(prefix="twofold-bench-") as temporary:
            build(settings, Blocks(judged.documents), Path(temporary), threads=os.cpu_count() or 1)
            yield name, _by_index(load(settings, Path(temporary)), len(judged.documents))


def _by_code(name: str, vectors: Vectors) -> Candidates:
    import faiss

    # Squared distances of unit vectors order as their products do, and stay right where a code shifts by a mean.
    index = faiss.index_factory(vectors.shape[1], name, faiss.METRIC_L2)
    for part in _parts(index):
        if isinstance(part, faiss.OPQMatrix):
            part.niter = ROTATIONS
            part.pq = quantiser = faiss.ProductQuantizer(part.d_out, part.M, 8)  # which only borrows it
            quantiser.cp.min_points_per_centroid = 1
        if isinstance(part, faiss.IndexPQ):
            part.pq.cp.min_points_per_centroid = 1
            part.do_polysemous_training = False  # minutes of annealing for a kind of search that is not asked here
    index.train(vectors)
    index.add(vectors)

    def candidates(queries: Vectors) -> Iterator[Numbers]:
        yield from (rows[rows >= 0] for rows in index.search(queries, min(FETCHED, len(vectors)))[1])

    return candidates


def _parts(index: Any) -> Iterator[Any]:
    import faiss

    if isinstance(index, faiss.IndexPreTransform):
        yield from (faiss.downcast_VectorTransform(index.chain.at(place)) for place in range(index.chain.size()))
        index = faiss.downcast_index(index.index)
    yield index


def _by_index(index: Any, count: int) -> Candidates:
    everything = np.ones(count, np.bool_)

    def candidates(queries: Vectors) -> Iterator[Numbers]:
        yield from (index.candidates(query, FETCHED, everything)[0] for query in queries)

    return candidates


def _means(kept: dict[str, dict[str, tuple[float, float]]], sizes: dict[str, Fraction]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, by_data in kept.items():
        shares = np.array(list(by_data.values()))
        rows.append((name, str(sizes.get(name, "")), *_mean_and_worst(shares[:, 0]), *_mean_and_worst(shares[:, 1])))
    columns = (
        Column("code"),
        Column("bytes a number"),
        Column("alone, mean", "%", 2),
        Column("worst", "%", 2),
        Column("rescored, mean", "%", 2),
        Column("worst", "%", 2),
    )
    notes = (
        f"{MEASURE} in per cent of what float32 queries find over float16 vectors, on the collections below",
        f"rescored: the first {FETCHED} by the code are scored again by the float16 vectors",
        f"Twofold's own indexes are always rescored; hnsw searches with effort {EFFORT}",
    )
    return Table("Codes at equal bytes", columns, tuple(rows), notes)


def _mean_and_worst(shares: NDArray[np.float64]) -> tuple[float, float]:
    return float(shares.mean()) * 100, float(shares.min()) * 100


def _by_collection(kept: dict[str, dict[str, tuple[float, float]]], exact: dict[str, float]) -> list[Table]:
    tables = []
    for place, said in enumerate(("by the code alone", "rescored")):
        columns = (Column("code"), *(Column(data, "%", 1) for data in exact))
        rows: list[tuple[Cell, ...]] = [
            (name, *(by_data[data][place] * 100 for data in exact)) for name, by_data in kept.items()
        ]
        notes = ("of 100 %: " + ", ".join(f"{data} {value:.4f}" for data, value in exact.items()),)
        tables.append(Table(f"{MEASURE} kept, {said}", columns, tuple(rows), notes))
    return tables


def _claims(kept: dict[str, dict[str, tuple[float, float]]]) -> Table:
    """Statements about compression, and the number of collections for which they hold."""
    rows: list[tuple[Cell, ...]] = []
    for said, name, place, share in (
        ("4 bits alone keep 99 %", "RaBitQ4", 0, 0.99),
        ("1 bit rescored keeps 99.5 %", "RaBitQ", 1, 0.995),
        ("the scan keeps 99.5 %", SCAN, 1, 0.995),
        ("hnsw keeps 99.5 %", HNSW, 1, 0.995),
    ):
        values = [both[place] for both in kept[name].values()]
        rows.append((said, name, sum(value >= share for value in values), len(values), min(values) * 100))
    columns = (
        Column("claim"),
        Column("code"),
        Column("holds on"),
        Column("of"),
        Column("worst", "%", 2),
    )
    return Table("What that makes of claims", columns, tuple(rows))
