"""Fusion: one score from the dense and the lexical score, with a weight that depends on the question.

    score = κ + share · (1 - c)² · evidence

κ is the dense score beyond chance, (cosine - chance) / (1 - chance), with the mean cosine of unrelated questions and
passages of the collection as chance. c is κ of the best document of all, .9 at most: where a passage resembles the
question closely, words add little; where none does, words decide. The evidence is BM25 with less weight on common
terms, times the fourth root of the share of the question that the document has (`LexicalSnapshot.evidence`). Nothing
depends on how many documents are asked for. docs/hybrid.md has the figures behind this rule, and what it was compared
with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from twofold.errors import InputError
from twofold.scores import Scores

SHARE = 0.4
"""Chosen on sixteen judged collections (docs/hybrid.md): between .38 and .5 their mean moves by .002."""

SUREST = 0.9
"""The largest c: an encoder gives equal vectors to texts in a script that it does not know; then BM25 must decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fusion:
    """How a collection mixes dense and lexical scores.

    chance: the mean cosine of questions with passages that do not answer them. share: the weight of lexical scores; 0
    is dense search alone. Raises InputError.
    """

    chance: float
    share: float = SHARE

    def __post_init__(self) -> None:
        if not -1 <= self.chance < 1:
            raise InputError(f"chance is a cosine below 1, not {self.chance!r}")
        if not 0 <= self.share < float("inf"):
            raise InputError(f"the lexical share is 0 or more, not {self.share!r}")

    def beyond_chance(self, dense: Scores) -> Scores:
        """float32 (n,): cosines with chance at 0 and equality at 1."""
        beyond: Scores = ((dense - np.float32(self.chance)) / np.float32(1 - self.chance)).astype(np.float32)
        return beyond

    def lexical_weight(self, best_dense: float) -> float:
        """The factor of the lexical evidence for a question.

        best_dense: the highest dense score of any document.
        """
        certain = float(np.clip(self.beyond_chance(np.array([best_dense], np.float32))[0], 0, SUREST))
        return float(self.share * (1 - certain) ** 2)

    def fused(self, dense: Scores, evidence: Scores, lexical_weight: float) -> Scores:
        """float32 (n,): the mixed score of each document, from its dense score and its lexical evidence."""
        mixed: Scores = self.beyond_chance(dense) + np.float32(lexical_weight) * evidence
        return mixed

    def to_json(self) -> dict[str, Any]:
        """The settings as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Fusion:
        """The settings that `to_json` wrote."""
        return cls(**values)
