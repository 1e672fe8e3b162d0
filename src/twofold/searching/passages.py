"""Passages of what was found: the best of each document, passages as hits of their own, and their neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from twofold.documents import Document, Passage
from twofold.engine import DenseSnapshot, EngineSnapshot, Passages
from twofold.hits import Hits
from twofold.rankings import Hit, Marking
from twofold.scores import Numbers, Scores, best_positions, dense_scores
from twofold.searching.first_stage import FirstStage
from twofold.searching.hybrid import HybridSearch, Ranked
from twofold.searching.queries import Asked
from twofold.searching.requests import Request, Wanted

Parts = Mapping[str, Scores | float]


class PassageSearch:
    """Scores and shows passages of one snapshot. hybrid: None for dense search alone."""

    def __init__(
        self, snapshot: EngineSnapshot, dense: DenseSnapshot, hybrid: HybridSearch | None, first: FirstStage
    ) -> None:
        self._snapshot = snapshot
        self._dense = dense
        self._hybrid = hybrid
        self._first = first

    def ranked(self, asked: Asked, request: Request, marking: Marking | None) -> list[Hit]:
        """The best passages of the first `request.depth` documents, as many as the request ranks, each as a hit.

        Best first, equal scores by the UTF-8 bytes of the id, then by place. By dense and mixed scores no passage is
        better than its document, so documents are read in their order until no later one can have a passage among the
        best; by BM25 a passage may be, so all are read. A hit's relevance is that of its document.
        """
        count = request.ranked
        ranked = self._first.ranked(asked, replace(request, top=request.depth, second=None))
        size = max(count, 1) if asked.mode != "lexical" else max(len(ranked.documents), 1)
        best: list[Hit] = []
        for first in range(0, len(ranked.documents), size):
            best += self._best(asked, ranked.from_place(first).until(size), count, marking)
            best = sorted(best, key=_place)[:count]
            later = first + size
            if len(best) == count and later < len(ranked.documents):
                bound = -float(ranked.scores[later]), self._snapshot.ids(ranked.documents[later : later + 1])[0]
                if _place(best[-1])[:2] <= bound:
                    break
        return best

    def _best(self, asked: Asked, ranked: Ranked, count: int, marking: Marking | None) -> list[Hit]:
        """The best passages of these documents, in any order. Only the documents that have them are read."""
        found, scores, parts = self._scored(asked, ranked.documents, ranked.parts)
        names = self._snapshot.ids(ranked.documents)
        best = best_positions(scores, count, lambda among: [names[n] for n in found.owners[among].tolist()])
        owners = np.unique(found.owners[best])
        documents = dict(zip(owners.tolist(), self._snapshot.documents(ranked.documents[owners]), strict=True))
        relevance = [None] * len(names) if ranked.relevance is None else ranked.relevance
        explained = Ranked(found.handles, scores, parts, None).explained()
        hits = []
        for at in best.tolist():
            score, owner = float(scores[at]), int(found.owners[at])
            passage = _passage(documents[owner], found.spans[at].tolist(), score)
            hits.append(Hit(score, documents[owner], passage, explained[at], relevance[owner], (), marking))
        return hits

    def shown(self, page: Hits, asked: Asked, request: Request) -> Hits:
        """The hits with the passages and neighbours that the request wants."""
        wanted = request.wanted
        if not page or not wanted.reads_passages:
            return page
        handles = self._snapshot.find(list(dict.fromkeys(hit.id for hit in page)))
        documents = np.array(sorted(handles.values()), np.int64)
        place = {name: int(np.searchsorted(documents, handle)) for name, handle in handles.items()}
        scores: Scores | None = None
        if wanted.unit == "passage" or wanted.passages is None:
            found = self._snapshot.passages(documents)
        else:
            parts = _parts_of(sorted(page, key=lambda hit: place[hit.id]))
            found, scores, _ = self._scored(asked, documents, parts)
        return Hits((_with(hit, found, place[hit.id], scores, wanted) for hit in page), page.highlighting)

    def _scored(self, asked: Asked, handles: Numbers, parts: Parts) -> tuple[Passages, Scores, Parts]:
        """All passages of some documents with their scores and the parts of these. parts: those of the documents.

        A passage's score is what the document's would be with this passage alone: its own dense score, fused with its
        lexical evidence. In lexical mode it is the BM25 of the passage.
        """
        found = self._snapshot.passages(handles)
        if self._hybrid is not None and asked.mode == "lexical":
            return self._by_words(self._hybrid, asked.query.text or "", handles, found, parts)
        dense = dense_scores(asked.vector(), self._dense.vectors(found.handles))
        if self._hybrid is None or asked.mode != "hybrid":
            return found, dense, {"dense": dense}
        own: dict[str, Scores | float] = {
            name: part if isinstance(part, float) else part[found.owners] for name, part in parts.items()
        }
        counts = np.bincount(found.owners, minlength=len(handles))
        evidence = self._hybrid.passage_evidence(asked.query.text or "", handles, counts)
        own |= {"dense": dense, "lexical evidence": evidence}
        return found, self._hybrid.fused(dense, own), own

    def _by_words(
        self, hybrid: HybridSearch, text: str, handles: Numbers, found: Passages, parts: Parts
    ) -> tuple[Passages, Scores, Parts]:
        """The passages with their BM25; where lexical search does not know passages, with that of their document times
        the share of the query's terms, by their inverse document frequencies, that the passage has."""
        scores = hybrid.passage_scores(text, handles, np.bincount(found.owners, minlength=len(handles)))
        if scores is not None:
            return found, scores, {"lexical": scores}
        documents = self._snapshot.documents(handles)
        share = hybrid.share(text, [documents[n].text[start:end] for n, (start, end) in _owned(found)])
        lexical = np.asarray(parts["lexical"], np.float32)[found.owners]
        return found, lexical * share, {"lexical": lexical, "share of the query": share}


