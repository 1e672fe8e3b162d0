"""The lexical index in a folder: created, opened, updated."""

from __future__ import annotations

import os
from pathlib import Path

import tantivy

from twofold.errors import CorruptionError, InputError
from twofold.files import linked
from twofold.lexical import run_files
from twofold.lexical import state as notes
from twofold.lexical.analysing import Analysis, LexicalSettings
from twofold.lexical.engine import AGAIN, LOCKS, SCHEMA, TERMS, speaking
from twofold.lexical.reading import LexicalReader
from twofold.lexical.state import EMPTY, TRIES, Note, State
from twofold.lexical.stretches import Stretch, Tail, Texts
from twofold.lexical.writing import updating
from twofold.progress import Progress, silent


class _Links:
    """Keeps the links by which an index was opened for as long as it is held."""


class LexicalIndex(Stretch):
    """Title and text of the documents with numbers from 0 to `end`, as one state of a folder has them.

    It does not change when the folder is updated; opening again gives a later state. One process writes, any number
    read. Documents are never deleted from it: callers say which may be found, and a new index, made in another folder,
    lacks what was deleted. Whatever cannot be read raises CorruptionError: it is derived, so it can be made again.
    """

    def __init__(self, folder: Path, index: tantivy.Index, analysis: Analysis, state: State, links: _Links) -> None:
        super().__init__(folder, notes.records(folder, state), index.searcher())
        self._index = index
        self._state = state
        self._links = links
        self.analysis = analysis
        with speaking(folder):
            index.register_tokenizer(TERMS, self.analysis.written)

    @classmethod
    def create(cls, folder: Path, settings: LexicalSettings | None = None) -> LexicalIndex:
        """An index without documents in an empty folder. Raises InputError, StorageError."""
        if not folder.is_dir() or os.listdir(folder):
            raise InputError("a lexical index is made in an empty folder", path=folder)
        with speaking(folder):
            tantivy.Index(SCHEMA, path=os.fspath(folder), reuse=False)
        notes.write(folder, Note(settings=settings or LexicalSettings(), states=(EMPTY,)))
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path, analysis: Analysis | None = None) -> LexicalIndex:
        """The index in a folder, whose files are checked by their ends, not read whole. Raises CorruptionError.

        analysis: one that has met many words already, and is used where its settings are those of the index.
        """
        for _ in range(TRIES):  # a writer may commit between the reading of its note and of the other files
            seen, note = notes.stamp(folder), notes.read(folder)
            if analysis is None or analysis.settings != note.settings:
                analysis = Analysis(note.settings)
            notes.check_files(folder)
            links = _Links()
            # tantivy locks a file even to read, so what cannot be written to is read by links to it.
            place = os.fspath(folder) if os.access(folder, os.W_OK) else linked(folder, links, without=LOCKS)
            with speaking(folder):
                index = tantivy.Index.open(place)
                index.config_reader("manual")
                index.reload()
                documents = index.searcher().num_docs
            if (state := note.at(documents)) is not None:
                try:
                    return cls(folder, index, analysis, state, links)
                except CorruptionError:  # the next update removes runs that it joined
                    if notes.stamp(folder) == seen:
                        raise
        raise CorruptionError(f"{folder} holds {documents:,} documents, which is not what was written. {AGAIN}.")

    @property
    def settings(self) -> LexicalSettings:
        """How texts become terms."""
        return self.analysis.settings

    def reader(self, tail: Tail | None = None, *, passages: bool = False) -> LexicalReader:
        """Searches these documents and those that follow; see LexicalReader."""
        return LexicalReader(self.analysis, self, tail, passages=passages)

    def extended(self, texts: Texts, end: int, progress: Progress = silent) -> LexicalIndex:
        """The index with what follows, in one commit of its own.

        texts: of documents, by ascending number, from the index's end to `end`. After a crash or an error the index in
        the folder is what it was. Raises InputError, StorageError, LockedError, CorruptionError.
        """
        if end < self.end:
            raise InputError(f"the lexical index has read up to number {self.end} and cannot go back", path=self.folder)
        with updating(self._index, self.analysis, self, self._state) as update:
            update.add(texts, progress)
            update.commit(end)
        later = LexicalIndex.open(self.folder, self.analysis)
        if later.end < end:  # tantivy finds its files by a path, where another folder may be now
            raise CorruptionError(f"{self.folder}: what was read now is not in it; it was moved. {AGAIN}.")
        return later

    @staticmethod
    def noted_end(folder: Path) -> int:
        """The `end` of the index in a folder, or after a crash perhaps a later one, by one small file; `open` knows.

        Raises CorruptionError.
        """
        return notes.read(folder).states[-1].end

    @staticmethod
    def stamp(folder: Path) -> tuple[int, ...]:
        """Changes with each state of the index in a folder; () where there is none."""
        return notes.stamp(folder)

    @staticmethod
    def check(folder: Path) -> None:
        """Reads every file and compares its checksum, while writers go on. Raises CorruptionError, naming the file."""
        index = LexicalIndex.open(folder)
        notes.check_files(folder, content=True)
        for file in index._state.runs:
            run_files.check(folder, file)
