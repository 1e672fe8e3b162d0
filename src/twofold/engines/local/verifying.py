"""Verifying: every checksum of a collection computed again, on one snapshot, while writers may go on.

What is found is named: the file or table, and the documents that it hits.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np

from twofold.engines.local import acknowledged
from twofold.engines.local.catalogue import checksums
from twofold.engines.local.catalogue.records import DOCUMENT_COLUMNS, ID_COLUMNS, Line, is_whole, last_number, name_of
from twofold.engines.local.derived.manifest import Manifest, Part, Piece, file_of, homes, read, wrong_content
from twofold.engines.local.description import Description
from twofold.engines.local.document_snapshot import BATCH
from twofold.engines.local.layout import CATALOGUE, DESCRIPTION, VECTORS
from twofold.engines.local.reader import LocalSnapshot
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.engines.local.spaces.maps import Piece as Vectors
from twofold.engines.local.spaces.segments import raw
from twofold.errors import CollectionError, CorruptionError, FormatError
from twofold.progress import Progress
from twofold.reports import Damage, VerifyReport
from twofold.scores import Numbers

MESSAGES = 20
"""What SQLite's own check says at most."""
BLOCKS = 16
"""Lines of blocks that are read at a time."""
PAUSE = 0.2
"""Seconds between two words of progress while the vectors are waited for."""


def damaged_indexes(folder: Path, snapshot: LocalSnapshot, *, trusted: bool = True) -> Iterator[Damage]:
    """What is wrong with the indexes of a snapshot's rows and the parts that they name, after reading all of it.

    trusted: whether the snapshot says from which vectors pieces should have been made, if they are of no later commit.
    """
    for home in homes(folder):
        known = trusted and home.name in snapshot.description.names()
        seen = snapshot.in_space(home.name) if known else None
        yield from _damaged(folder, file_of(home, snapshot.head.generation), seen)


def _damaged(folder: Path, file: Path, seen: StoredSnapshot | None) -> Iterator[Damage]:
    """The same of one manifest."""
    try:
        manifest = read(file)
    except CorruptionError as error:
        yield Damage(file.relative_to(folder).as_posix(), str(error), derived=True)
        return
    except FormatError:
        return
    if manifest is None:  # a writer has taken it away since
        return
    for part in manifest.parts:
        said = _wrong(manifest, part, seen)
        if said and _stands(manifest):  # else a writer has published another since
            yield Damage((manifest.home / part.folder).relative_to(folder).as_posix(), said, derived=True)


def _wrong(manifest: Manifest, part: Part, snapshot: StoredSnapshot | None) -> str | None:
    if said := wrong_content(manifest.home, part):
        return said
    if snapshot is None or manifest.commit > snapshot.commit:
        return None
    if isinstance(part, Piece) and not snapshot.fits(part):
        return "it was made from other vectors than those that are here"
    return None


def _stands(manifest: Manifest) -> bool:
    try:
        now = read(manifest.file)
    except CorruptionError:
        return True
    return now is not None and now.checksum == manifest.checksum


