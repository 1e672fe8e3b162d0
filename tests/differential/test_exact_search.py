"""Exact search against its definition: the score function over all rows, in plain numpy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.encoders.given_vectors import GivenVectors
from twofold.scores import Vectors, dense_scores

DIMENSION = 48
DOCUMENTS = 3_000


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    """Random directions; a third of them stand several times, so that ties are many."""
    rng = np.random.default_rng(7)
    values = rng.standard_normal((DOCUMENTS, DIMENSION)).astype(np.float32)
    values[rng.integers(0, DOCUMENTS, DOCUMENTS // 3)] = values[rng.integers(0, 40, DOCUMENTS // 3)]
    return values


@pytest.fixture(scope="module", params=["cosine", "dot"])
def collection(vectors: Vectors, request: pytest.FixtureRequest) -> Iterator[Collection]:
    with create(None, GivenVectors(DIMENSION, similarity=request.param)) as made:
        made.add(documents(), vectors=vectors)
        made.delete([f"{n:x}" for n in range(0, DOCUMENTS, 17)])
        yield made


def documents() -> list[dict[str, object]]:
    return [{"id": f"{n:x}", "text": f"text {n}", "half": n % 2, "rare": n % 500} for n in range(DOCUMENTS)]


def definition(collection: Collection, vectors: Vectors, query: Vectors, chosen: list[int]) -> list[tuple[str, float]]:
    """Every live row scored by the one function, sorted by score and id."""
    if collection.contract.similarity == "cosine":
        query = (query / np.linalg.norm(query.astype(np.float64))).astype(np.float32)
        vectors = (vectors / np.linalg.norm(vectors.astype(np.float64), axis=1)[:, None]).astype(np.float32)
    scores = dense_scores(query, vectors.astype(np.float16).astype(np.float32))
    ranked = sorted((-float(scores[n]), f"{n:x}") for n in chosen if n % 17)
    return [(identifier, -score) for score, identifier in ranked]


def queries(vectors: Vectors) -> list[Vectors]:
    rng = np.random.default_rng(8)
    near = [vectors[n] + 0.1 * rng.standard_normal(DIMENSION).astype(np.float32) for n in (1, 2, 3, 39)]
    return [*near, *(vectors[n] for n in (0, 5, 38)), rng.standard_normal(DIMENSION).astype(np.float32)]


def test_search_finds_what_scoring_every_row_finds(collection: Collection, vectors: Vectors) -> None:
    for query in queries(vectors):
        expected = definition(collection, vectors, query, list(range(DOCUMENTS)))
        found = collection.search(query, k=200)
        assert [(hit.id, hit.score) for hit in found] == expected[:200]


def test_a_filtered_search_is_the_search_over_what_passes(collection: Collection, vectors: Vectors) -> None:
    for query in queries(vectors):
        for where, chosen in (
            ({"half": 1}, range(1, DOCUMENTS, 2)),
            ({"rare": {"$in": [3, 4]}}, [n for n in range(DOCUMENTS) if n % 500 in (3, 4)]),
        ):
            expected = definition(collection, vectors, query, list(chosen))
            found = collection.search(query, k=100, where=where)
            assert [(hit.id, hit.score) for hit in found] == expected[:100]


def test_ties_at_the_end_of_a_ranking_go_to_the_smaller_id(collection: Collection, vectors: Vectors) -> None:
    query = vectors[0]
    expected = definition(collection, vectors, query, list(range(DOCUMENTS)))
    for depth in (1, 2, 3, 5, 8, 13, 21, 34):
        found = collection.search(query, k=depth, depth=depth)
        assert [(hit.id, hit.score) for hit in found] == expected[:depth]


def test_a_collection_of_equal_vectors_is_ranked_by_id() -> None:
    with create(None, GivenVectors(4)) as made:
        made.add([(f"{n}", "") for n in range(900)], vectors=np.ones((900, 4), dtype=np.float32))
        found = made.search(np.ones(4, dtype=np.float32), k=5, depth=5)
        assert [hit.id for hit in found] == ["0", "1", "10", "100", "101"]
