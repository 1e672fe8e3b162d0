"""Dense scores of documents and of all their passages."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twofold.scores import Numbers, Scores


@dataclass(frozen=True, slots=True)
class Nearest:
    """Documents and their dense scores.

    documents: int64 (n,), handles; scores: float32 (n,), each that of the document's best passage; passages: int64
    (n,), the handle of that passage.
    """

    documents: Numbers
    scores: Scores
    passages: Numbers


@dataclass(frozen=True, slots=True)
class PassageScores:
    """All passages of some documents, in the order of the text, with a score for each.

    documents: int64 (n,), handles, each with a passage; counts: int64 (n,), how many; passages: int64 (p,), handles,
    one document's after the other's; scores: float32 (p,).
    """

    documents: Numbers
    counts: Numbers
    passages: Numbers
    scores: Scores

    @property
    def owners(self) -> Numbers:
        """int64 (p,): the position of each passage's document."""
        return np.repeat(np.arange(len(self.documents)), self.counts)

    def best(self) -> Numbers:
        """int64 (n,): the position of each document's best passage, of equal ones the earlier."""
        if len(self.passages) == len(self.documents):
            return np.arange(len(self.documents))
        starts = np.cumsum(self.counts) - self.counts
        # lexsort puts equal rows in order of their handles.
        found: Numbers = np.lexsort((self.passages, -self.scores, self.owners))[starts]
        return found

    def nearest(self) -> Nearest:
        """The documents, each with its best passage."""
        best = self.best()
        return Nearest(self.documents, self.scores[best], self.passages[best])

    def scored(self, scores: Scores) -> PassageScores:
        """The same passages with other scores."""
        return replace(self, scores=scores)
