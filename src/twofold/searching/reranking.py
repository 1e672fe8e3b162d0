"""The second stage: a ranker reads the query with each candidate and orders them anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from twofold.documents import titled
from twofold.errors import QueryError
from twofold.protocols import Ranker
from twofold.rankings import Hit
from twofold.scores import order


def reranked(query: str, hits: Sequence[Hit], ranker: Ranker) -> list[Hit]:
    """The hits in the ranker's order; what the first stage said stays among the parts of each score.

    Raises QueryError where the ranker does not give one score a text.
    """
    texts = [titled(hit.title, hit.passage.text) for hit in hits]
    scores = np.asarray(ranker.scores(query, texts), dtype=np.float32)
    if scores.shape != (len(hits),):
        raise QueryError(f"the ranker {ranker.name!r} gave scores of the shape {scores.shape} for {len(hits)} texts")
    return [
        replace(
            hits[position],
            score=float(scores[position]),
            parts={**hits[position].parts, ranker.name: float(scores[position])},
        )
        for position in order(scores, [hit.id for hit in hits]).tolist()
    ]
