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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tantivy
from tantivy import Occur, Query, Schema, Searcher, TextAnalyzer

from twofold.errors import CorruptionError, QueryError
from twofold.lexical.engine import AGAIN, NUMBER, TEXT, speaking
from twofold.scores import Numbers, Scores

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
LONGEST_LANGUAGE_QUERY, DEEPEST_LANGUAGE_QUERY = 10_000, 50
"""Characters, and parentheses: the parser calls itself, and takes the process along when its stack ends."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """One state of the index: its fields, its documents, how texts become terms."""

    folder: Path
    schema: Schema
    searcher: Searcher
    analyser: TextAnalyzer

    def terms(self, text: str) -> Counter[str]:
        """The terms of a text that some document has, with how often they are asked for; any text will do."""
        clean = text.encode("utf-8", "replace").decode()
        asked = Counter(self.analyser.analyze(clean))
        return Counter({term: asked[term] for term in sorted(asked) if self._having(term)})

    def weight(self, terms: Counter[str]) -> float:
        """The sum of their inverse document frequencies, each as often as it is asked for."""
        documents = self.searcher.num_docs
        total = 0.0
        for term, count in terms.items():
            having = min(self._having(term), documents)
            total += count * math.log1p((documents - having + 0.5) / (having + 0.5))
        return total

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

    def proposed(self, count: int) -> tuple[Numbers, Scores]:
        """The `count` best documents by scores that are near the exact ones, fast; fewer where no more match."""

    def exact(self, documents: Numbers) -> Scores:
        """float32 (n,): the scores of these documents, which are ascending and differ; 0 for what does not match."""


class Words:
    """Any text: a sum over its terms."""

    cost = COST_OF_WORDS

    def __init__(self, statistics: Statistics, terms: Counter[str]) -> None:
        self._statistics = statistics
        self._parts = [_term(statistics.schema, term, count) for term, count in terms.items()]
        self.weight = statistics.weight(terms)
        self._ranked = Query.boolean_query([(Occur.Should, part) for part in self._parts])
        self.slack = 0.0 if len(terms) <= 2 else len(terms) * ROUNDING  # of two terms the order makes no difference

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
    """tantivy's query language: words, "phrases", AND, OR, NOT, + and -, parentheses, boosts with ^."""

    cost = COST_OF_LANGUAGE

    def __init__(self, statistics: Statistics, query: Query, weight: float) -> None:
        self._statistics = statistics
        self._ranked = query
        self.weight = weight
        self.slack = LANGUAGE_SLACK

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


def ask_language(statistics: Statistics, index: tantivy.Index, text: str) -> Question:
    """What a query of the language asks for. Raises QueryError, saying where it cannot be understood."""
    clean = text.encode("utf-8", "replace").decode()
    if len(clean) > LONGEST_LANGUAGE_QUERY:
        raise QueryError(f"a query of the language has at most {LONGEST_LANGUAGE_QUERY} characters, not {len(clean)}")
    if clean.count("(") > DEEPEST_LANGUAGE_QUERY:
        raise QueryError(f"a query of the language has at most {DEEPEST_LANGUAGE_QUERY} parentheses")
    try:
        query = index.parse_query(clean, [TEXT])
        tree = tantivy.parse_query(clean)
    except ValueError as error:
        raise QueryError(_place(clean, error)) from error
    terms = Counter[str]()
    for phrase in _phrases(tree):
        terms += statistics.terms(phrase)
    return Language(statistics, query, statistics.weight(terms))


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


def _phrases(tree: Mapping[str, Any]) -> Iterator[str]:
    """The texts of a parsed query that a document may have; what is excluded is left out."""
    if tree["type"] == "literal" and tree["field_name"] in (None, TEXT):
        yield tree["phrase"]
    for occur, clause in tree.get("clauses", ()):
        if occur != "must_not":
            yield from _phrases(clause)
    if isinstance(inner := tree.get("underlying"), Mapping):
        yield from _phrases(inner)


def _place(text: str, error: ValueError) -> str:
    _, found = tantivy.parse_query_lenient(text)
    if found and str(error).startswith("Syntax Error"):
        place, said = found[0]["pos"], found[0]["message"].replace('\\"', '"')
        return f"the query {text!r} cannot be understood at character {place}: {said}"
    said = "an operator lacks a side" if str(error).startswith("Syntax Error") else str(error)
    return f"the query {text!r} cannot be understood: {said}"
