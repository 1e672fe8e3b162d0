"""`tune`, which `add` calls too: builds the lexical index and fits how lexical and dense scores are mixed.

The lexical index is derived from the documents. In the local engine following.py keeps it up to date and readers.py
searches it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from twofold.collection.calibrating import calibrations_of
from twofold.collection.guarding import GuardedEncoder
from twofold.collection.lexical_report import LexicalReport
from twofold.collection.measuring_pipelines import Measured, MeasuringPipelines, Wanted
from twofold.collection.settings import Settings
from twofold.documents import titled
from twofold.engine import LEXICAL, Engine, EngineSnapshot, EngineWriter, LexicalAside
from twofold.errors import InputError, VectorError
from twofold.lexical.analysing import LexicalSettings
from twofold.lexical.guessing import likely_analyser
from twofold.progress import Progress
from twofold.rankings import Qrels
from twofold.scores import Vectors, unit_vectors
from twofold.searching.fusion import Fusion
from twofold.searching.hybrid import HybridSearch
from twofold.searching.queries import queries_of
from twofold.space import Space
from twofold.tuning.chance import chance as measured_chance
from twofold.tuning.chance import chance_among, prior
from twofold.tuning.pseudo_queries import pseudo_queries
from twofold.tuning.sharing import JudgedQuery, held_out_shares, learned_share

QUESTIONS, PASSAGES = 256, 4096
"""Questions and passages that are drawn to measure chance."""
GROWTH = 4
"""A collection that has grown by this factor since is measured again."""


def missing(snapshot: EngineSnapshot) -> str:
    """Why there is no lexical search, and what to do."""
    if textless(snapshot):
        return (
            "no document of this collection has a text or a title, so there is nothing to search lexically; search by "
            "a vector or by a stored document (--like ID), or add the documents again with their texts"
        )
    return "this collection has no lexical index yet; run `twofold tune COLLECTION` (in Python: collection.tune())"


def textless(snapshot: EngineSnapshot) -> bool:
    """Whether there are documents and none has a text: vectors made elsewhere need no texts beside them.

    False where the collection has an encoder, since then every vector comes from a text.
    """
    encodes = snapshot.space.probes is not None
    return not encodes and snapshot.counts.documents > 0 and not snapshot.has_text()


def unmeasured(snapshot: EngineSnapshot, encoder: GuardedEncoder) -> bool:
    """Whether a collection should have a lexical index and has none, or has outgrown its measurement of chance.

    All should have one, except those whose vectors are hashed words.
    """
    if encoder.source.get("kind") == "hashed-words":
        return False
    known = LexicalReport.of(snapshot)
    if known is None or (known.fusion is None and not unmixed(encoder)):
        return snapshot.counts.documents > 0
    taught = known.fusion is None or known.learned is not None
    return not taught and snapshot.counts.documents >= GROWTH * known.documents


def unmixed(encoder: GuardedEncoder) -> str:
    """Why dense and lexical scores cannot be mixed; empty where they can."""
    if encoder.contract.similarity != "cosine":
        return "dense and lexical scores are mixed by cosines, and this collection compares by dot products"
    return ""


def _prior(encoder: GuardedEncoder) -> float:
    """Chance (the mean cosine of unrelated texts) among the probe texts of the encoder."""
    probes = encoder.probes
    try:
        return 0.0 if probes is None else prior(unit_vectors(probes.query), unit_vectors(probes.document))
    except VectorError:  # it makes nothing of some of them
        return 0.0


@dataclass(frozen=True, slots=True)
class JudgedTexts:
    """Judged questions, which choose the weight of lexical scores.

    queries: id → text. qrels: their judgements. vectors: (n, dimension), one for each query in their order; None to
    encode them.
    """

    queries: Mapping[str, str] = field(default_factory=dict)
    qrels: Qrels = field(default_factory=dict)
    vectors: Sequence[Vectors] | Vectors | None = None

    def asked(self, encoder: GuardedEncoder) -> dict[str, tuple[str, Vectors]]:
        """Text and vector, float32 (dimension,), of each query with a positive judgement. Raises InputError."""
        judged = [query for query, grades in self.qrels.items() if any(grade > 0 for grade in grades.values())]
        lacking = [query for query in judged if query not in self.queries]
        if lacking:
            raise InputError(f"the query {lacking[0]!r} is judged, but has no text among the queries")
        if self.vectors is not None:
            if not judged:
                raise InputError("vectors are those of judged queries; give the judgements too (qrels)")
            given = queries_of(list(self.queries.values()), self.vectors, encoder.contract)
            vectors = {query: each.vector for query, each in zip(self.queries, given, strict=True)}
            return {query: (self.queries[query], np.asarray(vectors[query])) for query in judged}
        if judged and not encoder.can_encode:
            raise InputError(
                "this collection holds vectors made elsewhere and cannot encode the judged queries; give their vectors "
                "(vectors=, --vectors)"
            )
        made = encoder.encode_queries([self.queries[query] for query in judged]) if judged else ()
        return {query: (self.queries[query], vector) for query, vector in zip(judged, made, strict=True)}


class LexicalTuning:
    """Builds the lexical index and fits the mixing, with a writer that holds the lock."""

    def __init__(
        self, engine: Engine, writer: EngineWriter, encoder: GuardedEncoder, settings: Settings, progress: Progress
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._encoder = encoder
        self._depth, self._analyser = settings.depth, settings.analyser
        self._progress = progress

    def run(self, analyser: str | None, judged: JudgedTexts, wanted: Wanted) -> LexicalReport:
        """Fits how dense and lexical scores are mixed, if they can be, and builds the lexical index of the live
        documents. wanted: second stages to measure.

        One commit publishes both; until then searches use their predecessors. Raises InputError.
        """
        without = unmixed(self._encoder)
        if without and judged.qrels:
            raise InputError(f"judgements are for mixing dense and lexical scores, but {without}")
        asked = judged.asked(self._encoder)
        with self._engine.snapshot() as snapshot:
            fusion = None if without else Fusion(chance=self._chance(snapshot, snapshot.space))
            settings, reason = self._settings(analyser, snapshot)
            report = LexicalReport(fusion, settings, snapshot.counts.documents, reason=reason)
        with self._writer.lexical_aside(report.settings.to_json(), self._progress) as aside:
            if fusion is not None and asked:
                sides = self._sides(aside, fusion, asked)
                learned = learned_share(sides, judged.qrels, fusion)
                report = replace(report, fusion=replace(fusion, share=learned.share), learned=learned)
                report = self._measured(aside, report, judged, wanted, sides=sides, asked=asked)
            aside.publish(report.state(aside.snapshot, aside.snapshot.space))
        return report

    def prepare(self, space: Space) -> None:
        """Fits the mixing for a space that will become the default one, where there is a lexical index.

        So hybrid scores are right from the moment of the switch. Raises StorageError.
        """
        with self._engine.snapshot() as snapshot:
            state = snapshot.state(LEXICAL)
            if state is None:
                return
            fusion = None if unmixed(self._encoder) else Fusion(chance=self._chance(snapshot, space))
            known = LexicalReport.of(snapshot)
            report = LexicalReport(
                fusion,
                LexicalSettings.from_json(state["lexical"]),
                snapshot.counts.documents,
                reason="" if known is None else known.reason,
            )
            self._writer.put_state(LEXICAL, report.state(snapshot, space))

    def _settings(self, analyser: str | None, snapshot: EngineSnapshot) -> tuple[LexicalSettings, str]:
        """How texts become terms, and why: as asked for, as before, as the collection says, or as its texts suggest."""
        if analyser is not None:
            return LexicalSettings(analyser=analyser), ""
        known = LexicalReport.of(snapshot)
        if known is not None:
            return known.settings, known.reason
        if self._analyser is not None:
            return LexicalSettings(analyser=self._analyser), ""
        guess = likely_analyser(titled(document.title, document.text) for document in snapshot.each())
        return LexicalSettings(analyser=guess.analyser), guess.reason

    def _chance(self, snapshot: EngineSnapshot, space: Space) -> float:
        """The mean cosine of unrelated texts in this collection; that of the probe texts where it has too few texts."""
        unrelated = _prior(self._encoder)
        dense = snapshot.dense(space.name, exact=True)
        drawn = dense.drawn(PASSAGES)
        if not self._encoder.can_encode:
            return chance_among(dense.vectors(drawn.handles), QUESTIONS)
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

    def _measured(
        self,
        aside: LexicalAside,
        report: LexicalReport,
        judged: JudgedTexts,
        wanted: Wanted,
        *,
        sides: Mapping[str, JudgedQuery],
        asked: Mapping[str, tuple[str, Vectors]],
    ) -> LexicalReport:
        """The report with calibrations, and with the pipeline where one is wanted."""
        fusion, found = report.fusion, Measured()
        if fusion is None:
            return report
        calibrations = calibrations_of(aside, fusion, asked, judged.qrels, self._depth)
        if wanted.rankers or wanted.budget is not None:
            found = MeasuringPipelines(
                aside,
                self._encoder,
                fusion,
                held_out_shares(sides, judged.qrels, fusion),
                asked=asked,
                given=judged.vectors is not None,
                depth=self._depth,
                progress=self._progress,
            ).run(judged.qrels, wanted)
        return replace(report, calibrations={**calibrations, **found.calibrations}, pipeline=found.choice)

    def _sides(
        self, aside: LexicalAside, fusion: Fusion, asked: Mapping[str, tuple[str, Vectors]]
    ) -> dict[str, JudgedQuery]:
        """Of each question the candidates with both scores."""
        snapshot, judged = aside.snapshot, {}
        search = HybridSearch(snapshot, snapshot.dense(exact=True), aside.lexical, fusion, depth=self._depth)
        for query, (text, vector) in asked.items():
            sides = search.candidate_scores(text, partial(np.asarray, vector), depth=self._depth)
            judged[query] = JudgedQuery(snapshot.ids(sides.near.documents), sides)
        return judged
