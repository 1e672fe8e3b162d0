"""Reranking: a ranker scores the query with each candidate, and the candidates are sorted again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from twofold.documents import titled
from twofold.errors import InputError, QueryError, brief
from twofold.hits import Hits
from twofold.protocols import Ranker
from twofold.scores import Scores, order


def reranked(query: str, hits: Hits, ranker: Ranker) -> Hits:
    """The hits in the ranker's order; the first score stays among the parts of each hit.

    Raises QueryError where the ranker does not return one number for each text.
    """
    name = ranker.name
    scores = _scored(ranker, query, [titled(hit.title, hit.passage.text) for hit in hits])
    again = (
        replace(
            hits[position],
            score=float(scores[position]),
            parts={**hits[position].parts, name: float(scores[position])},
        )
        for position in order(scores, [hit.id for hit in hits]).tolist()
    )
    return Hits(again, hits.highlighting)


def checked_ranker(ranker: Any) -> Ranker:
    """The given ranker, if it is one; InputError names what it lacks. Nothing is scored."""
    kind = type(ranker).__name__
    if isinstance(ranker, type):
        raise InputError(f"{ranker.__name__} is a class, and a ranker is an object of one: {ranker.__name__}(…)")
    if not isinstance(getattr(ranker, "name", None), str) or not callable(getattr(ranker, "scores", None)):
        raise InputError(
            f"{kind} is no ranker: it needs name, a text, and scores(query, texts), which returns a number for each "
            "text; see docs/extending.md"
        )
    checked: Ranker = ranker
    return checked


def _scored(ranker: Ranker, query: str, texts: Sequence[str]) -> Scores:
    found: Any = ranker.scores(query, texts)
    said = f"the ranker {ranker.name!r} returned"
    try:
        scores = np.asarray(found, dtype=np.float32)
    except (TypeError, ValueError):
        raise QueryError(
            f"{said} {brief(repr(found))}, and one number for each of {len(texts)} texts is expected"
        ) from None
    if scores.shape != (len(texts),):
        raise QueryError(f"{said} scores of the shape {scores.shape} for {len(texts)} texts")
    bad = np.flatnonzero(~np.isfinite(scores))
    if len(bad):
        raise QueryError(f"{said} {scores[bad[0]]} for text {bad[0]} of {len(texts)}; a score is a finite number")
    return scores
