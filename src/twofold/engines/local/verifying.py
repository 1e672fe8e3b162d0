"""Verifying: every checksum of a collection computed again, on one snapshot, while writers may go on.

What is found is named: the file or table, and the documents that it hits.
"""

from __future__ import annotations

import sqlite3
import zlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from twofold.engines.local import acknowledged
from twofold.engines.local.catalogue import checksums
from twofold.engines.local.catalogue.records import DOCUMENT_COLUMNS, ID_COLUMNS, Line, is_whole, last_number, name_of
from twofold.engines.local.derived import builds
from twofold.engines.local.description import Description
from twofold.engines.local.document_snapshot import BATCH
from twofold.engines.local.layout import CATALOGUE, DERIVED, DESCRIPTION, VECTORS
from twofold.engines.local.reader import LocalSnapshot
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.engines.local.spaces.maps import Piece
from twofold.engines.local.spaces.segments import raw
from twofold.errors import CollectionError, CorruptionError, FormatError
from twofold.progress import Progress
from twofold.scores import Numbers

MESSAGES = 20
"""What SQLite's own check says at most."""
BLOCKS = 16
"""Lines of blocks that are read at a time."""
PAUSE = 0.2
"""Seconds between two words of progress while the vectors are waited for."""


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is not as it was written: where, what, and the ids of the living documents that it hits.

    derived: nothing is lost, it can be made again. repaired: it was taken away, so that it will be.
    """

    place: str
    message: str
    documents: tuple[str, ...] = ()
    derived: bool = False
    repaired: bool = False

    def __str__(self) -> str:
        hit = f" (documents {', '.join(self.documents)})" if self.documents else ""
        fate = ", taken away" if self.repaired else ""
        return f"{self.place}: {self.message}{hit}{f' (derived{fate})' if self.derived else ''}"


@dataclass(slots=True)
class VerifyReport:
    """What was read again, and what is damaged.

    documents: lines read, deleted ones among them. rows: vectors read. bytes: of texts and vectors.
    """

    documents: int = 0
    rows: int = 0
    bytes: int = 0
    damage: list[Damage] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether everything is as it was written, but for what was repaired."""
        return all(each.repaired for each in self.damage)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {**asdict(self), "clean": self.clean}


def wrong(path: Path, snapshot: StoredSnapshot | None) -> str | None:
    """What is wrong with a build, after reading all of it; None where nothing is.

    snapshot: which vectors it should have been made from, if it is of that generation and no later commit.
    """
    try:
        built = builds.read(path)
        built.check()
    except CorruptionError as error:
        return str(error)
    except FormatError:
        return None
    covered = built.covered
    if snapshot is None or covered.generation != snapshot.head.generation or covered.commit > snapshot.commit:
        return None
    return None if snapshot.fits(built) else "it was made from other vectors than those that are here"


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
        self._living = np.zeros(snapshot.head.next_document, np.bool_)
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
                while wait([vectors], PAUSE).not_done:
                    self._advance()
            finally:
                self._ended = True  # after Ctrl-C nobody waits for the other thread
        self._advance()
        self.report.bytes += self._bytes_of_vectors
        damage += [*described, *structure.result(), *documents, *state, *cut, *vectors.result()]
        damage += _found(CATALOGUE, self._sums())
        damage += _found("indexes", self._builds())
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
            self._living[list(numbers[:inside])] = [each is None for each in deleted[:inside]]
        if (living := int(np.count_nonzero(self._living))) != head.documents:
            yield Damage(CATALOGUE, f"it holds {living} living documents, its head says {head.documents}")

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
            self._sum += sum(segment.checksum(space.space.name) for segment in space.segments)

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

    def _builds(self) -> Iterator[Damage]:
        trusted = None if self.report.damage else self._snapshot  # damaged lines say nothing against a build
        for path in [each for room in sorted(DERIVED) for each in builds.folders(self._snapshot.folder / room)]:
            said = wrong(path, trusted)
            if said and path.exists():  # else a writer has put a newer one in its place
                place = path.relative_to(self._snapshot.folder).as_posix()
                yield Damage(place, said, derived=True)

    def _crc(self, pieces: Sequence[Piece], first_row: int, rows: int) -> int:
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
            living = int(self._rows[space.space.name][self._living].sum())
            if living != space.head.rows:
                yield Damage(
                    CATALOGUE,
                    f"{living} rows of the space {space.space.name!r} are living by its blocks and marks, "
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
