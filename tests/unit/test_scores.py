"""Scores and their order at the corners; tests/property/test_scores_laws.py holds the laws over random input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from twofold.errors import VectorError
from twofold.scores import MaskCount, checked_vectors, dense_scores, order, scaled, unit_vectors


def test_the_score_is_the_dot_product_in_float32() -> None:
    vectors = np.array([[1, 2], [3, 4], [0, 0]], dtype=np.float32)
    scores = dense_scores(np.array([10, 1], dtype=np.float32), vectors)
    assert scores.dtype == np.float32
    assert scores.tolist() == [12.0, 34.0, 0.0]


def test_no_vectors_have_no_scores() -> None:
    assert dense_scores(np.ones(3, dtype=np.float32), np.empty((0, 3), dtype=np.float32)).shape == (0,)


def test_higher_is_better_and_ties_go_to_the_smaller_id_in_bytes() -> None:
    scores = np.array([0.5, 0.9, 0.5, 0.5, 0.5], dtype=np.float32)
    ids = ["b", "z", "B", "é", "ab"]
    assert [ids[position] for position in order(scores, ids)] == ["z", "B", "ab", "b", "é"]


def test_ids_beyond_the_first_plane_sort_by_their_bytes() -> None:
    ids = ["\U0001f600", "￿", "a"]
    ranked = [ids[position] for position in order(np.zeros(3, dtype=np.float32), ids)]
    assert ranked == sorted(ids, key=str.encode)


def test_nan_cannot_be_ranked() -> None:
    with pytest.raises(VectorError, match="NaN"):
        order(np.array([1, np.nan], dtype=np.float32), ["a", "b"])


def test_zeros_of_either_sign_are_equal() -> None:
    assert order(np.array([0.0, -0.0], dtype=np.float32), ["b", "a"]).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([["a", "b"]], "must be numbers"),
        ([[True, False]], "must be numbers"),
        ([1.0, 2.0], r"have the shape \(2,\); this collection takes \(n, 2\)"),
        ([[1.0, 2.0, 3.0]], r"have the shape \(1, 3\)"),
        ([[0.0, 1.0], [np.nan, 1.0], [1.0, -np.inf]], r"line 1 holds NaN or infinity \(2 such lines in all\)"),
        ([[1e39, 1.0]], "line 0 holds NaN or infinity"),
    ],
    ids=str,
)
def test_values_that_are_no_vectors_are_refused_naming_the_line(values: Any, said: str) -> None:
    with pytest.raises(VectorError, match=said):
        checked_vectors(values, 2)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint64", ">f4"])
def test_numbers_of_any_width_become_contiguous_float32(dtype: str) -> None:
    vectors = checked_vectors(np.arange(6).reshape(2, 3).T.astype(dtype), 2)
    assert vectors.dtype == np.float32
    assert vectors.flags.c_contiguous
    assert vectors.tolist() == [[0, 3], [1, 4], [2, 5]]


def test_a_unit_vector_has_length_one_and_the_same_direction() -> None:
    assert unit_vectors(np.array([[3, 4], [-2, 0]], dtype=np.float32)).tolist() == [
        [pytest.approx(0.6), pytest.approx(0.8)],
        [-1.0, 0.0],
    ]


def test_tiny_and_huge_vectors_have_a_direction() -> None:
    vectors = np.array([[1e-30, 0], [1e30, 1e30]], dtype=np.float32)
    np.testing.assert_allclose(unit_vectors(vectors), [[1, 0], [0.5**0.5, 0.5**0.5]], rtol=1e-6)


def test_what_is_of_unit_length_stays_as_it_is_bit_for_bit() -> None:
    once = unit_vectors(np.random.default_rng(0).standard_normal((500, 384)).astype(np.float32))
    assert unit_vectors(once).tobytes() == once.tobytes()


def test_a_zero_vector_has_no_direction() -> None:
    with pytest.raises(VectorError, match=r"queries: line 1 is a zero vector.*\(2 in all\)"):
        unit_vectors(np.array([[1, 0], [0, 0], [0, 0]], dtype=np.float32), what="queries")


def test_cosine_scales_and_dot_leaves_as_it_is() -> None:
    vectors = np.array([[3, 4], [0, 0]], dtype=np.float32)
    assert scaled(vectors, "dot").tobytes() == vectors.tobytes()
    assert scaled(vectors[:1], "cosine").tobytes() == unit_vectors(vectors[:1]).tobytes()


def test_a_mask_is_counted_once_and_another_one_anew() -> None:
    count = MaskCount()
    mask = np.array([True, False, True])
    assert (count(mask), count(mask), count(mask[:2]), count(~mask)) == (2, 2, 1, 1)
