"""What a query asks for: a fast query that proposes documents, and the exact score of each.

BM25 with k1 = 1.2 and b = 0.75 (Robertson et al., TREC-3, 1994; tantivy's constants). Lengths are kept in a byte, as in
Lucene.

Float sums depend on their order, and tantivy adds a document's terms in an order that depends on which other documents
it meets: of 80,000 scores of real questions 2 % changed their last bit with the company. So what ranks is asked again
as a tree of pairs. Each sum then has two parts, and a + b has the bits of b + a.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from tantivy import Occur, Query, Schema, Searcher

from twofold.errors import CorruptionError, QueryError
from twofold.lexical.analysing import TIMES_A_TERM, Analysis
from twofold.lexical.engine import AGAIN, NUMBER, TEXT, speaking
from twofold.lexical.language import named, parse
from twofold.lexical.matching import Matched, Matching
from twofold.scores import Mask, Numbers, Scores

ROUNDING = 2.0**-23
"""What one float32 addition may be off by, relatively; twice the bound, so that nothing is cut too early."""
LANGUAGE_SLACK = 1e-4
"""The same for a query of the language, whose number of additions is not known."""
TERMS_A_TREE = 64
"""A tree holds a buffer of 16 KB for each of its sums; longer queries are summed in several trees."""
COST_OF_WORDS, COST_OF_LANGUAGE = 4, 200
"""See Question.cost; measured over a million passages, where both ways take as long at some 7,000 allowed documents."""
FILTERED_AT_MOST = 20_000
"""A set of more documents costs more as a filter (11 ms) than the scores of all that match."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """One state of the index: its fields, its documents, how texts become terms."""

    folder: Path
    schema: Schema
    searcher: Searcher
    analysis: Analysis

    def terms(self, text: str) -> Counter[str]:
        """The terms of a text that some document has, with how often they count; any text will do."""
        asked = Counter(self.analysis.terms(text))
        return Counter({term: min(asked[term], TIMES_A_TERM) for term in sorted(asked) if self._having(term)})

    def rarity(self, term: str) -> float:
        """Its inverse document frequency."""
        documents = self.searcher.num_docs
        having = min(self._having(term), documents)
        return math.log1p((documents - having + 0.5) / (having + 0.5))

    def weight(self, terms: Counter[str]) -> float:
        """The sum of their inverse document frequencies, each as often as it counts."""
        return sum(count * self.rarity(term) for term, count in terms.items())

    def coverage(self, terms: Iterable[str], texts: Sequence[str]) -> Scores:
        """float32 (n,): the sum of the inverse document frequencies of the terms that each text has."""
        rarities = {term: self.rarity(term) for term in sorted(terms)}
        having = (frozenset(self.analysis.terms(text)) for text in texts)
        sums = [sum(rarity for term, rarity in rarities.items() if term in there) for there in having]
        return np.array(sums, dtype=np.float32)

    def found(self, query: Query, count: int) -> tuple[Numbers, Scores]:
        """The first `count` documents of a query by tantivy's own order, and their scores."""
        count = min(count, self.searcher.num_docs)
        if count == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        with speaking(self.folder):
            hits = self.searcher.search(query, limit=count, count=False).hits
            numbers = self.searcher.fast_field_values(NUMBER, [address for _, address in hits])
        if any(number is None or number < 0 for number in numbers):
            raise CorruptionError(f"{self.folder}: there are documents without a number. {AGAIN}.")
        return np.array(numbers, dtype=np.int64), np.array([score for score, _ in hits], dtype=np.float32)

    def among(self, query: Query, documents: Sequence[int]) -> Query:
        """The query within these documents; the scores stay as they are."""
        members = Query.term_set_query(self.schema, NUMBER, documents)
        return Query.boolean_query([(Occur.Must, Query.const_score_query(members, 0.0)), (Occur.Must, query)])

    def _having(self, term: str) -> int:
        with speaking(self.folder):
            return self.searcher.doc_freq(TEXT, term)


class Question(Protocol):
    """A query that has been understood."""

    @property
    def slack(self) -> float:
        """How far a proposed score may lie from the exact one, relatively."""

    @property
    def cost(self) -> int:
        """How many proposed documents are looked through in the time that the exact score of one takes."""

    @property
    def weight(self) -> float:
        """The sum of the inverse document frequencies of its terms."""

    def coverage(self, texts: Sequence[str]) -> Scores:
        """float32 (n,): the sum of the inverse document frequencies of its terms that each text has, each once."""

    def restriction(self, end: int) -> Mask | None:
        """bool (end,): which of the first documents may be found, also by meaning; None where any may."""

    def proposed(self, count: int) -> tuple[Numbers, Scores]:
        """The `count` best documents by scores that are near the exact ones, fast; fewer where no more match."""

    def exact(self, documents: Numbers) -> Scores:
        """float32 (n,): the scores of these documents, which are ascending and differ; 0 for what does not match."""


