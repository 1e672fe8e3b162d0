"""A dev split that shares no document and no near-duplicate query with what is trained on."""

from __future__ import annotations

import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from twofold.errors import InputError
from twofold.training.examples import Examples

WORD = re.compile(r"\w+")
NEAR = 0.8
"""Jaccard similarity of the words of two queries from which they count as the same question."""


@dataclass(frozen=True, slots=True)
class Split:
    """Queries to train on and queries held out, in the order of the examples; near: pairs of near-duplicates."""

    train: list[str]
    dev: list[str]
    near: int


def split(examples: Examples, share: float, seed: int) -> Split:
    """Holds out about a share of the queries.

    Queries that have a document in common, or nearly all words, stay together; groups are drawn by the seed. Raises
    InputError where no group fits into the dev split, or fewer than two queries would be on either side.
    """
    leader = {query: query for query in examples.queries}

    def find(query: str) -> str:
        while leader[query] != query:
            leader[query] = query = leader[leader[query]]
        return query

    first: dict[str, str] = {}
    for query, found in examples.positives.items():
        for document in found:
            leader[find(query)] = find(first.setdefault(document, query))
    near = 0
    for one, other in near_duplicates(examples.queries):
        near += 1
        leader[find(one)] = find(other)
    groups: dict[str, list[str]] = defaultdict(list)
    for query in examples.queries:
        groups[find(query)].append(query)
    dev = _drawn(list(groups.values()), round(share * len(examples.queries)), seed)
    train = [query for query in examples.queries if query not in dev]
    if min(len(dev), len(train)) < 2:
        raise InputError(
            f"{len(examples.queries)} queries in {len(groups)} groups that share no document and no near-duplicate "
            f"leave {len(train)} to train on and {len(dev)} to hold out; at least two each are needed: give more data"
        )
    return Split(train, [query for query in examples.queries if query in dev], near)


def words_of(text: str) -> frozenset[str]:
    """The different words of a text, in lower case."""
    return frozenset(WORD.findall(text.lower()))


def near_duplicates(texts: Mapping[str, str], near: float = NEAR) -> Iterator[tuple[str, str]]:
    """Pairs of ids whose texts' sets of words have a Jaccard similarity of at least `near`.

    Exact: two such sets share one of their rarest words (prefix filtering, Bayardo, Ma & Srikant 2007).
    """
    words = {identifier: words_of(text) for identifier, text in texts.items()}
    frequency = Counter(word for each in words.values() for word in each)
    by_word: dict[str, list[str]] = defaultdict(list)
    for identifier, mine in words.items():
        rarest = sorted(mine, key=lambda word: (frequency[word], word))
        prefix = rarest[: len(mine) - math.ceil(near * len(mine)) + 1]
        for other in dict.fromkeys(each for word in prefix for each in by_word[word]):
            if len(mine & words[other]) >= near * len(mine | words[other]):
                yield identifier, other
        for word in prefix:
            by_word[word].append(identifier)


def _drawn(groups: list[list[str]], wanted: int, seed: int) -> set[str]:
    random.Random(seed).shuffle(groups)  # noqa: S311 - a draw that can be repeated, no secret
    drawn: set[str] = set()
    for group in groups:
        if len(drawn) + len(group) <= wanted:
            drawn.update(group)
    return drawn
