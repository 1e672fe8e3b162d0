"""A long text is read as tokens in pieces, whose tokens are those of the whole."""

from __future__ import annotations

import numpy as np
import pytest

from twofold.models import tokenizing
from twofold.models.locating import find_model
from twofold.models.tokenizing import Tokenizing

LONG = "".join(f"Line {n} of the text, which isn't short.{' ' if n % 3 else chr(10)}" for n in range(400))


@pytest.fixture(scope="module")
def reader() -> Tokenizing:
    return Tokenizing(find_model(None).folder, 256)


@pytest.mark.parametrize("text", [LONG, LONG.replace("\n", " "), "x" * 5000, "東京は日本の首都です。" * 500])
def test_pieces_of_a_text_have_the_tokens_of_the_whole(
    reader: Tokenizing, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = reader.spans([text, "", "short"])
    monkeypatch.setattr(tokenizing, "PIECE", 1_000)
    monkeypatch.setattr(tokenizing, "AT_ONCE", 2_500)
    found = reader.spans([text, "", "short"])
    assert len(found) == 3
    if not text.startswith("x"):  # one word of thousands of letters is a single unknown token
        for one, other in zip(found, whole, strict=True):
            np.testing.assert_array_equal(one, other)
    assert (np.diff(found[0], axis=0) >= 0).all()
    assert found[0][-1, 1] == len(text.rstrip())
