"""One bit a dimension, divided into lists by coarse centroids, of which a question scans the nearest: RaBitQ under IVF.

IVF: Jégou, Douze & Schmid 2011; RaBitQ: Gao & Long 2024; both of FAISS. Some 74 bytes a vector of 384 numbers, of which
a question reads an eighth at a million. The centroids are learned, so it takes longer to build than a scan.
"""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np

from twofold.indexes import scan
from twofold.indexes.scan import ScanIndex
from twofold.progress import Progress
from twofold.protocols import VectorBlocks
from twofold.scores import Mask, Numbers, Scores, Vectors

EFFORT = 512
"""Lists that are scanned, unless tuning found another number."""
FILTERED = 2
"""As measured on a million passages: 5 % of them keep their recall with it, in half the time that all lists take."""
LISTS_A_ROOT = 4
"""Lists for each unit of the root of the rows, as FAISS's authors advise."""


class IvfIndex:
    """Lists of codes; see the file's head."""

    def __init__(self, codes: faiss.IndexIVFRaBitQFastScan, effort: int) -> None:
        self._lists = codes.nlist
        self._effort = effort
        self._scan = ScanIndex(codes)

    @property
    def rows(self) -> int:
        """The rows that were there when it was built."""
        return self._scan.rows

    def candidates(self, query: Vectors, count: int, allowed: Mask) -> tuple[Numbers, Scores]:
        """Up to `count` allowed rows, best first; scores are 1 less half the estimated squared distance.

        query: float32 (dimension,) of length 1; allowed: bool (rows,). Behind a filter the nearest lie further away, so
        up to FILTERED times as many lists are scanned.
        """
        allowed_count = self._scan.allowed_count(allowed)
        more = min(FILTERED, len(allowed) / max(1, allowed_count))
        probes = min(self._lists, int(self._effort * more))
        rows, scores = self._scan.among(query, count, allowed, probes)
        if len(rows) < min(count, allowed_count) and probes < self._lists:
            return self._scan.among(query, count, allowed, self._lists)
        return rows, scores


def fill(stored: VectorBlocks, folder: Path, threads: int, progress: Progress) -> None:
    """Writes lists of codes of all stored vectors into a folder; the same vectors give the same bytes."""
    rows = sum(len(vectors) for _, vectors in stored.blocks())
    lists = min(rows, int(LISTS_A_ROOT * np.sqrt(rows)))
    scan.fill_lists(stored, folder, lists, threads, progress)


def opened(folder: Path, effort: int) -> IvfIndex:
    """The lists in a folder. Raises CorruptionError where FAISS cannot read them."""
    return IvfIndex(scan.read_codes(folder), effort)
