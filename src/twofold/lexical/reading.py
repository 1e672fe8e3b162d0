"""Lexical search of one commit: what the index on disk has read, and the documents behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from twofold.errors import QueryError
from twofold.lexical.analysing import Analysis
from twofold.lexical.asking import Question, ask_language, ask_words, text_of_language
from twofold.lexical.scoring import Corpus
from twofold.lexical.stretches import Stretch, Tail
from twofold.lexical.weighing import Weighed
from twofold.scores import Mask, Numbers, Scores

SPARE = 64
"""Proposed beyond what is asked for, so that ties and what is not allowed seldom need a second look."""
GROWTH = 4
DIRECTLY = 4
"""So many documents are scored in the time that one is proposed."""
QUERIES_KEPT = 64
FEW = 4
"""Fewer documents that may be found than this part of those with a term are scored without looking for these first."""
POSTINGS_A_PROPOSAL = 50
"""So many documents that have a term are scored in the time that one is proposed (1.8 µs)."""


class LexicalReader:
    """BM25 scores of one commit, the same for any division of the documents into index and tail.

    The statistics are of all documents of both, deleted ones too. engine.LexicalSnapshot is made of it. passages:
    whether both were read with the passages that are searched.
    """

    def __init__(
        self,
        analysis: Analysis,
        index: Stretch | None,
        tail: Tail | None = None,
        *,
        language: bool = False,
        passages: bool = False,
    ) -> None:
        self._analysis = analysis
        self._index = index
        self._tail = tail
        self._language = language
        self._passages = passages
        self._known: dict[str, Weighed] = {}
        self._known_of_passages: dict[str, Weighed] = {}
        self._stretches: list[Stretch] = [each for each in (index, tail) if each is not None]
        corpora = [each.corpus for each in self._stretches]
        self._corpus = Corpus(sum(each.documents for each in corpora), sum(each.tokens for each in corpora))

    @property
    def end(self) -> int:
        """No document with this number or a greater one has been read."""
        return max((each.end for each in self._stretches), default=0)

    def with_query_language(self) -> LexicalReader:
        """The same commit, whose queries are of the query language: "a phrase", AND, OR, NOT, +, -, (, ), ^.

        Only on request: in plain text these signs have no meaning. Searching raises QueryError. The tail must have been
        made matchable.
        """
        return LexicalReader(self._analysis, self._index, self._tail, language=True, passages=self._passages)

    def text(self, query: str) -> str:
        """The query's text without operators and without what it excludes, for the encoder."""
        return text_of_language(query) if self._language else query

    def restriction(self, query: str) -> Mask | None:
        """bool (document numbers that were read,): which documents may be found, also by dense search; None for all."""
        restricting = self._question(query).allowed
        if restricting is None:
            return None
        allowed = np.full(self.end, restricting.complement)
        for each in self._stretches:
            allowed[each.matching(restricting.query)] = not restricting.complement
        return allowed

    def candidates(self, query: str, count: int, allowed: Mask) -> tuple[Numbers, Scores]:
        """The best `count` document numbers (int64) with their scores (float32), and all that tie with the last.

        Best first, equal scores by number. allowed: bool (document numbers,), which documents may appear; numbers
        beyond its end may not.
        """
        if count < 0:
            raise QueryError(f"a count of candidates is 0 or more, not {count}")
        weighed = self._weighed(query)
        numbers, scores = np.empty(0, np.int64), np.empty(0, np.float32)
        if count == 0 or not weighed.parts:
            return numbers, scores
        if self._tail is not None:
            first = self._tail.records.first
            numbers = np.flatnonzero(allowed[first : self._tail.end]) + first
            scores = weighed.exact(self._tail, numbers)
        if self._index is not None:
            found = _searched(weighed, self._index, count, _first(allowed, self._index.end), scores)
            numbers, scores = np.concatenate([found[0], numbers]), np.concatenate([found[1], scores])
        return _best(numbers, scores, count)

    def scores(self, query: str, documents: Numbers) -> Scores:
        """float32 (n,): the scores of these documents, in their order; 0 where no term is shared."""
        return self._each(query, documents, Weighed.exact)

    def weight(self, query: str) -> float:
        """The sum of the inverse document frequencies of the query's terms, each as often as it counts in a score."""
        return self._weighed(query).weight

    def evidence(self, query: str, documents: Numbers) -> Scores:
        """float32 (n,): the evidence of these documents for hybrid search, in their order (Weighed.evidence)."""
        return self._each(query, documents, Weighed.evidence)

    def passage_evidence(self, query: str, documents: Numbers) -> tuple[Numbers, Scores] | None:
        """The evidence of the passages of these documents, which are ascending and differ; None where it is not known.

        int64 (documents,), how many passages each has, 0 for one; float32 (passages,), in their order.
        """
        return self._of_passages(query, documents, Weighed.passage_evidence)

    def passage_scores(self, query: str, documents: Numbers) -> tuple[Numbers, Scores] | None:
        """BM25 of the passages of these documents by the statistics of passages; everything else as above.

        int64 (documents,), how many passages each has; float32 (passages,).
        """
        return self._of_passages(query, documents, Weighed.passage_scores)

    def coverage(self, query: str, texts: Sequence[str]) -> Scores:
        """float32 (n,): the sum of the inverse document frequencies of the query's terms that each text has, each once.

        Terms that no document has, and words that the query excludes, count for nothing.
        """
        rarities = self._weighed(query).rarities
        having = (frozenset(self._analysis.terms(text)) for text in texts)
        sums = [sum(rarities[term] for term in sorted(rarities.keys() & there)) for there in having]
        return np.array(sums, dtype=np.float32)

    def _each(self, query: str, documents: Numbers, scored: Callable[[Weighed, Stretch, Numbers], Scores]) -> Scores:
        """float32 (n,): what `scored` gives to these documents, in their order; 0 where no term is shared."""
        weighed = self._weighed(query)
        distinct, places = np.unique(np.asarray(documents, dtype=np.int64), return_inverse=True)
        scores = np.zeros(len(distinct), np.float32)
        if weighed.parts:
            for each in self._stretches:
                mine = slice(*np.searchsorted(distinct, [each.records.first, each.end]))
                scores[mine] = scored(weighed, each, distinct[mine])
        found: Scores = scores[places]
        return found

    def _of_passages(
        self, query: str, documents: Numbers, scored: Callable[[Weighed, Stretch, Numbers], tuple[Numbers, Scores]]
    ) -> tuple[Numbers, Scores] | None:
        """Counts and values of the passages of these documents; None where they are not known."""
        if not self._passages:
            return None
        weighed = self._weighed_by_passages(query)
        many, values = np.zeros(len(documents), np.int64), [np.empty(0, np.float32)]
        for each in self._stretches:
            mine = slice(*np.searchsorted(documents, [each.records.first, each.end]))
            many[mine], found = scored(weighed, each, documents[mine])
            values.append(found)
        return many, np.concatenate(values)

    def _question(self, query: str) -> Question:
        return (ask_language if self._language else ask_words)(self._analysis, query)

    def _weighed(self, query: str) -> Weighed:
        """The query with its statistics, which each search asks for several times."""
        if (known := self._known.get(query)) is None:
            if len(self._known) >= QUERIES_KEPT:
                self._known.clear()
            known = self._known[query] = Weighed.of(self._question(query), self._stretches, self._corpus)
        return known

    def _weighed_by_passages(self, query: str) -> Weighed:
        if (known := self._known_of_passages.get(query)) is None:
            if len(self._known_of_passages) >= QUERIES_KEPT:
                self._known_of_passages.clear()
            known = self._known_of_passages[query] = self._weighed(query).of_passages(self._stretches)
        return known


