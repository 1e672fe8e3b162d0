"""Pairs of a query and a text, as rankers are given them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twofold.errors import InputError
from twofold.scores import Numbers


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


@dataclass(frozen=True, slots=True)
class PairsByQuery:
    """Pairs, sorted so that each query and each text is encoded once.

    queries, texts: the different ones. of_query: for each query the positions of its pairs, and which of the texts each
    is with, both int64.
    """

    queries: list[str]
    texts: list[str]
    of_query: list[tuple[Numbers, Numbers]]

    @classmethod
    def of(cls, pairs: Sequence[tuple[str, str]]) -> PairsByQuery:
        """Raises InputError for what is no pair of texts."""
        check_pairs(pairs)
        queries = {query: number for number, query in enumerate(dict.fromkeys(query for query, _ in pairs))}
        texts = {text: number for number, text in enumerate(dict.fromkeys(text for _, text in pairs))}
        places: list[list[tuple[int, int]]] = [[] for _ in queries]
        for position, (query, text) in enumerate(pairs):
            places[queries[query]].append((position, texts[text]))
        numbers = [np.array(each, np.int64).T for each in places]
        return cls(list(queries), list(texts), [(each[0], each[1]) for each in numbers])
