"""Updating a lexical index atomically: runs, note, and tantivy's commit, which decides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import tantivy
from tantivy import IndexWriter

from twofold.lexical import run_files
from twofold.lexical import state as notes
from twofold.lexical.analysing import Analysis
from twofold.lexical.engine import speaking
from twofold.lexical.recorder import Recorder
from twofold.lexical.records import Records
from twofold.lexical.state import Note, State
from twofold.lexical.stretches import Stretch, Text, Texts, as_tantivy
from twofold.progress import Progress

HEAP_BYTES = 50_000_000
"""Of one writing thread: what is gathered before it becomes a segment."""
TOLD_EVERY = 1_000
"""Documents after which progress is told."""


class Update:
    """Documents gathered behind those of a state, and then committed; the rest is removed by the next update."""

    def __init__(self, writer: IndexWriter, analysis: Analysis, before: Stretch, state: State) -> None:
        self._writer = writer
        self._folder = before.folder
        self._analysis = analysis
        self._before = state
        self._records = before.records
        self._files = state.runs
        self._read = 0
        self._recorder = Recorder(before.end, analysis.vocabulary)

    def add(self, texts: Texts, progress: Progress) -> None:
        """Reads the texts of documents, with ascending numbers from the state's `end` on."""
        for each in texts:
            number, text, passages = Text(*each)
            ids, terms = self._analysis.read(text)
            with speaking(self._folder):
                self._writer.add_document(as_tantivy(number, terms))
            self._recorder.add(number, ids, list(map(self._analysis.ids, passages)))
            self._read += 1
            if self._recorder.made:
                self._append()
            if self._read % TOLD_EVERY == 0:
                progress(self._read, None)
        progress(self._read, None)

    def commit(self, end: int) -> None:
        """tantivy's commit, before it the note; where nothing was read, the note alone."""
        self._recorder.skip_to(end)
        self._recorder.close()
        self._append()
        after = State(documents=self._before.documents + self._read, runs=self._files)
        states = (self._before, after) if self._read else (after,)
        notes.write(self._folder, Note(settings=self._analysis.settings, states=states))
        if self._read:
            with speaking(self._folder):
                self._writer.commit()
        run_files.clean(self._folder, after.runs)

    def _append(self) -> None:
        """Writes and syncs the runs that were made, each joined with those before it where that is due."""
        for run in self._recorder.made:
            runs = self._records.followed_by([run]).runs
            file = run_files.write(self._folder, runs[-1])
            self._files = (*self._files[: len(runs) - 1], file)
            self._records = Records(self._records.first, (*runs[:-1], run_files.mapped(self._folder, file)))
        self._recorder.made.clear()


@contextmanager
def updating(index: tantivy.Index, analysis: Analysis, before: Stretch, state: State) -> Iterator[Update]:
    """An update; after an error in the block the index is what it was. Merging that it caused is waited for.

    before, state: what is there. Raises CorruptionError, StorageError, LockedError.
    """
    with speaking(before.folder):
        writer = index.writer(HEAP_BYTES, 1)
    try:
        yield Update(writer, analysis, before, state)
    except BaseException:
        with suppress(ValueError):
            writer.rollback()
        with suppress(ValueError):
            writer.wait_merging_threads()  # ends its threads and gives the lock back
        raise
    with speaking(before.folder):
        writer.wait_merging_threads()
