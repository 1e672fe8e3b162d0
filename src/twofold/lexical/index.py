"""The lexical index in a folder: made, opened, kept up to date, searched."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import tantivy

from twofold.documents import Document
from twofold.errors import InputError
from twofold.files import linked
from twofold.lexical import state as notes
from twofold.lexical.analysing import Analysis, LexicalSettings
from twofold.lexical.asking import Statistics, ask_language, ask_words, text_of_language
from twofold.lexical.engine import LOCKS, TERMS, schema, speaking
from twofold.lexical.reading import Asking, LexicalReader
from twofold.lexical.state import State
from twofold.lexical.writing import updating
from twofold.progress import Progress, silent
from twofold.scores import Mask, Numbers, Scores


class _Links:
    """Keeps the links by which an index was opened for as long as it is held."""


class LexicalIndex:
    """Title and text of each document under its number; its BM25 scores. Implements protocols.Lexical.

    One process writes, any number read; a reader sees a later commit after `reload`. Deleted documents are found no
    more at once, and count in the statistics (how rare a term is) until `rebuild`. Whatever cannot be read raises
    CorruptionError: the index is derived, so throw the folder away and build it again.
    """

    def __init__(self, folder: Path, index: tantivy.Index, settings: LexicalSettings) -> None:
        self._folder = folder
        self._index = index
        self._settings = settings
        self._links: _Links | None = None
        self._analysis = Analysis(settings)
        with speaking(folder):
            index.register_tokenizer(TERMS, self._analysis.analyser)
            index.config_reader("manual")
        self.reload()

    @classmethod
    def create(cls, folder: Path, settings: LexicalSettings | None = None) -> LexicalIndex:
        """An index without documents in an empty folder. Raises InputError, StorageError."""
        settings = settings or LexicalSettings()
        # An index that stood here before and is still open elsewhere may leave its lock in the folder.
        if not folder.is_dir() or any(not name.startswith(LOCKS) for name in os.listdir(folder)):
            raise InputError("a lexical index is made in an empty folder", path=folder)
        with speaking(folder):
            index = tantivy.Index(schema(), path=os.fspath(folder), reuse=False)
        notes.write(folder, State(settings=settings, stamp=notes.stamp(folder)))
        return cls(folder, index, settings)

    @classmethod
    def open(cls, folder: Path) -> LexicalIndex:
        """The index in a folder, whose files are looked at, not read through. Raises CorruptionError."""
        settings = notes.read(folder).settings
        notes.check_files(folder)
        links = _Links()
        # tantivy locks a file even to read, so what cannot be written to is read by links to it.
        place = os.fspath(folder) if os.access(folder, os.W_OK) else linked(folder, links, without=LOCKS)
        with speaking(folder):
            index = tantivy.Index.open(place)
        opened = cls(folder, index, settings)
        opened._links = links
        return opened

    @property
    def settings(self) -> LexicalSettings:
        """How texts become terms."""
        return self._settings

    @property
    def reader(self) -> LexicalReader:
        """The state that this object sees now; it stays as it is while the index goes on."""
        return self._reader

    @property
    def commit(self) -> int:
        """The collection's commit up to which it has read."""
        return self._reader.commit

    @property
    def generation(self) -> int:
        """The collection's generation that this commit belongs to; `update` needs the same, `rebuild` takes any."""
        return self._reader.generation

    def candidates(self, query: str, count: int, allowed: Mask) -> tuple[Numbers, Scores]:
        """The best `count` document numbers (int64) and their scores (float32), ties too; see LexicalReader."""
        return self._reader.candidates(query, count, allowed)

    def scores(self, query: str, documents: Numbers) -> Scores:
        """float32 (n,): the scores of these documents, in their order; see LexicalReader."""
        return self._reader.scores(query, documents)

    def weight(self, query: str) -> float:
        """The sum of the inverse document frequencies of the query's terms; see LexicalReader."""
        return self._reader.weight(query)

    def coverage(self, query: str, texts: Sequence[str]) -> Scores:
        """float32 (n,): how much of the query each text has; see LexicalReader."""
        return self._reader.coverage(query, texts)

    def with_query_language(self) -> LexicalReader:
        """The state of now, asked in the query language; see LexicalReader."""
        return self._reader.with_query_language()

    def text(self, query: str) -> str:
        """What the query says without signs of the language; see LexicalReader."""
        return self._reader.text(query)

    def restriction(self, query: str) -> Mask | None:
        """bool (document numbers,): which documents may be found, None for any; see LexicalReader."""
        return self._reader.restriction(query)

    def reload(self) -> None:
        """Sees what another process has committed since. Raises CorruptionError, also for an index made anew."""
        state = notes.read(self._folder)  # before the segments: what is noted is in them, never the other way round
        if state.settings != self._settings:
            raise InputError("the index was made anew with other settings; open it again", path=self._folder)
        notes.check_stamp(self._folder, state)
        with speaking(self._folder):
            self._index.reload()
            statistics = Statistics(self._folder, self._index.schema, self._index.searcher(), self._analysis)
        self._reader = LexicalReader(
            state,
            plain=Asking(partial(ask_words, statistics), str),
            language=Asking(partial(ask_language, statistics), text_of_language),
        )

    def update(
        self,
        added: Iterable[tuple[int, Document]],
        deleted: Iterable[int],
        *,
        commit: int,
        generation: int,
        progress: Progress = silent,
    ) -> None:
        """Reads what happened in the collection between `self.commit` and `commit`, in one commit of its own.

        added: (number, document), new numbers greater than all before. After a crash or an error the index is at its
        former commit; the same update again makes up for it. Raises InputError for another generation or an earlier
        commit (deletions may be missing then: `rebuild`), StorageError, LockedError, CorruptionError.
        """
        before = notes.read(self._folder)
        if before.end and (generation != before.generation or commit < before.commit):
            raise InputError(
                f"the lexical index has read commit {before.commit} of generation {before.generation} and cannot go on "
                f"to commit {commit} of generation {generation}; rebuild it from all documents",
                path=self._folder,
            )
        after = State(settings=self._settings, commit=commit, generation=generation)
        with updating(self._index, self._folder, self._analysis.folded, before) as update:
            update.delete(deleted)
            update.add(added, progress)
            update.commit(after)
        self.reload()

    def rebuild(
        self,
        documents: Iterable[tuple[int, Document]],
        *,
        commit: int,
        generation: int,
        progress: Progress = silent,
    ) -> None:
        """Reads all documents again and forgets what it had, deleted ones too, in one commit; readers see old or new.

        Raises StorageError, LockedError, CorruptionError.
        """
        before = notes.read(self._folder)
        after = State(settings=self._settings, commit=commit, generation=generation)
        with updating(self._index, self._folder, self._analysis.folded, before) as update:
            update.clear()
            update.add(documents, progress)
            update.commit(after)
        self.reload()

    @staticmethod
    def check(folder: Path) -> None:
        """Reads every file and compares its checksum, while writers go on. Raises CorruptionError, naming the file."""
        notes.read(folder)
        notes.check_files(folder, content=True)

    @property
    def dead_share(self) -> float:
        """Deleted documents that still count in the statistics, as a share of all that count; 0 when empty."""
        return notes.dead_share(self._folder)
