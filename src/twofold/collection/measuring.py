"""What an index finds of what is there: questions, their exact answers, and recall whole and behind filters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from twofold.collection.guarding import GuardedEncoder
from twofold.documents import Document
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.errors import InputError, UnfitIndexError
from twofold.indexes.flat import FlatIndex
from twofold.scores import Mask, Numbers, Vectors, checked_vectors, scaled, unit_vectors
from twofold.searching.exact import ExactSearch
from twofold.searching.nearest import Nearest, NearestSearch
from twofold.tuning.pseudo_queries import pseudo_queries
from twofold.tuning.recall import EVERYTHING, K, Point, Recalls, masks_by_share
from twofold.tuning.truth import Proposed, exact_answers, proposed

QUESTIONS = 400
"""Where tuning asks them, half choose and half check."""
SEED = 0


@dataclass(frozen=True, slots=True)
class RecallReport:
    """What searches of a collection find of what exact search finds, now.

    kind: of the index, "flat" where search is exact. promise: the recall@10 asked for when it was built. whole: over
    all passages; filtered: behind random filters, by the share that they let through. questions: where they came from.
    """

    kind: str
    promise: float
    whole: Point
    filtered: tuple[tuple[float, Point], ...]
    questions: str

    @property
    def kept(self) -> bool:
        """Whether the promise holds, whole and behind every filter."""
        return all(point.holds(self.promise) for point in (self.whole, *(point for _, point in self.filtered)))

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "kind": self.kind,
            "promise": self.promise,
            "kept": self.kept,
            "whole": self.whole.to_json(),
            "filtered": [[share, point.to_json()] for share, point in self.filtered],
            "questions": self.questions,
        }


class Unanswered:
    """Stands where exact search stands behind an index, while a kind is tried: handing over is no answer of its own."""

    def nearest(self, query: Vectors, *, depth: int, top: int, allowed: Mask) -> Nearest:  # noqa: ARG002 - the protocol's
        """Raises UnfitIndexError."""
        raise UnfitIndexError("it does not answer every question over these vectors, as where very many are equal")


class Measuring:
    """Questions with what exact search finds for them, whole and behind filters.

    kept: what an earlier measurement proposed, of the same questions and generation, which makes this one cheap.
    """

    def __init__(self, snapshot: StoredSnapshot, queries: Vectors, depth: int, kept: Proposed | None = None) -> None:
        everything = snapshot.passing(None)
        self.exact = ExactSearch(snapshot, FlatIndex(snapshot))
        self._masks = masks_by_share(everything, snapshot.documents_of(np.arange(len(everything))))
        masks = [everything, *self._masks.values()]
        if kept is not None and kept.fits(len(masks), len(everything)):
            kept.follow(snapshot, masks)
        else:
            kept = None
        self.candidates = proposed(snapshot, queries, masks, top=K) if kept is None or kept.worn else kept
        answers = exact_answers(snapshot, self.exact, self.candidates, masks, depth=depth, top=K)
        self.recalls, *behind = (
            Recalls(queries, found, mask, depth=depth) for mask, found in zip(masks, answers, strict=True)
        )
        self._behind = dict(zip(self._masks, behind, strict=True))

    def filtered(
        self, search: NearestSearch, kind: str, effort: int, part: slice = EVERYTHING
    ) -> tuple[tuple[float, Point], ...]:
        """What a search finds behind each filter, by the share that it lets through, on a part of the questions."""
        return tuple((share, recalls.measure(search, kind, effort, part)) for share, recalls in self._behind.items())


def questions(
    snapshot: StoredSnapshot,
    encoder: GuardedEncoder,
    queries: Sequence[str] | Vectors | None,
    *,
    unseen: bool = False,
) -> tuple[Vectors, str]:
    """Vectors to ask with, and where they come from: those given, or made of the collection's own texts.

    unseen: made of other documents than without it, as far as there are enough. Raises InputError for fewer than two
    queries.
    """
    if queries is not None:
        if len(queries) < 2:
            raise InputError("tuning halves the queries, so it needs two at least")
        if isinstance(queries, np.ndarray):
            contract = encoder.contract
            vectors = checked_vectors(queries, contract.dimension, what="queries")
            return scaled(vectors, contract.similarity, what="queries"), "queries given"
        return encoder.encode_queries(list(queries)), "queries given"
    numbers = np.random.default_rng(SEED).permutation(snapshot.document_numbers())
    if encoder.can_encode:
        texts = list(islice(pseudo_queries(_documents(snapshot, numbers[::-1] if unseen else numbers)), QUESTIONS))
        if len(texts) >= 2:
            return encoder.encode_queries(texts), "titles and openings of documents, encoded as queries"
    return _between(snapshot, SEED + unseen), "points between two stored vectors"


def _documents(snapshot: StoredSnapshot, numbers: Numbers) -> Iterator[Document]:
    for start in range(0, len(numbers), QUESTIONS):
        yield from snapshot.documents(numbers[start : start + QUESTIONS])


def _between(snapshot: StoredSnapshot, seed: int) -> Vectors:
    """Questions for vectors of the user's own, whose encoder is not at hand: no stored vector lies there itself."""
    living = np.flatnonzero(snapshot.passing(None))
    pairs = np.random.default_rng(seed).choice(living, (QUESTIONS, 2))
    middle = snapshot.vectors(pairs[:, 0]) + 0.8 * snapshot.vectors(pairs[:, 1])
    return unit_vectors(middle[np.abs(middle).sum(axis=1) > 0])
