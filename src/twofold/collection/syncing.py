"""Syncing: the documents of a folder's files become those that the files hold now, and unchanged files are not opened.

What is known of each file (size, time, inode, the ids of its documents) is kept in the collection, a value a folder. It
is written after the documents: an interruption in between costs reading these files again, and encodes nothing twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twofold.documents import Document
from twofold.engine import EngineWriter
from twofold.errors import InputError
from twofold.files import absolute
from twofold.readers.bad_lines import BadLines
from twofold.readers.files.kinds import FILES, documents_of, suffixes_of
from twofold.readers.identifiers import prefix_of
from twofold.readers.walking import Choice, Found, files_below
from twofold.reports import AddReport, ReadReport

Agreed = Callable[[int, int], bool]
"""Asked before documents are deleted: (files that are gone, their documents) → whether to."""


@dataclass(slots=True, kw_only=True)
class SyncReport:
    """What a sync did, in files: changed (new ones too; those that failed left out), unchanged, gone.

    deleted: documents. kept: documents of files that are gone, whose deletion was not agreed to. added: what became of
    the documents that were read; None where none were. reading: files that failed, with their reasons, and those left
    out.
    """

    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    deleted: int = 0
    kept: int = 0
    added: AddReport | None = None
    reading: ReadReport = field(default_factory=ReadReport)

    def to_json(self) -> dict[str, Any]:
        """The counts by name, and each file that failed with its reason."""
        counts = {name: getattr(self, name) for name in ("changed", "unchanged", "gone", "deleted", "kept")}
        documents = {} if self.added is None else self.added.to_json()
        return {"files": counts, "documents": documents, "failed": dict(self.reading.unread)}


@dataclass(frozen=True, slots=True)
class _File:
    """What is known of a file that was read: its state on the disk, and the ids of its documents."""

    state: tuple[int, int, int]
    ids: list[str]


class Syncing:
    """One sync of a folder. add, delete: those of the collection."""

    def __init__(
        self,
        writer: EngineWriter,
        add: Callable[[Iterator[Document]], AddReport],
        delete: Callable[[Sequence[str]], int],
    ) -> None:
        self._writer = writer
        self._add = add
        self._delete = delete
        self._report = SyncReport()
        self._bad = BadLines(skip=True, report=self._report.reading)

    def run(self, folder: str | Path, choice: Choice, agreed: Agreed, *, force: bool) -> SyncReport:
        """Reads what is new or changed, and deletes what is gone. Raises InputError before anything is changed."""
        root = Path(folder)
        if not root.is_dir():
            raise InputError("no such folder", path=root)
        within, place = prefix_of(root), os.fspath(absolute(root).resolve())
        key = f"files of {within}"
        known = _known(self._writer.state(key), place)
        chosen = Choice(suffixes_of(FILES), choice.include, choice.exclude)
        there = {found.below: found for found in files_below(root, chosen, self._bad)}
        gone = self._gone(known, there, root)
        if len(gone) * 2 > len(known) and not force:
            raise InputError(
                f"{len(gone):,} of {len(known):,} files that were read before are not in it now; if their documents "
                "are to be deleted, use force=True, or --force",
                path=root,
            )
        changed = [each for each in there.values() if _state(each) is None or not _is(known.get(each.below), each)]
        self._report.unchanged = len(there) - len(changed)
        now = dict(known)
        if changed:
            self._read(changed, within, now)
        self._forget(gone, now, agreed)
        self._leave(known, now)
        if now != known or not known:
            files = {below: [*file.state, file.ids] for below, file in now.items()}
            self._writer.put_state(key, {"folder": place, "files": files})
        return self._report

    def _gone(self, known: Mapping[str, _File], there: Mapping[str, Found], root: Path) -> list[str]:
        """The files that are gone; those in a folder that cannot be read now may still be there."""
        unread = [os.path.relpath(path, root).replace(os.sep, "/") for path in self._report.reading.unread]
        if "." in unread:
            return []
        hidden = tuple(f"{path}/" for path in unread)
        return [below for below in known if below not in there and not below.startswith(hidden)]

    def _read(self, changed: Sequence[Found], within: str, now: dict[str, _File]) -> None:
        documents = self._documents(changed, within, now)
        first = next(documents, None)
        if first is not None:
            self._report.added = self._add(_with_first(first, documents))

    def _documents(self, changed: Sequence[Found], within: str, now: dict[str, _File]) -> Iterator[Document]:
        """The documents of the files; a file that fails keeps what is stored of it, and is tried again next time."""
        reading = self._report.reading
        for found in changed:
            failed, left_out = reading.skipped, sum(reading.left_out.values())
            read = list(documents_of(found.path, within + found.below, FILES, self._bad, inside=True))
            yield from read
            state = _state(found)
            if reading.skipped == failed and sum(reading.left_out.values()) == left_out and state is not None:
                self._report.changed += 1
                now[found.below] = _File(state, [each.id for each in read])

    def _forget(self, gone: Sequence[str], now: dict[str, _File], agreed: Agreed) -> None:
        ids = [each for below in gone for each in now[below].ids]
        self._report.gone = len(gone)
        if gone and not agreed(len(gone), len(ids)):
            self._report.kept = len(ids)
            return
        for below in gone:
            del now[below]
        self._report.deleted += self._delete(ids) if ids else 0

    def _leave(self, known: Mapping[str, _File], now: Mapping[str, _File]) -> None:
        """Deletes the documents that a file no longer holds, such as a message of a mailbox."""
        left = [
            each
            for below, file in known.items()
            if below in now and now[below] is not file
            for each in set(file.ids) - set(now[below].ids)
        ]
        self._report.deleted += self._delete(left) if left else 0


def _with_first(first: Document, others: Iterator[Document]) -> Iterator[Document]:
    yield first
    yield from others


def _known(kept: Any, place: str) -> dict[str, _File]:
    """The files that were read before. Raises InputError where those of another folder have the same ids."""
    if kept is None:
        return {}
    if kept["folder"] != place and os.path.isdir(kept["folder"]):
        raise InputError(
            f"the collection holds the files of another folder of this name, {kept['folder']}, whose documents would "
            "be replaced. Sync the folder above both, or rename one",
            path=place,
        )
    return {below: _File((size, modified, inode), ids) for below, (size, modified, inode, ids) in kept["files"].items()}


def _state(found: Found) -> tuple[int, int, int] | None:
    if found.state is None:
        return None
    return found.state.st_size, found.state.st_mtime_ns, found.state.st_ino


def _is(known: _File | None, found: Found) -> bool:
    return known is not None and known.state == _state(found)
