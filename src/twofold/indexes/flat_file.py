"""A file that FAISS itself reads: stored vectors as a flat index of float16 codes."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import IO

import faiss
import numpy as np
from numpy.typing import NDArray

_COUNT = struct.Struct("<Q")
_ROWS = slice(8, 16)
"""Where FAISS keeps the number of vectors: behind four letters for the kind and four bytes for the dimension."""


def write_flat_index(file: IO[bytes], blocks: Iterable[NDArray[np.float16]], *, rows: int, dimension: int) -> None:
    """Writes what `faiss.read_index` reads as an IndexScalarQuantizer of float16 with the inner product.

    blocks: float16 (n, dimension), together `rows` vectors; FAISS numbers them from 0 in this order. Only one block is
    held at a time: FAISS writes an empty index, into which counts and codes are inserted.
    """
    kind = faiss.ScalarQuantizer.QT_fp16
    empty = faiss.serialize_index(faiss.IndexScalarQuantizer(dimension, kind, faiss.METRIC_INNER_PRODUCT)).tobytes()
    codes = rows * dimension * np.dtype(np.float16).itemsize
    # The codes stand last in the file, behind their number of bytes.
    file.write(empty[: _ROWS.start] + _COUNT.pack(rows) + empty[_ROWS.stop : -_COUNT.size] + _COUNT.pack(codes))
    for block in blocks:
        file.write(block.astype("<f2", copy=False).tobytes())
