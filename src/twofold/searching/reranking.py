"""The second stage: a ranker scores the query with each candidate, and the candidates are sorted by its scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.documents import Passage, titled
from twofold.errors import InputError, QueryError, brief
from twofold.hits import Hits
from twofold.protocols import BoundedRanker, PairRanker, ProbableRanker, Ranker
from twofold.rankings import Hit
from twofold.scores import Numbers, Scores, Similarity, order
from twofold.searching.hybrid import SearchMode
from twofold.searching.queries import Asked, checked_count
from twofold.searching.relevance import Relevance
from twofold.searching.stored_tokens import NONE_KEPT, StoredTokens
from twofold.token_codes import STORED

RERANK_DEPTH = 100
"""Candidates that are scored again, where nobody says how many."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What search found for one query, best first, and of each document the passages by which it is scored again.

    documents: int64 (n,), their handles. asked: the query.
    """

    hits: Hits
    passages: Sequence[Sequence[Passage]]
    documents: Numbers
    asked: Asked


@dataclass(frozen=True, slots=True)
class SecondStage:
    """How candidates are scored again.

    depth: how many of the first ranking are; the new ranking ends there. None is `least`, or the end of the page that
    is asked for. weight: the share of the ranker in the new score; the first score has the rest. relevance: how
    its probabilities are calibrated here; a hit's relevance is the ranker's, or the first one if the ranker says none.
    least: None is RERANK_DEPTH, and for stored token vectors every document that dense or lexical search found.
    """

    ranker: Ranker | StoredTokens
    depth: int | None = None
    weight: float = 1.0
    relevance: Relevance | None = None
    least: int | None = None

    @classmethod
    def of(
        cls,
        ranker: Any,
        depth: int | None,
        weight: float | None,
        relevance: Relevance | None = None,
        tokens: StoredTokens | None = None,
    ) -> SecondStage | None:
        """The second stage of a call, checked; None without a ranker. Raises InputError, QueryError.

        weight: None is 1. tokens: the collection's token vectors, which `ranker` may name.
        """
        if ranker is None:
            if depth is not None or weight is not None:
                raise QueryError("rerank_depth and rerank_weight say how a ranker is used; name one: ranker=…")
            return None
        weight = 1.0 if weight is None else weight
        number = isinstance(weight, int | float | np.number) and not isinstance(weight, bool)
        if not number or not 0 < weight <= 1:
            raise QueryError(f"rerank_weight is above 0 and at most 1, the ranker alone, not {weight!r}")
        if isinstance(ranker, str) and ranker == STORED:
            if tokens is None:
                raise QueryError(NONE_KEPT)
            ranker = tokens
        else:
            ranker = checked_ranker(ranker)
        if weight != 1 and not isinstance(ranker, ProbableRanker | BoundedRanker | StoredTokens):
            raise QueryError(
                f"the ranker {ranker.name!r} does not say what its scores mean (probabilities, or bounded), so they "
                "cannot be mixed with those of the first stage; leave rerank_weight out"
            )
        return cls(ranker, None if depth is None else checked_count(depth, "rerank_depth"), float(weight), relevance)

    def refuse_unbounded(self, mode: SearchMode, similarity: Similarity) -> None:
        """Raises QueryError where first scores are to be mixed in that have no bound."""
        if self.weight != 1 and (mode == "lexical" or similarity != "cosine"):
            what = "BM25 scores" if mode == "lexical" else "dot products"
            raise QueryError(f"{what} have no bound, so they are not mixed with a ranker's; leave rerank_weight out")

    def reads(self, page_end: int, depth: int) -> int:
        """How many candidates are scored for a page that ends there, if a ranking has `depth` documents."""
        if self.depth is not None:
            return min(depth, self.depth)
        if self.least is None and isinstance(self.ranker, StoredTokens):
            return 2 * depth  # each side finds so many
        return min(depth, max(RERANK_DEPTH if self.least is None else self.least, page_end))

    def ranked(self, queries: Sequence[str], found: Sequence[Candidates]) -> list[Hits]:
        """The candidates of each query in their new order; each shows the passage that the ranker scored highest.

        The parts of the first score stay among the parts of each hit. Raises QueryError where the ranker does not
        return one number for each text.
        """
        if isinstance(self.ranker, StoredTokens):
            scored = self.ranker.ranked(queries, [each.documents for each in found])
            return [
                self._ordered(_read(each, spans), iter(scores))
                for each, (scores, spans) in zip(found, scored, strict=True)
            ]
        pairs = [
            (query, titled(hit.title, passage.text))
            for query, each in zip(queries, found, strict=True)
            for hit, passages in zip(each.hits, each.passages, strict=True)
            for passage in passages
        ]
        scores = iter(_scores(self.ranker, pairs))
        return [self._ordered(each, scores) for each in found]

    def _ordered(self, found: Candidates, scores: Any) -> Hits:
        again = [
            self._rescored(hit, [(passage, next(scores)) for passage in passages])
            for hit, passages in zip(found.hits, found.passages, strict=True)
        ]
        values = np.array([hit.score for hit in again], dtype=np.float32)
        places = order(values, [hit.id for hit in again]).tolist()
        return Hits((again[place] for place in places), found.hits.highlighting)

    def _rescored(self, hit: Hit, scored: Sequence[tuple[Passage, np.float32]]) -> Hit:
        passage, best = max(scored, key=lambda each: each[1])  # the first of equal ones
        parts = {**hit.parts, self.ranker.name: float(best)}
        relevance = self._relevance(hit, best)
        if self.weight == 1:
            return replace(hit, score=float(best), passage=passage, parts=parts, relevance=relevance)
        name, share = self._share(best)
        parts |= {"first stage": hit.score, name: share, "rerank weight": self.weight}
        mixed = np.float32((1 - self.weight) * hit.score + self.weight * share)
        return replace(hit, score=float(mixed), passage=passage, parts=parts, relevance=relevance)

    def _relevance(self, hit: Hit, score: np.float32) -> float | None:
        """The ranker's own, where it has one; else the first stage's."""
        if not isinstance(self.ranker, ProbableRanker):
            return hit.relevance
        _, probability = self._share(score)
        known = self.relevance
        return probability if known is None else known.by_ranker(self.ranker.name, probability)

    def _share(self, score: np.float32) -> tuple[str, float]:
        """What is mixed, from 0 to 1, and what it is called."""
        name = "probability" if isinstance(self.ranker, ProbableRanker) else "bounded"
        return name, float(mixable(self.ranker, np.array([score], dtype=np.float32))[0])


def _read(found: Candidates, spans: NDArray[np.int32]) -> Candidates:
    """The candidates, of each the one passage that was scored. spans: int32 (n, 2)."""
    places = zip(found.hits, spans.tolist(), strict=True)
    passages = [[Passage.of(hit.document.text, start, end)] for hit, (start, end) in places]
    return replace(found, passages=passages)


def _scores(ranker: Ranker, pairs: Sequence[tuple[str, str]]) -> Scores:
    """The score of each pair; the pairs of one query come one after the other."""
    if isinstance(ranker, PairRanker):
        return _checked(ranker.name, ranker.pair_scores(pairs), len(pairs))
    by_query: list[tuple[str, list[str]]] = []
    for query, text in pairs:
        if not by_query or by_query[-1][0] != query:
            by_query.append((query, []))
        by_query[-1][1].append(text)
    found = [_checked(ranker.name, ranker.scores(*each), len(each[1])) for each in by_query]
    return np.concatenate(found) if found else np.empty(0, dtype=np.float32)


def mixable(ranker: Ranker | StoredTokens, scores: Scores) -> Scores:
    """float32 (n,): what a ranker's scores count when they are mixed, from 0 to 1. Raises TypeError if it says none."""
    if isinstance(ranker, ProbableRanker):
        return ranker.probabilities(scores)
    if isinstance(ranker, BoundedRanker | StoredTokens):
        return ranker.bounded(scores)
    raise TypeError(f"{ranker.name} does not say what its scores mean, and a second stage checks that")


