"""Pairs of a query and a text, as rankers are given them."""

from __future__ import annotations

from collections.abc import Sequence

from twofold.errors import InputError


def pairs_of(query: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    """The query with each text. Raises InputError for a single text, which would be taken for its letters."""
    if isinstance(texts, str):
        raise InputError("scores takes a list of texts; put a single text in a list")
    return [(query, text) for text in texts]


def check_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    """Raises InputError, naming its place, for what is no pair of texts."""
    for position, pair in enumerate(pairs):
        if isinstance(pair, str) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
            raise InputError(f"pair {position} must be two strings, a query and a text, not {pair!r:.80}")
