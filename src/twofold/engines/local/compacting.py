"""Compacting: frees the disk space of deleted documents, numbers rows from 0 again, and keeps indexes.

One transaction is the acknowledgement. Before it new segments are written beside the old ones and synced, under numbers
that the catalogue does not have yet, and each index gets a manifest for the new row numbers; after it replaced files
are removed. A crash leaves the old or the new state with an index for it, and files that the next writer removes. Open
snapshots keep the maps of the old segments.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from twofold.engines.local.catalogue.change import Change
from twofold.engines.local.catalogue.connecting import shrink
from twofold.engines.local.catalogue.rows import Rows, RowsCache
from twofold.engines.local.derived.fingerprints import fingerprint
from twofold.engines.local.derived.manifest import INDEXES, Manifest, Piece, file_of, home_of, read
from twofold.engines.local.derived.publishing import Publisher
from twofold.engines.local.derived.translating import kept_pieces
from twofold.engines.local.disk import Disk
from twofold.engines.local.layout import home_of_space
from twofold.engines.local.recording import Recording
from twofold.engines.local.rewriting import Rewriting
from twofold.engines.local.spaces import segments
from twofold.errors import CorruptionError, FormatError
from twofold.progress import Progress
from twofold.reports import CompactReport

Release = Callable[[], object]
"""Lets go of the maps that this process keeps of files which the last commit does not name."""


class Compacting:
    """One compaction of a collection, by a writer that holds the lock."""

    def __init__(self, folder: Path, disk: Disk, recording: Recording, release: Release, progress: Progress) -> None:
        self._folder = folder
        self._disk = disk
        self._recording = recording
        self._release = release
        self._publisher = Publisher(folder, disk)
        self._progress = progress

    def run(self, connection: sqlite3.Connection) -> CompactReport:
        """Compacts all spaces in one commit. Raises StorageError, CorruptionError."""
        before = self._recording.head
        gone = connection.execute("SELECT count(*) FROM documents WHERE deleted IS NOT NULL").fetchone()[0]
        lost = sum(counts.next_row - counts.rows for counts in before.spaces.values())
        if not gone and not lost:
            return CompactReport(documents=0, rows=0, bytes=shrink(connection))
        old = self._files()
        serving = {name: found for name in before.spaces if (found := self._serving(connection, name))}
        copied = self._recording.recorded(connection, partial(self._compacted, connection, serving))
        self._recording.doubtful = True  # numbers may come again; rows are never written over a file that is mapped
        new = self._files()
        self._release()
        freed = self._remove([path for path in old if path not in new])
        self._recording.doubtful = False
        freed -= sum(size for path, size in new.items() if path not in old)
        self._publisher.tidy(self._recording.head.generation)
        freed += shrink(connection)
        self._disk.reached("compacted")
        return CompactReport(documents=gone, rows=lost, bytes=freed, rewritten=copied)

    def _compacted(self, connection: sqlite3.Connection, serving: Mapping[str, Manifest], change: Change) -> int:
        """Records every space's live rows of the last commit; returns how many were rewritten."""
        rows = {name: RowsCache().at(self._recording.head.of(name), connection) for name in sorted(change.spaces)}
        works = {name: self._rewriting(name, each) for name, each in rows.items()}
        done, total = 0, sum(work.total for work in works.values())
        change.start_generation()
        for name, work in works.items():
            for copied in work.record(change.spaces[name]):
                done += copied
                self._progress(done, total)
        self._disk.reached("rows copied")
        for name, each in rows.items():
            self._keep_index(connection, change, name, (serving.get(name), each))
        self._disk.reached("indexes kept")
        return done

    def _rewriting(self, name: str, rows: Rows) -> Rewriting:
        home, vectors = home_of_space(self._folder, name), self._recording.vectors(name)
        return Rewriting(home, self._disk, rows, vectors, self._recording.segments[name])

    def _serving(self, connection: sqlite3.Connection, name: str) -> Manifest | None:
        """The index of a space with the pieces that can be used; None where there is none that can be read."""
        head = self._recording.head.of(name)
        try:
            manifest = read(file_of(home_of(self._folder, f"{INDEXES}/{name}"), head.generation))
        except (CorruptionError, FormatError):
            return None
        if manifest is None:
            return None
        whole, vectors = manifest.whole_at_sight, self._recording.vectors(name)

        def fits(piece: Piece) -> bool:
            stretch = piece.first, piece.end
            return piece.end <= head.next_row and fingerprint(connection, name, vectors, stretch) == piece.vectors

        return manifest.limited(lambda piece: whole(piece) and fits(piece))

    def _keep_index(
        self, connection: sqlite3.Connection, change: Change, name: str, kept: tuple[Manifest | None, Rows]
    ) -> None:
        """Publishes an index for the new row numbers; it is not read before the commit.

        kept: the present index, and the rows of the last commit.
        """
        area, (serving, rows) = f"{INDEXES}/{name}", kept
        pieces = [] if serving is None else list(kept_pieces(self._publisher, area, serving, rows.live))
        if serving is None or (not pieces and (serving.pieces or serving.lost)):
            self._publisher.withdraw(area, change.generation)  # what an earlier try may have left
            return
        vectors = self._recording.vectors(name, change.spaces[name].segments)
        pieces = [
            replace(piece, vectors=fingerprint(connection, name, vectors, (piece.first, piece.end))) for piece in pieces
        ]
        fields = {"commit": change.number, "generation": change.generation, "about": dict(serving.about)}
        self._publisher.publish(area, fields, pieces, serving.beside)

    def _files(self) -> dict[Path, int]:
        """The segment files of all spaces, and the used bytes of each."""
        return {
            segments.path_of(home_of_space(self._folder, space.name), segment.number): segment.size(space.words)
            for space in self._recording.description.spaces
            for segment in self._recording.segments[space.name]
        }

    def _remove(self, paths: list[Path]) -> int:
        """Removes replaced files; returns the bytes of those that the system lets go."""
        freed = 0
        for path in paths:
            size = path.stat().st_size
            freed += size if self._disk.dropped(path) else 0
            self._disk.reached("old segment removed")
        return freed
