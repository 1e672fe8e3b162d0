"""Segment files as arrays, mapped into memory and never copied.

A file that grew is not mapped again as a whole, since a fresh map must be touched page by page: what is new becomes a
piece of its own, and pieces are joined when the later one has become as large. So n rows added one by one make at
most log2(n) pieces, and a row is mapped again at most so many times.
"""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.engines.local.spaces.segments import BYTES, HEADER_BYTES, Halves, Segment, check_header, path_of
from twofold.errors import CorruptionError
from twofold.files import descriptor_of, read_at
from twofold.scores import Numbers
from twofold.space import Space

Piece = tuple[int, Halves]
"""(number of the first row, (n, words)): a stretch of rows in a map."""


class SegmentMaps:
    """The maps of one space, shared by all snapshots; a map lives as long as somebody holds an array of it."""

    def __init__(self, home: Path, space: Space) -> None:
        self._home = home
        self._words, self._dtype = space.words, space.dtype
        self._lock = threading.Lock()
        self._pieces: dict[int, list[Piece]] = {}
        """Id of a segment → its rows, numbered from 0: a compaction gives them other numbers and keeps the file."""

    def pieces(self, segments: Sequence[Segment]) -> list[Piece]:
        """The rows of these segments as they are recorded, ascending, no gaps; raises CorruptionError."""
        with self._lock:
            for identifier in set(self._pieces) - {segment.id for segment in segments}:
                del self._pieces[identifier]
            return [(segment.first_row + first, rows) for segment in segments for first, rows in self._of(segment)]

    def after_fork_in_child(self) -> None:
        """Makes a lock of the child's own."""
        self._lock = threading.Lock()

    def _of(self, segment: Segment) -> list[Piece]:
        known = self._pieces.setdefault(segment.id, [])
        end = segment.rows
        mapped = known[-1][0] + len(known[-1][1]) if known else 0
        if mapped < end:
            start = mapped
            while known and len(known[-1][1]) <= end - start:
                start = known.pop()[0]
            known.append((start, self._mapped(segment, start, end)))
        # A snapshot that is older than the map sees its own rows only.
        return [(first, rows[: end - first]) for first, rows in known if first < end]

    def _mapped(self, segment: Segment, start: int, end: int) -> Halves:
        path = path_of(self._home, segment.number)
        width = self._words * BYTES
        begin = HEADER_BYTES + start * width
        length = (end - start) * width
        aligned = begin - begin % mmap.ALLOCATIONGRANULARITY
        try:
            descriptor = descriptor_of(path, os.O_RDONLY)
        except OSError as error:
            raise CorruptionError(f"{path}: {error.strerror}; the vectors of {segment.rows} rows are in it") from error
        try:
            check_header(read_at(descriptor, HEADER_BYTES, 0), segment, (self._words, self._dtype), path)
            held = os.fstat(descriptor).st_size
            if held < begin + length:
                raise CorruptionError(
                    f"{path} is cut short: it has {held} bytes, {begin + length} were written. Restore a backup."
                )
            bytes_ = mmap.mmap(descriptor, begin - aligned + length, access=mmap.ACCESS_READ, offset=aligned)
        finally:
            os.close(descriptor)
        flat = np.frombuffer(bytes_, self._dtype, offset=begin - aligned)
        return flat.reshape(end - start, self._words)


def gather(pieces: Sequence[Piece], rows: Numbers, space: Space) -> NDArray[Any]:
    """(n, words): these rows, in their order, as float32; the rows of a space of codes as they are stored."""
    vectors = np.empty((len(rows), space.words), dtype=space.dtype if space.bits else np.float32)
    # In the order of the rows each piece's share is a slice; what was asked in that order is already so.
    ordered = bool((rows[1:] >= rows[:-1]).all())
    places = None if ordered else np.argsort(rows, kind="stable")
    ascending = rows if places is None else rows[places]
    halves = np.empty((len(rows), space.words), dtype=space.dtype)
    ends = np.searchsorted(ascending, [first + len(piece) for first, piece in pieces])
    start = 0
    for (first, piece), end in zip(pieces, ends.tolist(), strict=True):
        np.take(piece, ascending[start:end] - first, axis=0, out=halves[start:end])
        start = end
    vectors[slice(None) if places is None else places] = halves
    return vectors
