"""On one snapshot scores of every mode, relevance and order never change with k, page, filter or order of adding."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.encoders.hashed_words import HashedWords
from twofold.rankings import Hit
from twofold.searching.hybrid import SEARCH_MODES

WORDS = [f"word{number}" for number in range(80)]
DOCUMENTS, DEPTH = 700, 150


def documents() -> list[dict[str, object]]:
    draw = random.Random(1)
    weights = [1 / (rank + 1) for rank in range(len(WORDS))]
    texts = [" ".join(draw.choices(WORDS, weights, k=draw.randint(1, 40))) for _ in range(DOCUMENTS)]
    # Equal texts make equal scores, which the id must order.
    texts[50:60] = [texts[50]] * 10
    return [{"id": f"d{n}", "text": text, "half": n % 2, "tenth": n % 10} for n, text in enumerate(texts)]


@pytest.fixture(scope="module")
def collections() -> Iterator[list[Collection]]:
    """The same documents put in in three orders, a third of two passages; one has lost others since, one learned its
    words half way."""
    with ExitStack() as held:
        made = [held.enter_context(create(None, HashedWords(64, max_words=24), depth=DEPTH)) for _ in range(3)]
        for number, collection in enumerate(made):
            given = documents()
            random.Random(number).shuffle(given)
            collection.add(given[:300])
            if number == 1:
                collection.tune()
            if number == 2:
                collection.add([{"id": f"gone{n}", "text": " ".join(WORDS[n : n + 20])} for n in range(60)])
            collection.add(given[300:])
            if number == 2:
                collection.delete([f"gone{n}" for n in range(60)])
            collection.optimize()
            collection.tune()
        yield made


def invariant(collections: list[Collection], cases: int, seed: int) -> None:
    draw = random.Random(seed)
    weights = [1 / (rank + 1) for rank in range(len(WORDS))]
    questions = [" ".join(draw.choices([*WORDS, "unknown"], [*weights, 0.3], k=draw.randint(1, 9))) for _ in range(60)]

    @cache
    def whole(number: int, question: str, mode: str, where: str) -> list[tuple[str, tuple[float, float | None]]]:
        filters = {"": None, "half": {"half": 1}, "tenth": {"tenth": 3}}
        return pairs(collections[number].search(question, k=DEPTH, mode=mode, where=filters[where]))  # type: ignore[arg-type]

    for _ in range(cases):
        question, mode = draw.choice(questions), draw.choice(SEARCH_MODES)
        where, number = draw.choice(["", "half", "tenth"]), draw.randrange(3)
        k = draw.randint(1, 40)
        offset = draw.randint(0, DEPTH - k)
        filters = {"": None, "half": {"half": 1}, "tenth": {"tenth": 3}}
        page = pairs(collections[number].search(question, k=k, offset=offset, mode=mode, where=filters[where]))
        assert page == whole(0, question, mode, where)[offset : offset + k]
        everything = dict(whole(0, question, mode, ""))
        assert all(score == everything.get(document, score) for document, score in page)


def pairs(hits: list[Hit]) -> list[tuple[str, tuple[float, float | None]]]:
    assert all(hit.relevance is not None for hit in hits)
    return [(hit.id, (hit.score, hit.relevance)) for hit in hits]


def test_pages_are_cuts_of_one_ranking(collections: list[Collection]) -> None:
    invariant(collections, 300, seed=0)


@pytest.mark.long
def test_pages_are_cuts_of_one_ranking_ten_thousand_times(collections: list[Collection]) -> None:
    invariant(collections, 10_000, seed=1)
