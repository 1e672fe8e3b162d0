"""Codes of token vectors: what rounding loses, that a vector has one code, and how rows are laid out."""

from __future__ import annotations

import numpy as np
import pytest

from twofold.errors import InputError, VectorError
from twofold.maxsim import TokenVectors, maxsim
from twofold.scores import Vectors, unit_vectors
from twofold.token_codes import LEVELS, SLOTS, TokenCodes, words_a_row

COUNTS = np.array([5, 0, 8, 17, 1])


def drawn(count: int, dimension: int = 48, seed: int = 0) -> Vectors:
    """Unit vectors with one number that is much larger than the others, as token states have."""
    made = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    made[:, 3] *= 12
    return unit_vectors(made)


def stored(codes: TokenCodes, vectors: Vectors, counts: np.ndarray) -> TokenVectors:
    return codes.vectors(*codes.rows(TokenVectors(vectors, counts)))


@pytest.mark.parametrize(("bits", "error"), [(4, 0.12), (2, 0.42)])
def test_a_stored_vector_is_near_the_true_one_and_its_product_with_it_is_the_square(bits: int, error: float) -> None:
    vectors, codes = drawn(31), TokenCodes(48, bits)
    back = stored(codes, vectors, COUNTS)
    assert back.counts.tolist() == COUNTS.tolist()
    restored = codes.restored(back.vectors)
    assert np.linalg.norm(restored - vectors) / np.linalg.norm(vectors) < error
    assert np.einsum("ij,ij->i", restored, vectors) == pytest.approx(np.ones(31), abs=1e-3)


@pytest.mark.parametrize("bits", [4, 2])
def test_products_of_turned_vectors_are_those_of_the_vectors(bits: int) -> None:
    vectors, queries, codes = drawn(31), drawn(4, seed=1), TokenCodes(48, bits)
    turned = codes.turned(queries) @ codes.turned(vectors).T
    assert turned == pytest.approx(queries @ vectors.T, abs=1e-5)
    scores = codes.maxsim(codes.turned(queries), *codes.rows(TokenVectors(vectors, COUNTS)))
    assert scores == pytest.approx(maxsim(codes.turned(queries), stored(codes, vectors, COUNTS)), abs=1e-6)
    assert scores[1] == -1
    assert scores[[0, 2, 3]] == pytest.approx(maxsim(queries, TokenVectors(vectors, COUNTS))[[0, 2, 3]], abs=0.15)


@pytest.mark.parametrize("bits", [4, 2])
def test_a_vector_has_one_code_whatever_stands_beside_it(bits: int) -> None:
    vectors, codes = drawn(100, 384), TokenCodes(384, bits)
    whole, turned = stored(codes, vectors, np.array([100])).vectors, codes.turned(vectors)
    for first, end in ((0, 1), (40, 41), (7, 73), (3, 5)):
        assert codes.turned(vectors[first:end]).tobytes() == turned[first:end].tobytes()
        alone = stored(codes, vectors[first:end], np.array([end - first])).vectors
        assert alone.tobytes() == whole[first:end].tobytes()


@pytest.mark.parametrize("bits", [4, 2])
def test_a_passage_scores_the_same_bits_whatever_is_scored_with_it(bits: int) -> None:
    codes, queries = TokenCodes(48, bits), drawn(5, seed=1)
    words, rows = codes.rows(TokenVectors(drawn(400), np.array([90, 3, 40, 0, 200, 66, 1])))
    whole = codes.maxsim(queries, words, rows)
    ends = np.cumsum(rows)
    for n, (count, end) in enumerate(zip(rows.tolist(), ends.tolist(), strict=True)):
        assert codes.maxsim(queries, words[end - count : end], np.array([count])).tobytes() == whole[n].tobytes()
    assert codes.maxsim(queries, words[ends[0] : ends[3]], rows[1:4]).tobytes() == whole[1:4].tobytes()


def test_a_passage_begins_in_a_row_of_its_own_and_its_last_row_is_filled_up() -> None:
    codes = TokenCodes(48, 4)
    words, rows = codes.rows(TokenVectors(drawn(31), COUNTS))
    assert rows.tolist() == [1, 0, 1, 3, 1]
    assert words.shape == (6, words_a_row(48, 4)) == (6, SLOTS * (1 + 12))
    empty = (words[:, :SLOTS] == 0).sum(axis=1)
    assert empty.tolist() == [3, 0, 0, 0, 7, 7]


def test_a_dimension_that_fills_no_word_is_filled_up() -> None:
    codes = TokenCodes(5, 2)
    vectors = drawn(9, 5)
    assert codes.words == SLOTS * 2
    assert codes.restored(stored(codes, vectors, np.array([9])).vectors).shape == (9, 5)


def test_a_vector_without_a_direction_is_left_out() -> None:
    vectors = drawn(3)
    vectors[1] = 0
    back = stored(TokenCodes(48, 4), vectors, np.array([3]))
    assert back.counts.tolist() == [2]


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30, 1e-9])
def test_what_a_code_cannot_hold_is_refused(value: float) -> None:
    vectors = drawn(2)
    vectors[1] *= value
    with pytest.raises(VectorError, match="a token's vector"), np.errstate(over="ignore", invalid="ignore"):
        TokenCodes(48, 4).rows(TokenVectors(vectors, np.array([2])))


@pytest.mark.parametrize("bits", [0, 1, 3, 8])
def test_other_numbers_of_bits_are_refused(bits: int) -> None:
    with pytest.raises(InputError, match=f"not {bits}"):
        TokenCodes(48, bits)


@pytest.mark.parametrize("bits", [4, 2])
def test_the_levels_are_the_means_of_what_is_rounded_to_them(bits: int) -> None:
    """Lloyd's condition, which the levels for a normal distribution meet (Max 1960)."""
    values = np.linspace(-8, 8, 400_001)
    weights = np.exp(-(values**2) / 2)
    levels = np.array([*(-level for level in LEVELS[bits][::-1]), *LEVELS[bits]])
    cells = np.searchsorted((levels[1:] + levels[:-1]) / 2, values)
    means = np.bincount(cells, weights * values) / np.bincount(cells, weights)
    assert means == pytest.approx(levels, abs=2e-3)
