"""The choice among a text's boundaries: full passages, ending where the text is divided best.

The sum of costs over all passages is the least possible. A passage costs the square of the share of its size that is
missing, the place at which it begins, and the sections that begin inside it. So a change of the text moves the
boundaries near it alone: those before and after belong to the same best division again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twofold.passages.boundaries import SECTION, Boundaries

PLACES = np.array([4.0, 0.3, 0.15, 0.05, 0.0])
"""What a passage costs that begins at a place, by its rank."""
CROSSED = 0.3
"""What a section costs that begins inside a passage."""

Spans = NDArray[np.int32]
Counts = NDArray[np.int64]


def packed(tokens: Spans, found: Boundaries, length: int, limit: int) -> Counts:
    """Where passages of at most `limit` tokens begin, in characters; int64, ascending, the first of them 0.

    tokens: int32 (n, 2), all of the text; length: of the text, in characters. A piece between two boundaries that is
    longer than the limit is divided between words, and a word that is, between tokens.
    """
    places, ranks, counts = _nodes(tokens, found, length, limit)
    last = len(places) - 1
    section = np.cumsum(ranks == SECTION)
    costs, chosen = np.zeros(last + 1), np.zeros(last + 1, np.int64)
    at = PLACES[ranks]
    at[0] = 0
    firsts = np.searchsorted(counts, counts - limit)
    for end in range(1, last + 1):
        start = min(int(firsts[end]), end - 1)
        missing = 1 - (counts[end] - counts[start:end]) / limit
        crossed = section[end - 1] - section[start:end]
        total = costs[start:end] + at[start:end] + missing * missing + CROSSED * crossed
        best = int(np.argmin(total))
        costs[end], chosen[end] = total[best], start + best
    path = [last]
    while path[-1]:
        path.append(int(chosen[path[-1]]))
    starts: Counts = places[np.array(path[:0:-1], np.int64)]
    return starts


def _nodes(tokens: Spans, found: Boundaries, length: int, limit: int) -> tuple[Counts, NDArray[np.int8], Counts]:
    """Places, their ranks and the tokens before each: the boundaries with both ends, and more where they are far
    apart."""
    places = np.concatenate([[0], found.places, [length]])
    ranks = np.concatenate([[0], found.ranks, [SECTION]]).astype(np.int8)
    counts = np.searchsorted(tokens[:, 0], places)
    counts[-1] = len(tokens)
    # A boundary with no token between it and the one before, as between two lines of spaces, divides nothing.
    kept = (np.diff(counts, prepend=-1) > 0) & (counts < len(tokens))
    kept[[0, -1]] = True
    places, ranks, counts = places[kept], ranks[kept], counts[kept]
    long = np.flatnonzero(np.diff(counts) > limit)
    more = [_between(tokens, int(counts[at]), int(counts[at + 1]), limit) for at in long]
    if not more:
        return places, ranks, counts
    inner = np.concatenate(more)
    order = np.argsort(np.concatenate([counts, inner]), kind="stable")
    return (
        np.concatenate([places, tokens[inner, 0]])[order],
        np.concatenate([ranks, np.zeros(len(inner), np.int8)])[order],
        np.concatenate([counts, inner])[order],
    )


def _between(tokens: Spans, first: int, end: int, limit: int) -> Counts:
    """The tokens strictly between two boundaries that begin a word, and all of those of a word beyond the limit."""
    inner = np.arange(first + 1, end)
    opens = tokens[inner, 0] > tokens[inner - 1, 1]
    chosen = np.flatnonzero(opens)
    gaps = np.diff(np.concatenate([[-1], chosen, [len(inner)]]))
    where = np.concatenate([[-1], chosen])
    for at in np.flatnonzero(gaps > limit):
        opens[where[at] + 1 : where[at] + gaps[at]] = True
    result: Counts = inner[opens]
    return result
