"""Search by words, and by meaning and words together: every candidate is scored exactly by both sides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twofold.documents import Document
from twofold.errors import QueryError
from twofold.protocols import Lexical, Snapshot
from twofold.scores import Mask, Numbers, Scores, Vectors, order
from twofold.searching.fusion import Fusion
from twofold.searching.nearest import Nearest, NearestSearch, scored

Mode = Literal["dense", "lexical", "hybrid"]
MODES: tuple[Mode, ...] = ("dense", "lexical", "hybrid")


@dataclass(frozen=True, slots=True)
class Mixed:
    """Documents of one ranking, best first, and what made up each score.

    documents: int64 (n,); scores, dense, lexical: float32 (n,); rows: int64 (n,), the best passage by meaning.
    word_weight: by what the lexical scores were multiplied.
    """

    documents: Numbers
    scores: Scores
    rows: Numbers
    dense: Scores
    lexical: Scores
    word_weight: float


@dataclass(frozen=True, slots=True)
class Worded:
    """Documents of one lexical ranking, best first.

    documents: int64 (n,); scores: float32 (n,), BM25 of whole documents. spans: gives the passages that are shown, from
    numbers of documents and the documents themselves, int32 (n, 2).
    """

    documents: Numbers
    scores: Scores
    spans: Callable[[Numbers, Sequence[Document]], NDArray[np.int32]]


@dataclass(frozen=True, slots=True)
class Sides:
    """What meaning and words say of the candidates of one question.

    near: the candidates by number, with their dense scores; lexical: float32 (n,), their BM25; best: the highest dense
    score of any document of the collection; weight: the sum of idf of the question's terms.
    """

    near: Nearest
    lexical: Scores
    best: float
    weight: float


class HybridSearch:
    """Rankings of one snapshot with the words of its documents.

    lexical: may have read an earlier commit; documents that it lacks are found by meaning. fusion: None where meaning
    and words cannot be mixed, since texts have no cosines here. depth: of the look-up that finds the best dense score
    of all documents, which enters every mixed score: an approximate index finds more by a deeper look-up, so what
    enters a score must not be found by one that depends on the request.
    """

    def __init__(
        self, snapshot: Snapshot, dense: NearestSearch, lexical: Lexical, fusion: Fusion | None, *, depth: int
    ) -> None:
        self._snapshot = snapshot
        self._dense = dense
        self._lexical = lexical
        self._fusion = fusion
        self._depth = depth

    @property
    def mixes(self) -> bool:
        """Whether meaning and words can be mixed."""
        return self._fusion is not None

    def text(self, query: str) -> str:
        """What the query says, without signs that only search by words understands: what a vector is made of."""
        return self._lexical.text(query)

    def within(self, query: str, allowed: Mask) -> Mask:
        """bool (rows,): the allowed rows of documents that the query does not rule out, as -red does what has "red".

        Documents that the lexical side has not read yet are ruled out by any such query.
        """
        read = self._lexical.restriction(query)
        if read is None:
            return allowed
        rows = np.flatnonzero(allowed)
        documents = self._snapshot.documents_of(rows)
        rows, documents = rows[documents < len(read)], documents[documents < len(read)]
        within = np.zeros_like(allowed)
        within[rows] = read[documents]
        return within

    def hybrid(self, text: str, vector: Callable[[], Vectors], *, depth: int, top: int, allowed: Mask) -> Mixed:
        """The first `top` of the ranking of `depth` documents: the best of both sides' first `depth`, mixed.

        vector: gives the text's vector, float32 (dimension,); words are searched while it is made.
        """
        return self._ranked(self.sides(text, vector, depth=depth, allowed=allowed), min(top, depth))

    def sides(self, text: str, vector: Callable[[], Vectors], *, depth: int, allowed: Mask) -> Sides:
        """What both sides say of every candidate: the union of their first `depth` documents.

        What is said depends on question and document alone: the best of all documents counts, by the same look-up for
        every depth and filter. That look-up serves the candidates too, where they are asked for in the same way.
        """
        everything = self._snapshot.passing(None)
        allowed = self.within(text, allowed)
        with ThreadPoolExecutor(2) as beside:  # made for each question: a thread that idles would not survive a fork
            words = beside.submit(self._lexical.candidates, text, depth, self._snapshot.document_mask(allowed))
            asked = vector()
            whole = None
            if allowed is not everything or depth != self._depth:
                whole = beside.submit(self._dense.nearest, asked, depth=self._depth, top=1, allowed=everything)
            near = self._dense.nearest(asked, depth=depth, top=depth, allowed=allowed)
            best = near.scores[:1] if whole is None else whole.result().scores
            worded, known = words.result()
        candidates = scored(self._snapshot, asked, self._snapshot.rows_of(np.union1d(near.documents, worded))[0])
        lexical = self._said_by_words(text, candidates.documents, worded, known)
        return Sides(candidates, lexical, float(best[0]) if len(best) else 0.0, self._lexical.weight(text))

    def lexical(self, text: str, *, depth: int, top: int, allowed: Mask) -> Worded:
        """The first `top` of the ranking of `depth` documents by BM25; no vector is made or read."""
        worded, scores = self._lexical.candidates(text, depth, self._snapshot.document_mask(allowed))
        best = order(scores, self._snapshot.ids(worded))[: min(top, depth)]
        return Worded(worded[best], scores[best], partial(self._spans, text))

    def _spans(self, text: str, numbers: Numbers, documents: Sequence[Document]) -> NDArray[np.int32]:
        """int32 (n, 2): of each document the passage that has most of the query's words, the earlier of equal ones.

        numbers: int64 (n,), those of the documents. Each word that a passage has counts once, by how rare it is in the
        collection (`Lexical.coverage`). Texts of a single passage are not looked at.
        """
        rows, owners = self._snapshot.rows_of(numbers)
        spans = self._snapshot.spans(rows)
        _, firsts, passages = np.unique(owners, return_index=True, return_counts=True)
        coverage = np.zeros(len(rows), np.float32)
        among = np.flatnonzero(np.repeat(passages > 1, passages))
        places = zip(owners[among].tolist(), spans[among].tolist(), strict=True)
        coverage[among] = self._lexical.coverage(text, [documents[n].text[start:end] for n, (start, end) in places])
        chosen: NDArray[np.int32] = spans[np.lexsort((rows, -coverage, owners))[firsts]]
        return chosen

    def _said_by_words(self, text: str, documents: Numbers, worded: Numbers, known: Scores) -> Scores:
        """float32 (n,): the BM25 of ascending documents, of which some are known: asking for a score costs time."""
        scores = np.empty(len(documents), np.float32)
        found = np.isin(documents, worded)
        ascending = np.argsort(worded)
        scores[found] = known[ascending][np.searchsorted(worded[ascending], documents[found])]
        scores[~found] = self._lexical.scores(text, documents[~found])
        return scores

    def _ranked(self, sides: Sides, top: int) -> Mixed:
        if self._fusion is None:
            raise QueryError("meaning and words are mixed by cosines, and texts have none in this collection")
        near, weight = sides.near, self._fusion.word_weight(sides.best, sides.weight)
        scores = self._fusion.fused(near.scores, sides.lexical, weight)
        if len(scores) > top:
            last = np.partition(scores, len(scores) - top)[len(scores) - top]
            contenders = np.flatnonzero(scores >= last)
        else:
            contenders = np.arange(len(scores))
        ranked = contenders[order(scores[contenders], self._snapshot.ids(near.documents[contenders]))[:top]]
        return Mixed(
            near.documents[ranked],
            scores[ranked],
            near.rows[ranked],
            near.scores[ranked],
            sides.lexical[ranked],
            weight,
        )
