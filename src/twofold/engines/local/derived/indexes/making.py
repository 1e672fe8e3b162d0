"""Making an index: pieces built aside, measured over all of them, and published together with what was found."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from twofold.engine import Ask
from twofold.engines.local.derived.indexes.about import About, area_of, over
from twofold.engines.local.derived.indexes.measuring import Measuring, Unanswered
from twofold.engines.local.derived.indexes.opened import beside, open_piece
from twofold.engines.local.derived.indexes.recall import SECOND_HALF, checked_effort, least_effort
from twofold.engines.local.derived.indexes.truth import Proposed
from twofold.engines.local.derived.manifest import Manifest, Piece
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.engines.local.spaces.nearest import NearestSearch
from twofold.engines.local.writer import Writer
from twofold.files import write_aside
from twofold.index_report import IndexReport, OperatingPoint
from twofold.indexes.kinds import IndexSettings, build
from twofold.indexes.pieces import Stretch
from twofold.logs import logger_of
from twofold.progress import Progress, silent

logger = logger_of(__name__)

QUESTIONS = "questions.npz"
"""The file of a part beside the pieces: what was asked while measuring, and what is proposed for it."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is needed to build an index: the writer that holds the lock, the latest commit, what to ask of an index.

    dimension: numbers a vector. cosine: whether the similarity is cosine, not dot product.
    """

    writer: Writer
    latest: Callable[[], StoredSnapshot]
    dimension: int
    cosine: bool
    ask: Ask
    progress: Progress = silent


class Making:
    """Builds an index from one snapshot.

    rows: how many were built so far. pace: rows built a second.
    """

    def __init__(self, work: Work, snapshot: StoredSnapshot) -> None:
        self._writer = work.writer
        self._snapshot = snapshot
        self._area = area_of(snapshot)
        self._where = snapshot.folder / self._area
        self._progress = work.progress
        self._rows = 0
        self._seconds = 0.0

    def piece(self, kind: str, first: int, end: int) -> Piece:
        """Builds the rows from `first` to before `end`; it is not used yet.

        Raises InputError where the kind cannot be built of them, StorageError.
        """
        stretch, start = Stretch(self._snapshot, first, end), time.monotonic()

        def fill(folder: Path) -> None:
            build(IndexSettings(kind=kind), stretch, folder, threads=os.cpu_count() or 1, progress=self._progress)

        piece = self._writer.build(self._area, fill, first, end)
        seconds = time.monotonic() - start
        self._rows, self._seconds = self._rows + piece.rows, self._seconds + seconds
        logger.info("%s: built %s over %d passages in %.1f s", self._where, kind, piece.rows, seconds)
        return piece

    @property
    def pace(self) -> float:
        """Rows built a second."""
        return self._rows / self._seconds if self._seconds else 0.0

    def tried(
        self, pieces: Sequence[Piece], kind: str, measuring: Measuring, efforts: Sequence[int], promise: float
    ) -> list[OperatingPoint]:
        """What was measured on the first half of the questions until an effort reached the promised recall; the last is
        chosen.

        Raises UnfitIndexError for a kind that does not answer every question.
        """
        search_with = partial(self._search, pieces, kind, Unanswered())
        points = least_effort(measuring.recalls, kind, search_with, efforts, promise)
        measuring.recalls.measure(search_with(points[-1].effort), kind, part=SECOND_HALF)
        return points

    def evidence(
        self, report: IndexReport, pieces: Sequence[Piece], efforts: Sequence[int], measuring: Measuring
    ) -> IndexReport:
        """The report with what these pieces find on the second half of the questions, and the effort that they need.

        efforts: the one that the first half chose, and what may be taken instead where the second refutes it.
        """
        kind, covered = report.kind, over(pieces, report)

        def measure(effort: int) -> IndexReport:
            search = self._search(pieces, kind, measuring.exact, effort)
            return replace(
                covered,
                reached=measuring.recalls.measure(search, kind, effort, SECOND_HALF),
                filtered=measuring.filtered(search, kind, effort, SECOND_HALF),
            )

        return checked_effort(measure, efforts)

    def publish(self, report: IndexReport, pieces: Sequence[Piece], measuring: Measuring) -> Manifest:
        """Replaces the index by these pieces, with their evidence. Raises StorageError."""

        def fill(folder: Path) -> None:
            with write_aside(folder / QUESTIONS) as file:
                file.write(measuring.candidates.to_bytes())

        about = About(report=report, rows=self._snapshot.head.next_row, depth=measuring.depth, pace=self.pace)
        beside = self._writer.put_beside(self._area, fill)
        manifest = self._writer.publish(self._area, about.to_json(), pieces, beside)
        recall = None if report.reached is None else report.reached.recall
        logger.info("%s: published %s in %d pieces, recall %s", self._where, report.kind, len(pieces), recall)
        return manifest

    def discard(self, piece: Piece) -> None:
        """Removes a piece that will not be published. Raises StorageError."""
        self._writer.discard(self._area, piece)

    def _search(self, pieces: Sequence[Piece], kind: str, exact: NearestSearch, effort: int) -> NearestSearch:
        settings = IndexSettings(kind=kind, effort=effort)
        opened = [open_piece(self._snapshot.folder / self._area, piece, settings) for piece in pieces]
        return beside(self._snapshot, opened, settings, exact)


def kept_questions(built: Manifest) -> Proposed | None:
    """The stored questions of the last measurement; None if they are lost or damaged."""
    try:
        return (
            None if built.beside is None else Proposed.from_bytes((built.path(built.beside) / QUESTIONS).read_bytes())
        )
    except (OSError, ValueError):
        return None