def checked_ranker(ranker: Any) -> Ranker:
    """The given ranker, if it is one; InputError names what it lacks. Nothing is scored."""
    kind = type(ranker).__name__
    if isinstance(ranker, type):
        raise InputError(f"{ranker.__name__} is a class, and a ranker is an object of one: {ranker.__name__}(…)")
    if isinstance(ranker, str | Path):
        raise InputError(f"a searcher takes a ranker, not its name: twofold.load_cross_encoder({str(ranker)!r})")
    if not isinstance(getattr(ranker, "name", None), str) or not callable(getattr(ranker, "scores", None)):
        raise InputError(
            f"{kind} is no ranker: it needs name, a text, and scores(query, texts), which returns a number for each "
            "text; see docs/extending.md"
        )
    checked: Ranker = ranker
    return checked


def _checked(name: str, found: Any, count: int) -> Scores:
    said = f"the ranker {name!r} returned"
    try:
        scores = np.asarray(found, dtype=np.float32)
    except (TypeError, ValueError):
        raise QueryError(f"{said} {brief(repr(found))}, and one number for each of {count} texts is expected") from None
    if scores.shape != (count,):
        raise QueryError(f"{said} scores of the shape {scores.shape} for {count} texts")
    bad = np.flatnonzero(~np.isfinite(scores))
    if len(bad):
        raise QueryError(f"{said} {scores[bad[0]]} for text {bad[0]} of {count}; a score is a finite number")
    return scores