class Words:
    """Any text: a sum over its terms."""

    cost = COST_OF_WORDS

    def __init__(self, statistics: Statistics, terms: Counter[str]) -> None:
        self._statistics = statistics
        self._terms = terms
        self._parts = [_term(statistics.schema, term, count) for term, count in terms.items()]
        self.weight = statistics.weight(terms)
        self._ranked = Query.boolean_query([(Occur.Should, part) for part in self._parts])
        self.slack = 0.0 if len(terms) <= 2 else len(terms) * ROUNDING  # of two terms the order makes no difference

    def coverage(self, texts: Sequence[str]) -> Scores:
        """See Question."""
        return self._statistics.coverage(self._terms, texts)

    def restriction(self, end: int) -> None:
        """Any document may be found."""

    def proposed(self, count: int) -> tuple[Numbers, Scores]:
        """See Question."""
        return self._statistics.found(self._ranked, count)

    def exact(self, documents: Numbers) -> Scores:
        """See Question."""
        total = np.zeros(len(documents), np.float32)
        for start in range(0, len(self._parts), TERMS_A_TREE):
            total += _scored(self._statistics, _tree(self._parts[start : start + TERMS_A_TREE]), documents)
        return total


class Language:
    """A query of the language (language.py).

    ranked: what is scored. allowed: what may be found, None for anything. terms: those that are not excluded.
    """

    cost = COST_OF_LANGUAGE

    def __init__(self, statistics: Statistics, ranked: Query, allowed: Matched | None, terms: Counter[str]) -> None:
        self._statistics = statistics
        self._ranked = ranked
        self._allowed = allowed
        self._terms = terms
        self.weight = statistics.weight(terms)
        self.slack = LANGUAGE_SLACK

    def coverage(self, texts: Sequence[str]) -> Scores:
        """See Question."""
        return self._statistics.coverage(self._terms, texts)

    def restriction(self, end: int) -> Mask | None:
        """See Question."""
        if self._allowed is None:
            return None
        query = Query.const_score_query(self._allowed.query, 1.0)
        numbers, _ = self._statistics.found(query, self._statistics.searcher.num_docs)
        allowed = np.full(end, self._allowed.complement)
        allowed[numbers[numbers < end]] = not self._allowed.complement
        return allowed

    def proposed(self, count: int) -> tuple[Numbers, Scores]:
        """See Question."""
        return self._statistics.found(self._ranked, count)

    def exact(self, documents: Numbers) -> Scores:
        """See Question. One document at a time, so that none is in another's company."""
        scores = np.zeros(len(documents), np.float32)
        for position, document in enumerate(documents.tolist()):
            _, found = self._statistics.found(self._statistics.among(self._ranked, [document]), 1)
            scores[position] = found[0] if len(found) else 0
        return scores


def ask_words(statistics: Statistics, text: str) -> Question | None:
    """What a text asks for; None where no document has any of its terms."""
    terms = statistics.terms(text)
    return Words(statistics, terms) if terms else None


def ask_language(statistics: Statistics, text: str) -> Question | None:
    """What a query of the language asks for; None for an empty one.

    Raises QueryError, saying where it cannot be understood, and for one that only excludes.
    """
    query = parse(text)
    if query is None:
        return None
    matching = Matching(statistics.schema, statistics.analysis)
    matched, names = matching.matched(query), [words.text for words in named(query)]
    known = any(statistics.analysis.terms(name) for name in names)
    if not names or (known and matched is not None and matched.complement):
        raise QueryError(
            f"the query {text!r} only says what to leave out, so that every other document would match; "
            "name what hits should have"
        )
    asked = sum((statistics.terms(name) for name in names), Counter[str]())
    terms = Counter({term: min(count, TIMES_A_TERM) for term, count in asked.items()})
    ranked = matched.query if known and matched is not None else Query.empty_query()
    return Language(statistics, ranked, matching.allowed(query), terms)


def text_of_language(text: str) -> str:
    """The words of a query of the language that hits may have, without its signs: what a vector is made of."""
    query = parse(text)
    return "" if query is None else " ".join(words.text.strip() for words in named(query)).strip()


def _term(schema: Schema, term: str, count: int) -> Query:
    query = Query.term_query(schema, TEXT, term, "freq")
    return query if count == 1 else Query.boost_query(query, float(count))


def _tree(parts: Sequence[Query]) -> Query:
    """The parts added in pairs, so that no sum has a third part."""
    if len(parts) == 1:
        return parts[0]
    middle = (len(parts) + 1) // 2
    return Query.boolean_query([(Occur.Should, _tree(parts[:middle])), (Occur.Should, _tree(parts[middle:]))])


def _scored(statistics: Statistics, tree: Query, documents: Numbers) -> Scores:
    if len(documents) <= FILTERED_AT_MOST:
        numbers, scores = statistics.found(statistics.among(tree, documents.tolist()), len(documents))
    else:
        numbers, scores = statistics.found(tree, statistics.searcher.num_docs)
    order = np.argsort(numbers)
    numbers, scores = np.append(numbers[order], -1), np.append(scores[order], np.float32(0))
    places = np.searchsorted(numbers[:-1], documents)
    return np.where(numbers[places] == documents, scores[places], np.float32(0)).astype(np.float32)
