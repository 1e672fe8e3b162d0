"""Stored vectors passed to FAISS: a training sample, then all of them, checked, a stretch at a time."""

from __future__ import annotations

import faiss
import numpy as np

from twofold.indexes.lengths import check_unit
from twofold.progress import Progress
from twofold.protocols import VectorBlocks
from twofold.scores import Vectors

SAMPLE = 65_536
"""Rows to learn from unless a kind needs more."""
ROWS_AT_ONCE = 65_536
"""Rows that are handed over at a time."""


def sample(stored: VectorBlocks, rows: int = SAMPLE) -> Vectors:
    """float32 (n, dimension): about so many vectors at least, spread over all; all where there are fewer."""
    blocks = stored.blocks()
    total = sum(len(vectors) for _, vectors in blocks)
    return np.concatenate([vectors[:: max(1, total // rows)] for _, vectors in blocks]).astype(np.float32)


def feed(index: faiss.Index, stored: VectorBlocks, progress: Progress) -> None:
    """Adds all stored vectors. Raises InputError, naming the row, for one of another length than 1."""
    blocks = stored.blocks()
    total = sum(len(vectors) for _, vectors in blocks)
    for first, vectors in blocks:
        for start in range(0, len(vectors), ROWS_AT_ONCE):
            part = vectors[start : start + ROWS_AT_ONCE].astype(np.float32)
            check_unit(part, first + start)
            index.add(part)
            progress(first + start + len(part), total)
