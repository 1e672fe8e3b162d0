"""A query text that is asked again is not encoded again, and gets the same bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import twofold
from twofold.collection.known_queries import KnownQueries
from twofold.encoders.hashed_words import HashedWords


def test_only_new_texts_are_encoded_and_the_oldest_are_forgotten() -> None:
    asked: list[list[str]] = []

    def encode(texts: list[str]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        asked.append(texts)
        return np.array([[len(text)] for text in texts], np.float32)

    known = KnownQueries(2)
    assert known.vectors(["a", "bb", "a"], encode).tolist() == [[1], [2], [1]]
    assert known.vectors(["bb", "ccc"], encode).tolist() == [[2], [3]]
    assert known.vectors(["a"], encode).tolist() == [[1]]
    assert asked == [["a", "bb"], ["ccc"], ["a"]]


def test_a_collection_that_keeps_queries_answers_with_the_same_bits(tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", HashedWords(32)) as made:
        made.add([("a", "green tea"), ("b", "black coffee")])
    with twofold.open(tmp_path / "c") as plain, twofold.open(tmp_path / "c", kept_queries=10) as keeping:
        for query in ("tea", "coffee", "tea"):
            assert keeping.search(query) == plain.search(query)
        assert keeping.encoder.queries is not None
        assert keeping.encoder.queries.hits == 1
