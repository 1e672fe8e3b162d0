"""Copying one commit of a collection into another folder while writers go on.

The catalogue is copied inside the snapshot's transaction; of the segment files the bytes that belong to this commit and
of the lexical index the files of one state, which no writer changes. collection.json comes last: without it the copy is
no collection.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from twofold.description import new_id
from twofold.engines.local.catalogue.connecting import connect, translated
from twofold.engines.local.derived.lexical.backed_up import HeldIndex
from twofold.engines.local.derived.lexical.known import AREA
from twofold.engines.local.description import Description
from twofold.engines.local.disk import Disk
from twofold.engines.local.layout import CATALOGUE, DESCRIPTION, VECTORS, home_of_space
from twofold.engines.local.reader import LocalSnapshot
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.engines.local.spaces.segments import Segment, header, path_of, raw
from twofold.progress import Progress
from twofold.reports import BackupReport

ROWS = 4096
"""Rows of a segment that are copied at a time."""
CHUNK = 2**20
"""Bytes of a file of the lexical index that are copied at a time."""
PAGES = 1024
"""Pages of the catalogue that are copied at a time."""


class Copying:
    """One copy of a commit.

    lexical: the lexical index of the snapshot. target: an empty folder. progress: told in bytes; copying is the first
    half of the work, verifying the copy (`verified`) the second.
    """

    def __init__(
        self, snapshot: LocalSnapshot, lexical: HeldIndex | None, target: Path, disk: Disk, progress: Progress
    ) -> None:
        self._snapshot = snapshot
        self._lexical = lexical
        self._target = target
        self._disk = disk
        self._progress = progress
        with snapshot.reading() as connection:
            self._page_size = int(connection.execute("PRAGMA page_size").fetchone()[0])
            self._bytes = self._page_size * int(connection.execute("PRAGMA page_count").fetchone()[0])
        self._done = 0

    def run(self, description: Description) -> BackupReport:
        """Copies and syncs everything. Raises CorruptionError where vectors are lost, StorageError."""
        head, catalogue = self._snapshot.head, self._bytes
        seen = [self._snapshot.in_space(space.name) for space in description.spaces]
        self._bytes += sum(segment.size(each.space.words) for each in seen for segment in each.segments)
        self._bytes += 0 if self._lexical is None else self._lexical.held.bytes
        self._catalogue()
        self._done = catalogue
        for each in seen:
            home = home_of_space(self._target, each.space.name)
            self._disk.make_folder(home)
            for segment in each.segments:
                self._segment(each, segment, home)
            self._disk.sync_folder(home)
        self._disk.sync_folder(self._target / VECTORS)
        if self._lexical is not None:
            self._index(self._lexical, self._target / AREA / description.id / self._lexical.name)
        self._disk.publish(self._target / DESCRIPTION, description.to_bytes())
        self._disk.reached("description copied")
        return BackupReport(commit=head.commit, documents=head.documents, passages=head.rows, bytes=self._bytes)

    def without_index(self) -> None:
        """Leaves the lexical index out: it was damaged, and the next writer makes it again."""
        self._disk.remove_tree(self._target / AREA)
        self._disk.sync_folder(self._target)

    def tidy(self) -> None:
        """Removes the files that SQLite's readers share, which verifying the copy has created."""
        for kind in ("-wal", "-shm"):
            self._disk.remove(self._target / f"{CATALOGUE}{kind}")

    def verified(self, done: int, total: int | None) -> None:
        """The progress of verifying the copy."""
        self._progress(self._bytes + (self._bytes * done // total if total else 0), 2 * self._bytes)

    def _catalogue(self) -> None:
        path = self._target / CATALOGUE
        # Under a name of its own first, so that whoever opens another catalogue meanwhile does not take it for his.
        aside = path.with_name(f".{CATALOGUE}.{new_id()}")
        with translated(path), closing(connect(aside, durable=True, create=True)) as copy:
            # The inner translation first: a full disk is the copy's, not the collection's.
            with self._snapshot.reading() as connection, translated(path):
                connection.backup(copy, pages=PAGES, progress=self._paged)
            copy.execute("PRAGMA journal_mode = WAL")
        self._disk.rename(aside, path)
        with self._disk.opened(path, os.O_RDWR) as descriptor:
            self._disk.sync(descriptor, path)
        self._disk.reached("catalogue copied")

    def _paged(self, status: int, remaining: int, total: int) -> None:  # noqa: ARG002 - SQLite's order of arguments
        self._progress((total - remaining) * self._page_size, 2 * self._bytes)

    def _segment(self, seen: StoredSnapshot, segment: Segment, home: Path) -> None:
        self._file(path_of(home, segment.number), _parts(seen, segment))
        self._disk.reached("segment copied")

    def _index(self, lexical: HeldIndex, home: Path) -> None:
        self._disk.make_folder(home)
        for name, file in lexical.held.files.items():
            self._file(home / name, iter(partial(file.read, CHUNK), b""))
        for name, content in lexical.held.written.items():
            self._file(home / name, [content])
        for folder in (home, home.parent, home.parent.parent):
            self._disk.sync_folder(folder)
        self._disk.reached("lexical index copied")

    def _file(self, target: Path, parts: Iterable[bytes | memoryview]) -> None:
        """Writes and syncs one file."""
        with self._disk.opened(target, os.O_RDWR | os.O_CREAT | os.O_EXCL) as writing:
            offset = 0
            for part in parts:
                self._disk.write(writing, target, part, offset)
                offset += len(part)
                self._progress(self._done + offset, 2 * self._bytes)
            self._disk.sync(writing, target)
        self._done += offset


def _parts(seen: StoredSnapshot, segment: Segment) -> Iterator[bytes | memoryview]:
    """The used bytes of a segment's file, from the snapshot's maps: the file itself may be removed by now."""
    yield header(segment, (seen.space.words, seen.space.dtype))
    for first, vectors in seen.blocks():
        mine = vectors[max(segment.first_row - first, 0) : max(segment.end - first, 0)]
        for start in range(0, len(mine), ROWS):
            yield raw(mine[start : start + ROWS])
