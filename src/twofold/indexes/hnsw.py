"""A navigable small-world graph over four-bit codes, searched in its file: it opens at once and takes no memory.

HNSW: Malkov & Yashunin 2018; scalar codes of four bits a number; both of FAISS. Some 460 bytes a vector of 384 numbers,
in the file alone: the system keeps the pages that searches touch, and drops them when memory is needed. Codes are
compared by their inner product, which orders vectors of length 1 by their cosine: vectors of other lengths are refused.
"""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np

from twofold.errors import CorruptionError
from twofold.indexes.feeding import SAMPLE, feed, sample
from twofold.indexes.threads import threads_of_faiss
from twofold.progress import Progress
from twofold.protocols import VectorBlocks
from twofold.scores import Mask, MaskCount, Numbers, Scores, Vectors

FILE = "hnsw.faiss"
LINKS, CODES = 32, faiss.ScalarQuantizer.QT_4bit
BUILD_EFFORT = 100
"""Nodes that are kept while the neighbours of a new one are sought. On 100,000 passages 40 build in 17 s and find .970
of the ten nearest with an effort of 200, 80 in 28 s .979, 100 in 31 s .985."""
EFFORT = 100
"""Nodes that are kept while searching, unless tuning found another number."""
FARTHER = 4
"""Behind a filter a walk meets fewer allowed nodes, so it goes so many times as far at most. Each step looks at dozens
of nodes, of which the allowed ones count: at 5 % this keeps the recall that all have without a filter."""
SCANNED, SCANNED_A_NODE = 0.04, 12
"""Where a filter lets a smaller share of rows through, or fewer for each node that a walk would keep, their codes are
scanned: 12 codes are scanned in the time that a walk takes for a node, and few allowed rows lie far apart."""


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

        query: float32 (dimension,) of length 1; allowed: bool (rows,).
        """
        allowed_count = self._count(allowed)
        count = min(count, allowed_count)
        if count == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        selector = (
            None if allowed_count == len(allowed) else faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        )
        effort = int(max(self._effort, count) * min(FARTHER, len(allowed) / allowed_count))
        if selector is None or (allowed_count >= SCANNED * len(allowed) and allowed_count >= SCANNED_A_NODE * effort):
            walk = faiss.SearchParametersHNSW(sel=selector, efSearch=effort)
            rows, scores = _searched(self._graph, query, count, walk)
            if len(rows) == count:
                return rows, scores
        return _searched(self._graph.storage, query, count, faiss.SearchParameters(sel=selector))


def memory_needed(rows: int, dimension: int) -> int:
    """Bytes held while so many rows are built: codes and links, in arrays that double as they grow, and the sample.

    Measured at 200,000 and 270,000 rows of 384 numbers: 0.36 and 0.42 GB, where this says 0.39 and 0.45.
    """
    return 2 * rows * (dimension // 2 + 4 * (2 * LINKS + 4)) + 2 * 4 * dimension * min(rows, SAMPLE)


def fill(stored: VectorBlocks, folder: Path, threads: int, progress: Progress) -> None:
    """Writes a graph of all stored vectors into a folder; its links depend on the order in which threads come by."""
    learned_from = sample(stored)
    with threads_of_faiss(threads):
        graph = faiss.IndexHNSWSQ(learned_from.shape[1], CODES, LINKS, faiss.METRIC_INNER_PRODUCT)
        graph.hnsw.efConstruction = BUILD_EFFORT
        graph.train(learned_from)
        feed(graph, stored, progress)
    faiss.write_index(graph, str(folder / FILE))


def opened(folder: Path, effort: int) -> HnswIndex:
    """The graph in a folder, mapped. Raises CorruptionError where FAISS cannot read it."""
    path = folder / FILE
    try:
        graph = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except (RuntimeError, MemoryError) as error:
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
