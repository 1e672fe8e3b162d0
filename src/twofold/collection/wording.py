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
from twofold.engine import EngineSnapshot
from twofold.engines.local.derived.words import ROOM, STATE
from twofold.engines.local.engine import Store
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.engines.local.writer import Writer
from twofold.errors import CorruptionError, InputError, VectorError
from twofold.lexical.analysing import LexicalSettings
from twofold.lexical.index import LexicalIndex
from twofold.progress import Progress, silent
from twofold.rankings import Qrels
from twofold.scores import unit_vectors
from twofold.searching.fusion import Fusion
from twofold.searching.hybrid import HybridSearch
from twofold.tuning.chance import chance as measured_chance
from twofold.tuning.chance import prior
from twofold.tuning.pseudo_queries import pseudo_queries
from twofold.tuning.sharing import Asked, Learned, learned_share

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


def missing(snapshot: EngineSnapshot) -> str:
    """Why a collection is not searched by words, and what to do."""
    state = snapshot.state(STATE)
    if state is None:
        return "this collection does not know its words yet; run twofold tune (in Python: collection.tune())"
    if textless(snapshot, state):
        return (
            "no document of this collection has a text or a title, so there are no words to find; search by a vector "
            "or by a stored document (--like ID), or add the documents again with their texts"
        )
    return "its words cannot be read while somebody else writes, or where nobody may; search again later, or by meaning"


def textless(snapshot: EngineSnapshot, state: Mapping[str, Any]) -> bool:
    """Whether there are documents and none has a word: vectors made elsewhere need no texts beside them.

    Not asked where texts are mixed with meaning, since an encoder gives vectors to texts alone.
    """
    return state["fusion"] is None and snapshot.counts.documents > 0 and not snapshot.has_text()


def unmeasured(snapshot: EngineSnapshot, encoder: GuardedEncoder) -> bool:
    """Whether a collection should know its words and does not, or has outgrown what it was when chance was measured.

    All should but those whose vectors are of words already.
    """
    if encoder.source.get("kind") == "hashed-words":
        return False
    state = snapshot.state(STATE)
    if state is None:
        return snapshot.counts.documents > 0
    known = WordsReport.from_json(state)
    taught = known.fusion is None or known.learned is not None
    return not taught and snapshot.counts.documents >= GROWTH * known.documents


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
            report = WordsReport(fusion, self._settings(analyser), snapshot.counts.documents)
        self._keep(report)
        with self._store.snapshot() as snapshot:
            index = caught_up(self._writer, snapshot, None, self._progress)
            if fusion is None or not qrels:
                return report
            lexical = snapshot.lexical()
            if lexical is None:
                raise CorruptionError(f"{index}: the lexical index that was just made cannot be read")
            search = HybridSearch(snapshot, snapshot.dense(exact=True), lexical, fusion, depth=self._depth)
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

    def _chance(self, snapshot: EngineSnapshot) -> float:
        """Of unrelated texts in this collection; the encoder's own where the collection's texts say nothing of it."""
        unrelated = _prior(self._encoder)
        drawn = snapshot.dense(exact=True).drawn(PASSAGES)
        _, first = np.unique(documents := drawn.owners, return_index=True)
        asked = pseudo_queries(snapshot.documents(documents[np.sort(first)][: 4 * QUESTIONS]))
        texts = list(dict.fromkeys(asked))[:QUESTIONS]
        if not texts:
            return unrelated
        try:
            queries = self._encoder.encode_queries(texts)
        except InputError:  # a title that is too long for a query, say, must not end `add`
            return unrelated
        return measured_chance(queries, snapshot.dense(exact=True).vectors(drawn.handles), unrelated)

    def _learned(
        self,
        snapshot: EngineSnapshot,
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
        asked = {}
        for query, vector in zip(judged, vectors, strict=True):
            sides = search.sides(queries[query], partial(np.asarray, vector), depth=self._depth)
            asked[query] = Asked(snapshot.ids(sides.near.documents), sides)
        return learned_share(asked, qrels, fusion)
