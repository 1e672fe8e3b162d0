"""FAISS's number of threads, set for a while: a query takes one, building takes what it is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import faiss


@contextmanager
def threads_of_faiss(count: int) -> Iterator[None]:
    """Within the block this thread's calls into FAISS use `count` threads (OpenMP keeps the number a thread)."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
