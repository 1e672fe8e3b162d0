"""Lexical search and hybrid search, in which every candidate gets an exact dense and an exact lexical score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twofold.documents import Document
from twofold.engine import EVERYTHING, DenseSnapshot, EngineSnapshot, LexicalSnapshot, Selection
from twofold.errors import QueryError
from twofold.hits import known_relevance
from twofold.lexical.analysing import LexicalSettings
from twofold.lexical.highlighting import Highlights
from twofold.passage_scores import PassageScores
from twofold.scores import Numbers, Scores, Vectors, best_positions
from twofold.searching.candidate_scores import CandidateScores, of_passages, with_evidence
from twofold.searching.fusion import Fusion
from twofold.searching.relevance import Relevance
from twofold.searching.threads import threads

SearchMode = Literal["dense", "lexical", "hybrid"]
SEARCH_MODES: tuple[SearchMode, ...] = ("dense", "lexical", "hybrid")
Start = Callable[[Callable[[], tuple[Numbers, Scores]]], Callable[[], tuple[Numbers, Scores]]]
"""Starts work beside the caller's, or later: `threads.start` or `later`."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """Documents of one ranking, best first, and the parts of each score.

    documents: int64 (n,); scores: float32 (n,). parts: by name, one number a document or one for all. passages: int64
    (n,), the best passage of each by its vector; None where no vector was read. relevance: n probabilities, None where
    they cannot be said.
    """

    documents: Numbers
    scores: Scores
    parts: Mapping[str, Scores | float]
    passages: Numbers | None
    relevance: Sequence[float] | None = None

    def from_place(self, offset: int) -> Ranked:
        """Without the first `offset` documents."""
        return self._of(slice(offset, None))

    def until(self, count: int) -> Ranked:
        """The first `count` documents."""
        return self._of(slice(count))

    def _of(self, places: slice) -> Ranked:
        parts = {name: part if isinstance(part, float) else part[places] for name, part in self.parts.items()}
        passages = None if self.passages is None else self.passages[places]
        relevance = None if self.relevance is None else self.relevance[places]
        return Ranked(self.documents[places], self.scores[places], parts, passages, relevance)

    def at_least(self, relevance: float) -> Ranked:
        """Without documents of less relevance. Raises QueryError where it cannot be said."""
        known = [None] * len(self.documents) if self.relevance is None else self.relevance
        kept = [place for place, each in enumerate(known) if known_relevance(each) >= relevance]
        parts = {name: part if isinstance(part, float) else part[kept] for name, part in self.parts.items()}
        passages = None if self.passages is None else self.passages[kept]
        return Ranked(
            self.documents[kept], self.scores[kept], parts, passages, [known_relevance(known[n]) for n in kept]
        )

    def explained(self) -> list[dict[str, float]]:
        """The parts of each score, by name."""
        columns = {name: np.broadcast_to(part, self.scores.shape).tolist() for name, part in self.parts.items()}
        return [dict(zip(columns, line, strict=True)) for line in zip(*columns.values(), strict=True)]


class HybridSearch:
    """Lexical and hybrid rankings of one snapshot.

    fusion: None where the scores cannot be mixed, since texts have no cosines here. depth: of the look-up that finds
    the best dense score of all documents, which enters every mixed score. An approximate index finds more in a
    deeper look-up, so this depth must not depend on the request. query_language: enables its operators; what a query
    excludes is excluded from dense search too. settings: how texts become terms, for highlighting. relevance: how
    scores become probabilities; None where nobody reads them.
    """

    def __init__(
        self,
        snapshot: EngineSnapshot,
        dense: DenseSnapshot,
        lexical: LexicalSnapshot,
        fusion: Fusion | None,
        *,
        depth: int,
        query_language: bool = False,
        settings: LexicalSettings | None = None,
        relevance: Relevance | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._settings = settings
        self._relevance = relevance
        self._dense = dense
        self._lexical = lexical
        self._fusion = fusion
        self._depth = depth
        self._query_language = query_language

    @property
    def mixes(self) -> bool:
        """Whether dense and lexical scores can be mixed."""
        return self._fusion is not None

    def highlights(self, query: str) -> Highlights | None:
        """Where texts have terms of a query, for showing hits; None where nobody said how texts become terms."""
        return None if self._settings is None else Highlights(self._settings, self.text(query))

    def text(self, query: str) -> str:
        """The query's text for the encoder, without the signs of the query language."""
        return self._lexical.text(query)

    def within(self, query: str, selection: Selection) -> Selection:
        """The selection without documents that the query excludes, as `-red` excludes those with "red"."""
        return replace(selection, said=query) if self._query_language else selection

    def hybrid(
        self,
        text: str,
        vector: Callable[[], Vectors],
        *,
        depth: int,
        top: int,
        selection: Selection,
        start: Start = threads.start,
    ) -> Ranked:
        """The first `top` of both sides' first `depth` documents, mixed; a ranking of `depth` documents has no more.

        vector: gives the text's vector, float32 (dimension,); lexical search runs while it is encoded.
        """
        if self._fusion is None:
            raise QueryError("dense and lexical scores are mixed by cosines, and texts have none in this collection")
        sides = self.candidate_scores(text, vector, depth=depth, selection=selection, start=start)
        near, fused = sides.near, sides.fused(self._fusion)
        best = best_positions(fused.scores, top, lambda among: self._snapshot.ids(near.documents[among]))
        lexical = self._lexical.scores(text, near.documents[best])
        parts: dict[str, Scores | float] = {
            "dense": fused.dense[best],
            "lexical": lexical,
            "lexical evidence": fused.evidence[best],
            "lexical weight": fused.weight,
        }
        relevance = None
        if self._relevance is not None:
            relevance = self._relevance.hybrid(near.scores[best], lexical, self._lexical.weight(text))
        return Ranked(near.documents[best], fused.scores[best], parts, fused.passages[best], relevance)

    def candidate_scores(
        self,
        text: str,
        vector: Callable[[], Vectors],
        *,
        depth: int,
        selection: Selection = EVERYTHING,
        start: Start = threads.start,
    ) -> CandidateScores:
        """Both scores of every candidate: the union of the first `depth` documents of each side.

        Scores depend on query and document alone: the best dense score of all documents, which enters them, comes from
        the same look-up for every depth and selection. That look-up gives the candidates too where depth and selection
        are its own.
        """
        selection = self.within(text, selection)
        matching = start(partial(self._lexical.candidates, text, depth, selection))
        asked = vector()
        near = self._dense.nearest(asked, depth=depth, top=depth, selection=selection)
        best = near.scores[:1]
        if selection != EVERYTHING or depth != self._depth:
            best = self._dense.nearest(asked, depth=self._depth, top=1).scores
        matched, _ = matching()
        candidates = self._dense.scored(asked, np.union1d(near.documents, matched))
        return self._with_evidence(text, candidates, float(best[0]) if len(best) else 0.0)

    def passage_evidence(self, text: str, handles: Numbers, counts: Numbers) -> Scores:
        """float32 (passages,): the evidence in mixed scores of all passages of these documents, in their order.

        counts: how many passages each has.
        """
        order = np.argsort(handles)
        documents, many = handles[order], counts[order]
        evidence = self._lexical.evidence(text, documents)
        found = of_passages(self._lexical, text, documents, many, evidence)
        return _reordered(np.repeat(evidence, many) if found is None else found, order, counts)

    def passage_scores(self, text: str, handles: Numbers, counts: Numbers) -> Scores | None:
        """float32 (passages,): BM25 of all passages of these documents, in their order, by the statistics of passages.

        counts: how many passages each has. None where lexical search does not know passages.
        """
        order = np.argsort(handles)
        found = self._lexical.passage_scores(text, handles[order])
        if found is None:
            return None
        (many, scores), expected = found, counts[order]
        known = many == expected  # else it is a document of more passages than are counted, which is scored as one
        ascending = np.repeat(scores[np.cumsum(many) - many], expected)
        ascending[np.repeat(known, expected)] = scores[np.repeat(known, many)]
        return _reordered(ascending, order, counts)

    def _with_evidence(self, text: str, passages: PassageScores, best: float) -> CandidateScores:
        counts = self._snapshot.counts
        return with_evidence(self._lexical, text, passages, best, counts.passages / max(1, counts.documents))

    def lexical(self, text: str, *, depth: int, top: int, selection: Selection) -> Ranked:
        """The first `top` of the ranking of `depth` documents by BM25; no vector is made or read."""
        matched, scores = self._lexical.candidates(text, depth, selection)
        best = best_positions(scores, min(top, depth), lambda among: self._snapshot.ids(matched[among]))
        relevance = None
        if self._relevance is not None:
            relevance = self._relevance.lexical(scores[best], self._lexical.weight(text))
        return Ranked(matched[best], scores[best], {"lexical": scores[best]}, None, relevance)

    def share(self, text: str, texts: Sequence[str]) -> Scores:
        """float32 (n,), 0 to 1: the share of the query's terms that each text has, by inverse document frequencies."""
        having = self._lexical.coverage(text, [*texts, self.text(text)])
        share: Scores = having[:-1] / having[-1] if having[-1] > 0 else np.zeros(len(texts), np.float32)
        return np.minimum(share, np.float32(1))

    def fused(self, dense: Scores, parts: Mapping[str, Scores | float]) -> Scores:
        """float32 (n,): mixed scores with other dense scores. parts: those of mixed scores, one number each or one."""
        if self._fusion is None:
            raise QueryError("dense and lexical scores are mixed by cosines, and texts have none in this collection")
        weight = np.asarray(parts["lexical weight"], np.float32).flat[0]
        return self._fusion.fused(dense, np.asarray(parts["lexical evidence"], np.float32), float(weight))

    def spans(self, text: str, handles: Numbers, documents: Sequence[Document]) -> NDArray[np.int32]:
        """int32 (n, 2): for each document the passage with the highest BM25, the earlier of equal ones.

        handles: int64 (n,), those of the documents. Documents of a single passage are not compared. Where lexical
        search does not know passages, it is the one with the most words of the query, each weighted by its inverse
        document frequency (`LexicalSnapshot.coverage`).
        """
        order = np.argsort(handles)
        passages = self._snapshot.passages(handles[order])
        counts = np.bincount(passages.owners, minlength=len(handles))
        among = np.flatnonzero(np.repeat(counts > 1, counts))
        scores: Scores | None = np.zeros(len(passages.handles), np.float32)
        if len(among):
            scores = self.passage_scores(text, handles[order], counts)
        if scores is None:
            texts = [documents[place].text for place in order.tolist()]
            places = zip(passages.owners[among].tolist(), passages.spans[among].tolist(), strict=True)
            scores = np.zeros(len(passages.handles), np.float32)
            scores[among] = self._lexical.coverage(text, [texts[n][start:end] for n, (start, end) in places])
        best = np.lexsort((passages.handles, -scores, passages.owners))[np.cumsum(counts) - counts]
        chosen = np.empty((len(handles), 2), np.int32)
        chosen[order] = passages.spans[best]
        return chosen


def _reordered(values: Scores, order: Numbers, counts: Numbers) -> Scores:
    """float32 (passages,): the values of passages of documents in their first order. values: with the documents in the
    order `order`. counts: how many passages each document has, in the first order."""
    starts = np.empty(len(order), np.int64)
    many = counts[order]
    starts[order] = np.cumsum(many) - many
    within = np.arange(len(values)) - np.repeat(np.cumsum(counts) - counts, counts)
    placed: Scores = values[np.repeat(starts, counts) + within]
    return placed
