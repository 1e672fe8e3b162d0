"""A ranking as hits: the documents with their best passages, and what the query says about their texts."""

from __future__ import annotations

from twofold.documents import Passage
from twofold.engine import EngineSnapshot
from twofold.hits import Hits
from twofold.lexical.analysing import LexicalSettings
from twofold.lexical.highlighting import Highlights
from twofold.rankings import Hit
from twofold.searching.hybrid import HybridSearch, Ranked
from twofold.searching.sentences import QueryMarking

WORDS = LexicalSettings()
"""How texts become terms for showing hits where no lexical index says it."""


class Showing:
    """Makes hits of the rankings of one snapshot. hybrid: None for dense search alone."""

    def __init__(self, snapshot: EngineSnapshot, hybrid: HybridSearch | None) -> None:
        self._snapshot = snapshot
        self._hybrid = hybrid

    def hits(self, ranked: Ranked, offset: int, query: str = "") -> Hits:
        """The documents after the first `offset`, each with its best passage. query: its text, if it has one."""
        page = ranked.from_place(offset)
        documents = self._snapshot.documents(page.documents)
        if page.passages is None and self._hybrid is not None:
            spans = self._hybrid.spans(query, page.documents, documents)
        else:
            spans = self._snapshot.spans(page.documents if page.passages is None else page.passages)
        relevance = [None] * len(documents) if page.relevance is None else page.relevance
        parts = zip(page.scores.tolist(), documents, spans.tolist(), page.explained(), relevance, strict=True)
        marking = self.marking(query)
        hits = (
            Hit(score, document, Passage.of(document.text, start, end), explained, relevant, (), marking)
            for score, document, (start, end), explained, relevant in parts
        )
        return Hits(hits, self.highlights(query))

    def highlights(self, query: str) -> Highlights | None:
        """Where texts have terms of the query; None for dense search alone."""
        return self._hybrid.highlights(query) if self._hybrid is not None and query else None

    def marking(self, query: str) -> QueryMarking | None:
        """What the query says about texts; None where it is no text."""
        return QueryMarking(self.highlights(query) or Highlights(WORDS, query)) if query else None
