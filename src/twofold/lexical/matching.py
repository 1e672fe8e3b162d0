"""A query of the language → tantivy's queries: which documents match, and which may be found at all.

Sets of documents and their complements, by De Morgan's laws: a complement has no scores and cannot be listed, but what
it lacks can be taken out of what is listed. Words of which no term is left (stop words, punctuation) ask for nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tantivy import Occur, Query, Schema

from twofold.lexical.analysing import TIMES_A_TERM, Analysis
from twofold.lexical.engine import TEXT
from twofold.lexical.language import Either, Item, Sign, Words


@dataclass(frozen=True, slots=True)
class Matched:
    """The documents that a query of tantivy finds; all others where complement."""

    query: Query
    complement: bool = False


class Matching:
    """Makes queries of one index."""

    def __init__(self, schema: Schema, analysis: Analysis) -> None:
        self._schema = schema
        self._analysis = analysis

    def matched(self, part: Words | Either) -> Matched | None:
        """What matches a part; None where it asks for nothing."""
        found = self._words(part.text) if isinstance(part, Words) else self._either(part)
        if found is None or part.boost == 1:
            return found
        return Matched(Query.boost_query(found.query, part.boost), found.complement)

    def allowed(self, part: Words | Either) -> Matched | None:
        """What may be found, also by meaning; None where anything may.

        Words restrict nothing, for meaning finds what says the same in other words; what is marked with +, - or NOT and
        the sides of AND do.
        """
        if isinstance(part, Words):
            return None
        choices = [self._allowed_by_all(every) for every in part.choices if self._all(every) is not None]
        ruled = self._ruled(part, scored=True)
        return _all(ruled) if None in choices or not choices else _all([_any(choices), *ruled])

    def _allowed_by_all(self, every: Sequence[Sequence[Item]]) -> Matched | None:
        if len(every) > 1:
            return self._all(every)
        plain = [
            self.allowed(item.part) for item in every[0] if item.sign == "" and self.matched(item.part) is not None
        ]
        required = self._signed(every[0], "+")
        open_ = required or None in plain
        return _all([*required, *([] if open_ else [_any(plain)]), *map(_others, self._signed(every[0], "NOT"))])

    def _either(self, query: Either) -> Matched | None:
        found = _any([self._all(every) for every in query.choices])
        return _all([found, *self._ruled(query, scored=found is not None and not found.complement)])

    def _all(self, every: Sequence[Sequence[Item]]) -> Matched | None:
        return _all([self._list(items) for items in every])

    def _list(self, items: Sequence[Item]) -> Matched | None:
        """Without what is marked -, which is for the whole query to exclude."""
        plain, required = self._signed(items, ""), self._signed(items, "+")
        excluded = [_others(each) for each in self._signed(items, "NOT")]
        if required:
            return _all([*required, *excluded], optional=plain)
        return _all([_any(plain), *excluded])

    def _ruled(self, query: Either, *, scored: bool) -> list[Matched]:
        """What + and - say of the whole query; + only where its own list does not.

        scored: what is marked + has its scores elsewhere, and they do not count a second time.
        """
        items = [item for every in query.choices for items in every for item in items]
        required = self._signed(items, "+")
        excluded = [_others(each) for each in self._signed(items, "-")]
        if len(query.choices) == 1:
            return excluded
        if scored:
            required = [Matched(Query.const_score_query(each.query, 0.0), each.complement) for each in required]
        return required + excluded

    def _signed(self, items: Iterable[Item], sign: Sign) -> list[Matched]:
        """What is marked so; of equal parts no more than a term of a text counts."""
        parts = Counter(item.part for item in items if item.sign == sign)
        found = ((self.matched(part), min(times, TIMES_A_TERM)) for part, times in parts.items())
        return [each for each, times in found if each is not None for _ in range(times)]

    def _words(self, text: str) -> Matched | None:
        """The words of a text side by side; of n-grams, which have no places, all of them."""
        if self._analysis.grams:
            return _all([Matched(self._term(term)) for term in sorted(set(self._analysis.terms(text)))])
        placed = self._analysis.placed(text)
        if len(placed) > 1:
            return Matched(Query.phrase_query(self._schema, TEXT, [*placed]))
        return Matched(self._term(placed[0][1])) if placed else None

    def _term(self, term: str) -> Query:
        return Query.term_query(self._schema, TEXT, term, "freq")


def _others(matched: Matched) -> Matched:
    return Matched(matched.query, not matched.complement)


def _any(parts: Iterable[Matched | None]) -> Matched | None:
    """What matches one of the parts; those that ask for nothing are left out."""
    found, missing = _sorted(parts)
    if missing:
        return Matched(_clauses((Occur.Must, missing), (Occur.MustNot, found)), complement=True)
    return Matched(_clauses((Occur.Should, found))) if found else None


def _all(parts: Iterable[Matched | None], optional: Iterable[Matched] = ()) -> Matched | None:
    """What matches all parts; those that ask for nothing are left out. optional: raises scores."""
    found, missing = _sorted(parts)
    if found:
        return Matched(_clauses((Occur.Must, found), (Occur.MustNot, missing), (Occur.Should, _sorted(optional)[0])))
    return Matched(_clauses((Occur.Should, missing)), complement=True) if missing else None


def _sorted(parts: Iterable[Matched | None]) -> tuple[list[Query], list[Query]]:
    """Queries of sets, and of complements."""
    there = [part for part in parts if part is not None]
    return [part.query for part in there if not part.complement], [part.query for part in there if part.complement]


def _clauses(*clauses: tuple[Occur, list[Query]]) -> Query:
    flat = [(occur, query) for occur, queries in clauses for query in queries]
    if len(flat) == 1 and flat[0][0] != Occur.MustNot:
        return flat[0][1]
    return Query.boolean_query(flat)