def _first(allowed: Mask, end: int) -> Mask:
    """bool (end,): the first of these; what lies beyond them is not allowed."""
    return allowed[:end] if len(allowed) >= end else np.append(allowed, np.zeros(end - len(allowed), np.bool_))


def _searched(weighed: Weighed, index: Stretch, count: int, allowed: Mask, others: Scores) -> tuple[Numbers, Scores]:
    """Documents of the index, with their scores, so many that no other can be among the best `count`.

    others: scores of documents elsewhere, which compete with these.
    """
    allowed_count = int(np.count_nonzero(allowed))
    if allowed_count == 0:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    bound, depth = weighed.bound(index), count * len(allowed) // allowed_count + SPARE
    for numbers, last in _proposed(weighed, index, depth, allowed_count):
        numbers = np.sort(numbers[allowed[numbers]])
        scores = weighed.exact(index, numbers)
        rivals = np.concatenate([scores, others])
        line = np.partition(rivals, len(rivals) - count)[len(rivals) - count] if len(rivals) >= count else 0.0
        if last * bound < line or last == 0:
            return numbers, scores
    if weighed.matched is not None:
        numbers = index.matching(weighed.matched)
    elif allowed_count < weighed.postings(index) // FEW:
        numbers = np.flatnonzero(allowed)
    else:
        numbers = index.with_any([*weighed.rarities])
    numbers = numbers[allowed[numbers]]
    return numbers, weighed.exact(index, numbers)


def _proposed(weighed: Weighed, index: Stretch, depth: int, allowed_count: int) -> Iterator[tuple[Numbers, float]]:
    """More and more documents, until scoring all takes less time; with the last one's score, 0 where no more match."""
    most = index.corpus.documents
    if weighed.matched is None:
        most = min(most, allowed_count // DIRECTLY, weighed.postings(index) // POSTINGS_A_PROPOSAL)
    query = weighed.ranked(index)
    while query is not None and depth <= most:
        numbers, scores = index.best(query, depth)
        yield numbers, float(scores[-1]) if len(numbers) == depth else 0.0
        depth *= GROWTH
    if query is None:
        yield np.empty(0, np.int64), 0.0


def _best(numbers: Numbers, scores: Scores, count: int) -> tuple[Numbers, Scores]:
    """The best of these documents, which are ascending, with all that tie with the last; none that scores 0."""
    if len(scores) > count:
        last = np.partition(scores, len(scores) - count)[len(scores) - count]
        kept = np.flatnonzero((scores >= last) & (scores > 0))
        numbers, scores = numbers[kept], scores[kept]
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] > 0]
    return numbers[order], scores[order]
