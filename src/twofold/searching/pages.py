"""What a search gives for one query: its page of hits, or the candidates of a second stage."""

from __future__ import annotations

import numpy as np

from twofold.documents import Passage
from twofold.engine import DenseSnapshot, EngineSnapshot
from twofold.errors import QueryError
from twofold.hits import Hits
from twofold.searching.first_stage import FirstStage
from twofold.searching.hybrid import HybridSearch
from twofold.searching.passages import PassageSearch
from twofold.searching.queries import Asked
from twofold.searching.requests import Request
from twofold.searching.reranking import Candidates
from twofold.searching.showing import Showing
from twofold.searching.stored_tokens import StoredTokens


class Pages:
    """Pages of one snapshot's rankings. hybrid: None for dense search alone."""

    def __init__(
        self, snapshot: EngineSnapshot, dense: DenseSnapshot, hybrid: HybridSearch | None, first: FirstStage
    ) -> None:
        self._snapshot = snapshot
        self._hybrid = hybrid
        self._first = first
        self._showing = Showing(snapshot, hybrid)
        self._passages = PassageSearch(snapshot, dense, hybrid, first)

    def page(self, asked: Asked, request: Request) -> Hits:
        """The places of the first ranking that the request asks for."""
        if request.wanted.unit == "passage":
            hits = self._of_passages(asked, request)[request.offset :]
        else:
            hits = self._showing.hits(self._first.ranked(asked, request), request.offset, asked.query.text or "")
        return self._passages.shown(hits, asked, request)

    def candidates(self, asked: Asked, request: Request) -> Candidates:
        """The places that a second stage reads, each with its best passage by every side of the search."""
        if request.wanted.unit == "passage":
            if request.second is not None and isinstance(request.second.ranker, StoredTokens):
                raise QueryError("stored token vectors rank documents; with unit='passage' name another ranker")
            hits = self._of_passages(asked, request)
            handles = self._snapshot.find(list({hit.id for hit in hits}))
            documents = np.array([handles[hit.id] for hit in hits], np.int64)
            return Candidates(hits, [[hit.passage] for hit in hits], documents, asked)
        ranked, text = self._first.ranked(asked, request), asked.query.text or ""
        hits = self._showing.hits(ranked, 0, text)
        passages = [[hit.passage] for hit in hits]
        if self._hybrid is not None and asked.mode == "hybrid":
            spans = self._hybrid.spans(text, ranked.documents, [hit.document for hit in hits]).tolist()
            for hit, (start, end), own in zip(hits, spans, passages, strict=True):
                if (start, end) != (hit.passage.start, hit.passage.end):
                    own.append(Passage.of(hit.document.text, start, end))
        return Candidates(hits, passages, ranked.documents, asked)

    def ranked_again(self, ranked: Hits, found: Candidates, request: Request) -> Hits:
        """The page of what a second stage has ranked."""
        return self._passages.shown(ranked[request.offset : request.top], found.asked, request)

    def _of_passages(self, asked: Asked, request: Request) -> Hits:
        text = asked.query.text or ""
        hits = self._passages.ranked(asked, request, self._showing.marking(text))
        return Hits(hits, self._showing.highlights(text))
