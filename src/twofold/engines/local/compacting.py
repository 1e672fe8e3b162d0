"""Compacting: live rows into new segments, renumbered from 0; deleted documents' lines dropped.

One transaction is the acknowledgement. Before it the new segments are written and synced under numbers that the
catalogue does not know yet; after it the old ones are removed. A crash leaves the one state or the other, whole, and
files that the next writer removes. Snapshots that are held keep the maps of the old segments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from twofold.engines.local.catalogue.rows import Rows
from twofold.engines.local.catalogue.space_change import SpaceChange
from twofold.engines.local.disk import Disk
from twofold.engines.local.spaces import segments
from twofold.engines.local.spaces.maps import Piece
from twofold.engines.local.spaces.segments import Halves, Segment
from twofold.scores import Numbers

ROWS_AT_ONCE = 65_536
"""Rows that are copied and synced at a time: 48 MiB at 384 dimensions."""


class Compaction:
    """The compaction of one space, inside a transaction of the writer's.

    home: the folder of its segments. rows, pieces: all rows and their vectors as the last commit has them. last: the
    last segment.
    """

    def __init__(self, home: Path, disk: Disk, rows: Rows, pieces: Sequence[Piece], last: Segment | None) -> None:
        self._home = home
        self._disk = disk
        self._rows = rows
        self._pieces = pieces
        self._last = last

    def record(self, change: SpaceChange, generation: int) -> Iterator[int]:
        """Writes the new segments and records them, in a space that has forgotten its rows; gives rows as they go."""
        segment = Segment(self._last.number + 1 if self._last else 1, 0, 0, generation)
        for numbers, vectors in self._live():
            start = 0
            for placed, share in segments.place(vectors, segment):
                segments.append(self._disk, self._home, placed, share)
                part = numbers[start : start + len(share)]
                change.describe((placed, share), self._rows.documents(part), self._rows.spans(part))
                segment = segments.after(placed, share)
                start += len(share)
            yield len(vectors)

    def _live(self) -> Iterator[tuple[Numbers, Halves]]:
        """Live rows in stretches: their numbers and their vectors."""
        for first, vectors in self._pieces:
            for start in range(0, len(vectors), ROWS_AT_ONCE):
                part = vectors[start : start + ROWS_AT_ONCE]
                here = np.flatnonzero(self._rows.live[first + start : first + start + len(part)])
                if len(here):
                    yield here + first + start, part[here]
