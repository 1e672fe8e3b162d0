"""The score law: a document's score depends on query and document alone, and the order is total."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from twofold.scores import Vectors, dense_scores, order, unit_vectors

DIMENSIONS = [1, 3, 8, 17, 384, 1024]
numbers = st.floats(-1e3, 1e3, width=32)


def random(rows: int, dimension: int, seed: int = 0) -> Vectors:
    return np.random.default_rng(seed).standard_normal((rows, dimension)).astype(np.float32)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_a_row_has_the_same_bits_alone_and_among_any_others(dimension: int) -> None:
    vectors, query = random(1000, dimension), random(1, dimension, 1)[0]
    all_at_once = dense_scores(query, vectors)
    alone = np.concatenate([dense_scores(query, vectors[row : row + 1]) for row in range(1000)])
    in_hundreds = np.concatenate([dense_scores(query, vectors[row : row + 100]) for row in range(0, 1000, 100)])
    picked = np.random.default_rng(2).permutation(1000)[:333]
    assert alone.tobytes() == in_hundreds.tobytes() == all_at_once.tobytes()
    assert dense_scores(query, vectors[picked]).tobytes() == all_at_once[picked].tobytes()


def test_memory_layout_and_width_of_the_input_change_no_bits() -> None:
    vectors, query = random(200, 384).astype(np.float16), random(1, 384, 1)[0]
    expected = dense_scores(query, vectors.astype(np.float32)).tobytes()
    assert dense_scores(query, np.asfortranarray(vectors.astype(np.float32))).tobytes() == expected
    assert dense_scores(query, vectors.astype(np.float32)[::-1][::-1]).tobytes() == expected
    unaligned = np.frombuffer(b"x" + vectors.astype(np.float32).tobytes(), dtype=np.uint8)[1:].view(np.float32)
    assert dense_scores(query, unaligned.reshape(200, 384)).tobytes() == expected


def test_threads_change_no_bits() -> None:
    vectors, queries = random(500, 384), random(64, 384, 1)
    expected = [dense_scores(query, vectors).tobytes() for query in queries]
    with ThreadPoolExecutor(8) as pool:
        assert [
            scores.tobytes() for scores in pool.map(lambda query: dense_scores(query, vectors), queries)
        ] == expected


def test_the_score_is_near_the_exact_dot_product() -> None:
    vectors, query = random(1000, 384), random(1, 384, 1)[0]
    exact = vectors.astype(np.float64) @ query.astype(np.float64)
    np.testing.assert_allclose(dense_scores(query, vectors), exact, atol=1e-4)


@given(scores=arrays(np.float32, st.integers(0, 30), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0])), data=st.data())
def test_the_order_is_that_of_score_then_bytes_of_the_id_whatever_came_first(
    scores: Vectors, data: st.DataObject
) -> None:
    ids = data.draw(st.lists(st.text(min_size=1, max_size=3), min_size=len(scores), max_size=len(scores), unique=True))
    ranked = [(float(scores[position]), ids[position]) for position in order(scores, ids)]
    assert ranked == sorted(zip(scores.tolist(), ids, strict=True), key=lambda pair: (-pair[0], pair[1].encode()))
    shuffled = data.draw(st.permutations(range(len(ids))))
    again = order(scores[shuffled], [ids[position] for position in shuffled])
    assert [ids[shuffled[position]] for position in again] == [identifier for _, identifier in ranked]


@given(arrays(np.float32, (4, 5), elements=numbers))
def test_unit_vectors_have_length_one_and_keep_what_is_one(vectors: Vectors) -> None:
    vectors[:, 0] = np.where((vectors == 0).all(axis=1), 1, vectors[:, 0])
    once = unit_vectors(vectors)
    np.testing.assert_allclose(np.linalg.norm(once.astype(np.float64), axis=1), 1, atol=1e-6)
    assert unit_vectors(once).tobytes() == once.tobytes()
    for line, vector in enumerate(vectors):
        assert unit_vectors(vector[None]).tobytes() == once[line : line + 1].tobytes()
