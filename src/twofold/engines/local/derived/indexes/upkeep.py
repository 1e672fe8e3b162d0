"""Keeping an index as the collection grows: pieces over new rows, merged when they are of similar size.

Each piece is more than JOINED times as large as the next one, so there are few, and a row is built again only as often
as its piece grows by half. Recall is measured over all pieces before they are published.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from twofold.engines.local.derived.indexes import choosing
from twofold.engines.local.derived.indexes.about import About, area_of, standing
from twofold.engines.local.derived.indexes.choosing import Indexing, efforts_from
from twofold.engines.local.derived.indexes.making import Making, Work, kept_questions
from twofold.engines.local.derived.indexes.measuring import Measuring
from twofold.engines.local.derived.manifest import Manifest, Piece, wrong_at_sight
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.errors import InputError
from twofold.index_report import LATENCY, PROMISE, IndexReport, IndexRequest

MORE_ROWS, MORE_SHARE = 10_000, 0.05
"""A piece is built when so many rows lack one, or such a share where that is more; never more than a first index needs:
they are searched exactly until then."""
JOINED = 2
"""A piece is joined with the one before it unless that is so many times larger."""
BESIDE_ADD = 4
"""While documents are added, a piece takes in earlier rows up to so many times the new ones; `maintain` joins more."""
WORN = 0.2
"""A piece is built again when a greater share of the rows in its files is gone: they cost searches time."""
MANY = 8
"""Each piece is asked for every question, so where there are so many, adding joins them without that bound."""


def wanted(snapshot: StoredSnapshot, *, cosine: bool) -> bool:
    """Whether a collection is large enough for an index, and what stands leaves too many rows to be scanned."""
    if not cosine:
        return False
    rows, found = snapshot.head.next_row, standing(snapshot)
    if found is None:
        return rows >= choosing.FROM_ROWS
    built, about = found
    if about.is_flat:
        return about.retry is not None and rows >= max(about.retry, choosing.FROM_ROWS)
    return rows - built.rows >= min(choosing.FROM_ROWS, max(MORE_ROWS, int(MORE_SHARE * built.rows)))


class Upkeep:
    """The maintenance of an index between two choices, by a writer that holds the lock."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def beside_add(self) -> IndexReport | None:
        """Builds what is wanted over new rows, or a first index; None where nothing is due. Raises StorageError."""
        with self._work.latest() as snapshot:
            if not wanted(snapshot, cosine=self._work.cosine):
                return None
            found = standing(snapshot)
            if found is None or not found[0].pieces:
                return self._chosen(PROMISE, LATENCY)
            built, about = found
            end = snapshot.head.next_row
            most = end if len(built.pieces) >= MANY else (1 + BESIDE_ADD) * (end - built.rows)
            first = joined_from(built.pieces, built.rows, end, most=most)
            again = worn(built.pieces, first, most - (end - first))
            return self._replaced(snapshot, built, about, [*again, (first, end)])

    def maintain(self, seconds: float) -> bool:
        """Joins pieces and covers new rows, as far as it fits into so many seconds by the pace of the last build.

        Returns whether it did anything. The first index is made by `add` or `optimize`. Raises StorageError.
        """
        deadline, done = time.monotonic() + seconds, False
        while True:
            with self._work.latest() as snapshot:
                found = standing(snapshot)
                if found is None or not found[0].pieces:
                    return done
                built, about = found
                stretch = due(built.pieces, snapshot.head.next_row, build=wanted(snapshot, cosine=self._work.cosine))
                if stretch is None:
                    return done
                needed = (stretch[1] - stretch[0]) / about.pace if about.pace else 0.0
                if time.monotonic() + needed > deadline:
                    return done
                self._replaced(snapshot, built, about, [stretch])
                done = True

    def repair(self) -> None:
        """Builds the pieces again that are lost or damaged, and measures again; chooses anew where all is lost."""
        with self._work.latest() as snapshot:
            found = standing(snapshot)
            if found is None:
                if wanted(snapshot, cosine=self._work.cosine):
                    self._chosen(PROMISE, LATENCY)
                return
            built, about = found
            pieces = [*built.pieces, *built.lost]
            lost = [
                (piece.first, piece.end)
                for piece in pieces
                if not built.whole_at_sight(piece) or not snapshot.fits(piece)
            ]
            if not lost and (built.beside is None or wrong_at_sight(built.home, built.beside) is None):
                return
            self._replaced(snapshot, replace(built, pieces=tuple(pieces), lost=()), about, lost)

    def _replaced(
        self, snapshot: StoredSnapshot, built: Manifest, about: About, stretches: Sequence[tuple[int, int]]
    ) -> IndexReport:
        """Publishes the index with new pieces over these stretches, at the effort that it needs now.

        Where its kind cannot be built of them, or does not answer, all kinds are tried again.
        """
        making, report = Making(self._work, snapshot), about.report
        try:
            pieces = [*built.pieces]
            for first, end in stretches:
                outside = [piece for piece in pieces if piece.end <= first or piece.first >= end]
                pieces = sorted([*outside, making.piece(report.kind, first, end)], key=lambda piece: piece.first)
            measuring = self._measuring(snapshot, built, about)
            efforts = efforts_from(report.kind, about.settings.effort)
            points = making.tried(pieces, report.kind, measuring, efforts, report.promise)
            # Where larger efforts were refuted before, nobody waits beside `add` for them to be refuted again.
            larger = efforts_from(report.kind, points[-1].effort)
            report = making.evidence(report, pieces, larger if report.kept else larger[:1], measuring)
            making.publish(report, pieces, measuring)
            return report
        except InputError:
            return self._chosen(report.promise, report.latency)
        finally:
            self._work.writer.sweep(area_of(snapshot))

    def _measuring(self, snapshot: StoredSnapshot, built: Manifest, about: About) -> Measuring:
        """The questions that the index was measured with, or new ones where these are lost."""
        kept = kept_questions(built)
        if kept is not None:
            return Measuring(snapshot, kept.queries, about.depth, kept)
        questions = self._work.ask()
        return Measuring(snapshot, questions.vectors, questions.depth)

    def _chosen(self, promise: float, latency: float) -> IndexReport:
        return Indexing(self._work, quick=True).run(IndexRequest(None, promise, latency))


