"""Removing the deleted rows of one space: only files with deleted rows are rewritten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from twofold.engines.local.catalogue.rows import Rows
from twofold.engines.local.catalogue.space_change import SpaceChange
from twofold.engines.local.disk import Disk
from twofold.engines.local.spaces import segments
from twofold.engines.local.spaces.maps import Piece
from twofold.engines.local.spaces.segments import Halves, Segment
from twofold.scores import Mask, Numbers

ROWS_AT_ONCE = 65_536
"""Rows that are copied and synced at a time: 48 MiB at 384 dimensions."""


class Rewriting:
    """The compaction of one space's files, inside a transaction of the writer.

    home: the folder of its segments. rows, pieces, old: all rows, their vectors and their files as the last commit has
    them. total: the number of rows to copy.
    """

    def __init__(self, home: Path, disk: Disk, rows: Rows, pieces: Sequence[Piece], old: Sequence[Segment]) -> None:
        self._home = home
        self._disk = disk
        self._rows = rows
        self._pieces = pieces
        self._segments = old
        self.total = sum(int(np.count_nonzero(self._live_rows(each))) for each in old if not self._stays(each))

    def record(self, change: SpaceChange) -> Iterator[int]:
        """Replaces segments with deleted rows by new ones, and records all segments; yields the numbers of copied rows.

        Neighbouring segments that are rewritten share new files.
        """
        change.start_generation([segment for segment in self._segments if not self._stays(segment)])
        numbers = segments.new_numbers(self._home, self._segments)
        for stays, neighbours in groupby(self._segments, self._stays):
            if stays:
                for segment in neighbours:
                    change.keep(segment)
            else:
                yield from self._written_anew(list(neighbours), change, numbers)

    def _written_anew(self, old: Sequence[Segment], change: SpaceChange, numbers: Iterator[int]) -> Iterator[int]:
        segment: Segment | None = None
        for rows, vectors in self._live(old[0].first_row, old[-1].end):
            segment = segment or Segment.new(next(numbers), change.next_row)
            start = 0
            for placed, share in segments.place(vectors, segment, numbers):
                segments.append(self._disk, self._home, placed, share)
                part = rows[start : start + len(share)]
                change.describe((placed, share), self._rows.documents(part), self._rows.spans(part))
                segment = segments.after(placed, share)
                start += len(share)
            yield len(vectors)

    def _live(self, first: int, end: int) -> Iterator[tuple[Numbers, Halves]]:
        """Live rows of a range, some at a time: their numbers and their vectors."""
        for begin, vectors in self._pieces:
            for start in range(max(first, begin), min(end, begin + len(vectors)), ROWS_AT_ONCE):
                stop = min(start + ROWS_AT_ONCE, end, begin + len(vectors))
                here = np.flatnonzero(self._rows.live[start:stop])
                if len(here):
                    yield here + start, vectors[start - begin : stop - begin][here]

    def _live_rows(self, segment: Segment) -> Mask:
        return self._rows.live[segment.first_row : segment.end]

    def _stays(self, segment: Segment) -> bool:
        return bool(self._live_rows(segment).all())
