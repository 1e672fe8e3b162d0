"""A stand-in for a cross-encoder: what reading query and passage together costs, where no model is named."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twofold.protocols import Encoder
from twofold.scores import Scores

SEED = 0


class RandomHead:
    """An encoder over query and passage joined, and a random direction for a score: its cost is real, its scores are
    meaningless.
    """

    name = "the encoder's own architecture with a random head, no cross-encoder"

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._head = np.random.default_rng(SEED).standard_normal(encoder.contract.dimension).astype(np.float32)

    def scores(self, query: str, texts: Sequence[str]) -> Scores:
        """See `protocols.Ranker`; the numbers mean nothing."""
        return self.pair_scores([(query, text) for text in texts])

    def pair_scores(self, pairs: Sequence[tuple[str, str]]) -> Scores:
        """See `protocols.PairRanker`; the numbers mean nothing."""
        scores: Scores = self._encoder.encode_documents([f"{query} {text}" for query, text in pairs]) @ self._head
        return scores
