"""The writer: the only one that changes a collection, for as long as it holds the lock.

A commit appends vectors and syncs them, then records everything in one SQLite transaction. Its COMMIT is the
acknowledgement: a sync for each space and one more, and nothing before it is visible to anybody.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from twofold.block import Block, Known, Part
from twofold.engines.local.catalogue.change import Change, known, live_between, next_live
from twofold.engines.local.catalogue.connections import Lease
from twofold.engines.local.catalogue.records import read_state
from twofold.engines.local.catalogue.space_change import Placed
from twofold.engines.local.compacting import Compacting
from twofold.engines.local.derived.fingerprints import fingerprint
from twofold.engines.local.derived.manifest import Manifest
from twofold.engines.local.derived.manifest import Part as IndexPart
from twofold.engines.local.derived.manifest import Piece as IndexPiece
from twofold.engines.local.derived.publishing import Fill, Publisher
from twofold.engines.local.disk import Disk
from twofold.engines.local.folder import Folder
from twofold.engines.local.layout import home_of_space
from twofold.engines.local.locking import WriterLock
from twofold.engines.local.recording import Recording
from twofold.engines.local.spaces import segments
from twofold.engines.local.spaces.segments import Halves, Segment
from twofold.errors import CorruptionError, InputError, StorageError
from twofold.logs import logger_of
from twofold.progress import Progress, silent
from twofold.reports import CompactReport
from twofold.scores import Numbers
from twofold.space import Space

logger = logger_of(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which documents a writer was asked for at a commit, and what was stored of them."""

    commit: int
    ids: frozenset[str]
    found: Mapping[str, Known]


