"""Vectors of two contracts never meet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from twofold.collection.collection import Collection
from twofold.collection.opening import create, open_collection
from twofold.contract import PROBE_TEXTS
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import ContractError, InputError
from twofold.reports import EncodingReport
from twofold.scores import Vectors


class BentQueries(HashedWords):
    """The same contract, but another library version bends the query side."""

    def encode_queries(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        vectors = super().encode_queries(texts, report=report)
        vectors[:, 0] += 0.2
        return vectors


def made(path: Path) -> Path:
    with create(path, HashedWords(32)) as collection:
        collection.add([("a", "red apple"), ("b", "blue plum")])
    return path


def test_another_encoder_is_refused_with_every_field_that_differs(tmp_path: Path) -> None:
    path = made(tmp_path / "c")
    with pytest.raises(ContractError) as caught:
        open_collection(path, HashedWords(64, max_words=100))
    fields = {difference.field for difference in caught.value.differences}
    assert {"dimension", "max_tokens"} <= fields
    for value in ("64", "32", "100", "256"):
        assert value in str(caught.value)


def test_a_bent_space_is_caught_at_the_first_query(tmp_path: Path) -> None:
    with open_collection(made(tmp_path / "c"), BentQueries(32)) as collection:
        collection.add([("c", "green pear")])
        with pytest.raises(ContractError, match="query side"):
            collection.search("red apple")
        with pytest.raises(ContractError, match="query side"):
            collection.search("red apple")


def test_each_side_is_probed_once(tmp_path: Path) -> None:
    asked: list[str] = []

    class Listening(HashedWords):
        def encode_queries(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
            asked.extend(texts)
            return super().encode_queries(texts, report=report)

    with open_collection(made(tmp_path / "c"), Listening(32)) as collection:
        assert asked == []
        collection.search("red apple")
        collection.search("blue plum")
    assert asked == [*PROBE_TEXTS, "red apple", "blue plum"]


def test_without_an_encoder_the_one_named_in_the_collection_is_loaded(tmp_path: Path) -> None:
    with open_collection(made(tmp_path / "c")) as collection:
        assert isinstance(collection, Collection)
        assert collection.search("red apple", k=1)[0].id == "a"


def test_a_collection_of_an_encoder_of_ones_own_says_how_to_open_it(tmp_path: Path) -> None:
    class Mine(HashedWords):
        @property
        def source(self) -> dict[str, Any]:
            return {"kind": "mine"}

    create(tmp_path / "c", Mine(8)).close()
    with open_collection(tmp_path / "c") as made, pytest.raises(InputError, match=r"'mine'.*open\(…, encoder=YOURS\)"):
        made.search("text")
