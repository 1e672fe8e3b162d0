"""What a query asks for: terms with their weights, and which documents match."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from tantivy import Query

from twofold.errors import QueryError
from twofold.lexical.analysing import TIMES_A_TERM, Analysis
from twofold.lexical.language import Phrase, named, parse
from twofold.lexical.matching import Matched, Matching
from twofold.lexical.scoring import K1

LARGEST = 1e38
"""No score of float32 may be greater."""
RAREST = 50.0
"""No inverse document frequency is greater."""


@dataclass(frozen=True, slots=True)
class Part:
    """Terms that count together. terms: how often each counts. within: only where this matches; None for anywhere."""

    terms: Mapping[str, float]
    within: Query | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A query that has been understood.

    parts: what scores are made of, in the order in which they are added. matched: the matching documents, None for all
    with one of the terms. allowed: documents that dense search may return too, None for all. asked: how often each term
    is in the query, without boosts.
    """

    parts: tuple[Part, ...]
    matched: Query | None
    allowed: Matched | None
    asked: Counter[str]

    @property
    def terms(self) -> list[str]:
        """All terms that count, sorted."""
        return sorted(self.asked)


def ask_words(analysis: Analysis, text: str) -> Question:
    """Any text: the sum over its terms, each as often as it is in the query, up to a bound."""
    asked = Counter({term: min(count, TIMES_A_TERM) for term, count in Counter(analysis.terms(text)).items()})
    return Question((Part(asked),), None, None, asked)


def ask_language(analysis: Analysis, text: str) -> Question:
    """A query of the language.

    Raises QueryError, with the position of a mistake, and for one that only excludes.
    """
    query = parse(text)
    if query is None:
        return Question((), None, None, Counter())
    matching, leaves = Matching(analysis), list(named(query))
    matched, terms = matching.matched(query), [_terms(analysis, words) for words in leaves]
    if not leaves or (any(terms) and matched is not None and matched.complement):
        raise QueryError(
            f"the query {text!r} only says what to leave out, so that every other document would match; "
            "name what hits should have"
        )
    terms = _bounded(leaves, terms)
    asked = sum(terms, Counter[str]())
    if not asked or matched is None:
        return Question((), Query.empty_query(), matching.allowed(query), asked)
    return Question(_parts(matching, leaves, terms), matched.query, matching.allowed(query), asked)


def text_of_language(text: str) -> str:
    """The words of a query of the language without operators and excluded words, for the encoder."""
    query = parse(text)
    return "" if query is None else " ".join(words.text.strip() for words in named(query)).strip()


def _terms(analysis: Analysis, words: Phrase) -> Counter[str]:
    if analysis.grams:
        return Counter(analysis.terms(words.text))
    return Counter(term for _, term in analysis.placed(words.text))


def _bounded(leaves: list[Phrase], terms: list[Counter[str]]) -> list[Counter[str]]:
    """The terms of each leaf, where a single term, or equal phrases, count no more often than a bound."""
    times = Counter[Hashable]()
    bounded = []
    for words, counts in zip(leaves, terms, strict=True):
        key: Hashable = next(iter(counts), "") if counts.total() == 1 else words
        times[key] += 1
        bounded.append(counts if times[key] <= TIMES_A_TERM else Counter[str]())
    return bounded


def _parts(matching: Matching, leaves: list[Phrase], terms: list[Counter[str]]) -> tuple[Part, ...]:
    """Single terms together, and each phrase by itself. Raises QueryError."""
    alone, phrases = dict[str, float](), list[Part]()
    for words, counts in zip(leaves, terms, strict=True):
        boosted = {term: count * words.boost for term, count in counts.items()}
        if counts.total() == 1:
            alone.update({term: alone.get(term, 0.0) + count for term, count in boosted.items()})
        elif counts and (matched := matching.matched(words)) is not None:
            phrases.append(Part(boosted, matched.query))
    parts = [*([Part(alone)] if alone else []), *phrases]
    if not sum(count for part in parts for count in part.terms.values()) * RAREST * (K1 + 1) < LARGEST:
        raise QueryError("a boost (^) of the query is so large that scores are no numbers any more; make it smaller")
    return tuple(parts)
