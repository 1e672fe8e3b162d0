"""One bit a dimension, every row scanned: RaBitQ codes in FAISS's fast scan, to be scored again by stored vectors.

RaBitQ: Gao & Long, SIGMOD 2024. 56 bytes a vector of 384 numbers, built in a second or two a million rows, no training
beyond a mean, and filters go into the scan. Codes are compared by Euclidean distance, which orders vectors of length 1
as their inner product does: vectors of other lengths are refused.
"""

from __future__ import annotations

import os
from pathlib import Path

import faiss
import numpy as np

from twofold.errors import CorruptionError
from twofold.indexes.feeding import SAMPLE, feed, sample
from twofold.indexes.threads import threads_of_faiss
from twofold.progress import Progress
from twofold.protocols import VectorBlocks
from twofold.scores import Mask, MaskCount, Numbers, Scores, Vectors

FILE = "codes.faiss"
ROWS_A_LIST = 64
"""Rows of which each centroid is learned."""


class ScanIndex:
    """All rows by their codes; see the file's head."""

    def __init__(self, codes: faiss.IndexIVFRaBitQFastScan) -> None:
        self._codes = codes
        self._count = MaskCount()

    @property
    def rows(self) -> int:
        """The rows that were there when it was built."""
        return int(self._codes.ntotal)

    def allowed_count(self, allowed: Mask) -> int:
        """The number of rows that a mask allows."""
        return self._count(allowed)

    def candidates(self, query: Vectors, count: int, allowed: Mask) -> tuple[Numbers, Scores]:
        """Up to `count` allowed rows, best first; scores are 1 less half the estimated squared distance.

        query: float32 (dimension,) of length 1; allowed: bool (rows,).
        """
        return self.among(query, count, allowed, 1)

    def among(self, query: Vectors, count: int, allowed: Mask, probes: int) -> tuple[Numbers, Scores]:
        """The same among the rows of the nearest lists; probes: how many, from 1 on."""
        allowed_count = self._count(allowed)
        count = min(count, allowed_count)
        if count == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        bitmap = None if allowed_count == len(allowed) else np.packbits(allowed, bitorder="little")
        selector = None if bitmap is None else faiss.IDSelectorBitmap(len(bitmap), faiss.swig_ptr(bitmap))
        parameters = faiss.SearchParametersIVF(sel=selector, nprobe=probes)
        with threads_of_faiss(1):
            distances, rows = self._codes.search(query[None], count, params=parameters)
        found = rows[0] >= 0
        return rows[0][found], 1 - distances[0][found] / 2


def fill(stored: VectorBlocks, folder: Path, threads: int, progress: Progress) -> None:
    """Writes the codes of all stored vectors into a folder; the same vectors give the same bytes."""
    fill_lists(stored, folder, 1, threads, progress)


def fill_lists(stored: VectorBlocks, folder: Path, lists: int, threads: int, progress: Progress) -> None:
    """The same with the rows divided into lists by learned centroids."""
    learned_from = sample(stored, max(SAMPLE, lists * ROWS_A_LIST))
    with threads_of_faiss(threads):
        codes = faiss.index_factory(learned_from.shape[1], f"IVF{lists},RaBitQfs", faiss.METRIC_L2)
        codes.cp.min_points_per_centroid = 1
        codes.train(learned_from)
        feed(codes, stored, progress)
    faiss.write_index(codes, os.fspath(folder / FILE))


def opened(folder: Path, effort: int) -> ScanIndex:  # noqa: ARG001 - every kind is opened alike; a scan reads all rows
    """The scan in a folder. Raises CorruptionError where FAISS cannot read it."""
    return ScanIndex(read_codes(folder))


def read_codes(folder: Path) -> faiss.IndexIVFRaBitQFastScan:
    """The codes that `fill` or `fill_lists` wrote. Raises CorruptionError where FAISS cannot read them."""
    path = folder / FILE
    try:
        # Mapped, so that codes are the system's to keep or to drop, and no anonymous memory.
        codes = faiss.read_index(os.fspath(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
    except (RuntimeError, MemoryError) as error:
        raise CorruptionError(f"{path} is no index that can be read: {error}") from error
    if not isinstance(codes, faiss.IndexIVFRaBitQFastScan):
        raise CorruptionError(f"{path} holds an index of another kind, a {type(codes).__name__}")
    return codes