def _owned(found: Passages) -> list[tuple[int, tuple[int, int]]]:
    """The position of the document of each passage, and its span."""
    return list(zip(found.owners.tolist(), found.spans.tolist(), strict=True))


def _place(hit: Hit) -> tuple[float, str, int]:
    """What hits of passages are ordered by."""
    return -hit.score, hit.id, hit.passage.start


def _parts_of(hits: Sequence[Hit]) -> Parts:
    """The parts of the scores of some hits, as of one ranking."""
    names = hits[0].parts
    return {name: np.array([hit.parts[name] for hit in hits], np.float32) for name in names}


def _with(hit: Hit, found: Passages, owner: int, scores: Scores | None, wanted: Wanted) -> Hit:
    """The hit with its best passages, the one that it shows first, each with its score and its neighbours."""
    first, last = np.searchsorted(found.owners, [owner, owner + 1]).tolist()
    spans = found.spans[first:last].tolist()
    own = [hit.passage.start, hit.passage.end]
    shown = spans.index(own) if own in spans else None
    places = [] if shown is None else [shown]
    if scores is not None and wanted.passages is not None:
        others = np.argsort(-scores[first:last], kind="stable").tolist()
        places += [place for place in others if place != shown][: wanted.passages - len(places)]
    passages = [
        _passage(
            hit.document,
            spans[place],
            hit.passage.score if scores is None else float(scores[first + place]),
            (spans[max(place - wanted.context, 0)][0], spans[min(place + wanted.context, len(spans) - 1)][1])
            if wanted.context
            else None,
        )
        for place in places
    ]
    return replace(hit, passage=passages[0], more=tuple(passages[1:])) if shown is not None else hit


def _passage(
    document: Document, span: Sequence[int], score: float | None, around: tuple[int, int] | None = None
) -> Passage:
    start, end = span
    context = None if around is None else _passage(document, around, None)
    return replace(Passage.of(document.text, start, end), score=score, context=context)