class Writer:
    """Adds, deletes and keeps state; each call is one commit, durable when it returns.

    A call that raises StorageError leaves the collection as it was, and may be tried again.
    """

    def __init__(self, folder: Folder, lock: WriterLock, lease: Lease, disk: Disk) -> None:
        self._held = folder
        self._folder = folder.inside
        self._disk = disk
        self._recording = Recording(folder, lock, lease, disk)
        self._publisher = Publisher(self._folder, disk)
        self._asked = Asked(0, frozenset(), {})

    def recover(self) -> None:
        """Makes the disk agree with the last commit; called when the lock is taken."""
        self._recording.recover()

    def release(self) -> None:
        """Ends the right to write; called before the lock is given up."""
        self._recording.release()

    def known(self, ids: Sequence[str]) -> dict[str, Known]:
        """What is stored of the live documents with these ids; unknown ids are missing from the answer."""
        with self._recording.connection() as connection:
            return self._known(connection, ids)

    def spaces(self) -> tuple[Space, ...]:
        """The complete spaces, into which every added document goes, the default one first."""
        with self._recording.connection():
            made, head = self._recording.description, self._recording.head
        complete = [space for space in made.spaces if head.of(space.name).complete]
        return tuple(sorted(complete, key=lambda space: space.name != made.default))

    def commit(self, block: Block) -> Numbers:
        """Adds documents, in place of live ones with the same ids; gives their numbers, int64 (documents,).

        The block has a part for each complete space. Raises VectorError before anything is written; InputError;
        StorageError; CorruptionError.
        """
        spaces, names = self.spaces(), [document.id for document in block.documents]
        if set(block.parts) != {space.name for space in spaces}:
            raise InputError(
                f"documents were encoded for the spaces {', '.join(sorted(block.parts))}, and are added to "
                f"{', '.join(sorted(space.name for space in spaces))}; run it again"
            )
        halves = {space.name: block.parts[space.name].halves(space, names) for space in spaces}
        if not block.documents:
            return np.empty(0, np.int64)
        with self._recording.connection() as connection:
            placed = {name: self._appended(name, vectors) for name, vectors in halves.items()}
            replaced = [entry.handle for entry in self._known(connection, names).values()]
            numbers = self._recording.recorded(connection, lambda change: _add(change, block, placed, replaced))
            self._log("added %d documents, %d of them in place of others", len(numbers), len(replaced))
            return numbers

    def delete(self, numbers: Sequence[int] | Numbers) -> int:
        """Marks documents as deleted; gives how many of them were live."""
        if not len(numbers):
            return 0
        with self._recording.connection() as connection:
            marked = [int(number) for number in numbers]
            deleted = self._recording.recorded(connection, lambda change: change.mark(marked))
            self._log("deleted %d documents", deleted)
            return deleted

    def put_state(self, key: str, value: Any) -> None:
        """Keeps a JSON value under a key for a package above; None removes it."""
        with self._recording.connection() as connection:
            self._recording.recorded(connection, lambda change: change.put_state(key, value))

    def state(self, key: str) -> Any:
        """The JSON value under a key, or None."""
        with self._recording.connection() as connection:
            return read_state(connection, key)

    def add_space(self, space: Space) -> None:
        """Begins a space, which is complete where there are no documents; else `fill_space` fills it.

        First a commit records it without rows and its folder is made; then collection.json, which decides, is replaced.
        A kill in between leaves a space that nobody knows, and the next writer drops it. Raises InputError where the
        name is taken, StorageError.
        """
        with self._recording.connection() as connection:
            described = self._recording.description.with_space(space)
            self._recording.recorded(connection, lambda change: change.add_space(space.name))
            home = home_of_space(self._folder, space.name)
            self._disk.make_folder(home)
            self._disk.sync_folder(home.parent)
            self._disk.reached("space begun")
            self._recording.describe(described)

    def fill_space(self, name: str, documents: Numbers, part: Part) -> bool:
        """Puts documents that are there already into a space, in the order of their numbers; says whether all are in.

        documents: int64 (n,), ascending: the first live ones that the space lacks; those that were deleted meanwhile
        are left out, and without any the space is complete where all that it lacked were deleted. One commit. Raises
        InputError where one is passed over, VectorError, StorageError.
        """
        space = self._recording.description.space(name)
        with self._recording.connection() as connection:
            head = self._recording.head.of(name)
            end = int(documents[-1]) + 1 if len(documents) else head.filled
            live = live_between(connection, head.filled, end)
            kept = np.isin(documents, live)
            if int(kept.sum()) != len(live):
                raise InputError(f"the space {name!r} is filled in the order of the documents, and some were left out")
            chosen, numbers = part.of(kept), documents[kept]
            placed = self._appended(name, chosen.halves(space, numbers.tolist()))
            filled = next_live(connection, max(end, head.filled), head.next_document)
            self._recording.recorded(connection, partial(_fill, name, numbers, chosen, placed, filled))
            self._disk.reached("space filled")
            return filled == head.next_document

    def make_default(self, name: str) -> None:
        """Makes a complete space the one that is searched: one rename of collection.json, which is the switch.

        Raises InputError where there is no such space, or it is not complete; StorageError.
        """
        with self._recording.connection():
            described = self._recording.description.with_default(name)
            if not self._recording.head.of(name).complete:
                raise InputError(
                    f"the space {name!r} lacks documents still; fill it first: "
                    "`twofold migrate COLLECTION --encoder NAME`"
                )
            self._recording.describe(described)

    def put_source(self, name: str, source: Mapping[str, Any]) -> None:
        """Replaces that from which the encoder of a space is loaded: one rename of collection.json.

        Raises InputError where there is no such space, StorageError.
        """
        with self._recording.connection():
            self._recording.describe(self._recording.description.with_source(name, source))

    def drop_space(self, name: str) -> None:
        """Gives up a space that is not the default one, and its disk space.

        First collection.json, which decides, is replaced; then a commit forgets its rows, and its files go. A kill in
        between leaves a space that nobody knows, and the next writer goes on here. Raises InputError, StorageError.
        """
        with self._recording.connection() as connection:
            self._recording.describe(self._recording.description.without(name))
            self._recording.recorded(connection, lambda change: change.drop_space(name))
            self._recording.drop_folders()

    def compact(self, progress: Progress = silent) -> CompactReport:
        """Frees the disk space of deleted documents: rows are numbered anew, documents keep their numbers.

        Indexes stay. Where nothing was deleted, only free pages of the catalogue are given back. Readers keep their
        snapshots. Raises StorageError, CorruptionError.
        """
        with self._recording.connection() as connection:
            return Compacting(self._folder, self._disk, self._recording, self._release, progress).run(connection)

    def build(self, area: str, fill: Fill, first: int, end: int) -> IndexPiece:
        """Builds a piece of an index over a space's rows from `first` to before `end`; it counts once it is published.

        area: "indexes/" and the space. fill: writes files into an empty folder. Raises what `fill` raises, InputError,
        StorageError, CorruptionError.
        """
        name = area.rpartition("/")[2]
        with self._recording.connection() as connection:
            vectors = fingerprint(connection, name, self._recording.vectors(name), (first, end))
        part = self._publisher.build(area, fill)
        return IndexPiece(folder=part.folder, files=part.files, first=first, rows=end - first, vectors=vectors)

    def put_beside(self, area: str, fill: Fill) -> IndexPart:
        """Builds a part of an index that covers no rows; it counts once it is published. Raises as `build`."""
        self._recording.check()
        return self._publisher.build(area, fill)

    def publish(
        self, area: str, about: Mapping[str, Any], pieces: Sequence[IndexPiece], beside: IndexPart | None = None
    ) -> Manifest:
        """Replaces the index of an area at once; what the new one does not name is removed.

        about: JSON that says what was made and measured. pieces: cover the rows from 0 on without a gap. After a crash
        or an error the index that was there is still there. Raises InputError, StorageError, CorruptionError.
        """
        self._recording.check()
        head = self._recording.head
        fields = {"commit": head.commit, "generation": head.generation, "about": about}
        manifest = self._publisher.publish(area, fields, pieces, beside)
        if manifest is None:
            raise CorruptionError(f"the index in {self._folder / area} is gone though it was just published")
        return manifest

    def discard(self, area: str, part: IndexPart) -> None:
        """Removes a part that was built and is not to be published. Raises StorageError."""
        self._recording.check()
        self._publisher.discard(area, part)

    def sweep(self, area: str) -> None:
        """Removes all parts of an area that its index does not name. Raises InputError."""
        self._recording.check()
        self._publisher.sweep(area)

    def fresh(self, area: str) -> Path:
        """A new, empty folder for an engine that commits in its own ways; nothing in it is checked.

        Its name was never used before, and it lies in a folder that is called by the collection's id. Nobody finds it
        until a state names it (`put_state`), and `keep` removes the others. area: "indexes" or "lexical". Raises
        InputError, StorageError.
        """
        self._recording.check()
        self._publisher.made(area)
        folder = self._held.of_engine(area) / secrets.token_hex(8)
        self._disk.make_folder(folder)
        for each in (folder.parent, folder.parent.parent):
            self._disk.sync_folder(each)
        return folder

    def keep(self, area: str, name: str) -> None:
        """Removes all of an engine's folders but one, as those that a stopped writer left; a refusal is passed over."""
        self._recording.check()
        home = self._held.of_engine(area)
        with suppress(FileNotFoundError):
            for each in os.listdir(home):
                if each != name:
                    with suppress(StorageError):  # it is in nobody's way; the next writer tries again
                        self._disk.remove_tree(home / each)

    def clear(self, area: str) -> None:
        """Throws away all that is derived in an area. Raises InputError, StorageError."""
        self._recording.check()
        self._publisher.clear(area)

    def _log(self, what: str, *counts: int) -> None:
        logger.debug(f"%s: commit %d {what}", self._folder, self._recording.head.commit, *counts)

    def _release(self) -> None:
        """Lets go of maps of files that are about to be removed: none are kept here."""

    def _known(self, connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, Known]:
        """As `known`; what was asked since the last commit is not read again, as by `commit` what `add` has asked."""
        commit, asked, found = self._recording.head.commit, self._asked.ids, self._asked.found
        if self._asked.commit != commit or not asked.issuperset(ids):
            found = known(connection, ids)
            self._asked = Asked(commit, frozenset(ids), found)
        return {identifier: found[identifier] for identifier in ids if identifier in found}

    def _appended(self, name: str, vectors: Halves) -> list[Placed]:
        """Rows behind those of a space that count, written and synced; nothing speaks of them yet."""
        home = home_of_space(self._folder, name)
        counting = self._recording.segments[name]
        numbers = segments.new_numbers(home, counting)
        last = counting[-1] if counting else Segment.new(next(numbers), 0)
        placed = list(segments.place(vectors, last, numbers))
        for segment, rows in placed:
            segments.append(self._disk, home, segment, rows)
        return placed


def _add(change: Change, block: Block, placed: Mapping[str, Sequence[Placed]], replaced: Sequence[int]) -> Numbers:
    if replaced:
        change.mark(replaced)
    numbers = change.add(block)
    for name, part in block.parts.items():
        _fill(name, numbers, part, placed[name], int(numbers[-1]) + 1, change)
    return numbers


def _fill(name: str, numbers: Numbers, part: Part, placed: Sequence[Placed], filled: int, change: Change) -> None:
    change.spaces[name].take(numbers, part, placed)
    change.spaces[name].fill_until(filled)
