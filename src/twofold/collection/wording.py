"""The words of a collection: its lexical index, kept up with the commits, and how both sides are mixed.

The index is derived: `tune` makes it, and `add` calls that. It catches up when a
search first needs it and the writer's lock is free, and is thrown away and made again when it is damaged. A search
beside a writer uses the words up to the commit that was read; later documents are found by meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from twofold.collection.guarding import GuardedEncoder
from twofold.errors import CorruptionError, InputError, LockedError, StorageError, VectorError
from twofold.indexes.flat import FlatIndex
from twofold.lexical.analysing import LexicalSettings
from twofold.lexical.index import LexicalIndex
from twofold.progress import Progress, silent
from twofold.rankings import Qrels
from twofold.scores import unit_vectors
from twofold.searching.exact import ExactSearch
from twofold.searching.fusion import Fusion
from twofold.searching.hybrid import HybridSearch
from twofold.searching.nearest import NearestSearch
from twofold.storage.reading import StoredSnapshot
from twofold.storage.store import Store
from twofold.storage.writing import Writer
from twofold.tuning.chance import chance as measured_chance
from twofold.tuning.chance import drawn, prior
from twofold.tuning.pseudo_queries import pseudo_queries
from twofold.tuning.sharing import Asked, Learned, learned_share

ROOM, STATE = "lexical", "fusion"
QUESTIONS, PASSAGES = 256, 4096
"""Questions and passages that are drawn to see what chance is."""
GROWTH = 4
"""A collection so many times as large as when that was measured is measured again."""


@dataclass(frozen=True, slots=True)
class WordsReport:
    """How a collection knows its words.

    fusion: how they are mixed with meaning; None where texts have no cosines, and are searched by words alone. lexical:
    how texts become terms. documents: how many there were when that was found. learned: what judgements said of the
    share of words; None where there were none.
    """

    fusion: Fusion | None
    lexical: LexicalSettings
    documents: int
    learned: Learned | None = None

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        learned = None if self.learned is None else self.learned.to_json()
        return {
            "fusion": None if self.fusion is None else self.fusion.to_json(),
            "lexical": self.lexical.to_json(),
            "documents": self.documents,
            "learned": learned,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> WordsReport:
        """The report that `to_json` wrote."""
        return cls(
            None if values["fusion"] is None else Fusion.from_json(values["fusion"]),
            LexicalSettings.from_json(values["lexical"]),
            values["documents"],
            None if values["learned"] is None else Learned.from_json(values["learned"]),
        )


class Words:
    """The opened lexical index of a collection. One thread at a time (pinning.py holds the lock)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._index: LexicalIndex | None = None

    def search(
        self, snapshot: StoredSnapshot, dense: NearestSearch, depth: int, *, query_language: bool
    ) -> HybridSearch | None:
        """How a snapshot is searched by words; None where it cannot be (see `missing`).

        depth: the collection's own, whatever a call asks for.
        """
        state = snapshot.state(STATE)
        if state is None or _textless(snapshot, state):
            return None
        index = self._caught_up(snapshot)
        if index is None:
            return None
        reader = index.with_query_language() if query_language else index.reader
        return HybridSearch(snapshot, dense, reader, WordsReport.from_json(state).fusion, depth=depth)

    def forget(self) -> None:
        """Lets go of the opened index, since it was made again."""
        self._index = None

    def _caught_up(self, snapshot: StoredSnapshot) -> LexicalIndex | None:
        generation, commit, index = snapshot.head.generation, snapshot.commit, self._index
        if index is not None and (index.generation, index.commit) == (generation, commit):
            return index
        index = self._latest()
        if index is not None and index.generation == generation and index.commit >= commit:
            return index
        try:
            with self._store.writing() as writer, self._store.snapshot() as latest:
                self._index = caught_up(writer, latest, index)
        except (LockedError, StorageError):
            # Somebody writes, or nobody may: what was read so far still answers, if it is of these documents.
            # An index at commit 0 has read nothing: somebody is making it at this moment.
            return index if index is not None and index.generation == generation and index.commit else None
        return self._index

    def _latest(self) -> LexicalIndex | None:
        """The index as it is on disk, opened anew where it was made anew; None where it is damaged."""
        for _ in range(2):
            try:
                if self._index is None:
                    self._index = LexicalIndex.open(self._store.folder(ROOM))
                else:
                    self._index.reload()
            except (CorruptionError, InputError):
                self._index = None
            else:
                return self._index
        return None


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
    made = LexicalIndex.create(writer.folder(ROOM), WordsReport.from_json(snapshot.state(STATE)).lexical)
    everything = chain.from_iterable(snapshot.changes(-1).added)
    made.rebuild(everything, commit=head.commit, generation=head.generation, progress=progress)
    return made


def followed(store: Store, writer: Writer, progress: Progress = silent) -> None:
    """Brings the lexical index of a collection that knows its words to the latest commit, so that no search waits."""
    with store.snapshot() as snapshot:
        if snapshot.state(STATE) is None:
            return
        try:
            index = LexicalIndex.open(store.folder(ROOM))
        except (CorruptionError, InputError):
            index = None
        if index is None or (index.generation, index.commit) != (snapshot.head.generation, snapshot.commit):
            caught_up(writer, snapshot, index, progress)


