"""Measuring an index: questions, their exact answers, and recall without and with filters."""

from __future__ import annotations

import numpy as np

from twofold.engines.local.derived.indexes.recall import EVERYTHING, K, Recalls, masks_by_share
from twofold.engines.local.derived.indexes.truth import Proposed, exact_answers, proposed
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.engines.local.spaces.exact import ExactSearch
from twofold.engines.local.spaces.nearest import NearestSearch
from twofold.errors import UnfitIndexError
from twofold.index_report import OperatingPoint
from twofold.indexes.flat import FlatIndex
from twofold.passage_scores import Nearest
from twofold.scores import Mask, Vectors


class Unanswered:
    """Replaces exact search while a kind is tried: falling back to exact search would not measure the kind."""

    def nearest(self, query: Vectors, *, depth: int, top: int, allowed: Mask) -> Nearest:  # noqa: ARG002 - the protocol's
        """Raises UnfitIndexError."""
        raise UnfitIndexError("it cannot answer every question over these vectors, for example if very many are equal")


class Measuring:
    """Questions with their exact answers, without and with filters.

    kept: what an earlier measurement proposed, of the same questions, which makes this one cheap unless a compaction
    has numbered the rows anew since.
    """

    def __init__(self, snapshot: StoredSnapshot, queries: Vectors, depth: int, kept: Proposed | None = None) -> None:
        self.depth = depth
        everything = snapshot.row_mask(None)
        self.exact = ExactSearch(snapshot, FlatIndex(snapshot))
        self._masks = masks_by_share(everything, snapshot.documents_of(np.arange(len(everything))))
        masks = [everything, *self._masks.values()]
        generation = snapshot.head.generation
        if kept is not None and kept.fits(len(masks), len(everything), generation):
            kept.follow(snapshot, masks)
        else:
            kept = None
        if kept is None or kept.worn:
            kept = proposed(snapshot, queries, masks, top=K, generation=generation)
        self.candidates = kept
        answers = exact_answers(snapshot, self.exact, self.candidates, masks, depth=depth, top=K)
        self.recalls, *behind = (
            Recalls(queries, found, mask, depth=depth) for mask, found in zip(masks, answers, strict=True)
        )
        self._behind = dict(zip(self._masks, behind, strict=True))

    def filtered(
        self, search: NearestSearch, kind: str, effort: int, part: slice = EVERYTHING
    ) -> tuple[tuple[float, OperatingPoint], ...]:
        """The recall with each filter, by the share of documents that it matches, on a part of the questions."""
        return tuple((share, recalls.measure(search, kind, effort, part)) for share, recalls in self._behind.items())
