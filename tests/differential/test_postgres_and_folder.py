"""A collection in PostgreSQL answers as one in a folder does: the same documents, with scores of the same bits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from postgres_server import Database

import twofold
from twofold.collection.collection import Collection
from twofold.encoders.hashed_words import HashedWords
from twofold.searching.hybrid import SEARCH_MODES, SearchMode

WORDS = ["red", "green", "blue", "apple", "pear", "plum", "runs", "sleeps", "slow", "fast", "house", "tree", "river"]
QUERIES = ["red apple", "the river sleeps", "plum plum house", "tree", "unknownword", "runs slow fast house tree"]


class Own(HashedWords):
    """An encoder that the library does not know, so that its collections learn their words at the first addition."""

    @property
    def source(self) -> dict[str, object]:
        return {"kind": "own"}


def documents(first: int, end: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(first)
    return [
        {
            "id": f"d{n}",
            "title": str(rng.choice(WORDS)) if n % 3 else "",
            "text": " ".join(rng.choice(WORDS, rng.integers(0 if n % 50 == 0 else 1, 60))),
            "year": 1990 + n % 20,
            "tags": [str(each) for each in rng.choice(WORDS, 2)],
        }
        for n in range(first, end)
    ]


def filled(collection: Collection) -> None:
    """What happens to a collection in its life."""
    collection.add(documents(0, 150))
    collection.add(documents(150, 260))
    collection.add(documents(30, 60))  # in place of others
    collection.delete(where={"year": 1995})
    collection.add([{"id": "equal 1", "text": "red apple"}, {"id": "equal 0", "text": "red apple"}])


@pytest.fixture(scope="module")
def both(postgres: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collection, Collection]]:
    encoder = Own(48, max_words=16)
    places = (tmp_path_factory.mktemp("c") / "local", postgres.address())
    with twofold.create(places[0], encoder) as local, twofold.create(places[1], encoder) as remote:
        for each in (local, remote):
            filled(each)
        yield local, remote


def answers(collection: Collection, mode: SearchMode, **options: Any) -> list[Any]:
    return [
        [(hit.id, hit.score, hit.passage, hit.parts) for hit in collection.search(query, mode=mode, **options)]
        for query in QUERIES
    ]


@pytest.mark.parametrize("mode", SEARCH_MODES)
@pytest.mark.parametrize(
    "options",
    [
        {"k": 300},
        {"k": 5, "offset": 7},
        {"k": 20, "where": {"year": {"$gte": 2000}, "tags": {"$in": ["red", "river"]}}},
        {"k": 20, "where": {"$truncated": False, "title": {"$ne": ""}}},
        {"k": 10, "passages": 2},
        {"k": 10, "unit": "passage"},
    ],
)
def test_every_mode_gives_the_same_hits_with_the_same_bits(
    both: tuple[Collection, Collection], mode: SearchMode, options: dict[str, Any]
) -> None:
    expected, found = (answers(each, mode, **options) for each in both)
    assert found == expected
    assert any(expected)


def test_what_is_read_is_the_same(both: tuple[Collection, Collection]) -> None:
    local, remote = both
    assert list(remote) == list(local)
    assert remote.facets("tags") == local.facets("tags")
    assert remote.ids(where={"year": {"$lt": 1994}}) == local.ids(where={"year": {"$lt": 1994}})
    here, there = local.info(), remote.info()
    for name in ("documents", "passages", "truncated", "tokens_cut", "without_vector", "lexical", "contract"):
        assert getattr(there, name) == getattr(here, name), name
    assert list(remote.like("d7", k=9)) == list(local.like("d7", k=9))


def test_after_tune_and_optimize_too(both: tuple[Collection, Collection]) -> None:
    for each in both:
        each.optimize()
        each.tune(analyser="plain")
    assert [answers(both[1], mode, k=50) for mode in SEARCH_MODES] == [
        answers(both[0], mode, k=50) for mode in SEARCH_MODES
    ]


def test_a_copy_goes_to_a_server_and_comes_back_the_same(postgres: Database, tmp_path: Path) -> None:
    first, back, there = tmp_path / "first", tmp_path / "back", postgres.address()
    with twofold.create(first, HashedWords(64, max_words=12)) as made:
        made.add([{"id": f"d{n}", "text": f"word{n} green tea " * (n % 9 + 1), "year": n} for n in range(30)])
        made.tune()
    assert twofold.copy(first, there).copied == twofold.copy(there, back).copied == 30
    with twofold.open(first) as one, twofold.open(there) as two, twofold.open(back) as three:
        assert one.differences(two).same
        assert one.differences(three).same
