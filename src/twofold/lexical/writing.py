"""Bringing a lexical index up to a commit of the collection, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import tantivy
from tantivy import FieldType, IndexWriter, Query

from twofold.documents import Document
from twofold.errors import CorruptionError
from twofold.lexical import state as notes
from twofold.lexical.engine import AGAIN, NUMBER, TEXT, schema, speaking
from twofold.lexical.folding import Folding
from twofold.lexical.state import State
from twofold.progress import Progress

HEAP_BYTES = 50_000_000
"""Of one writing thread: what is gathered before it becomes a segment."""
TOLD_EVERY = 1_000
LARGEST = 2**63 - 1


class Update:
    """One change of the index, gathered and then committed; or dropped with all that it did."""

    def __init__(self, writer: IndexWriter, folder: Path, folded: Folding, before: State) -> None:
        self._writer = writer
        self._folder = folder
        self._folded = folded
        self._schema = schema()
        self._before = before
        self._end = before.end
        self._changed = False
        if notes.stamp(folder) != before.stamp:
            self._forget_unnoted()

    def clear(self) -> None:
        """Takes all documents out."""
        with speaking(self._folder):
            self._writer.delete_all_documents()
        self._end, self._changed = 0, True

    def delete(self, numbers: Iterable[int]) -> None:
        """Takes documents out; those that are not there are no matter."""
        for number in numbers:
            with speaking(self._folder):
                self._writer.delete_documents_by_term(NUMBER, int(number))
            self._changed = True

    def add(self, documents: Iterable[tuple[int, Document]], progress: Progress) -> None:
        """Puts documents in, each in the place of what had its number."""
        done = 0
        for number, document in documents:
            if number < self._end:  # greater numbers have never been read, and a deletion costs a look-up a segment
                self.delete([number])
            with speaking(self._folder):
                fields = {NUMBER: int(number), TEXT: self._folded(content(document))}
                self._writer.add_document(tantivy.Document.from_dict(fields, self._schema))
            self._end = max(self._end, int(number) + 1)
            self._changed = True
            done += 1
            if done % TOLD_EVERY == 0:
                progress(done, None)
        progress(done, None)

    def commit(self, after: State) -> None:
        """tantivy's commit, then the note; where nothing changed, the note alone."""
        if self._changed:
            with speaking(self._folder):
                committed = self._writer.commit()
            if notes.stamp(self._folder) < committed:  # tantivy finds its files by a path, where another may be now
                raise CorruptionError(f"{self._folder}: what was read now is not in it; it was moved. {AGAIN}.")
        notes.write(self._folder, replace(after, stamp=notes.stamp(self._folder), end=self._end))

    def _forget_unnoted(self) -> None:
        """A process was killed between commit and note: what it added may have been deleted since, unseen by us."""
        beyond = Query.range_query(self._schema, NUMBER, FieldType.Integer, self._before.end, LARGEST, True, True)
        with speaking(self._folder):
            self._writer.delete_documents_by_query(beyond)
        self._changed = True


def content(document: Document) -> str:
    """What is read of a document: its title, a space, and its text."""
    return f"{document.title} {document.text}" if document.title else document.text


@contextmanager
def updating(index: tantivy.Index, folder: Path, folded: Folding, before: State) -> Iterator[Update]:
    """An update; after an error in the block the index is what it was. Merging that it caused is waited for.

    Raises CorruptionError, StorageError, LockedError.
    """
    with speaking(folder):
        writer = index.writer(HEAP_BYTES, 1)
    try:
        yield Update(writer, folder, folded, before)
    except BaseException:
        with suppress(ValueError):
            writer.rollback()
        with suppress(ValueError):
            writer.wait_merging_threads()  # ends its threads and gives the lock back
        raise
    with speaking(folder):
        writer.wait_merging_threads()
