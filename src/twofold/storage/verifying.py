"""Verifying: every checksum of a collection computed again, on one snapshot, while writers may go on.

What is found is named: the file or table, and the documents that it hits.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from twofold.errors import CollectionError, CorruptionError, FormatError
from twofold.progress import Progress
from twofold.storage import acknowledged, builds, checksums
from twofold.storage.layout import CATALOGUE, DERIVED, DESCRIPTION, Description
from twofold.storage.reading import BATCH, StoredSnapshot
from twofold.storage.records import DOCUMENT_COLUMNS, ID_COLUMNS, is_whole, last_number, name_of
from twofold.storage.segments import raw

MESSAGES = 20
"""What SQLite's own check says at most."""


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
    """One run over one snapshot."""

    def __init__(self, snapshot: StoredSnapshot, progress: Progress) -> None:
        self._snapshot = snapshot
        self._progress = progress
        self._sum = 0
        self._rows_by_blocks = np.zeros(snapshot.head.next_document, dtype=np.int64)
        self._rows_by_documents = np.zeros(snapshot.head.next_document, dtype=np.int64)
        self.report = VerifyReport()

    def run(self, store_path: Any, noted: int) -> VerifyReport:
        """Everything, one part after the other; a part that cannot be read to its end is damage and no exception.

        noted: the last commit that was acknowledged before the snapshot was taken.
        """
        if said := acknowledged.lost(store_path, noted, self._snapshot.commit):
            self._hit(f"{CATALOGUE}-wal", said)
        parts = (
            (DESCRIPTION, lambda: Description.read(store_path)),
            (CATALOGUE, self._structure),
            (f"{CATALOGUE}, documents", self._documents),
            (f"{CATALOGUE}, state", self._state),
            ("vectors", self._blocks),
            (CATALOGUE, self._sums),
            ("indexes", self._builds),
        )
        for place, part in parts:
            try:
                part()
            except (CollectionError, sqlite3.Error) as error:
                self._hit(place, str(error))
        return self.report

    def _hit(self, place: str, message: str, documents: tuple[str, ...] = ()) -> None:
        self.report.damage.append(Damage(place, message, documents))

    def _advance(self) -> None:
        head = self._snapshot.head
        self._progress(self.report.documents + self.report.rows, head.next_document + head.next_row)

    def _structure(self) -> None:
        with self._snapshot.reading() as connection:
            for (message,) in connection.execute(f"PRAGMA integrity_check({MESSAGES})").fetchall():
                if message != "ok":
                    self._hit(CATALOGUE, message)

    def _documents(self) -> None:
        head = self._snapshot.head
        living = rows = truncated = tokens = 0
        for line in self._lines():
            number, cut, count, _, deleted, checksum = line[:6]
            if not is_whole(line):
                self._hit(f"{CATALOGUE}, document number {number}", "its content changed", (name_of(line),))
                continue
            self._sum += checksum
            self.report.documents += 1
            self.report.bytes += sum(map(len, line[6:]))
            if 0 <= number < head.next_document:
                self._rows_by_documents[number] = count
            if deleted is None:
                living, rows, truncated, tokens = living + 1, rows + count, truncated + (cut > 0), tokens + cut
        found = (living, rows, truncated, tokens)
        if found != (head.documents, head.rows, head.truncated, head.tokens_cut):
            self._hit(CATALOGUE, f"it holds {living} living documents of {rows} rows, its head says {head}")

    def _lines(self) -> Iterator[Any]:
        last = -1
        while True:
            with self._snapshot.reading() as connection:
                found = connection.execute(
                    f"{DOCUMENT_COLUMNS} FROM documents WHERE number > ? ORDER BY number LIMIT ?", (last, BATCH)
                ).fetchall()
            if not found:
                return
            last = last_number(found, last)
            yield from found
            self._advance()

    def _state(self) -> None:
        with self._snapshot.reading() as connection:
            for key, value, checksum in connection.execute(
                "SELECT key, value, checksum FROM state WHERE key <> 'head'"
            ):
                if checksums.of_row(key, value) != checksum:
                    self._hit(f"{CATALOGUE}, state", f"the entry {key!r} changed")
                    continue
                self._sum += checksum
        self._sum += sum(segment.checksum for segment in self._snapshot.segments)

    def _blocks(self) -> None:
        pieces = self._snapshot.blocks()
        end = 0
        with self._snapshot.reading() as connection:
            for *columns, checksum in connection.execute("SELECT * FROM blocks ORDER BY first_row"):
                first_row, rows, segment, first_document, documents, _, crc = columns
                if checksums.of_row(*columns) != checksum or first_row != end:
                    self._hit(f"{CATALOGUE}, block of row {first_row}", "it changed, or rows before it are lost")
                    continue
                self._sum += checksum
                end = first_row + rows
                owners = np.frombuffer(documents, "<u4").astype(np.int64) + first_document
                np.add.at(self._rows_by_blocks, owners[owners < len(self._rows_by_blocks)], 1)
                if self._crc(pieces, first_row, rows) != crc:
                    self._hit(f"vectors/{segment:06d}.f16", f"rows {first_row} to {end - 1} changed", self._ids(owners))
                self._advance()
        if end != self._snapshot.head.next_row:
            self._hit(CATALOGUE, f"its blocks end at row {end}, its head says {self._snapshot.head.next_row}")

    def _builds(self) -> None:
        trusted = None if self.report.damage else self._snapshot  # damaged lines say nothing against a build
        for path in [each for room in sorted(DERIVED) for each in builds.folders(self._snapshot.folder / room)]:
            said = wrong(path, trusted)
            if said and path.exists():  # else a writer has put a newer one in its place
                place = path.relative_to(self._snapshot.folder).as_posix()
                self.report.damage.append(Damage(place, said, derived=True))

    def _crc(self, pieces: Any, first_row: int, rows: int) -> int:
        crc = 0
        for first, vectors in pieces:
            part = vectors[max(first_row - first, 0) : max(first_row + rows - first, 0)]
            crc = zlib.crc32(raw(part), crc) if len(part) else crc
            self.report.rows += len(part)
            self.report.bytes += part.nbytes
        return crc

    def _ids(self, owners: Any) -> tuple[str, ...]:
        with self._snapshot.reading() as connection:
            found = connection.execute(
                f"{ID_COLUMNS} FROM documents WHERE number BETWEEN ? AND ? AND deleted IS NULL ORDER BY number",
                (int(owners.min()), int(owners.max())),
            )
            return tuple(identifier.decode("utf-8", "replace") for _, identifier in found)

    def _sums(self) -> None:
        wrong = np.flatnonzero(self._rows_by_blocks != self._rows_by_documents)
        if len(wrong):
            self._hit(CATALOGUE, f"documents and blocks disagree about the rows of {len(wrong)} documents")
        if checksums.wrapped(self._sum) != self._snapshot.head.total:
            self._hit(CATALOGUE, "the sum of its checksums is not the one that was recorded: lines are lost or changed")
