"""How many rows a search fetches from an index: more each time, until they are enough for the ranking."""

from __future__ import annotations

from collections.abc import Iterator

SPARE = 1.25
"""Rows fetched for each row that a ranking is likely to need, since documents have different numbers of them."""
FACTOR = 4
"""Each search fetches this many times as many rows as the one before."""


def widening(count: int) -> Iterator[int]:
    """`count`, then FACTOR times as many each time, without end."""
    while True:
        yield count
        count *= FACTOR
