"""Search by words, and by meaning and words together: every candidate is scored exactly by both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from twofold.protocols import Lexical, Snapshot
from twofold.scores import Mask, Numbers, Scores, Vectors, order
from twofold.searching.fusion import Fusion
from twofold.searching.nearest import NearestSearch, scored

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


class HybridSearch:
    """Rankings of one snapshot with the words of its documents.

    lexical: may have read an earlier commit; documents that it lacks are found by meaning.
    """

    def __init__(self, snapshot: Snapshot, dense: NearestSearch, lexical: Lexical, fusion: Fusion) -> None:
        self._snapshot = snapshot
        self._dense = dense
        self._lexical = lexical
        self._fusion = fusion

    def hybrid(self, text: str, vector: Vectors, *, depth: int, top: int, allowed: Mask) -> Mixed:
        """The first `top` of the ranking of `depth` documents: the best of both sides' first `depth`, mixed.

        A score depends on question and document alone: the weight of words comes from the best of all documents, also
        where a filter lets only some of them through.
        """
        near = self._dense.nearest(vector, depth=depth, top=depth, allowed=allowed)
        worded, _ = self._lexical.candidates(text, depth, self._snapshot.document_mask(allowed))
        everything = self._snapshot.passing(None)
        if allowed is everything or len(near.scores) == 0:
            best = near.scores[:1]
        else:
            best = self._dense.nearest(vector, depth=depth, top=1, allowed=everything).scores
        weight = self._fusion.word_weight(float(best[0]), self._lexical.weight(text)) if len(best) else 0.0
        return self._ranked(text, vector, np.union1d(near.documents, worded), weight, min(top, depth))

    def lexical(self, text: str, vector: Vectors, *, depth: int, top: int, allowed: Mask) -> Mixed:
        """The first `top` of the ranking of `depth` documents by BM25; their best passages by meaning."""
        worded, scores = self._lexical.candidates(text, depth, self._snapshot.document_mask(allowed))
        best = order(scores, self._snapshot.ids(worded))[: min(top, depth)]
        numbers = worded[best]
        near = scored(self._snapshot, vector, self._snapshot.rows_of(np.sort(numbers))[0])
        places = np.searchsorted(near.documents, numbers)
        return Mixed(numbers, scores[best], near.rows[places], near.scores[places], scores[best], 1.0)

    def _ranked(self, text: str, vector: Vectors, documents: Numbers, weight: float, top: int) -> Mixed:
        near = scored(self._snapshot, vector, self._snapshot.rows_of(documents)[0])
        lexical = self._lexical.scores(text, near.documents)
        scores = self._fusion.fused(near.scores, lexical, weight)
        if len(scores) > top:
            last = np.partition(scores, len(scores) - top)[len(scores) - top]
            contenders = np.flatnonzero(scores >= last)
        else:
            contenders = np.arange(len(scores))
        ranked = contenders[order(scores[contenders], self._snapshot.ids(near.documents[contenders]))[:top]]
        return Mixed(
            near.documents[ranked], scores[ranked], near.rows[ranked], near.scores[ranked], lexical[ranked], weight
        )
