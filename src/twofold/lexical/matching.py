"""A query of the language → tantivy's queries: which documents match, and which may be found at all.

Sets of documents and their complements, by De Morgan's laws: a complement cannot be listed, but what it lacks can be
taken out of what is listed. Words of which no term is left (stop words, punctuation) ask for nothing. What matches is
all that tantivy decides; it is scored by asking.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tantivy import Occur, Query

from twofold.lexical.analysing import Analysis
from twofold.lexical.engine import SCHEMA, TEXT
from twofold.lexical.language import Either, Item, Phrase, Sign


@dataclass(frozen=True, slots=True)
class Matched:
    """The documents that a query of tantivy finds; all others where complement."""

    query: Query
    complement: bool = False


class Matching:
    """Makes queries of texts that become terms in one way."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis

    def matched(self, part: Phrase | Either) -> Matched | None:
        """What matches a part; None where it asks for nothing."""
        return self._words(part.text) if isinstance(part, Phrase) else self._either(part)

    def allowed(self, part: Phrase | Either) -> Matched | None:
        """The documents that may be found, also by dense search; None for all.

        Plain words do not restrict, since dense search finds paraphrases; +, -, NOT and the operands of AND do.
        """
        if isinstance(part, Phrase):
            return None
        choices = [self._allowed_by_all(every) for every in part.choices if self._all(every) is not None]
        ruled = self._ruled(part)
        return all_of(ruled) if None in choices or not choices else all_of([_any(choices), *ruled])

    def _allowed_by_all(self, every: Sequence[Sequence[Item]]) -> Matched | None:
        if len(every) > 1:
            return self._all(every)
        plain = [
            self.allowed(item.part) for item in every[0] if item.sign == "" and self.matched(item.part) is not None
        ]
        required = self._signed(every[0], "+")
        open_ = required or None in plain
        return all_of([*required, *([] if open_ else [_any(plain)]), *map(_others, self._signed(every[0], "NOT"))])

    def _either(self, query: Either) -> Matched | None:
        return all_of([_any([self._all(every) for every in query.choices]), *self._ruled(query)])

    def _all(self, every: Sequence[Sequence[Item]]) -> Matched | None:
        return all_of([self._list(items) for items in every])

    def _list(self, items: Sequence[Item]) -> Matched | None:
        """What is marked + makes the rest optional; what is marked - is for the whole query to exclude."""
        wanted: list[Matched | None] = [*self._signed(items, "+")] or [_any(self._signed(items, ""))]
        return all_of([*wanted, *map(_others, self._signed(items, "NOT"))])

    def _ruled(self, query: Either) -> list[Matched]:
        """What + and - say of the whole query; + only where its own list does not."""
        items = [item for every in query.choices for items in every for item in items]
        required = self._signed(items, "+") if len(query.choices) > 1 else []
        return required + [_others(each) for each in self._signed(items, "-")]

    def _signed(self, items: Iterable[Item], sign: Sign) -> list[Matched]:
        found = (self.matched(item.part) for item in items if item.sign == sign)
        return [each for each in found if each is not None]

    def _words(self, text: str) -> Matched | None:
        """The words of a text side by side; of n-grams, which have no places, all of them."""
        if self._analysis.grams:
            return all_of([Matched(term_query(term)) for term in sorted(set(self._analysis.terms(text)))])
        placed = self._analysis.placed(text)
        if len(placed) > 1:
            return Matched(Query.phrase_query(SCHEMA, TEXT, [*placed]))
        return Matched(term_query(placed[0][1])) if placed else None


def term_query(term: str) -> Query:
    """The documents that have a term."""
    return Query.term_query(SCHEMA, TEXT, term, "freq")


def all_of(parts: Iterable[Matched | None]) -> Matched | None:
    """What matches all parts; those that ask for nothing are left out."""
    found, missing = _sorted(parts)
    if found:
        return Matched(_clauses((Occur.Must, found), (Occur.MustNot, missing)))
    return Matched(_clauses((Occur.Should, missing)), complement=True) if missing else None


def _others(matched: Matched) -> Matched:
    return Matched(matched.query, not matched.complement)


def _any(parts: Iterable[Matched | None]) -> Matched | None:
    """What matches one of the parts; those that ask for nothing are left out."""
    found, missing = _sorted(parts)
    if missing:
        return Matched(_clauses((Occur.Must, missing), (Occur.MustNot, found)), complement=True)
    return Matched(_clauses((Occur.Should, found))) if found else None


def _sorted(parts: Iterable[Matched | None]) -> tuple[list[Query], list[Query]]:
    """Queries of sets, and of complements."""
    there = [part for part in parts if part is not None]
    return [part.query for part in there if not part.complement], [part.query for part in there if part.complement]


def _clauses(*clauses: tuple[Occur, list[Query]]) -> Query:
    flat = [(occur, query) for occur, queries in clauses for query in queries]
    if len(flat) == 1 and flat[0][0] != Occur.MustNot:
        return flat[0][1]
    return Query.boolean_query(flat)
