"""The first stage: the ranking of a query by dense, lexical or mixed scores, with the relevance of each document."""

from __future__ import annotations

from twofold.engine import DenseSnapshot
from twofold.searching.hybrid import HybridSearch, Ranked
from twofold.searching.queries import Asked
from twofold.searching.relevance import Relevance
from twofold.searching.requests import Request
from twofold.searching.threads import later, threads


class FirstStage:
    """Rankings of one snapshot. hybrid: None for dense search alone. relevance: None where nothing says it."""

    def __init__(self, dense: DenseSnapshot, hybrid: HybridSearch | None, relevance: Relevance | None) -> None:
        self._dense = dense
        self._hybrid = hybrid
        self._relevance = relevance

    def ranked(self, asked: Asked, request: Request) -> Ranked:
        """The places of the first ranking that the request needs."""
        hybrid, text = self._hybrid, asked.query.text
        depth, top, selection = request.depth, request.ranked, request.selection
        if hybrid is not None and text is not None:
            if asked.mode == "lexical":
                return hybrid.lexical(text, depth=depth, top=top, selection=selection)
            if asked.mode == "hybrid":
                start = threads.start if asked.alone else later
                return hybrid.hybrid(text, asked.vector, depth=depth, top=top, selection=selection, start=start)
            selection = hybrid.within(text, selection)
        near = self._dense.nearest(asked.vector(), depth=depth, top=top, selection=selection)
        known = self._relevance if request.relevance else None
        relevance = None if known is None else known.dense(near.scores)
        return Ranked(near.documents, near.scores, {"dense": near.scores}, near.passages, relevance)
