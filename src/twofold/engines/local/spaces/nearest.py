"""The nearest documents to one query: whatever chose candidates, stored vectors score them and one law orders them."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from twofold.engines.local.spaces.stored import StoredVectors
from twofold.passage_scores import Nearest, PassageScores
from twofold.scores import Mask, Numbers, Vectors, best_positions, dense_scores


class NearestSearch(Protocol):
    """Query vector → documents, on one snapshot: exact, or by an approximate index."""

    def nearest(self, query: Vectors, *, depth: int, top: int, allowed: Mask) -> Nearest:
        """The first `top` of the ranking of `depth` documents.

        query: float32 (dimension,); allowed: bool (rows,). Every row of a candidate document is scored and its best
        one counts. Equal scores are ordered by the UTF-8 bytes of the id, and all that share the last admitted score
        are looked at before the cut.
        """


def scored(snapshot: StoredVectors, query: Vectors, rows: Numbers) -> PassageScores:
    """The documents of these rows, in order of number, with all their rows."""
    documents = np.unique(snapshot.documents_of(rows))
    all_rows, owners = snapshot.rows_of(documents)
    counts = np.bincount(owners, minlength=len(documents))
    if len(all_rows) == 0:
        return PassageScores(documents, counts, all_rows, np.empty(0, np.float32))
    return PassageScores(documents, counts, all_rows, dense_scores(query, snapshot.vectors(all_rows)))


def first(snapshot: StoredVectors, candidates: Nearest, top: int) -> Nearest:
    """The `top` best candidates in the order of the ranking; ids are read only where equal scores need them."""
    best = best_positions(candidates.scores, top, lambda among: snapshot.ids(candidates.documents[among]))
    return Nearest(candidates.documents[best], candidates.scores[best], candidates.passages[best])
