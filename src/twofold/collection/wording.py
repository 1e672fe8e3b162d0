"""The words of a collection: how they are mixed with meaning, found out and kept by `tune`, which `add` calls.

The lexical index is derived from the documents; following.py keeps it up, and words.py searches it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from twofold.collection.guarding import GuardedEncoder
from twofold.collection.words_report import WordsReport
from twofold.engine import LEXICAL, Engine, EngineSnapshot, EngineWriter, LexicalAside
from twofold.errors import InputError, VectorError
from twofold.lexical.analysing import LexicalSettings
from twofold.progress import Progress
from twofold.rankings import Qrels
from twofold.scores import unit_vectors
from twofold.searching.fusion import Fusion
from twofold.searching.hybrid import HybridSearch
from twofold.space import Space
from twofold.tuning.chance import chance as measured_chance
from twofold.tuning.chance import prior
from twofold.tuning.pseudo_queries import pseudo_queries
from twofold.tuning.sharing import JudgedQuery, Learned, learned_share

QUESTIONS, PASSAGES = 256, 4096
"""Questions and passages that are drawn to see what chance is."""
GROWTH = 4
"""A collection so many times as large as when that was measured is measured again."""


def missing(snapshot: EngineSnapshot) -> str:
    """Why a collection is not searched by words, and what to do."""
    if textless(snapshot):
        return (
            "no document of this collection has a text or a title, so there are no words to find; search by a vector "
            "or by a stored document (--like ID), or add the documents again with their texts"
        )
    return "this collection does not know its words yet; run twofold tune (in Python: collection.tune())"


def textless(snapshot: EngineSnapshot) -> bool:
    """Whether there are documents and none has a word: vectors made elsewhere need no texts beside them.

    Not asked where texts are mixed with meaning, since an encoder gives vectors to texts alone.
    """
    report = WordsReport.of(snapshot)
    mixes = report is None or report.fusion is not None
    return not mixes and snapshot.counts.documents > 0 and not snapshot.has_text()


def unmeasured(snapshot: EngineSnapshot, encoder: GuardedEncoder) -> bool:
    """Whether a collection should know its words and does not, or has outgrown what it was when chance was measured.

    All should but those whose vectors are of words already.
    """
    if encoder.source.get("kind") == "hashed-words":
        return False
    known = WordsReport.of(snapshot)
    if known is None:
        return snapshot.counts.documents > 0
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
    """Makes a collection know its words, by a writer that holds the lock."""

    def __init__(
        self, engine: Engine, writer: EngineWriter, encoder: GuardedEncoder, depth: int, progress: Progress
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._encoder = encoder
        self._depth = depth
        self._progress = progress

    def run(self, analyser: str | None, queries: Mapping[str, str], qrels: Qrels) -> WordsReport:
        """Finds how both sides are mixed, if they can be, and makes the lexical index of the live documents.

        Both are published by one commit; until then searches have what they had. Raises InputError.
        """
        without = unmixed(self._encoder)
        if without and qrels:
            raise InputError(f"judgements teach how to mix meaning and words, but {without}")
        with self._engine.snapshot() as snapshot:
            fusion = None if without else Fusion(chance=self._chance(snapshot, snapshot.space))
            report = WordsReport(fusion, self._settings(analyser, snapshot), snapshot.counts.documents)
        with self._writer.lexical_aside(report.lexical.to_json(), self._progress) as aside:
            if fusion is not None and qrels:
                learned = self._learned(aside, fusion, queries, qrels)
                report = replace(report, fusion=replace(fusion, share=learned.share), learned=learned)
            aside.publish(report.state(aside.snapshot, aside.snapshot.space))
        return report

    def prepare(self, space: Space) -> None:
        """Finds how a space that will be the default one is to be mixed with words, where the collection knows these.

        So hybrid scores are right from the moment at which it is. Raises StorageError.
        """
        with self._engine.snapshot() as snapshot:
            state = snapshot.state(LEXICAL)
            if state is None:
                return
            fusion = None if unmixed(self._encoder) else Fusion(chance=self._chance(snapshot, space))
            report = WordsReport(fusion, LexicalSettings.from_json(state["lexical"]), snapshot.counts.documents)
            self._writer.put_state(LEXICAL, report.state(snapshot, space))

    def _settings(self, analyser: str | None, snapshot: EngineSnapshot) -> LexicalSettings:
        if analyser is not None:
            return LexicalSettings(analyser=analyser)
        known = WordsReport.of(snapshot)
        return LexicalSettings() if known is None else known.lexical

    def _chance(self, snapshot: EngineSnapshot, space: Space) -> float:
        """Of unrelated texts in this collection; the encoder's own where the collection's texts say nothing of it."""
        unrelated = _prior(self._encoder)
        dense = snapshot.dense(space.name, exact=True)
        drawn = dense.drawn(PASSAGES)
        _, first = np.unique(documents := drawn.owners, return_index=True)
        asked = pseudo_queries(snapshot.documents(documents[np.sort(first)][: 4 * QUESTIONS]))
        texts = list(dict.fromkeys(asked))[:QUESTIONS]
        if not texts:
            return unrelated
        try:
            queries = self._encoder.encode_queries(texts)
        except InputError:  # a title that is too long for a query, say, must not end `add`
            return unrelated
        return measured_chance(queries, dense.vectors(drawn.handles), unrelated)

    def _learned(self, aside: LexicalAside, fusion: Fusion, queries: Mapping[str, str], qrels: Qrels) -> Learned:
        judged = [query for query, grades in qrels.items() if any(grade > 0 for grade in grades.values())]
        lacking = [query for query in judged if query not in queries]
        if lacking:
            raise InputError(f"the query {lacking[0]!r} is judged, but has no text among the queries")
        snapshot, asked = aside.snapshot, {}
        search = HybridSearch(snapshot, snapshot.dense(exact=True), aside.lexical, fusion, depth=self._depth)
        vectors = self._encoder.encode_queries([queries[query] for query in judged])
        for query, vector in zip(judged, vectors, strict=True):
            sides = search.candidate_scores(queries[query], partial(np.asarray, vector), depth=self._depth)
            asked[query] = JudgedQuery(snapshot.ids(sides.near.documents), sides)
        return learned_share(asked, qrels, fusion)
