"""The encoder that encodes nothing."""

from __future__ import annotations

import pytest

from twofold.encoders.given_vectors import GivenVectors
from twofold.encoders.loading import load_source
from twofold.errors import InputError


def test_asking_for_a_vector_says_that_one_must_be_brought() -> None:
    encoder = GivenVectors(8, similarity="dot")
    with pytest.raises(InputError, match="give the query's vector"):
        encoder.encode_queries(["water"])
    with pytest.raises(InputError, match="vectors="):
        encoder.encode_documents(["water"])


def test_the_source_makes_an_equal_contract() -> None:
    encoder = GivenVectors(8, similarity="dot")
    assert load_source(encoder.source).contract == encoder.contract
    assert encoder.contract != GivenVectors(8).contract != GivenVectors(9).contract


@pytest.mark.parametrize("wrong", [0, 1.5, True, None])
def test_a_dimension_that_is_none_is_refused(wrong: int) -> None:
    with pytest.raises(InputError, match="dimension"):
        GivenVectors(wrong)


def test_a_similarity_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="'l2'"):
        GivenVectors(8, similarity="l2")  # type: ignore[arg-type]
