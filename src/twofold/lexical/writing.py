"""Updating a lexical index atomically: records, `read.json`, and tantivy's commit, which decides."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import tantivy
from numpy.typing import NDArray
from tantivy import IndexWriter

from twofold.documents import Document
from twofold.files import appended
from twofold.lexical import state as notes
from twofold.lexical.analysing import Analysis
from twofold.lexical.engine import speaking
from twofold.lexical.records import Recorder, Records
from twofold.lexical.state import DTYPES, ENDS, LENGTHS, VALUES, Note, State
from twofold.lexical.stretches import as_tantivy, content
from twofold.progress import Progress

HEAP_BYTES = 50_000_000
"""Of one writing thread: what is gathered before it becomes a segment."""
TOLD_EVERY, APPENDED_EVERY = 1_000, 10_000
"""Documents after which progress is told, and records are written and synced."""


class Update:
    """Documents gathered behind those of a state, and then committed; the rest is truncated by the next update."""

    def __init__(self, folder: Path, writer: IndexWriter, analysis: Analysis, before: State) -> None:
        self._folder = folder
        self._writer = writer
        self._analysis = analysis
        self._state = before
        self._read = 0

    def add(self, documents: Iterable[tuple[int, Document]], progress: Progress) -> None:
        """Reads documents, with ascending numbers from the state's `end` on."""
        recorder = Recorder(self._state.end, self._state.values)
        for number, document in documents:
            folded = self._analysis.folded(content(document))
            recorder.add(number, self._analysis.keys(folded))
            with speaking(self._folder):
                self._writer.add_document(as_tantivy(number, folded))
            self._read += 1
            if self._read % APPENDED_EVERY == 0:
                self._append(recorder.records())
                recorder = Recorder(self._state.end, self._state.values)
            if self._read % TOLD_EVERY == 0:
                progress(self._read, None)
        self._append(recorder.records())
        progress(self._read, None)

    def commit(self, note: Note, before: State, end: int) -> None:
        """tantivy's commit, before it the note; where nothing was read, the note alone."""
        recorder = Recorder(self._state.end, self._state.values)
        recorder.skip_to(end)
        self._append(recorder.records())
        states = (before, self._state) if self._read else (self._state,)
        notes.write(self._folder, replace(note, states=states))
        if self._read:
            with speaking(self._folder):
                self._writer.commit()

    def _append(self, records: Records) -> None:
        """Writes and syncs records behind those that are there."""
        state = self._state
        parts: dict[str, NDArray[Any]] = {ENDS: records.ends, LENGTHS: records.lengths, VALUES: records.terms}
        checksums, counts = dict(state.checksums), state.counts()
        for name, numbers in parts.items():
            data = numbers.astype(DTYPES[name], copy=False).tobytes()
            with appended(self._folder / name, counts[name] * DTYPES[name].itemsize) as file:
                file.write(data)
            checksums[name] = zlib.crc32(data, checksums[name])
        self._state = State(
            documents=state.documents + records.documents,
            end=records.end,
            values=state.values + len(records.terms),
            checksums=checksums,
        )


@contextmanager
def updating(index: tantivy.Index, folder: Path, analysis: Analysis, before: State) -> Iterator[Update]:
    """An update; after an error in the block the index is what it was. Merging that it caused is waited for.

    Raises CorruptionError, StorageError, LockedError.
    """
    with speaking(folder):
        writer = index.writer(HEAP_BYTES, 1)
    try:
        yield Update(folder, writer, analysis, before)
    except BaseException:
        with suppress(ValueError):
            writer.rollback()
        with suppress(ValueError):
            writer.wait_merging_threads()  # ends its threads and gives the lock back
        raise
    with speaking(folder):
        writer.wait_merging_threads()