class Verification:
    """One run over one snapshot.

    The vectors and SQLite's own check are read beside the documents, in a second thread: both leave the interpreter
    free. beside: another snapshot for SQLite's check, since a connection serves one thread at a time.
    """

    def __init__(self, snapshot: LocalSnapshot, beside: LocalSnapshot, progress: Progress) -> None:
        self._snapshot = snapshot
        self._beside = beside
        self._progress = progress
        self._ended = False
        self._sum = self._sum_of_blocks = self._bytes_of_vectors = 0
        self._spaces = [snapshot.in_space(name) for name in sorted(snapshot.description.names())]
        self._live = np.zeros(snapshot.head.next_document, np.bool_)
        self._rows = {space.space.name: np.zeros(snapshot.head.next_document, np.int64) for space in self._spaces}
        self.report = VerifyReport()

    def run(self, folder: Path, noted: int) -> VerifyReport:
        """Everything; a part that cannot be read to its end is damage and no exception.

        noted: the last commit that was acknowledged before the snapshot was taken.
        """
        damage = self.report.damage
        if said := acknowledged.lost(folder, noted, self._snapshot.commit):
            damage.append(Damage(f"{CATALOGUE}-wal", said))
        with ThreadPoolExecutor(1) as pool:
            structure = pool.submit(_found, CATALOGUE, self._structure())
            vectors = pool.submit(_found, VECTORS, self._vectors())
            try:
                described = _found(DESCRIPTION, _description(folder))
                documents = _found(f"{CATALOGUE}, documents", self._documents())
                state = _found(f"{CATALOGUE}, state", self._state())
                cut = _found(f"{CATALOGUE}, truncations", self._truncations())
                cut += _found(CATALOGUE, self._forgotten())
                while wait([vectors], PAUSE).not_done:
                    self._advance()
            finally:
                self._ended = True  # after Ctrl-C nobody waits for the other thread
        self._advance()
        self.report.bytes += self._bytes_of_vectors
        damage += [*described, *structure.result(), *documents, *state, *cut, *vectors.result()]
        damage += _found(CATALOGUE, self._sums())
        damage += _found("indexes", self._indexes())
        return self.report

    def _advance(self) -> None:
        rows = sum(space.head.next_row for space in self._spaces)
        self._progress(self.report.documents + self.report.rows, self._snapshot.head.next_document + rows)

    def _structure(self) -> Iterator[Damage]:
        with self._beside.reading() as connection:
            for (message,) in connection.execute(f"PRAGMA integrity_check({MESSAGES})").fetchall():
                if message != "ok":
                    yield Damage(CATALOGUE, message)

    def _documents(self) -> Iterator[Damage]:
        head = self._snapshot.head
        for batch in self._batches():
            lines = [line for line in batch if is_whole(line)]
            if len(lines) < len(batch):
                yield from map(_changed, [line for line in batch if not is_whole(line)])
            if not lines:
                continue
            numbers, _, deleted, sums, *contents = zip(*lines, strict=True)
            self._sum += sum(sums)
            self.report.documents += len(lines)
            self.report.bytes += sum(sum(map(len, column)) for column in contents)
            inside = bisect_left(numbers, head.next_document)
            self._live[list(numbers[:inside])] = [each is None for each in deleted[:inside]]
        if (live := int(np.count_nonzero(self._live))) != head.documents:
            yield Damage(CATALOGUE, f"it holds {live} live documents, its head says {head.documents}")

    def _batches(self) -> Iterator[list[Line]]:
        last = -1
        while True:
            with self._snapshot.reading() as connection:
                found = connection.execute(
                    f"{DOCUMENT_COLUMNS} FROM documents WHERE number > ? ORDER BY number LIMIT ?", (last, BATCH)
                ).fetchall()
            if not found:
                return
            last = last_number(found, last)
            yield found
            self._advance()

    def _state(self) -> Iterator[Damage]:
        with self._snapshot.reading() as connection:
            lines = connection.execute("SELECT key, value, checksum FROM state WHERE key <> 'head'").fetchall()
        for key, value, checksum in lines:
            if checksums.of_row(key, value) != checksum:
                yield Damage(f"{CATALOGUE}, state", f"the entry {key!r} changed")
                continue
            self._sum += checksum
        for space in self._spaces:
            self._sum += sum(segment.line(space.space.name)[-1] for segment in space.segments)

    def _truncations(self) -> Iterator[Damage]:
        for space in self._spaces:
            name, head = space.space.name, space.head
            with self._snapshot.reading() as connection:
                lines = connection.execute("SELECT * FROM truncations WHERE space = ?", (name,)).fetchall()
            whole = [line for line in lines if checksums.of_row(*line[:-1]) == line[-1]]
            self._sum += sum(checksum for *_, checksum in whole)
            found = (len(whole), sum(tokens for _, _, tokens, _ in whole))
            if found != (head.truncated, head.tokens_cut):
                yield Damage(
                    f"{CATALOGUE}, truncations",
                    f"{found[0]} documents lack {found[1]} tokens in the space {name!r}, its head says "
                    f"{head.truncated} and {head.tokens_cut}",
                )

    def _forgotten(self) -> Iterator[Damage]:
        """Lines of spaces that are no more, which the next writer drops, count in the sum until then."""
        listed = json.dumps(sorted(self._rows))
        for table in ("blocks", "segments", "truncations"):
            with self._snapshot.reading() as connection:
                lines = connection.execute(
                    f"SELECT * FROM {table} WHERE space NOT IN (SELECT value FROM json_each(?))",  # noqa: S608
                    (listed,),
                )
                self._sum += sum(checksum for *columns, checksum in lines if checksums.of_row(*columns) == checksum)
        yield from ()

    def _vectors(self) -> Iterator[Damage]:
        for space in self._spaces:
            yield from self._blocks(space)

    def _blocks(self, space: StoredSnapshot) -> Iterator[Damage]:
        name, pieces, by_blocks = space.space.name, space.blocks(), self._rows[space.space.name]
        end = 0
        for *columns, checksum in self._block_lines(name):
            _, first_row, rows, segment, first_document, documents, _, crc = columns
            if checksums.of_row(*columns) != checksum or first_row != end:
                yield Damage(f"{CATALOGUE}, block of row {first_row}", "it changed, or rows before it are lost")
                continue
            self._sum_of_blocks += checksum
            end = first_row + rows
            owners = np.frombuffer(documents, "<u4").astype(np.int64) + first_document
            np.add.at(by_blocks, owners[owners < len(by_blocks)], 1)
            if self._crc(pieces, first_row, rows) != crc:
                message = f"rows {first_row} to {end - 1} changed"
                yield Damage(f"{VECTORS}/{name}/{segment:06d}.f16", message, self._ids(owners))
        if end != space.head.next_row:
            yield Damage(CATALOGUE, f"its blocks end at row {end}, its head says {space.head.next_row}")

    def _block_lines(self, space: str) -> Iterator[Line]:
        last = -1
        while not self._ended:
            with self._snapshot.reading() as connection:
                found = connection.execute(
                    "SELECT * FROM blocks WHERE space = ? AND first_row > ? ORDER BY first_row LIMIT ?",
                    (space, last, BLOCKS),
                ).fetchall()
            if not found:
                return
            last = last_number([line[1:] for line in found], last)
            yield from found

    def _indexes(self) -> Iterator[Damage]:
        trusted = not self.report.damage  # damaged lines say nothing against an index
        yield from damaged_indexes(self._snapshot.folder, self._snapshot, trusted=trusted)

    def _crc(self, pieces: Sequence[Vectors], first_row: int, rows: int) -> int:
        crc = 0
        for first, vectors in pieces:
            part = vectors[max(first_row - first, 0) : max(first_row + rows - first, 0)]
            crc = zlib.crc32(raw(part), crc) if len(part) else crc
            self.report.rows += len(part)
            self._bytes_of_vectors += part.nbytes
        return crc

    def _ids(self, owners: Numbers) -> tuple[str, ...]:
        with self._snapshot.reading() as connection:
            found = connection.execute(
                f"{ID_COLUMNS} FROM documents WHERE number BETWEEN ? AND ? AND deleted IS NULL ORDER BY number",
                (int(owners.min()), int(owners.max())),
            )
            return tuple(identifier.decode("utf-8", "replace") for _, identifier in found)

    def _sums(self) -> Iterator[Damage]:
        for space in self._spaces:
            live = int(self._rows[space.space.name][self._live].sum())
            if live != space.head.rows:
                yield Damage(
                    CATALOGUE,
                    f"{live} rows of the space {space.space.name!r} are live by its blocks and marks, "
                    f"{space.head.rows} by its head",
                )
        if checksums.wrapped(self._sum + self._sum_of_blocks) != self._snapshot.catalogue_head.total:
            yield Damage(
                CATALOGUE, "the sum of its checksums is not the one that was recorded: lines are lost or changed"
            )


def _found(place: str, part: Iterator[Damage]) -> list[Damage]:
    """All that a part finds, until it ends or cannot go on, which is damage too."""
    found: list[Damage] = []
    try:
        for each in part:
            found.append(each)  # noqa: PERF402 - what was found before an error is kept
    except (CollectionError, sqlite3.Error) as error:
        found.append(Damage(place, str(error)))
    return found


def _description(folder: Path) -> Iterator[Damage]:
    Description.read(folder)
    yield from ()


def _changed(line: Line) -> Damage:
    return Damage(f"{CATALOGUE}, document number {line[0]}", "its content changed", (name_of(line),))
