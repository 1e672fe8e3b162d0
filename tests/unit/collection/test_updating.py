"""Updating: the fields that are named change, the others stay, and only what needs it is encoded again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from twofold.collection import adding
from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.documents import Document
from twofold.encoders.given_vectors import GivenVectors
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import DocumentError, InputError, NoDocumentError
from twofold.reports import EncodingReport
from twofold.scores import Vectors


class Counting(HashedWords):
    """Remembers which texts it encoded."""

    def __init__(self) -> None:
        super().__init__(16)
        self.texts: list[str] = []

    def encode_documents(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        self.texts += texts
        return super().encode_documents(texts, report=report)


@pytest.fixture
def encoder() -> Counting:
    return Counting()


@pytest.fixture
def collection(encoder: Counting) -> Iterator[Collection]:
    with create(None, encoder) as made:
        made.add(
            [
                {"id": "a", "text": "red", "title": "A", "year": 1, "author": {"name": "x", "born": 2}},
                {"id": "b", "text": "blue", "tags": ["t"]},
            ]
        )
        encoder.texts.clear()
        yield made


def test_named_fields_change_and_the_others_stay(collection: Collection, encoder: Counting) -> None:
    report = collection.update({"id": "a", "year": 5, "author": {"name": "y"}})
    assert (report.replaced, report.metadata_only, report.added) == (1, 1, 0)
    assert collection["a"] == Document("a", "red", "A", {"year": 5, "author": {"name": "y"}})
    assert encoder.texts == []
    collection.update([{"id": "b", "content": "green"}, {"_id": "a", "title": None, "year": None}])
    assert collection["b"] == Document("b", "green", "", {"tags": ["t"]})
    assert collection["a"] == Document("a", "red", "", {"author": {"name": "y"}})
    assert encoder.texts == ["green", "red"]
    assert collection.update({"id": "b", "text": "green"}).unchanged == 1


@pytest.mark.parametrize("at_once", [1, 2, 256])
def test_a_document_that_comes_twice_keeps_both_changes(
    collection: Collection, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "ENCODED_AT_ONCE", at_once)
    monkeypatch.setattr("twofold.collection.updating.ENCODED_AT_ONCE", at_once)
    collection.update([{"id": "a", "n": 1}, {"id": "b", "n": 2}, {"id": "a", "m": 3}, {"id": "a", "text": "new"}])
    assert collection["a"].text == "new"
    assert {**collection["a"].metadata} == {"year": 1, "author": {"name": "x", "born": 2}, "n": 1, "m": 3}
    assert collection["b"].metadata == {"tags": ["t"], "n": 2}


def test_metadata_of_a_texts_other_names_is_no_text(collection: Collection) -> None:
    collection.add({"id": name, "text": "main", "content": "summary"} for name in "ab")
    collection.update({"id": "a", "content": "new summary"})
    assert collection["a"] == Document("a", "main", metadata={"content": "new summary"})
    collection.update({"id": "a", "content": "newer", "text": "other"})
    assert collection["a"] == Document("a", "other", metadata={"content": "newer"})


def test_a_table_updates_a_column(collection: Collection) -> None:
    collection.update(pd.DataFrame({"id": ["a", "b"], "rank": [1, 2]}))
    assert [each.metadata["rank"] for each in collection.get()] == [1, 2]


@pytest.mark.parametrize(
    ("records", "error", "said"),
    [
        ([{"id": "z", "year": 1}], NoDocumentError, "no document 'z' here; update changes .*, add puts new ones in"),
        ([{"year": 1}], DocumentError, "item 0 has no id"),
        ([("a", "text")], DocumentError, "item 0 is a tuple"),
        ([{"id": "a", "text": None}], DocumentError, "its text is missing"),
        ([{"id": "a", "v": {1}}], DocumentError, "holds a set"),
    ],
)
def test_what_cannot_be_updated_is_said_and_changes_nothing(
    collection: Collection, records: Any, error: Any, said: str
) -> None:
    before = list(collection)
    with pytest.raises(error, match=said):
        collection.update(records)
    assert list(collection) == before


def test_vectors_of_ones_own_stay_with_title_and_text() -> None:
    with create(None, GivenVectors(4)) as collection:
        collection.add([{"id": "a", "text": "red"}], vectors=np.eye(4, dtype=np.float32)[:1])
        assert collection.update({"id": "a", "year": 1}).metadata_only == 1
        assert np.allclose(collection.vectors(["a"])["a"], np.eye(4, dtype=np.float32)[:1])
        with pytest.raises(InputError, match="vectors="):
            collection.update({"id": "a", "text": "blue"})
        collection.update([{"id": "a", "text": "blue"}], vectors=np.eye(4, dtype=np.float32)[2:3])
        assert np.allclose(collection.vectors(["a"])["a"], np.eye(4)[2:3])
        assert collection["a"] == Document("a", "blue", metadata={"year": 1})


def test_additions_and_searches_can_be_awaited(collection: Collection) -> None:
    async def asked() -> tuple[Any, Any, Any]:
        report = await collection.aadd([("c", "yellow red")])
        return report, await collection.asearch("red", k=1), await collection.asearch_many(["red", "blue"], k=1)

    report, hits, many = asyncio.run(asked())
    assert report.added == 1
    assert hits == collection.search("red", k=1)
    assert many == collection.search_many(["red", "blue"], k=1)


PARAGRAPHS = [" ".join(f"{name}{n}" for n in range(11)) + ".\n\n" for name in "abcdef"]
LONG = {"id": "long", "title": "T", "text": "".join(PARAGRAPHS)}
PARTLY_NEW = [*PARAGRAPHS[:2], "One that is quite new here.\n\n", *PARAGRAPHS[3:]]
CHANGED = {"id": "long", "title": "T", "text": "".join(PARTLY_NEW)}


def stored(collection: Collection) -> np.ndarray[Any, np.dtype[np.float16]]:
    with collection.searcher() as searcher:
        return np.concatenate([block for _, block in searcher.dense.stored()])


def test_passages_that_stay_as_they_were_are_not_encoded_again(encoder: Counting) -> None:
    sizes = {"tokens": 16, "overlap": 0}
    with create(None, encoder, passages=sizes) as collection:
        collection.add([LONG])
        encoder.texts.clear()
        report = collection.add([CHANGED])
        assert encoder.texts == ["T One that is quite new here."]
        assert (report.replaced, report.passages) == (1, 6)
        found = stored(collection)
    with create(None, Counting(), passages=sizes) as anew:
        anew.add([CHANGED])
        np.testing.assert_array_equal(found, stored(anew))


def test_passages_are_encoded_again_where_their_title_changed(encoder: Counting) -> None:
    with create(None, encoder, passages={"tokens": 16, "overlap": 0}) as collection:
        collection.add([LONG])
        encoder.texts.clear()
        collection.update([{"id": "long", "title": "Another"}])
        assert len(encoder.texts) == 6


def test_vectors_of_the_users_own_are_not_taken_for_the_encoders(encoder: Counting) -> None:
    with create(None, encoder, passages={"tokens": 16, "overlap": 0}) as collection:
        collection.add([LONG], vectors=np.ones((1, 16), np.float32))
        collection.add([CHANGED])
        assert [text.startswith("T ") for text in encoder.texts[-6:]] == [True] * 6


def test_a_passage_under_another_heading_is_encoded_again(encoder: Counting) -> None:
    with create(None, encoder, passages={"tokens": 16, "overlap": 0}, context="headings") as collection:
        text = "".join(PARAGRAPHS[:2])
        collection.add([{"id": "d", "text": f"# Red\n\n{text}# Blue\n\n{text}"}])
        encoder.texts.clear()
        collection.add([{"id": "d", "text": f"# Green\n\n{text}# Blue\n\n{text}"}])
        assert encoder.texts
        assert not any("Blue" in each for each in encoder.texts)
        assert all("Green" in each for each in encoder.texts)
