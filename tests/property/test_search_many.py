"""Many queries answered together: each gets what it gets alone, bit for bit, from one commit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import QueryError, VectorError
from twofold.hits import Hits
from twofold.scores import Scores
from twofold.searching import searcher as searching
from twofold.searching.hybrid import SEARCH_MODES, SearchMode

WORDS = ["red", "green", "blue", "apple", "pear", "plum", "runs", "sleeps", "slow", "fast", "the", "a", "of"]


@pytest.fixture(scope="module")
def collection() -> Iterator[Collection]:
    rng = np.random.default_rng(1)
    texts = [" ".join(rng.choice(WORDS, rng.integers(1, 60))) for _ in range(400)]
    with create(None, HashedWords(64, max_words=20)) as made:
        made.add([{"id": f"d{n}", "text": text, "third": n % 3} for n, text in enumerate(texts)])
        made.tune()
        yield made


@given(
    queries=st.lists(st.lists(st.sampled_from([*WORDS, "unheard"]), min_size=1, max_size=6).map(" ".join), max_size=12),
    mode=st.sampled_from([None, *SEARCH_MODES]),
    k=st.integers(1, 30),
    offset=st.integers(0, 30),
    third=st.sampled_from([None, 0, 2]),
)
@settings(max_examples=60, deadline=None)
def test_each_query_is_answered_as_it_is_alone(
    collection: Collection, queries: list[str], mode: SearchMode | None, k: int, offset: int, third: int | None
) -> None:
    where = None if third is None else {"third": third}
    together = collection.search_many(queries, k=k, offset=offset, where=where, mode=mode)
    assert together == [collection.search(query, k=k, offset=offset, where=where, mode=mode) for query in queries]


def test_it_makes_no_difference_how_many_are_encoded_together(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = [f"{first} {second}" for first in WORDS for second in WORDS]
    whole = collection.search_many(queries)
    monkeypatch.setattr(searching, "QUERIES_AT_ONCE", 7)
    assert collection.search_many(queries) == whole
    assert [hit.id for hit in whole[3]] == list(collection.run({"q": queries[3]})["q"])[:10]


def test_vectors_are_queries_too(collection: Collection) -> None:
    vectors = collection.encoder.encode_queries(["red apple", "slow plum"])
    assert collection.search_many(vectors) == [collection.search(vector) for vector in vectors]
    assert collection.search_many(vectors) == collection.search_many(["red apple", "slow plum"], mode="dense")
    assert collection.search_many([vectors[0], "slow plum"])[1] == collection.search("slow plum")


class Longest:
    """A second stage that wants long passages."""

    name = "length"

    def scores(self, query: str, texts: Sequence[str]) -> Scores:
        return np.array([len(text) for text in texts], np.float32)


def test_a_ranker_reads_the_whole_ranking_of_each(collection: Collection) -> None:
    queries = ["red apple", "slow plum"]
    found = collection.search_many(queries, k=5, offset=2, ranker=Longest())
    assert found == [collection.search(query, k=5, offset=2, ranker=Longest()) for query in queries]


def test_what_no_query_may_be_is_refused(collection: Collection) -> None:
    assert collection.search_many([]) == []
    with pytest.raises(QueryError, match=r"queries is a list; for one query write \['red'\]"):
        collection.search_many("red")
    with pytest.raises(QueryError, match="not a list of texts; search_many takes several"):
        collection.search(["red", "blue"])  # type: ignore[arg-type]
    with pytest.raises(VectorError, match=r"has the shape \(2, 64\); this .*; search_many takes several"):
        collection.search(collection.encoder.encode_queries(["red", "blue"]))
    with pytest.raises(QueryError, match="query 1: it is empty"):
        collection.search_many(["red", " "])
    with pytest.raises(QueryError, match="a ranker reads the query"):
        collection.search_many(collection.encoder.encode_queries(["red"]), ranker=Longest())


def test_all_are_asked_of_one_commit(collection: Collection) -> None:
    hits: list[Hits] = []
    with create(None, HashedWords(8)) as made:
        made.add([("a", "red")])
        with made.searcher() as searcher:
            made.add([("b", "red red")])
            hits = searcher.search_many(["red"] * 3, mode="dense")
    assert [[hit.id for hit in each] for each in hits] == [["a"]] * 3
