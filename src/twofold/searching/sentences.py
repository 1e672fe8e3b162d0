"""The sentence of a passage that is nearest to a query: the one with most of its words, by their rarity around it."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from twofold.lexical.highlighting import Highlights
from twofold.passages.boundaries import SENTENCE, boundaries

AROUND = 400
"""Characters before and after a passage that are read: its first and last sentence may begin and end there."""


@dataclass(frozen=True, slots=True)
class QueryMarking:
    """What a text query says about a text (`rankings.Marking`). It is small and can be pickled."""

    highlights: Highlights

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Start and end of the query's terms in characters, ascending and apart."""
        return self.highlights.spans(text)

    def sentence(self, text: str, start: int, end: int) -> tuple[int, int]:
        """Start and end of the sentence with most of the query, of those that lie in text[start:end] or overlap it.

        Each term of the query counts once, by its inverse document frequency among these sentences: a word that all of
        them have says nothing about which one it is. Of equal ones the earlier; the first where none has a term.
        """
        spans = sentences(text, start, end)
        if not spans:
            return start, end
        terms = [self.highlights.terms(text[first:last]) for first, last in spans]
        counts, many = Counter(term for having in terms for term in having), len(spans)
        rarity = {term: math.log(1 + (many - count + 0.5) / (count + 0.5)) for term, count in counts.items()}
        scores = [sum(rarity[term] for term in sorted(having)) for having in terms]
        return spans[scores.index(max(scores))]


def sentences(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Start and end of the sentences that lie in text[start:end] or overlap it, without the space around them.

    A sentence here is what stands between two boundaries of sentences, lines or paragraphs; one that reaches far beyond
    the passage is cut AROUND characters from it.
    """
    first, last = max(0, start - AROUND), min(len(text), end + AROUND)
    part = text[first:last]
    found = boundaries(part)
    places = [0, *found.places[found.ranks >= SENTENCE].tolist(), len(part)]
    spans = []
    for one, next_one in pairwise(places):
        inner = part[one:next_one]
        begins = first + one + len(inner) - len(inner.lstrip())
        ends = begins + len(inner.strip())
        if begins < ends and begins < end and ends > start:
            spans.append((begins, ends))
    return spans
