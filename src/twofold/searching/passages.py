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

        Best first, equal scores by the UTF-8 bytes of the id, then by place. No passage scores higher than its
        document, so documents are read in their order until no later one can have a passage among the best. A hit's
        relevance is that of its document.
        """
        count = request.ranked
        ranked = self._first.ranked(asked, replace(request, top=request.depth, second=None))
        best: list[Hit] = []
        for first in range(0, len(ranked.documents), max(count, 1)):
            block = ranked.from_place(first).until(count)
            documents = self._snapshot.documents(block.documents)
            found, scores, parts = self._scored(asked, block.documents, documents, block.parts)
            relevance = [None] * len(documents) if block.relevance is None else block.relevance
            explained = Ranked(found.handles, scores, parts, None).explained()
            for at in _best(scores, found, documents, count):
                owner = int(found.owners[at])
                score = float(scores[at])
                passage = _passage(documents[owner], found.spans[at].tolist(), score)
                best.append(Hit(score, documents[owner], passage, explained[at], relevance[owner], (), marking))
            best = sorted(best, key=_place)[:count]
            later = first + count
            if len(best) == count and later < len(ranked.documents):
                bound = -float(ranked.scores[later]), self._snapshot.ids(ranked.documents[later : later + 1])[0]
                if _place(best[-1])[:2] <= bound:
                    break
        return best

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
            by_place = sorted(page, key=lambda hit: place[hit.id])
            texts, parts = [hit.document for hit in by_place], _parts_of(by_place)
            found, scores, _ = self._scored(asked, documents, texts, parts)
        return Hits((_with(hit, found, place[hit.id], scores, wanted) for hit in page), page.highlighting)

    def _scored(
        self, asked: Asked, handles: Numbers, documents: Sequence[Document], parts: Parts
    ) -> tuple[Passages, Scores, Parts]:
        """All passages of some documents with their scores and the parts of these. parts: those of the documents.

        A passage's score is what the document's would be with this passage alone: its own dense score, fused with its
        lexical evidence; in lexical mode the document's BM25 times the share of the query's terms, by their
        inverse document frequencies, that the passage has.
        """
        found = self._snapshot.passages(handles)
        if self._hybrid is not None and asked.mode == "lexical":
            texts = [documents[n].text[start:end] for n, (start, end) in _owned(found)]
            share = self._hybrid.share(asked.query.text or "", texts)
            lexical = np.asarray(parts["lexical"], np.float32)[found.owners]
            return found, lexical * share, {"lexical": lexical, "share of the query": share}
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


def _owned(found: Passages) -> list[tuple[int, tuple[int, int]]]:
    """The position of the document of each passage, and its span."""
    return list(zip(found.owners.tolist(), found.spans.tolist(), strict=True))


def _best(scores: Scores, found: Passages, documents: Sequence[Document], count: int) -> Numbers:
    return best_positions(scores, count, lambda among: [documents[n].id for n in found.owners[among].tolist()])


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
