"""A question with the statistics of a commit: what its terms weigh, and by which query of tantivy it is proposed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from tantivy import Occur, Query

from twofold.lexical.asking import Part, Question
from twofold.lexical.matching import term_query
from twofold.lexical.scoring import Corpus, Sums, Weights, summed, summed_and_had, summed_in_passages
from twofold.lexical.stretches import Stretch
from twofold.scores import Numbers, Scores

ROUNDING = 2.0**-22
"""What one float32 operation may be off by, relatively, and more, so that nothing is cut too early."""


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """One question of one commit. parts: those of the question whose terms some document has; none where none has any.

    rarities: the inverse document frequency of each term that some document has. having: of each stretch, how many of
    its documents have each of these terms.
    """

    parts: tuple[Part, ...]
    matched: Query | None
    rarities: dict[str, float]
    corpus: Corpus
    having: dict[Stretch, Numbers]

    @classmethod
    def of(cls, question: Question, stretches: Sequence[Stretch], corpus: Corpus) -> Weighed:
        """The question by the statistics of these documents, which are `corpus` together."""
        terms = question.terms
        counts = {each: each.having(terms) for each in stretches}
        total = sum(counts.values(), np.zeros(len(terms), np.int64))
        rarities = {term: corpus.rarity(count) for term, count in zip(terms, total.tolist(), strict=True) if count}
        parts = [Part({t: n for t, n in part.terms.items() if t in rarities}, part.within) for part in question.parts]
        having = {each: having[total > 0] for each, having in counts.items()}
        return cls(tuple(part for part in parts if part.terms), question.matched, rarities, corpus, having)

    @property
    def weight(self) -> float:
        """The sum over the terms: their inverse document frequencies, each as often as it counts."""
        return math.fsum(count * self.rarities[term] for part in self.parts for term, count in part.terms.items())

    def postings(self, stretch: Stretch) -> int:
        """How many documents have each of the terms, in all."""
        return int(self.having[stretch].sum())

    def exact(self, stretch: Stretch, numbers: Numbers) -> Scores:
        """float32 (n,): the scores of these documents, which are ascending and differ; 0 for what does not match."""
        total = np.zeros(len(numbers), np.float64)
        for part in self.parts:
            weights = Weights.of({term: count * self.rarities[term] for term, count in part.terms.items()})
            if part.within is None:
                total += summed(stretch.records, numbers, weights, self.corpus.average)
            else:
                mine = stretch.among(part.within, numbers)
                total[mine] += summed(stretch.records, numbers[mine], weights, self.corpus.average)
        if self.matched is not None:
            total[~stretch.among(self.matched, numbers)] = 0
        return total.astype(np.float32)

    def evidence(self, stretch: Stretch, numbers: Numbers) -> Scores:
        """float32 (n,): S · (C / N)^¼ of these documents, which are ascending and differ; 0 for what does not match.

        S: as `exact`, with terms weighed by idf^1.5 / r in place of idf, where r is the idf of a term that a single
        document has: common terms count less, and S is comparable between collections of any size. C: the sum of these
        weights over the terms that the document has; N: over all terms of the query.
        """
        total, had, asked = np.zeros(len(numbers), np.float64), np.zeros(len(numbers), np.float64), 0.0
        for part in self.parts:
            weights = Weights.of({term: count * self._emphasised(term) for term, count in part.terms.items()})
            asked += float(weights.values.sum())
            mine = np.ones(len(numbers), np.bool_) if part.within is None else stretch.among(part.within, numbers)
            sums = summed_and_had(stretch.records, numbers[mine], weights, self.corpus.average)
            total[mine] += sums[0]
            had[mine] += sums[1]
        if self.matched is not None:
            total[~stretch.among(self.matched, numbers)] = 0
        found: Sums = total * np.sqrt(np.sqrt(had / asked)) if asked else total
        return found.astype(np.float32)

    def passage_evidence(self, stretch: Stretch, numbers: Numbers) -> tuple[Numbers, Scores]:
        """What `evidence` is of documents, of the passages of these documents that have several.

        int64 (documents,), how many passages each has, 0 for one; float32 (passages,). numbers: ascending, different.
        The weights are those by the statistics of passages (`of_passages`). What does not match, by its document, is 0.
        """
        many, total, share = self._in_passages(stretch, numbers, self._emphasised)
        return many, (total * np.sqrt(np.sqrt(share))).astype(np.float32)

    def passage_scores(self, stretch: Stretch, numbers: Numbers) -> tuple[Numbers, Scores]:
        """What `exact` is of documents, of the passages of these documents; a document of one passage is that passage.

        int64 (documents,), how many passages each has; float32 (passages,). Everything else as `passage_evidence`.
        """
        many, total, _ = self._in_passages(stretch, numbers, self.rarities.__getitem__)
        counts = np.maximum(many, 1)
        several = np.repeat(many > 0, counts)
        scores = np.empty(len(several), np.float32)
        scores[several] = total
        scores[~several] = self.exact(stretch, numbers[many == 0])
        return counts, scores

    def _in_passages(
        self, stretch: Stretch, numbers: Numbers, weight: Callable[[str], float]
    ) -> tuple[Numbers, Sums, Sums]:
        """int64 (documents,), how many passages each document has, 0 for one; twice float64 (passages,): the sums, and
        the share that the terms of the passage have in the weights of all terms. weight: of a term."""
        many = np.zeros(len(numbers), np.int64)
        total, had, asked = np.zeros(0, np.float64), np.zeros(0, np.float64), 0.0
        for place, part in enumerate(self.parts):
            weights = Weights.of({term: count * weight(term) for term, count in part.terms.items()})
            asked += float(weights.values.sum())
            many, *sums = summed_in_passages(stretch.records, numbers, weights, self.corpus.average)
            if part.within is not None:
                sums = [each * np.repeat(stretch.among(part.within, numbers), many) for each in sums]
            total, had = sums if place == 0 else (total + sums[0], had + sums[1])
        if self.matched is not None:
            total[~np.repeat(stretch.among(self.matched, numbers), many)] = 0
        return many, total, had / asked if asked else had

    def of_passages(self, stretches: Sequence[Stretch]) -> Weighed:
        """The same question, its terms weighed by the passages that have them; a document of one passage is one."""
        terms = [*self.rarities]
        counts = [each.passages for each in stretches]
        corpus = Corpus(sum(each.documents for each in counts), sum(each.tokens for each in counts))
        having = sum((each.passages_having(terms) for each in stretches), np.zeros(len(terms), np.int64))
        rarities = {term: corpus.rarity(count) for term, count in zip(terms, having.tolist(), strict=True)}
        return replace(self, rarities=rarities, corpus=corpus)

    def _emphasised(self, term: str) -> float:
        """A weight that grows faster than the inverse document frequency."""
        return self.rarities[term] * math.sqrt(self.rarities[term]) / self.corpus.rarity(1)

    def ranked(self, stretch: Stretch) -> Query | None:
        """A query by which tantivy's scores are near the exact ones; None where no document has any of the terms."""
        known = {term for term, count in zip(self.rarities, self.having[stretch].tolist(), strict=True) if count}
        scored = [each for part in self.parts for each in _scored(part, known)]
        if not scored:
            return None
        if self.matched is not None:
            scored.append((Occur.Must, Query.const_score_query(self.matched, 0.0)))
        return Query.boolean_query(scored)

    def bound(self, stretch: Stretch) -> float:
        """No exact score is more than so many times tantivy's.

        tantivy counts rarity and the average length among the documents of the stretch alone. A greater average makes
        of a term's share tf / (tf + K) at most as much more as it makes K smaller.
        """
        having = zip(self.rarities.values(), self.having[stretch].tolist(), strict=True)
        ratios = [rarity / stretch.corpus.rarity(count) for rarity, count in having if count]
        longer = max(1.0, self.corpus.average / stretch.corpus.average)
        return max(ratios, default=1.0) * longer * (1 + (len(self.rarities) + 16) * ROUNDING)


def _scored(part: Part, known: set[str]) -> list[tuple[Occur, Query]]:
    """The clauses of a part, of terms that are known."""
    clauses = [
        (Occur.Should, term_query(term) if count == 1 else Query.boost_query(term_query(term), float(count)))
        for term, count in part.terms.items()
        if term in known
    ]
    if part.within is None or not clauses:
        return clauses
    return [(Occur.Should, Query.boolean_query([(Occur.Must, Query.const_score_query(part.within, 0.0)), *clauses]))]
