"""The nearest documents to one query: whatever chose candidates, stored vectors score them and one law orders them."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from twofold.engine import Nearest
from twofold.engines.local.spaces.stored import StoredVectors
from twofold.scores import Mask, Numbers, Vectors, best_positions, dense_scores


class NearestSearch(Protocol):
    """Query vector → documents, on one snapshot: exact, or by an approximate index."""

    def nearest(self, query: Vectors, *, depth: int, top: int, allowed: Mask) -> Nearest:
        """The first `top` of the ranking of `depth` documents.

        query: float32 (dimension,); allowed: bool (rows,). Every row of a candidate document is scored and its best
        one counts. Equal scores are ordered by the UTF-8 bytes of the id, and all that share the last admitted score
        are looked at before the cut.
        """


def scored(snapshot: StoredVectors, query: Vectors, rows: Numbers) -> Nearest:
    """The documents of these rows, each with its best row, in order of number."""
    documents = np.unique(snapshot.documents_of(rows))
    all_rows, owners = snapshot.rows_of(documents)
    if len(all_rows) == 0:
        return Nearest(documents, np.empty(0, np.float32), all_rows)
    scores = dense_scores(query, snapshot.vectors(all_rows))
    if len(all_rows) == len(documents):
        return Nearest(documents, scores, all_rows)
    starts = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]])
    best = np.maximum.reduceat(scores, starts)
    # The first of equal rows: lexsort puts them in order of owner, then falling score, then row.
    winners = np.lexsort((all_rows, -scores, owners))[starts]
    return Nearest(documents, best, all_rows[winners])


def first(snapshot: StoredVectors, candidates: Nearest, top: int) -> Nearest:
    """The `top` best candidates in the order of the ranking; ids are read only where equal scores need them."""
    best = best_positions(candidates.scores, top, lambda among: snapshot.ids(candidates.documents[among]))
    return Nearest(candidates.documents[best], candidates.scores[best], candidates.passages[best])
