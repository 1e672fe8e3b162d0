"""Relevance: how probable it is that a document answers the query, from what search knows of both.

    logit = constant + a · κ + b · BM25 / √(W · r) + c · log10 of the number of documents

κ is the dense score beyond chance (fusion.py), W the sum of the inverse document frequencies of the query's terms, and
r that of a term that a single document has, which makes collections of any size comparable. The more documents there
are, the more likely is a high score by chance. Relevance depends on query, document and commit alone. `twofold bench
relevance DATA…` fits the coefficients, and tests them on collections that they were not fitted on; docs/relevance.md
has its figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.errors import InputError
from twofold.scores import Scores
from twofold.searching.fusion import Fusion

LARGEST = 11_429
"""Documents of the largest collection that the coefficients were fitted on; a larger one counts like it, since what
its size does was not seen."""
FARTHEST = 30.0
"""No logit is farther from 0, so that a probability is neither 0 nor 1."""

NEAREST = 1e-12
"""A ranker's probability counts as no nearer to 0 or 1 where it is calibrated, so that it has a logit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficients:
    """The coefficients of one mode."""

    constant: float
    beyond_chance: float = 0.0
    lexical: float = 0.0
    size: float = 0.0


COEFFICIENTS: Mapping[str, Coefficients] = {
    "dense": Coefficients(constant=-3.2068, beyond_chance=8.2369, size=-0.7868),
    "lexical": Coefficients(constant=-5.5714, lexical=2.9047, size=0.0103),
    "hybrid": Coefficients(constant=-4.1663, beyond_chance=4.8525, lexical=1.5895, size=-0.4519),
}
"""Fitted by `twofold bench relevance` with the embedded all-MiniLM-L6-v2 on the first ten hits of up to 200 questions
of each of these judged collections, and as many of another one: adi, cacm, cisi, cosqa, cranfield, fairytaleqa,
medquad, nfcorpus, npl, powershell, scifact, squad-dev, trecqa-wang, wikiqa, xquad-de, xquad-en (docs/data.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Relevance as judged questions of a collection correct it: logit' = slope · logit + shift.

    Source: Platt, Advances in Large Margin Classifiers, 1999. Raises InputError for a slope that is not above 0: a
    more relevant document would become a less relevant one.
    """

    slope: float = 1.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.slope < math.inf or not math.isfinite(self.shift):
            raise InputError(f"relevance is calibrated by a slope above 0 and a shift, not {self.slope}, {self.shift}")

    def probability(self, logit: float) -> float:
        """From 0 to 1, neither included."""
        corrected = self.slope * logit + self.shift
        return 1 / (1 + math.exp(-min(max(corrected, -FARTHEST), FARTHEST)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Relevance:
    """Scores → probabilities of relevance in one collection.

    fusion: what chance is here; None where it is not known, so that only lexical scores mean something. documents:
    their number. calibrations: by mode or by the name of a ranker.
    """

    fusion: Fusion | None
    documents: int
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)

    def dense(self, scores: Scores) -> list[float] | None:
        """The relevance of each document by its dense score; None where it cannot be said."""
        return self._of("dense", dense=scores)

    def lexical(self, scores: Scores, weight: float) -> list[float] | None:
        """The relevance of each document by its BM25 score. weight: W of the query."""
        return self._of("lexical", lexical=scores, weight=weight)

    def hybrid(self, dense: Scores, lexical: Scores, weight: float) -> list[float] | None:
        """The relevance of each document by both scores; None where it cannot be said."""
        return self._of("hybrid", dense=dense, lexical=lexical, weight=weight)

    def by_ranker(self, name: str, probability: float) -> float:
        """The relevance of a document to which a ranker gives this probability."""
        if name not in self.calibrations:
            return probability
        inside = min(max(probability, NEAREST), 1 - NEAREST)
        return self.calibrations[name].probability(math.log(inside / (1 - inside)))

    def _of(
        self, mode: str, *, dense: Scores | None = None, lexical: Scores | None = None, weight: float = 0.0
    ) -> list[float] | None:
        by, calibration = COEFFICIENTS[mode], self.calibrations.get(mode, Calibration())
        logits: Any = by.constant + by.size * size_feature(self.documents)
        if dense is not None:
            if self.fusion is None:
                return None
            logits = logits + by.beyond_chance * self.fusion.beyond_chance(dense).astype(np.float64)
        if lexical is not None:
            logits = logits + by.lexical * lexical_feature(lexical, weight, self.documents)
        return [calibration.probability(logit) for logit in logits.tolist()]


def size_feature(documents: int) -> float:
    """log10 of the number of documents."""
    return math.log10(min(max(documents, 1), LARGEST))


def lexical_feature(scores: Scores, weight: float, documents: int) -> NDArray[np.float64]:
    """float64 (n,): BM25 / √(W · r). weight: W. documents: of the collection; r follows from their number."""
    rarest = math.log1p((max(documents, 1) - 0.5) / 1.5)
    return np.asarray(scores.astype(np.float64) / (math.sqrt(weight * rarest) or 1.0))


def calibrations_to_json(calibrations: Mapping[str, Calibration]) -> dict[str, Any]:
    """The calibrations as JSON values."""
    return {name: asdict(each) for name, each in calibrations.items()}


def calibrations_from_json(values: Mapping[str, Any]) -> dict[str, Calibration]:
    """The calibrations that `calibrations_to_json` wrote."""
    return {name: Calibration(**each) for name, each in values.items()}
