"""Both scores of the candidates of one query, and what the fusion makes of them: of documents and of passages.

    score of a document = the highest of κ + weight · evidence among its passages

The evidence of a passage is ¾ its own and ¼ its document's: the terms of a question stand close together in the passage
that answers it, and its document says what that is about. Where a document has one passage both are one. The weight is
that of fusion.py times 2 - documents / passages: in a collection of long documents dense scores tell less, since
each is the highest of many passages' by chance. docs/hybrid.md has the figures behind both numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twofold.engine import LexicalSnapshot
from twofold.passage_scores import Nearest, PassageScores
from twofold.scores import Numbers, Scores
from twofold.searching.fusion import Fusion

OWN = 0.75
"""What a passage's evidence is of its own; the rest is its document's. Chosen on collections of long documents, and on
such where every second document is divided into its passages (docs/hybrid.md)."""


@dataclass(frozen=True, slots=True)
class Fused:
    """What the fusion makes of the candidates of a query.

    scores: float32 (n,), of documents. passages: int64 (n,), the handle of each document's best passage. dense,
    evidence: float32 (n,), of that passage. weight: of the evidence. of_passages: all passages of the candidates, each
    with the score that its document would have by it; None where lexical search does not know passages.
    """

    scores: Scores
    passages: Numbers
    dense: Scores
    evidence: Scores
    weight: float
    of_passages: PassageScores | None


@dataclass(frozen=True, slots=True)
class PassageEvidence:
    """The passages of all candidates with their dense scores, their evidence, and the factor of its weight."""

    passages: PassageScores
    evidence: Scores
    factor: float


@dataclass(frozen=True, slots=True)
class CandidateScores:
    """The dense scores and the lexical evidence of the candidates of one query.

    near: the candidates by handle, with their dense scores; evidence: float32 (n,), what lexical search adds, before
    its weight; best: the highest dense score of any document of the collection. within: the same of their passages,
    where lexical search knows them.
    """

    near: Nearest
    evidence: Scores
    best: float
    within: PassageEvidence | None = None

    def fused(self, fusion: Fusion) -> Fused:
        """The mixed scores."""
        weight, within = fusion.lexical_weight(self.best), self.within
        if within is None:
            scores = fusion.fused(self.near.scores, self.evidence, weight)
            return Fused(scores, self.near.passages, self.near.scores, self.evidence, weight, None)
        weight *= within.factor
        scored = within.passages.scored(fusion.fused(within.passages.scores, within.evidence, weight))
        best = scored.best()
        dense, evidence = within.passages.scores[best], within.evidence[best]
        return Fused(scored.scores[best], scored.passages[best], dense, evidence, weight, scored)


def with_evidence(
    lexical: LexicalSnapshot, query: str, passages: PassageScores, best: float, passages_each: float
) -> CandidateScores:
    """The scores of candidates. passages: theirs, with dense scores. passages_each: of a document of the collection."""
    evidence = lexical.evidence(query, passages.documents)
    blended, within = of_passages(lexical, query, passages.documents, passages.counts, evidence), None
    if blended is not None:
        within = PassageEvidence(passages, blended, 2 - 1 / max(1.0, passages_each))
    return CandidateScores(passages.nearest(), evidence, best, within)


def of_passages(
    lexical: LexicalSnapshot, query: str, documents: Numbers, counts: Numbers, evidence: Scores
) -> Scores | None:
    """float32 (passages,): the evidence of each passage of these documents; None where lexical search knows none.

    documents: ascending and distinct; counts: how many passages each has; evidence: of each document.
    """
    found = lexical.passage_evidence(query, documents)
    if found is None:
        return None
    many, own = found
    known = (many == counts) & (many > 1)
    blended = np.repeat(evidence, counts)
    places = np.repeat(known, counts)
    blended[places] = np.float32(OWN) * own[np.repeat(known, many)] + np.float32(1 - OWN) * blended[places]
    return blended
