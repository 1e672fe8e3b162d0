"""The nearest documents to one query: candidates widen until the answer is certain, stored vectors score them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twofold.protocols import ExactIndex, Snapshot
from twofold.scores import Mask, Numbers, Scores, Vectors, dense_scores, order

SPARE = 1.25
SPARE_ROWS = 32
"""Rows fetched at first, beyond one ranking's usual share, so that a second scan is seldom needed."""
WIDEN = 4
"""Each wider scan fetches so many times more rows."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """Documents of one ranking, best first.

    documents: int64 (n,); scores: float32 (n,), each that of the document's best row; rows: int64 (n,), that row.
    """

    documents: Numbers
    scores: Scores
    rows: Numbers


def nearest(
    snapshot: Snapshot, index: ExactIndex, query: Vectors, *, depth: int, top: int, allowed: Mask | None = None
) -> Nearest:
    """The first `top` of the ranking of `depth` documents.

    query: float32 (dimension,); allowed: bool (rows,), by default every living row. Every row of a candidate document
    is scored and its best one counts. Equal scores are ordered by the UTF-8 bytes of the id, and all that share the
    last admitted score are looked at before the cut.
    """
    allowed = snapshot.passing(None) if allowed is None else allowed
    count = SPARE_ROWS + int(SPARE * depth * snapshot.rows_per_document)
    while True:
        rows, approximate = index.candidates(query, count, allowed)
        candidates = _scored(snapshot, query, rows)
        if len(rows) < count or _certain(candidates.scores, depth, float(approximate[-1]) + index.margin(query)):
            return _first(snapshot, candidates, min(top, depth))
        count *= WIDEN


def _scored(snapshot: Snapshot, query: Vectors, rows: Numbers) -> Nearest:
    """The documents of these rows, each with its best row, in order of number."""
    documents = np.unique(snapshot.documents_of(rows))
    all_rows, owners = snapshot.rows_of(documents)
    if len(all_rows) == 0:
        return Nearest(documents, np.empty(0, np.float32), all_rows)
    scores = dense_scores(query, snapshot.vectors(all_rows))
    starts = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]])
    best = np.maximum.reduceat(scores, starts)
    # The first of equal rows: lexsort puts them in order of owner, then falling score, then row.
    winners = np.lexsort((all_rows, -scores, owners))[starts]
    return Nearest(documents, best, all_rows[winners])


def _certain(scores: Scores, depth: int, unseen: float) -> bool:
    """Whether no document outside the candidates can reach or tie the last one of the ranking.

    unseen: no row that was not fetched scores higher than this.
    """
    if len(scores) < depth:
        return False
    return float(np.partition(scores, len(scores) - depth)[len(scores) - depth]) > unseen


def _first(snapshot: Snapshot, candidates: Nearest, top: int) -> Nearest:
    """The `top` best candidates in the order of the ranking; ids are read only for those that may be among them."""
    scores = candidates.scores
    if len(scores) > top:
        last = np.partition(scores, len(scores) - top)[len(scores) - top]
        contenders = np.flatnonzero(scores >= last)
    else:
        contenders = np.arange(len(scores))
    ranked = contenders[order(scores[contenders], snapshot.ids(candidates.documents[contenders]))[:top]]
    return Nearest(candidates.documents[ranked], scores[ranked], candidates.rows[ranked])
