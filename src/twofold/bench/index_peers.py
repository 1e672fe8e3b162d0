"""Other libraries of approximate search, each with sensible settings.

A contender is built once and has one search function for each effort, which takes a vector and returns row numbers,
best first, by the library's own scores.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from twofold.scores import Numbers, Vectors

Search = Callable[[Vectors, int], Numbers]
"""A query, float32 (dimension,), and a count → int64 (count,)."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One index that was built: ways of searching by the name of their effort, and the bytes it keeps a vector.

    rescored: whether its rows are scored again by the stored vectors, as ours are.
    """

    searches: Mapping[str, Search]
    bytes_a_vector: float
    rescored: bool = True


class PeerMissingError(Exception):
    """The library is not installed."""


def faiss_hnsw(vectors: Vectors, threads: int) -> Contender:
    """FAISS's HNSW of degree 32 over eight-bit codes, efConstruction 100."""
    import faiss

    index = faiss.index_factory(vectors.shape[1], "HNSW32,SQ8", faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 100
    return _faiss(index, vectors, threads, {f"ef {ef}": faiss.SearchParametersHNSW(efSearch=ef) for ef in (200, 400)})


def faiss_ivf_pq(vectors: Vectors, threads: int) -> Contender:
    """FAISS's inverted lists over product codes of a quarter byte a dimension, about 4 √n lists."""
    import faiss

    lists = max(1, int(4 * len(vectors) ** 0.5))
    index = faiss.index_factory(vectors.shape[1], f"IVF{lists},PQ{vectors.shape[1] // 4}x8", faiss.METRIC_INNER_PRODUCT)
    return _faiss(
        index, vectors, threads, {f"{probes} probes": faiss.SearchParametersIVF(nprobe=probes) for probes in (32, 128)}
    )


def faiss_ivf_rabitq(vectors: Vectors, threads: int) -> Contender:
    """FAISS's inverted lists over RaBitQ codes of one bit, about 4 √n lists.

    Under squared distances, which order unit vectors as products do: under products its codes find less.
    """
    import faiss

    lists = max(1, int(4 * len(vectors) ** 0.5))
    index = faiss.index_factory(vectors.shape[1], f"IVF{lists},RaBitQfs", faiss.METRIC_L2)
    return _faiss(
        index, vectors, threads, {f"{probes} probes": faiss.SearchParametersIVF(nprobe=probes) for probes in (128, 512)}
    )


def hnswlib_hnsw(vectors: Vectors, threads: int) -> Contender:
    """hnswlib in float32, M 16, efConstruction 100. Raises PeerMissingError."""
    try:
        import hnswlib
    except ImportError as error:
        raise PeerMissingError("hnswlib") from error
    index = hnswlib.Index("ip", vectors.shape[1])
    index.init_index(len(vectors), M=16, ef_construction=100)
    index.add_items(vectors, num_threads=threads)
    index.set_num_threads(1)

    def at(ef: int) -> Search:
        def search(query: Vectors, count: int) -> Numbers:
            index.set_ef(ef)
            rows: Numbers = index.knn_query(query[None], count)[0][0].astype("int64")
            return rows

        return search

    return Contender({f"ef {ef}": at(ef) for ef in (200, 400)}, index.index_file_size() / len(vectors))


def usearch_i8(vectors: Vectors, threads: int) -> Contender:
    """usearch over eight-bit vectors, its usual connectivity. Raises PeerMissingError."""
    try:
        from usearch.index import Index
    except ImportError as error:
        raise PeerMissingError("usearch") from error
    import numpy as np

    index = Index(ndim=vectors.shape[1], metric="ip", dtype="i8")
    index.add(np.arange(len(vectors)), vectors, threads=threads)

    def at(ef: int) -> Search:
        def search(query: Vectors, count: int) -> Numbers:
            index.expansion_search = ef
            rows: Numbers = np.asarray(index.search(query, count, threads=1).keys, np.int64)
            return rows

        return search

    return Contender({f"ef {ef}": at(ef) for ef in (200, 400)}, index.memory_usage / len(vectors))


def scann_tree(vectors: Vectors, threads: int) -> Contender:
    """ScaNN: a tree over anisotropic codes, 200 reordered by itself. Raises PeerMissingError."""
    try:
        import scann
    except ImportError as error:
        raise PeerMissingError("ScaNN") from error
    leaves = max(1, int(2 * len(vectors) ** 0.5))
    index = (
        scann.scann_ops_pybind.builder(vectors, 10, "dot_product")
        .tree(num_leaves=leaves, num_leaves_to_search=100, training_sample_size=min(len(vectors), 250_000))
        .score_ah(2, anisotropic_quantization_threshold=0.2)
        .reorder(200)
        .set_n_training_threads(threads)
        .build()
    )

    def at(searched: int) -> Search:
        def search(query: Vectors, count: int) -> Numbers:
            rows: Numbers = index.search(query, final_num_neighbors=count, leaves_to_search=searched)[0].astype("int64")
            return rows

        return search

    size = vectors.shape[1] / 4 + 4 * vectors.shape[1]  # four bits for two dimensions, and float32 to reorder with
    return Contender({f"{searched} leaves": at(searched) for searched in (100, 300)}, size, rescored=False)


def rabitqlib_hnsw(vectors: Vectors, threads: int) -> Contender:
    """rabitqlib's HNSW over RaBitQ codes of four bits, M 16, efConstruction 200. Raises PeerMissingError."""
    try:
        import rabitqlib
    except ImportError as error:
        raise PeerMissingError("rabitqlib") from error

    means = rabitqlib.RaBitQKMeans(vectors.shape[1], 16)
    means.train(vectors[:: max(1, len(vectors) // 50_000)])
    nearest = (vectors @ means.centroids.T).argmax(axis=1).astype("uint32")
    index = rabitqlib.HnswIndex(vectors.shape[1], len(vectors), 16, 200, 4, "l2")
    index.build(vectors, means.centroids, nearest, threads)

    def at(ef: int) -> Search:
        def search(query: Vectors, count: int) -> Numbers:
            rows: Numbers = index.search(query[None], count, max(ef, count))[0][0].astype("int64")
            return rows

        return search

    with tempfile.TemporaryDirectory(prefix="twofold-bench-") as temporary:
        index.save(f"{temporary}/index")
        size = os.path.getsize(f"{temporary}/index")
    return Contender({f"ef {ef}": at(ef) for ef in (200, 400)}, size / len(vectors))


def vsag_hgraph(vectors: Vectors, threads: int) -> Contender:
    """VSAG's HGraph of degree 32 over RaBitQ codes, reordered by itself in float32. Raises PeerMissingError."""
    try:
        import pyvsag
    except ImportError as error:
        raise PeerMissingError("VSAG") from error
    import numpy as np

    built = {"base_quantization_type": "rabitq", "use_reorder": True, "precise_quantization_type": "fp32"}
    built |= {"max_degree": 32, "ef_construction": 200, "build_thread_count": threads}
    about = {"dtype": "float32", "metric_type": "ip", "dim": vectors.shape[1], "index_param": built}
    index = pyvsag.Index("hgraph", json.dumps(about))
    index.build(vectors.reshape(-1), np.arange(len(vectors)), len(vectors), vectors.shape[1])

    def at(ef: int) -> Search:
        parameters = json.dumps({"hgraph": {"ef_search": ef}})

        def search(query: Vectors, count: int) -> Numbers:
            rows: Numbers = np.asarray(index.knn_search(query, count, parameters)[0], np.int64)
            return rows

        return search

    with tempfile.TemporaryDirectory(prefix="twofold-bench-") as temporary:
        index.save(f"{temporary}/index")
        size = os.path.getsize(f"{temporary}/index")
    return Contender({f"ef {ef}": at(ef) for ef in (200, 400)}, size / len(vectors), rescored=False)


def lancedb_hnsw(vectors: Vectors, threads: int) -> Contender:  # noqa: ARG001 - it takes all cores
    """LanceDB's IVF_HNSW_SQ, on disk, with refinement by the stored vectors. Raises PeerMissingError."""
    try:
        import lancedb
        import pyarrow
    except ImportError as error:
        raise PeerMissingError("LanceDB") from error
    import numpy as np

    folder = tempfile.TemporaryDirectory(prefix="twofold-bench-")
    column = pyarrow.FixedSizeListArray.from_arrays(vectors.reshape(-1), vectors.shape[1])
    rows = pyarrow.table({"row": np.arange(len(vectors)), "vector": column})
    table = lancedb.connect(folder.name).create_table("bench", rows)
    table.create_index(metric="dot", index_type="IVF_HNSW_SQ", vector_column_name="vector")

    def at(ef: int) -> Search:
        def search(query: Vectors, count: int, kept: object = folder) -> Numbers:  # noqa: ARG001 - as long as this lives
            asked = table.search(query).select(["row", "_distance"]).ef(max(ef, count)).refine_factor(1).limit(count)
            found: Numbers = asked.to_arrow()["row"].to_numpy()
            return found

        return search

    size = sum(path.stat().st_size for path in Path(folder.name).rglob("*") if path.is_file())
    return Contender({f"ef {ef}": at(ef) for ef in (200, 400)}, size / len(vectors), rescored=False)


PEERS: Mapping[str, Callable[[Vectors, int], Contender]] = {
    "FAISS HNSW32, SQ8": faiss_hnsw,
    "FAISS IVF, PQ": faiss_ivf_pq,
    "FAISS IVF, RaBitQ": faiss_ivf_rabitq,
    "rabitqlib HNSW, 4 bit": rabitqlib_hnsw,
    "hnswlib": hnswlib_hnsw,
    "usearch i8": usearch_i8,
    "ScaNN": scann_tree,
    "VSAG HGraph": vsag_hgraph,
    "LanceDB HNSW, SQ": lancedb_hnsw,
}


def _faiss(index: object, vectors: Vectors, threads: int, ways: Mapping[str, object]) -> Contender:
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(threads)
    index.train(vectors[:: max(1, len(vectors) // 250_000)])  # type: ignore[attr-defined]  # FAISS has no types
    index.add(vectors)  # type: ignore[attr-defined]  # as above
    faiss.omp_set_num_threads(before)

    def by(parameters: object) -> Search:
        def search(query: Vectors, count: int) -> Numbers:
            rows: Numbers = index.search(query[None], count, params=parameters)[1][0]  # type: ignore[attr-defined]  # as above
            return rows[rows >= 0]

        return search

    size = len(faiss.serialize_index(index)) / len(vectors)
    return Contender({name: by(parameters) for name, parameters in ways.items()}, size)
