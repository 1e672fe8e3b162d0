"""A graph of neighbours with quantised vectors at its nodes, for look-ups of a fraction of a millisecond.

SymphonyQG: Gou, Gao, Xu & Long, SIGMOD 2025, by its authors' library. It holds some 2,300 bytes a vector of 384 numbers
in memory. It takes no filter: where more than a few rows may not appear, the scan that stands beside it answers.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import rabitqlib

from twofold.errors import CorruptionError, InputError
from twofold.indexes import scan
from twofold.indexes.scan import ScanIndex
from twofold.progress import Progress
from twofold.protocols import VectorBlocks
from twofold.scores import Mask, MaskCount, Numbers, Scores, Vectors

FILE = "graph.symqg"
BITS, DEGREE, BUILD_EFFORT = 8, 32, 100
"""As measured on 300,000 passages: more bits cost no time and find more; the degree is what the library's codes fit."""
EFFORT = 400
"""Nodes kept while searching, unless tuning found another number."""
FILTERED = 0.9
"""Where a smaller share of rows may appear, fetching more of them costs more than a scan."""

WALKED = 0.5
"""Where a larger share of rows is asked for, a scan costs less than a walk, which may not reach them all."""


class GraphIndex:
    """A graph, and a scan for filtered questions; see the file's head.

    Among more equal vectors than it keeps neighbours it may find no way on, and raises RuntimeError.
    """

    def __init__(self, graph: rabitqlib.SymqgIndex, codes: ScanIndex, effort: int) -> None:
        self._graph = graph
        self._codes = codes
        self._effort = effort
        self._count = MaskCount()

    @property
    def rows(self) -> int:
        """The rows that were there when it was built."""
        return self._codes.rows

    def candidates(self, query: Vectors, count: int, allowed: Mask) -> tuple[Numbers, Scores]:
        """Up to `count` allowed rows, best first; scores are 1 less half the estimated squared distance.

        query: float32 (dimension,) of length 1; allowed: bool (rows,).
        """
        allowed_count = self._count(allowed)
        wanted = min(self.rows, count if allowed_count == self.rows else int(count / FILTERED) + 1)
        if allowed_count < FILTERED * self.rows or wanted > WALKED * self.rows:
            return self._codes.candidates(query, count, allowed)
        numbers, distances = self._graph.search(query[None], wanted, max(self._effort, wanted))
        rows = numbers[0].astype(np.int64)
        found = allowed[rows]
        rows, scores = rows[found][:count], (1 - distances[0] / 2)[found][:count].astype(np.float32)
        if len(rows) < min(count, allowed_count):
            return self._codes.candidates(query, count, allowed)
        return rows, scores


def memory_needed(rows: int, dimension: int) -> int:
    """Bytes held while a graph is built: its nodes, each with codes of its neighbours, and the vectors in float32."""
    return rows * (DEGREE * (dimension // 8 + 8) + BITS * dimension // 8 + 136 + 4 * dimension)


def fill(stored: VectorBlocks, folder: Path, threads: int, progress: Progress) -> None:
    """Writes a graph of all stored vectors, and the scan's codes, into a folder.

    It needs the vectors in float32 in memory, and the graph beside them.
    """
    scan.fill(stored, folder, threads, progress)
    vectors = np.concatenate([piece.astype(np.float32) for _, piece in stored.blocks()])
    try:
        graph = rabitqlib.SymqgIndex(vectors.shape[1], DEGREE, "l2", BITS)
        graph.build(vectors, BUILD_EFFORT, threads)
    except ValueError as error:
        raise InputError(
            f"no graph can be built of {len(vectors)} vectors of {vectors.shape[1]} numbers ({error}); take a scan"
        ) from error
    graph.save(os.fspath(folder / FILE))


def opened(folder: Path, effort: int) -> GraphIndex:
    """The graph in a folder. Raises CorruptionError where it cannot be read."""
    codes = scan.opened(folder, 0)
    path = folder / FILE
    try:
        graph = rabitqlib.SymqgIndex.load(os.fspath(path))
    except (RuntimeError, ValueError) as error:
        raise CorruptionError(f"{path} is no graph that can be read: {error}") from error
    return GraphIndex(graph, codes, effort)
