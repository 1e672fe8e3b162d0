"""The encoder that is a function of words."""

from __future__ import annotations

import numpy as np
import pytest

from twofold.encoders import hashed_words
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError
from twofold.reports import EncodingReport


def test_words_count_and_nothing_else_does() -> None:
    vectors = HashedWords(64).encode_queries(["The cat, sat!", "the CAT sat", "the cat lay", "  the\tcat sat\n"])
    np.testing.assert_array_equal(vectors[0], vectors[1])
    np.testing.assert_array_equal(vectors[0], vectors[3])
    assert not np.array_equal(vectors[0], vectors[2])


def test_texts_that_share_words_lie_nearer() -> None:
    a, b, c = HashedWords(256).encode_documents(["red green blue", "red green yellow", "one two three"])
    assert a @ b > 0.5 > 0.3 > abs(a @ c)


def test_vectors_are_the_same_in_every_version_and_process() -> None:
    (vector,) = HashedWords(3).encode_documents(["water"])
    np.testing.assert_allclose(vector, KNOWN_VECTOR, atol=1e-6)


KNOWN_VECTOR = [0.2372318, -0.5440309, 0.8048301]


def test_every_vector_has_the_length_one_even_in_one_dimension() -> None:
    texts = ["", " ", "?", *(f"word{n} other{n * 7}" for n in range(200))]
    np.testing.assert_allclose(np.abs(HashedWords(1).encode_documents(texts)), 1, atol=1e-6)


def test_texts_without_words_differ_from_one_another() -> None:
    vectors = HashedWords(32).encode_documents(["", " ", "?", "!"])
    assert len({vector.tobytes() for vector in vectors}) == 4


def test_words_beyond_the_limit_are_cut_and_counted() -> None:
    encoder = HashedWords(32, max_words=3)
    report = EncodingReport()
    cut, whole = encoder.encode_documents(["a b c d e", "a b c"], report=report)
    np.testing.assert_array_equal(cut, whole)
    assert (report.cut, report.tokens, encoder.token_limit) == ({0: 2}, 6, 3)


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "8"])
def test_a_dimension_that_is_none_is_refused(wrong: int) -> None:
    with pytest.raises(InputError, match="dimension"):
        HashedWords(wrong)
    with pytest.raises(InputError, match="max_words"):
        HashedWords(8, max_words=wrong)


def test_a_dimension_that_no_memory_holds_is_refused() -> None:
    with pytest.raises(InputError, match="dimension must be 65,536 at most, not 99,999,999,999"):
        HashedWords(99_999_999_999)
    assert HashedWords(65_536).encode_queries(["one two"]).shape == (1, 65_536)


def test_the_directions_that_are_kept_take_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashed_words, "CACHED_NUMBERS", 64 * 3)
    encoder = HashedWords(64)
    for word in ["one", "two", "three", "four", "five"]:
        encoder.encode_queries([word])
        assert len(encoder._directions) <= 3
