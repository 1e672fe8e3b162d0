"""A navigable small-world graph over four-bit codes, searched in its file: it opens at once and takes no memory.

HNSW: Malkov & Yashunin 2018; scalar codes of four bits a number; both of FAISS. Some 460 bytes a vector of 384 numbers,
in the file alone: the system keeps the pages that searches touch, and drops them when others need the room. Codes are
compared by their inner product, which orders vectors of length 1 by their cosine: vectors of other lengths are refused.
"""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np

from twofold.errors import CorruptionError
from twofold.indexes.lengths import check_unit
from twofold.indexes.threads import threads_of_faiss
from twofold.progress import Progress
from twofold.protocols import VectorBlocks
from twofold.scores import Mask, MaskCount, Numbers, Scores, Vectors

FILE = "hnsw.faiss"
LINKS, CODES = 32, faiss.ScalarQuantizer.QT_4bit
BUILD_EFFORT = 40
"""Nodes that are kept while the neighbours of a new one are sought."""
EFFORT = 100
"""Nodes that are kept while searching, unless tuning found another number."""
SCANNED = 0.1
"""Where a filter lets a smaller share of rows through, scanning their codes costs less than walking past the others."""
SAMPLE = 65_536
"""Rows, spread over all, from which the codes' ranges are learned."""
ROWS_AT_ONCE = 65_536
"""Rows that are linked at a time."""


class HnswIndex:
    """The graph in its file; see the file's head."""

    def __init__(self, graph: faiss.IndexHNSWSQ, effort: int) -> None:
        self._graph = graph
        self._effort = effort
        self._count = MaskCount()

    @property
    def rows(self) -> int:
        """The rows that were there when it was built."""
        return int(self._graph.ntotal)

    def candidates(self, query: Vectors, count: int, allowed: Mask) -> tuple[Numbers, Scores]:
        """Up to `count` allowed rows, best first; scores are inner products with the codes.

        query: float32 (dimension,) of length 1; allowed: bool (rows,). Behind a filter the walk goes further, as far as
        it takes to meet as many allowed rows; where few may appear, the codes of all of these are scanned.
        """
        passing = self._count(allowed)
        count = min(count, passing)
        if count == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        selector = None if passing == len(allowed) else faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        if passing >= SCANNED * len(allowed):
            effort = int(max(self._effort, count) * len(allowed) / passing)
            walk = faiss.SearchParametersHNSW(sel=selector, efSearch=effort)
            rows, scores = _searched(self._graph, query, count, walk)
            if len(rows) == count:
                return rows, scores
        return _searched(self._graph.storage, query, count, faiss.SearchParameters(sel=selector))


def fill(stored: VectorBlocks, folder: Path, threads: int, progress: Progress) -> None:
    """Writes a graph of all stored vectors into a folder; its links depend on the order in which threads come by."""
    pieces = stored.blocks()
    total = sum(len(vectors) for _, vectors in pieces)
    sample = np.concatenate([vectors[:: max(1, total // SAMPLE)] for _, vectors in pieces]).astype(np.float32)
    with threads_of_faiss(threads):
        graph = faiss.IndexHNSWSQ(sample.shape[1], CODES, LINKS, faiss.METRIC_INNER_PRODUCT)
        graph.hnsw.efConstruction = BUILD_EFFORT
        graph.train(sample)
        for first, vectors in pieces:
            for start in range(0, len(vectors), ROWS_AT_ONCE):
                part = vectors[start : start + ROWS_AT_ONCE].astype(np.float32)
                check_unit(part, first + start)
                graph.add(part)
                progress(first + start + len(part), total)
    faiss.write_index(graph, str(folder / FILE))


def opened(folder: Path, effort: int) -> HnswIndex:
    """The graph in a folder, mapped. Raises CorruptionError where FAISS cannot read it."""
    path = folder / FILE
    try:
        graph = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:
        raise CorruptionError(f"{path} is no index that can be read: {error}") from error
    if not isinstance(graph, faiss.IndexHNSWSQ):
        raise CorruptionError(f"{path} holds an index of another kind, a {type(graph).__name__}")
    return HnswIndex(graph, effort)


def _searched(
    index: faiss.Index, query: Vectors, count: int, parameters: faiss.SearchParameters
) -> tuple[Numbers, Scores]:
    with threads_of_faiss(1):
        scores, rows = index.search(query[None], count, params=parameters)
    found = rows[0] >= 0
    return rows[0][found], scores[0][found]
