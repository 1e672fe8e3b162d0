"""The words of a collection: how they are mixed with meaning, found out and kept by `tune`, which `add` calls.

The lexical index is derived from the documents; following.py keeps it up, and words.py searches it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from twofold.collection.following import Following
from twofold.collection.guarding import GuardedEncoder
from twofold.collection.known import Known, WordsReport
from twofold.engines.local.engine import Store
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.engines.local.writer import Writer
from twofold.errors import InputError, VectorError
from twofold.indexes.flat import FlatIndex
from twofold.lexical.analysing import LexicalSettings
from twofold.progress import Progress
from twofold.rankings import Qrels
from twofold.scores import unit_vectors
from twofold.searching.exact import ExactSearch
from twofold.searching.fusion import Fusion
from twofold.searching.hybrid import HybridSearch
from twofold.tuning.chance import chance as measured_chance
from twofold.tuning.chance import drawn, prior
from twofold.tuning.pseudo_queries import pseudo_queries
from twofold.tuning.sharing import Asked, Learned, learned_share

QUESTIONS, PASSAGES = 256, 4096
"""Questions and passages that are drawn to see what chance is."""
GROWTH = 4
"""A collection so many times as large as when that was measured is measured again."""


def missing() -> str:
    """Why a collection is not searched by words, and what to do."""
    return "this collection does not know its words yet; run twofold tune (in Python: collection.tune())"


def unmeasured(snapshot: StoredSnapshot, encoder: GuardedEncoder) -> bool:
    """Whether a collection should know its words and does not, or has outgrown what it was when chance was measured.

    All should but those whose vectors are of words already.
    """
    if encoder.source.get("kind") == "hashed-words":
        return False
    state = Known.of(snapshot)
    if state is None:
        return snapshot.head.documents > 0
    known = state.report
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
    """Makes a collection know its words, by a writer that holds the lock."""

    def __init__(self, store: Store, writer: Writer, encoder: GuardedEncoder, depth: int, progress: Progress) -> None:
        self._store = store
        self._writer = writer
        self._encoder = encoder
        self._depth = depth
        self._progress = progress

    def run(self, analyser: str | None, queries: Mapping[str, str], qrels: Qrels) -> WordsReport:
        """Finds how both sides are mixed, if they can be, and makes the lexical index whose documents are the living.

        Both are published by one commit; until then searches have what they had. Raises InputError.
        """
        without = unmixed(self._encoder)
        if without and qrels:
            raise InputError(f"judgements teach how to mix meaning and words, but {without}")
        following = Following(self._store, self._writer, self._progress)
        with self._store.snapshot() as snapshot:
            fusion = None if without else Fusion(chance=self._chance(snapshot))
            report = WordsReport(fusion, self._settings(analyser, snapshot), snapshot.head.documents)
            known, index = following.current(snapshot, report)
            if fusion is not None and qrels:
                exact = ExactSearch(snapshot, FlatIndex(snapshot))
                search = HybridSearch(snapshot, exact, index.reader(), fusion, depth=self._depth)
                learned = self._learned(snapshot, search, fusion, queries, qrels)
                report = replace(report, fusion=replace(fusion, share=learned.share), learned=learned)
        following.publish(replace(known, report=report))
        return report

    def _settings(self, analyser: str | None, snapshot: StoredSnapshot) -> LexicalSettings:
        if analyser is not None:
            return LexicalSettings(analyser=analyser)
        known = Known.of(snapshot)
        return LexicalSettings() if known is None else known.report.lexical

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
