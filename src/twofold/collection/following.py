"""Keeps the lexical index of a collection up with its commits, for a writer that holds the lock.

The index is derived. Searches need none of this: what it has not read yet they read themselves (words.py), with the
same scores. So it is brought along when it has fallen behind by many documents, not by each one.
"""

from __future__ import annotations

from dataclasses import replace

from twofold.collection.known import ROOM, STATE, Known, WordsReport
from twofold.engines.local.compacting import CompactReport
from twofold.engines.local.engine import Store
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.engines.local.writer import Writer
from twofold.errors import CorruptionError
from twofold.lexical.index import LexicalIndex
from twofold.progress import Progress, silent

BEHIND = 1_000
"""Documents that a search may have to read by itself."""


class Following:
    """The upkeep of one lexical index; does nothing for a collection that does not know its words."""

    def __init__(self, store: Store, writer: Writer, progress: Progress = silent) -> None:
        self._store = store
        self._writer = writer
        self._progress = progress

    def follow(self, behind: int = 1) -> None:
        """Brings the index to the latest commit where it lacks so many documents; makes it anew where it is damaged."""
        with self._store.snapshot() as snapshot:
            known = Known.of(snapshot)
            if known is None:
                return
            folder = self._store.folder(ROOM) / known.folder
            try:
                if snapshot.head.next_document - LexicalIndex.noted_end(folder) >= behind:
                    self._extended(snapshot, known)
                return
            except CorruptionError:
                made = self._made(snapshot, known.report)
        self.publish(made[0])

    def compact(self) -> CompactReport:
        """Gives back the room of deleted documents. The index reads them before: they count until it is made anew."""
        self.follow()
        return self._writer.compact(self._progress)

    def renew(self) -> None:
        """Brings the index to the latest commit; makes it anew where it has documents that were deleted."""
        with self._store.snapshot() as snapshot:
            known = Known.of(snapshot)
            made = None if known is None else self.current(snapshot, known.report)[0]
        if made is not None and made != known:
            self.publish(made)

    def make_anew(self) -> None:
        """Makes the index anew, as when it was damaged."""
        with self._store.snapshot() as snapshot:
            known = Known.of(snapshot)
            made = None if known is None else self._made(snapshot, known.report)[0]
        if made is not None:
            self.publish(made)

    def current(self, snapshot: StoredSnapshot, report: WordsReport) -> tuple[Known, LexicalIndex]:
        """An index of a snapshot's living documents and no others: the one that is there, or one made anew aside.

        Who searches sees nothing of it until it is published.
        """
        known = Known.of(snapshot)
        if known is not None and known.report.lexical == report.lexical:
            try:
                index = self._extended(snapshot, known)
            except CorruptionError:
                return self._made(snapshot, report)
            if index.corpus.documents == snapshot.head.documents:
                return replace(known, report=report), index
        return self._made(snapshot, report)

    def publish(self, known: Known) -> None:
        """From this commit on searches use what is known now; then the index that was there is removed."""
        if self._writer.state(STATE) != (state := known.to_json()):
            self._writer.put_state(STATE, state)
        self._writer.keep(ROOM, known.folder)

    def _extended(self, snapshot: StoredSnapshot, known: Known) -> LexicalIndex:
        self._writer.keep(ROOM, known.folder)
        index, end = LexicalIndex.open(self._store.folder(ROOM) / known.folder), snapshot.head.next_document
        if index.end == end:
            return index
        return index.extended(snapshot.written(index.end, known.since), end, self._progress)

    def _made(self, snapshot: StoredSnapshot, report: WordsReport) -> tuple[Known, LexicalIndex]:
        index = LexicalIndex.create(self._writer.fresh(ROOM), report.lexical)
        index = index.extended(snapshot.written(0, snapshot.commit), snapshot.head.next_document, self._progress)
        return Known(report, index.folder.name, snapshot.commit), index
