"""The words of a collection: its lexical index, kept up with the commits, and how both sides are mixed.

The index is derived: it is made when it is asked for (`tune`), catches up when a search first needs it and the writer's
lock is free, and is thrown away and made again when it is damaged. A search beside a writer uses the words up to the
commit that was read; later documents are found by meaning.
"""

from __future__ import annotations

import threading
from itertools import chain, islice

import numpy as np

from twofold.collection.guarding import GuardedEncoder
from twofold.errors import CorruptionError, InputError, LockedError, StorageError
from twofold.lexical.analysing import LexicalSettings
from twofold.lexical.index import LexicalIndex
from twofold.progress import Progress, silent
from twofold.searching.fusion import Fusion
from twofold.searching.hybrid import HybridSearch
from twofold.searching.nearest import NearestSearch
from twofold.storage.reading import StoredSnapshot
from twofold.storage.store import Store
from twofold.storage.writing import Writer
from twofold.tuning.chance import chance
from twofold.tuning.pseudo_queries import pseudo_queries

ROOM, STATE = "lexical", "fusion"
QUESTIONS, PASSAGES, SEED = 256, 4096, 0
"""Questions and passages that are drawn to see what chance is."""


class Words:
    """The opened lexical index of a collection; threads may share it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._index: LexicalIndex | None = None

    def search(self, snapshot: StoredSnapshot, dense: NearestSearch) -> HybridSearch | None:
        """How a snapshot is searched by words; None where the collection does not know its words."""
        state = snapshot.state(STATE)
        if state is None:
            return None
        with self._lock:
            index = self._caught_up(snapshot)
            return (
                None
                if index is None
                else HybridSearch(snapshot, dense, index.reader, Fusion.from_json(state["fusion"]))
            )

    def forget(self) -> None:
        """Lets go of the opened index, since it was made again."""
        with self._lock:
            self._index = None

    def _caught_up(self, snapshot: StoredSnapshot) -> LexicalIndex | None:
        try:
            index = self._opened()
            if (index.generation, index.commit) == (snapshot.head.generation, snapshot.commit):
                return index
            index.reload()
            if index.generation == snapshot.head.generation and index.commit >= snapshot.commit:
                return index
        except (CorruptionError, InputError):
            index, self._index = None, None
        try:
            with self._store.writing() as writer, self._store.snapshot() as latest:
                self._index = caught_up(writer, latest, index)
        except (LockedError, StorageError):
            # Somebody writes, or nobody may: what was read so far still answers, if it is of these documents.
            return index if index is not None and index.generation == snapshot.head.generation else None
        return self._index

    def _opened(self) -> LexicalIndex:
        if self._index is None:
            self._index = LexicalIndex.open(self._store.path / ROOM)
        return self._index

    def after_fork_in_child(self) -> None:
        """Makes a lock of the child's own."""
        self._lock = threading.Lock()


def caught_up(
    writer: Writer, snapshot: StoredSnapshot, index: LexicalIndex | None, progress: Progress = silent
) -> LexicalIndex:
    """The index with everything up to the snapshot's commit; made anew where there is none, or of other documents."""
    head = snapshot.head
    if index is not None and index.generation == head.generation and index.commit <= head.commit:
        changes = snapshot.changes(index.commit)
        index.update(
            chain.from_iterable(changes.added),
            changes.deleted.tolist(),
            commit=head.commit,
            generation=head.generation,
            progress=progress,
        )
        return index
    writer.clear(ROOM)
    made = LexicalIndex.create(writer.folder(ROOM), LexicalSettings.from_json(snapshot.state(STATE)["lexical"]))
    everything = chain.from_iterable(snapshot.changes(-1).added)
    made.rebuild(everything, commit=head.commit, generation=head.generation, progress=progress)
    return made


def wordless(snapshot: StoredSnapshot, encoder: GuardedEncoder) -> bool:
    """Whether a collection should know its words and does not: its vectors come from a model and are cosines."""
    model = encoder.source.get("kind") == "transformer" and encoder.contract.similarity == "cosine"
    return model and snapshot.state(STATE) is None


class Wording:
    """Making a collection know its words, by a writer that holds the lock."""

    def __init__(self, store: Store, writer: Writer, encoder: GuardedEncoder, progress: Progress) -> None:
        self._store = store
        self._writer = writer
        self._encoder = encoder
        self._progress = progress

    def run(self, analyser: str | None = None) -> Fusion:
        """Makes the lexical index anew, finds what chance is, and keeps how both sides are mixed. Raises InputError."""
        if self._encoder.contract.similarity != "cosine":
            raise InputError("meaning and words are mixed by cosines; this collection compares by dot products")
        settings = LexicalSettings() if analyser is None else LexicalSettings(analyser=analyser)
        with self._store.snapshot() as snapshot:
            fusion = Fusion(chance=self._chance(snapshot))
        state = {"fusion": fusion.to_json(), "lexical": settings.to_json()}
        if self._writer.state(STATE) != state:
            self._writer.put_state(STATE, state)
        with self._store.snapshot() as snapshot:
            caught_up(self._writer, snapshot, None, self._progress)
        return fusion

    def _chance(self, snapshot: StoredSnapshot) -> float:
        generator = np.random.default_rng(SEED)
        numbers = generator.permutation(snapshot.document_numbers())[: 4 * QUESTIONS]
        texts = list(islice(pseudo_queries(snapshot.documents(numbers)), QUESTIONS))
        rows = np.flatnonzero(snapshot.passing(None))
        drawn = np.sort(generator.permutation(rows)[:PASSAGES])
        if not texts or not len(drawn):
            return 0.0
        return chance(self._encoder.encode_queries(texts), snapshot.vectors(drawn))