def missing(snapshot: StoredSnapshot) -> str:
    """Why a collection is not searched by words, and what to do."""
    state = snapshot.state(STATE)
    if state is None:
        return "this collection does not know its words yet; run twofold tune (in Python: collection.tune())"
    if _textless(snapshot, state):
        return (
            "no document of this collection has a text or a title, so there are no words to find; search by a vector "
            "or by a stored document (--like ID), or add the documents again with their texts"
        )
    return "its words cannot be read while somebody else writes, or where nobody may; search again later, or by meaning"


def _textless(snapshot: StoredSnapshot, state: Mapping[str, Any]) -> bool:
    """Whether there are documents and none has a word: vectors made elsewhere need no texts beside them.

    Not asked where texts are mixed with meaning, since an encoder gives vectors to texts alone.
    """
    return state["fusion"] is None and snapshot.head.documents > 0 and not snapshot.has_text()


def unmeasured(snapshot: StoredSnapshot, encoder: GuardedEncoder) -> bool:
    """Whether a collection should know its words and does not, or has outgrown what it was when chance was measured.

    All should but those whose vectors are of words already.
    """
    if encoder.source.get("kind") == "hashed-words":
        return False
    state = snapshot.state(STATE)
    if state is None:
        return snapshot.head.documents > 0
    known = WordsReport.from_json(state)
    taught = known.fusion is None or known.learned is not None
    return not taught and snapshot.head.documents >= GROWTH * known.documents


def unmixed(encoder: GuardedEncoder) -> str:
    """Why meaning and words cannot be mixed; nothing where they can."""
    if encoder.contract.similarity != "cosine":
        return "meaning and words are mixed by cosines, and this collection compares by dot products"
    return "" if encoder.can_encode else "this collection holds vectors made elsewhere and cannot encode a question"


def _prior(encoder: GuardedEncoder) -> float:
    """What chance is of texts that have nothing to do with each other, as the encoder made them when it was probed."""
    probes = encoder.probes
    try:
        return 0.0 if probes is None else prior(unit_vectors(probes.query), unit_vectors(probes.document))
    except VectorError:  # it makes nothing of some of them
        return 0.0


class Wording:
    """Making a collection know its words, by a writer that holds the lock."""

    def __init__(self, store: Store, writer: Writer, encoder: GuardedEncoder, depth: int, progress: Progress) -> None:
        self._store = store
        self._writer = writer
        self._encoder = encoder
        self._depth = depth
        self._progress = progress

    def run(self, analyser: str | None, queries: Mapping[str, str], qrels: Qrels) -> WordsReport:
        """Makes the lexical index anew, finds how both sides are mixed, if they can be, and keeps it.

        Raises InputError.
        """
        without = unmixed(self._encoder)
        if without and qrels:
            raise InputError(f"judgements teach how to mix meaning and words, but {without}")
        with self._store.snapshot() as snapshot:
            fusion = None if without else Fusion(chance=self._chance(snapshot))
            report = WordsReport(fusion, self._settings(analyser), snapshot.head.documents)
        self._keep(report)
        with self._store.snapshot() as snapshot:
            index = caught_up(self._writer, snapshot, None, self._progress)
            if fusion is None or not qrels:
                return report
            exact = ExactSearch(snapshot, FlatIndex(snapshot))
            search = HybridSearch(snapshot, exact, index.reader, fusion, depth=self._depth)
            learned = self._learned(snapshot, search, fusion, queries, qrels)
        report = replace(report, fusion=replace(fusion, share=learned.share), learned=learned)
        self._keep(report)
        return report

    def _settings(self, analyser: str | None) -> LexicalSettings:
        if analyser is not None:
            return LexicalSettings(analyser=analyser)
        state = self._writer.state(STATE)
        return LexicalSettings() if state is None else WordsReport.from_json(state).lexical

    def _keep(self, report: WordsReport) -> None:
        if self._writer.state(STATE) != (state := report.to_json()):
            self._writer.put_state(STATE, state)

    def _chance(self, snapshot: StoredSnapshot) -> float:
        """Of unrelated texts in this collection; the encoder's own where the collection's texts say nothing of it."""
        unrelated = _prior(self._encoder)
        rows = drawn(snapshot, snapshot.passing(None), PASSAGES)
        _, first = np.unique(documents := snapshot.documents_of(rows), return_index=True)
        asked = pseudo_queries(snapshot.documents(documents[np.sort(first)][: 4 * QUESTIONS]))
        texts = list(dict.fromkeys(asked))[:QUESTIONS]
        if not texts:
            return unrelated
        try:
            queries = self._encoder.encode_queries(texts)
        except InputError:  # a title that is too long for a query, say, must not end `add`
            return unrelated
        return measured_chance(queries, snapshot.vectors(rows), unrelated)

    def _learned(
        self,
        snapshot: StoredSnapshot,
        search: HybridSearch,
        fusion: Fusion,
        queries: Mapping[str, str],
        qrels: Qrels,
    ) -> Learned:
        judged = [query for query, grades in qrels.items() if any(grade > 0 for grade in grades.values())]
        lacking = [query for query in judged if query not in queries]
        if lacking:
            raise InputError(f"the query {lacking[0]!r} is judged, but has no text among the queries")
        vectors = self._encoder.encode_queries([queries[query] for query in judged])
        everything, asked = snapshot.passing(None), {}
        for query, vector in zip(judged, vectors, strict=True):
            sides = search.sides(queries[query], partial(np.asarray, vector), depth=self._depth, allowed=everything)
            asked[query] = Asked(snapshot.ids(sides.near.documents), sides)
        return learned_share(asked, qrels, fusion)
