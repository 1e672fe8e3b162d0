"""Whether two collections, or another store and a collection, rank the same documents for the same questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from twofold.collection.guarding import GuardedEncoder
from twofold.engine import EngineSnapshot
from twofold.errors import ContractError, InputError, ModelError, ServiceError, brief
from twofold.scores import Numbers, Vectors
from twofold.searching.searcher import SnapshotSearcher
from twofold.tuning.pseudo_queries import pseudo_queries

QUESTIONS = 100
TOP = 10
TIE = 1e-6
"""Scores that differ by no more are equal: such documents may change places."""
CLOSE = 1e-5
"""A document's scores that differ by no more are the same."""
SEED = 0

Ranked = Sequence[tuple[str, float]]
"""Ids with their scores, best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingDifference:
    """The rankings of the same questions in two collections.

    mode: "dense", "lexical" or "hybrid". questions: how many. overlap: the mean share of the first ten that are in
    both; documents whose scores tie with the last may change places. score: the largest difference of a document's
    scores.
    """

    mode: str
    questions: int
    overlap: float
    score: float

    @property
    def same(self) -> bool:
        """Whether every question finds the same documents with the same scores."""
        return self.overlap == 1 and self.score <= CLOSE


@dataclass(frozen=True, slots=True)
class Questions:
    """Questions for both sides: texts, and vectors, float32 (n, dimension); either may be none.

    paired: whether each vector is that of the text at its place.
    """

    texts: list[str]
    vectors: Vectors
    paired: bool


def asked(
    snapshot: EngineSnapshot,
    encoder: GuardedEncoder,
    documents: Numbers,
    queries: Mapping[str, str] | None,
    notes: list[str],
) -> Questions:
    """The given queries, or questions made of titles and openings of some documents; encoded where that is possible.

    Otherwise stored vectors are asked. documents: int64, ascending. notes: gets what could not be done.
    """
    drawn = np.sort(np.random.default_rng(SEED).permutation(documents)[: 4 * QUESTIONS])
    if queries is None:
        texts = list(islice(dict.fromkeys(pseudo_queries(snapshot.documents(drawn))), QUESTIONS))
    else:
        texts = list(queries.values())
    if encoder.can_encode and texts:
        try:
            return Questions(texts, encoder.encode_queries(texts), True)
        except (ModelError, ContractError, ServiceError, InputError) as error:
            notes.append(f"stored vectors were asked, since the encoder cannot be used: {brief(str(error))}")
    elif queries is not None:
        notes.append("stored vectors were asked, since the vectors of this collection were made elsewhere")
    rows = snapshot.passages(drawn).handles[:QUESTIONS]
    if not len(rows):
        return Questions(texts, np.empty((0, snapshot.space.dimension), np.float32), False)
    return Questions(texts, snapshot.dense(exact=True).vectors(rows), False)


def rankings_of(searcher: SnapshotSearcher, questions: Questions, mode: str) -> list[Ranked]:
    """The first ten of each question in a mode, by exact search."""
    page: dict[str, Any] = {"k": TOP, "mode": mode, "ranker": False}
    if mode == "dense":
        found = searcher.search_many(questions.vectors, **page) if len(questions.vectors) else []
    elif mode == "lexical":
        found = searcher.search_many(questions.texts, **page) if questions.texts else []
    else:
        count = min(len(questions.texts), len(questions.vectors))
        vectors = questions.vectors[:count]
        found = searcher.search_many(questions.texts[:count], vectors=vectors, **page) if count else []
    return [[(hit.id, hit.score) for hit in hits] for hits in found]


def compared(
    here: SnapshotSearcher, there: SnapshotSearcher, questions: Questions, notes: list[str]
) -> list[tuple[RankingDifference, list[int]]]:
    """The rankings in each mode that both have, and the places of the questions whose rankings differ.

    notes: gets the modes that only one has.
    """
    modes = (set(here.modes_with_vector), set(there.modes_with_vector))
    notes += [f"{mode} rankings were not compared: only one of both has them" for mode in sorted(modes[0] ^ modes[1])]
    found = []
    for mode in (each for each in ("dense", "lexical", "hybrid") if each in modes[0] & modes[1]):
        one, other = rankings_of(here, questions, mode), rankings_of(there, questions, mode)
        if one:
            found.append(ranking_difference(mode, one, other))
    return found


def ranking_difference(
    mode: str, here: Sequence[Ranked], there: Sequence[Ranked], *, close: float = CLOSE, tie: float = TIE
) -> tuple[RankingDifference, list[int]]:
    """Compares rankings of the same questions; gives also the places of the questions whose rankings differ.

    close: scores that differ by no more are the same. tie: documents whose scores differ by no more may change places.
    """
    shares, score, differing = [], 0.0, []
    for place, (one, other) in enumerate(zip(here, there, strict=True)):
        apart = _apart(one, other)
        score = max(score, apart)
        shares.append(_overlap(one, other, tie))
        if shares[-1] < 1 or apart > close:
            differing.append(place)
    overlap = float(np.mean(shares)) if shares else 1.0
    return RankingDifference(mode=mode, questions=len(shares), overlap=overlap, score=score), differing


def _apart(one: Ranked, other: Ranked) -> float:
    """The largest difference of the scores of a document that both have."""
    scores = dict(other)
    return max((abs(score - scores[name]) for name, score in one if name in scores), default=0.0)


def _overlap(one: Ranked, other: Ranked, tie: float) -> float:
    """The share of the longer ranking that is in both; what ties with the last document there counts as in both."""
    longer = max(len(one), len(other))
    if not longer:
        return 1.0
    names = {name for name, _ in other}
    missing = [score for name, score in one if name not in names]
    tied = 0
    if len(one) == len(other):
        tied = sum(abs(score - one[-1][1]) <= tie and abs(score - other[-1][1]) <= tie for score in missing)
    return (len(one) - len(missing) + tied) / longer
