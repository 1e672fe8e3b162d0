"""Where a text has terms of a query, in characters: for showing why it was found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from twofold.lexical.analysing import Analysis, LexicalSettings

ANALYSES_KEPT = 4
"""Ways of analysing whose terms are remembered for showing hits."""


@dataclass(frozen=True, slots=True)
class Highlights:
    """The terms of one query. It is small and can be pickled: terms are made when a text is shown.

    settings: how texts become terms. query: its text, without signs of the query language.
    """

    settings: LexicalSettings
    query: str

    def terms(self, text: str) -> frozenset[str]:
        """The terms of the query that the text has."""
        analysis = _analysis(self.settings)
        return frozenset(analysis.terms(self.query)) & frozenset(analysis.terms(text))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each word, or run of characters for n-grams, that the query has too; ascending, apart."""
        analysis = _analysis(self.settings)
        wanted = set(analysis.terms(self.query))
        if not wanted:
            return []
        if analysis.grams:
            return list(_covered(analysis, text, wanted))
        return [(start, end) for start, end in _words(analysis, text) if wanted & set(analysis.terms(text[start:end]))]


def _words(analysis: Analysis, text: str) -> Iterator[tuple[int, int]]:
    """The runs of characters of which none stands between words. What is folded to nothing is part of a word."""
    for between, run in groupby(enumerate(text), lambda placed: analysis.folded(placed[1]).isspace()):
        if not between:
            places = [place for place, _ in run]
            yield places[0], places[-1] + 1


def _covered(analysis: Analysis, text: str, wanted: set[str]) -> Iterator[tuple[int, int]]:
    """The runs of characters that the longest n-grams of the query cover."""
    longest = max(map(len, wanted))
    grams = [gram for gram in wanted if len(gram) == longest and not gram.isspace()]
    folded = [(place, part) for place, character in enumerate(text) for part in analysis.folded(character)]
    plain = "".join(part for _, part in folded)
    covered = {
        folded[place][0]
        for gram in grams
        for found in re.finditer(f"(?={re.escape(gram)})", plain)
        for place in range(found.start(), found.start() + longest)
    }
    for is_covered, run in groupby(range(len(text)), covered.__contains__):
        if is_covered:
            places = list(run)
            yield places[0], places[-1] + 1


@lru_cache(ANALYSES_KEPT)
def _analysis(settings: LexicalSettings) -> Analysis:
    return Analysis(settings)
