"""Lexical search of snapshots: the lexical index on disk, and in memory the documents that it has not read yet.

Nothing is written and no lock is taken but those of this process, so a search beside a writer finds what the latest
commit has.
"""

from __future__ import annotations

import threading

from twofold.engine import OutdatedError
from twofold.engines.local.derived.lexical.known import AREA, Known
from twofold.engines.local.derived.lexical.texts import division, texts
from twofold.engines.local.folder import Folder
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.errors import CorruptionError, MovedError
from twofold.lexical.analysing import Analysis
from twofold.lexical.index import LexicalIndex
from twofold.lexical.reading import LexicalReader
from twofold.lexical.records import Records
from twofold.lexical.stretches import Tail, recorded


class LexicalReaders:
    """What the searchers of a collection share. Threads may use it together.

    One index is held at a time, and the records of the documents behind it, which grow with the commits.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._analysis: Analysis | None = None
        self._lock = threading.Lock()
        self._forget(None)

    def after_fork_in_child(self) -> None:
        """Opens for itself."""
        self._lock = threading.Lock()
        self._forget(None)

    def reader(self, snapshot: StoredSnapshot, *, query_language: bool, anyway: bool) -> LexicalReader | None:
        """Lexical search of a snapshot; None where the collection has no lexical index.

        Raises OutdatedError where the index has gone further than the snapshot or was replaced, unless this is to be
        done anyway: then documents are all read again, which is slow for many. Raises MovedError.
        """
        known = Known.of(snapshot)
        if known is None:
            return None
        try:
            with self._lock:
                reader = self._read(snapshot, known, query_language=query_language, anyway=anyway)
            self._folder.check()
        except MovedError:
            self.forget()  # it may have been read from the folder that is there now
            raise
        return reader.with_query_language() if query_language else reader

    def _read(self, snapshot: StoredSnapshot, known: Known, *, query_language: bool, anyway: bool) -> LexicalReader:
        passages = known.passages == division(snapshot)
        index = self._opened(known, snapshot.head.next_document, last=anyway, passages=passages)
        analysis = self._analysis = self._analysis or Analysis(known.settings)
        tail = self._behind(snapshot, known, analysis, 0 if index is None else index.end)
        if query_language and tail is not None:
            tail.make_matchable(analysis, texts(snapshot, tail.records.first, known.since, passages=False))
        return LexicalReader(analysis, index, tail, passages=passages)

    def forget(self) -> None:
        """Lets go of what was opened."""
        with self._lock:
            self._forget(None)

    def _forget(self, key: tuple[str, int, bool] | None) -> None:
        self._key = key
        self._seen: tuple[int, ...] | None = None
        self._without: tuple[int, ...] | None = None
        self._index: LexicalIndex | None = None
        self._tail: Tail | None = None
        self._analysis = None

    def _opened(self, known: Known, end: int, *, last: bool, passages: bool) -> LexicalIndex | None:
        """The index, at a state that is not later than `end`; None where it is missing or damaged."""
        if self._key != (key := (known.folder, known.since, passages)):
            self._forget(key)
        if self._index is not None and self._index.end == end:
            return self._index
        folder = self._folder.of_engine(AREA) / known.folder
        if (seen := LexicalIndex.stamp(folder)) != self._seen:
            try:
                found = LexicalIndex.open(folder)
            except CorruptionError:
                found = None
            if found is None or found.end <= end:
                self._index, self._seen = found, seen
        if self._index is not None and self._index.end <= end:
            return self._index
        if not last and seen != self._without:
            raise OutdatedError
        self._without = seen
        return None

    def _behind(self, snapshot: StoredSnapshot, known: Known, analysis: Analysis, first: int) -> Tail | None:
        """The snapshot's documents from the number `first` on; None where there are none."""
        end, tail = snapshot.head.next_document, self._tail
        if first == end:
            return None
        if tail is not None and tail.records.first == first and tail.end == end:
            return tail
        if tail is not None and tail.records.first <= first <= tail.end:
            records = tail.records.between(first, min(tail.end, end))
        else:
            records = Records(first)
        if records.end < end:
            later = texts(snapshot, records.end, known.since, passages=known.passages == division(snapshot))
            records = records.followed_by(recorded(analysis, records.end, later, end).runs)
        made = Tail(self._folder.of_engine(AREA), records)
        if tail is None or (self._tail is not None and end >= tail.end):
            self._tail = made
        return made
