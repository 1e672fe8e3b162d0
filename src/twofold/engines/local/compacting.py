"""Compacting: living rows into new segments, renumbered from 0; deleted documents' lines dropped.

One transaction is the acknowledgement. Before it the new segments are written and synced under numbers that the
catalogue does not know yet; after it the old ones are removed. A crash leaves the one state or the other, whole, and
files that the next writer removes. Snapshots that are held keep the maps of the old segments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from twofold.engines.local.catalogue.change import Change
from twofold.engines.local.catalogue.rows import Rows
from twofold.engines.local.disk import Disk
from twofold.engines.local.spaces import segments
from twofold.engines.local.spaces.maps import Piece
from twofold.engines.local.spaces.segments import Halves, Segment
from twofold.progress import Progress
from twofold.scores import Numbers

ROWS_AT_ONCE = 65_536
"""Rows that are copied and synced at a time: 48 MiB at 384 dimensions."""


class Compaction:
    """One compaction in the making, inside a transaction of the writer's.

    rows, pieces: all rows and their vectors as the last commit has them. last: the last segment. progress: told in
    living rows.
    """

    def __init__(
        self, folder: Path, disk: Disk, rows: Rows, pieces: Sequence[Piece], last: Segment | None, progress: Progress
    ) -> None:
        self._folder = folder
        self._disk = disk
        self._rows = rows
        self._pieces = pieces
        self._last = last
        self._progress = progress

    def record(self, change: Change) -> None:
        """Writes the new segments and records them in place of the old ones."""
        living = int(np.count_nonzero(self._rows.living))
        change.start_generation()
        segment = Segment(self._last.number + 1 if self._last else 1, 0, 0, change.generation)
        done = 0
        for numbers, vectors in self._living():
            start = 0
            for placed, share in segments.place(vectors, segment):
                segments.append(self._disk, self._folder, placed, share)
                part = numbers[start : start + len(share)]
                change.describe((placed, share), self._rows.documents(part), self._rows.spans(part))
                segment = segments.after(placed, share)
                start += len(share)
            change.count_rows(len(vectors))
            done += len(vectors)
            self._progress(done, living)
        self._disk.reached("rows copied")

    def _living(self) -> Iterator[tuple[Numbers, Halves]]:
        """Living rows in stretches: their numbers and their vectors."""
        for first, vectors in self._pieces:
            for start in range(0, len(vectors), ROWS_AT_ONCE):
                part = vectors[start : start + ROWS_AT_ONCE]
                here = np.flatnonzero(self._rows.living[first + start : first + start + len(part)])
                if len(here):
                    yield here + first + start, part[here]
