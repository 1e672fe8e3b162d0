"""On one snapshot a document's score depends on query and document: never on k, offset, depth, batch or thread."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.encoders.hashed_words import HashedWords
from twofold.scores import dense_scores

WORDS = ["red", "green", "blue", "apple", "pear", "plum", "runs", "sleeps", "slow", "fast", "the", "a", "of"]
QUERIES = ("red apple", "blue plum sleeps", "the", "fast of a pear", "unheard")


@pytest.fixture(scope="module")
def collection() -> Iterator[Collection]:
    rng = np.random.default_rng(1)
    texts = [" ".join(rng.choice(WORDS, rng.integers(1, 60))) for _ in range(600)]
    with create(None, HashedWords(64, max_words=20), depth=600) as made:
        made.add([{"id": f"d{n}", "text": text, "third": n % 3} for n, text in enumerate(texts)])
        yield made


@given(
    query=st.sampled_from(QUERIES),
    k=st.integers(1, 40),
    offset=st.integers(0, 200),
    third=st.sampled_from([None, 0, 1, 2]),
    depth=st.sampled_from([240, 300, 600]),
)
@settings(max_examples=150, deadline=None)
def test_a_page_is_a_cut_of_the_whole_ranking(
    collection: Collection, query: str, k: int, offset: int, third: int | None, depth: int
) -> None:
    where = None if third is None else {"third": third}
    whole = collection.search(query, k=600, where=where)
    page = collection.search(query, k=k, offset=offset, where=where, depth=depth)
    assert page == whole[offset : offset + k]


def test_a_run_of_many_queries_says_what_each_says_alone(collection: Collection) -> None:
    run = collection.run({query: query for query in QUERIES}, depth=50)
    for query in QUERIES:
        assert list(run[query].items()) == [(hit.id, hit.score) for hit in collection.search(query, k=50)]


def test_threads_get_the_same_answers(collection: Collection) -> None:
    alone = {query: collection.search(query, k=30) for query in QUERIES}
    with ThreadPoolExecutor(8) as pool:
        together = pool.map(lambda query: (query, collection.search(query, k=30)), QUERIES * 20)
        assert all(alone[query] == found for query, found in together)


def test_a_score_is_that_of_the_best_passage_over_all_of_them(collection: Collection) -> None:
    with collection.searcher() as searcher:
        query = collection.encoder.encode_queries(["red apple"])[0]
        for hit in searcher.search("red apple", k=600):
            numbers = np.array(list(searcher.snapshot.find([hit.id]).values()))
            passages = searcher.snapshot.passages(numbers)
            scores = dense_scores(query, searcher.dense.vectors(passages.handles))
            assert hit.score == scores.max()
            span = passages.spans[int(scores.argmax())].tolist()
            assert [hit.passage.start, hit.passage.end] == span
            assert hit.document.text[hit.passage.start : hit.passage.end] == hit.passage.text


@pytest.mark.parametrize("dimension", [3, 64, 384, 1000])
def test_a_score_has_the_same_bits_in_any_company(dimension: int) -> None:
    rng = np.random.default_rng(dimension)
    vectors = rng.standard_normal((1000, dimension)).astype(np.float32)
    queries = rng.standard_normal((64, dimension)).astype(np.float32)
    for query in queries:
        whole = dense_scores(query, vectors).view(np.uint32)
        assert (whole[:100] == dense_scores(query, vectors[:100]).view(np.uint32)).all()
        assert (whole[3::7] == dense_scores(query, vectors[3::7]).view(np.uint32)).all()
        for row in range(0, 1000, 97):
            assert whole[row] == dense_scores(query, vectors[row : row + 1]).view(np.uint32)[0]
    with ThreadPoolExecutor(4) as pool:
        scored = list(pool.map(lambda query: dense_scores(query, vectors), queries))
    assert all((found == dense_scores(query, vectors)).all() for query, found in zip(queries, scored, strict=True))