def joined_from(pieces: Sequence[Piece], first: int, end: int, *, most: int) -> int:
    """Where a piece begins that ends at `end` and takes in, from `first` backwards, what is not much larger.

    most: rows that it has at most, unless it takes in nothing.
    """
    for piece in reversed([each for each in pieces if each.end <= first]):
        if piece.rows >= JOINED * (end - first) or end - piece.first > most:
            break
        first = piece.first
    return first


def due(pieces: Sequence[Piece], rows: int, *, build: bool) -> tuple[int, int] | None:
    """The stretch that should become one piece: the last rows, where they lack one, pieces that are of one size, or one
    of which too much is gone.

    build: whether so many rows lack a piece that they are worth one.
    """
    ends = [*pieces[1:], None]
    if build:
        return joined_from(pieces, pieces[-1].end, rows, most=rows), rows
    for piece, following in reversed(list(zip(pieces, ends, strict=True))):
        if following is not None and piece.rows < JOINED * following.rows:
            return joined_from(pieces, piece.first, following.end, most=rows), following.end
    return next(iter(worn(pieces, rows, rows)), None)


def worn(pieces: Sequence[Piece], before: int, most: int) -> list[tuple[int, int]]:
    """The stretches of pieces of which too many rows are gone, the last first, of at most so many rows together.

    before: the row at which they end at the latest.
    """
    found = []
    for piece in reversed(pieces):
        if piece.end <= before and piece.gone > WORN * (piece.rows + piece.gone) and piece.rows <= most:
            found.append((piece.first, piece.end))
            most -= piece.rows
    return found
