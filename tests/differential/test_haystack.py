"""Haystack's own conformance suites over a collection, and its filters against those of its own store."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twofold.collection.opening import create
from twofold.encoders.given_vectors import GivenVectors
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import MissingExtraError, NotACollectionError

if importlib.util.find_spec("haystack") is None:
    pytest.skip("haystack-ai is not installed; `make test-frameworks` runs these tests", allow_module_level=True)
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"  # Haystack would report its use over the network

from haystack import Document, Pipeline
from haystack.core.errors import SerializationError
from haystack.dataclasses import ByteStream, SparseEmbedding
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy
from haystack.errors import FilterError
from haystack.testing import document_store as suite
from haystack.testing import document_store_async as async_suite
from haystack.utils.filters import document_matches_filter

from twofold.integrations.haystack import (
    TwofoldDocumentEmbedder,
    TwofoldDocumentStore,
    TwofoldEmbeddingRetriever,
    TwofoldRetriever,
    TwofoldTextEmbedder,
)

TEXTS = {"a": "the valve opens", "b": "the filter is changed", "c": "the pump is oiled", "d": "a gear wears"}


@pytest.fixture
def document_store() -> Iterator[TwofoldDocumentStore]:
    with create(None, HashedWords(64)) as collection:
        yield TwofoldDocumentStore.of(collection)


class _Suite:
    """What the suites leave to a store: which documents are equal, and what is done without a policy."""

    @pytest.fixture
    def document_store(self, document_store: TwofoldDocumentStore) -> TwofoldDocumentStore:
        return document_store

    @staticmethod
    def assert_documents_are_equal(received: list[Document], expected: list[Document]) -> None:
        assert received == [replace(each, embedding=None) for each in expected]  # the collection has vectors of its own

    def test_write_documents(self, document_store: TwofoldDocumentStore) -> None:
        assert document_store.write_documents([Document(id="1", content="x")]) == 1
        with pytest.raises(DuplicateDocumentError):
            document_store.write_documents([Document(id="1", content="y")])

    async def test_write_documents_async(self, document_store: TwofoldDocumentStore) -> None:
        assert await document_store.write_documents_async([Document(id="1", content="x")]) == 1
        with pytest.raises(DuplicateDocumentError):
            await document_store.write_documents_async([Document(id="1", content="y")])


class TestDocumentStore(
    _Suite,
    suite.DocumentStoreBaseExtendedTests,  # type: ignore[misc]
    suite.CountDocumentsByFilterTest,  # type: ignore[misc]
    suite.CountUniqueMetadataByFilterTest,  # type: ignore[misc]
    suite.GetMetadataFieldsInfoTest,  # type: ignore[misc]
    suite.GetMetadataFieldMinMaxTest,  # type: ignore[misc]
    suite.GetMetadataFieldUniqueValuesTest,  # type: ignore[misc]
):
    """The suite's own tests: base, extended and metadata."""


class TestDocumentStoreAwaited(
    _Suite,
    async_suite.CountDocumentsAsyncTest,  # type: ignore[misc]
    async_suite.WriteDocumentsAsyncTest,  # type: ignore[misc]
    async_suite.DeleteDocumentsAsyncTest,  # type: ignore[misc]
    async_suite.FilterDocumentsAsyncTest,  # type: ignore[misc]
    async_suite.DeleteAllAsyncTest,  # type: ignore[misc]
    async_suite.DeleteByFilterAsyncTest,  # type: ignore[misc]
    async_suite.UpdateByFilterAsyncTest,  # type: ignore[misc]
    async_suite.CountDocumentsByFilterAsyncTest,  # type: ignore[misc]
    async_suite.CountUniqueMetadataByFilterAsyncTest,  # type: ignore[misc]
    async_suite.GetMetadataFieldsInfoAsyncTest,  # type: ignore[misc]
    async_suite.GetMetadataFieldMinMaxAsyncTest,  # type: ignore[misc]
    async_suite.GetMetadataFieldUniqueValuesAsyncTest,  # type: ignore[misc]
):
    """The suite's own tests of what is awaited."""


@pytest.fixture
def store(document_store: TwofoldDocumentStore) -> TwofoldDocumentStore:
    document_store.write_documents(
        [Document(id=id_, content=text, meta={"year": year}) for year, (id_, text) in enumerate(TEXTS.items())]
    )
    document_store.collection.tune()
    return document_store


def _ids(documents: list[Document]) -> list[str]:
    return [each.id for each in documents]


FIELDS: dict[str, list[Any]] = {
    "meta.year": [None, 1, 2, 3, 2.5, -4],
    "meta.name": [None, "Ada", "Grace", "ada", ""],
    "meta.author.name": [None, "Ada", "Grace"],
    "meta.at": [
        None,
        "2020-01-01",
        "2020-01-01T00:00:00",
        "2020-01-01T00:00:00Z",
        "2020-01-01T02:00:00+02:00",
        "2019-12-31T23:59:59.5",
        "2021-06-01 12:00:00",
    ],
    "meta.$price": [None, 5, 10],
    "meta.title": [None, "One", "Two"],
    "id": ["doc 0", "doc 7", "nobody"],
}
ORDERED = {"meta.year", "meta.at", "meta.$price"}


def _drawn_documents(random_: random.Random) -> list[Document]:
    documents = []
    for number in range(40):
        meta: dict[str, Any] = {}
        for field, values in FIELDS.items():
            value = random_.choice(values)
            if field.startswith("meta.author") and value is not None:
                meta["author"] = {"name": value}
            elif field != "id" and value is not None:
                meta[field.removeprefix("meta.")] = value
        documents.append(Document(id=f"doc {number}", content=f"text {number}", meta=meta))
    return documents


def _drawn_filter(random_: random.Random, depth: int = 0) -> dict[str, Any]:
    if depth < 3 and random_.random() < 0.5:
        conditions = [_drawn_filter(random_, depth + 1) for _ in range(random_.randint(1, 3))]
        return {"operator": random_.choice(["AND", "OR", "NOT"]), "conditions": conditions}
    field, values = random_.choice(list(FIELDS.items()))
    operators = ["==", "!=", "in", "not in"] + ([">", ">=", "<", "<="] if field in ORDERED else [])
    operator = random_.choice(operators)
    value: Any = random_.choice(values)
    if operator in ("in", "not in"):
        value = random_.sample(values, random_.randint(0, 3))
    return {"field": field, "operator": operator, "value": value}


def test_filters_choose_what_haystacks_own_store_would_choose(document_store: TwofoldDocumentStore) -> None:
    random_ = random.Random(5)
    documents = _drawn_documents(random_)
    document_store.write_documents(documents)
    chosen = set()
    for _ in range(400):
        filters = _drawn_filter(random_)
        expected = [each.id for each in documents if document_matches_filter(filters, each)]
        assert _ids(document_store.filter_documents(filters)) == expected, filters
        chosen.add(len(expected))
    assert len(chosen) > 20  # not everything, and not nothing


def test_filters_without_a_meaning_are_refused(store: TwofoldDocumentStore) -> None:
    for field, operator, value, said in [
        ("content", "==", "x", "cannot be filtered by 'content'"),
        ("meta.id", "==", "x", "`id` is the document's own"),
        ("meta.title", "==", 7, "a title is a text"),
        ("meta.year", "~", 7, "unknown comparison operator '~'"),
        ("meta.year", ">", True, "takes a number, or a date"),
        ("meta.year", ">", "soon", "takes a number, or a date"),
        ("meta.year", "==", {1}, "set"),
        (7, "==", 7, "named by text"),
    ]:
        with pytest.raises(FilterError, match=said):
            store.filter_documents({"field": field, "operator": operator, "value": value})
    groups: list[tuple[dict[str, Any], str]] = [
        ({"operator": "XOR", "conditions": [{}]}, "unknown logical operator 'XOR'"),
        ({"operator": "AND", "conditions": []}, "at least one condition"),
        ({"operator": "AND", "conditions": ["year"]}, "a filter is a dictionary"),
    ]
    for filters, said in groups:
        with pytest.raises(FilterError, match=said):
            store.search("the filter", filters)
    store.update_by_filter({"field": "id", "operator": "==", "value": "a"}, {"at": "some day"})
    with pytest.raises(FilterError, match="also holds 'some day'"):
        store.count_documents_by_filter({"field": "meta.at", "operator": ">", "value": "2020-01-01"})


def test_an_empty_filter_deletes_nothing(store: TwofoldDocumentStore) -> None:
    with pytest.raises(FilterError, match="empty"):
        store.delete_by_filter({})
    assert store.count_documents() == 4


def test_a_list_matches_where_one_of_its_elements_does(store: TwofoldDocumentStore) -> None:
    store.write_documents([Document(id="e", content="x", meta={"tags": ["old", "new"]})])
    for operator, value in [("==", "old"), ("==", ["old", "new"]), ("in", ["new", "other"])]:
        found = store.filter_documents({"field": "meta.tags", "operator": operator, "value": value})
        assert _ids(found) == ["e"]


def test_a_duplicate_is_refused_before_anything_is_written(store: TwofoldDocumentStore) -> None:
    new, again = Document(id="e", content="new"), Document(id="a", content="again")
    for documents in ([new, again], [new, replace(new, content="twice")]):
        with pytest.raises(DuplicateDocumentError):
            store.write_documents(documents, DuplicatePolicy.FAIL)
    assert _ids(store.filter_documents()) == ["a", "b", "c", "d"]
    assert store.write_documents([new, again, replace(new, content="twice")], DuplicatePolicy.SKIP) == 1
    assert [each.content for each in store.filter_documents()] == [*TEXTS.values(), "new"]
    assert store.write_documents([again, replace(again, content="last")], DuplicatePolicy.OVERWRITE) == 2
    assert store.collection["a"].text == "last"


def test_what_a_collection_does_not_hold_is_refused(store: TwofoldDocumentStore) -> None:
    with pytest.raises(ValueError, match="'x' has a blob"):
        store.write_documents([Document(id="x", blob=ByteStream(b"x"))])
    with pytest.raises(ValueError, match="'x' has a sparse_embedding"):
        store.write_documents([Document(id="x", sparse_embedding=SparseEmbedding([0], [1.0]))])


def test_embeddings_are_left_out_with_a_warning(
    document_store: TwofoldDocumentStore, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("WARNING", "twofold"):
        document_store.write_documents([Document(content="x", embedding=[1.0] * 7), Document(content="y")])
    assert "embeddings of 1 documents are not stored" in caplog.text


def test_a_title_and_nested_metadata_come_back_as_they_were(document_store: TwofoldDocumentStore) -> None:
    meta = {"title": "T", "id": 7, "author": {"name": "Ada"}, "tags": ["x"], "share": 1.0}
    document = Document(id="t", content="x", meta=meta)
    document_store.write_documents([document, Document(id="n", meta={"title": 7})])
    assert document_store.collection["t"].title == "T"
    assert document_store.filter_documents() == [document, Document(id="n", meta={"title": 7})]
    document_store.update_by_filter({"field": "id", "operator": "==", "value": "t"}, {"title": "U", "text": "kept"})
    changed = document_store.filter_documents({"field": "id", "operator": "==", "value": "t"})
    assert changed == [replace(document, meta={**meta, "title": "U", "text": "kept"})]
    assert document_store.get_metadata_field_unique_values("meta.title") == ([7, "U"], 2)


def test_types_of_fields_are_told_of_all_values(document_store: TwofoldDocumentStore) -> None:
    for n, value in enumerate([1, 2.5]):
        document_store.write_documents([Document(id=str(n), meta={"n": value, "m": value, "title": "T", "b": True})])
    document_store.write_documents([Document(id="3", meta={"m": "x"})])
    kinds = {name: each["type"] for name, each in document_store.get_metadata_fields_info().items()}
    assert kinds == {"n": "float", "m": "keyword", "title": "keyword", "b": "boolean"}
    assert document_store.get_metadata_field_min_max("n") == {"min": 1, "max": 2.5}
    assert document_store.get_metadata_field_min_max("m") == {"min": None, "max": None}


def test_a_retriever_finds_what_the_collection_finds(store: TwofoldDocumentStore) -> None:
    hits = store.collection.search("the filter", k=3, where={"year": {"$gt": 0}})
    later = {"field": "meta.year", "operator": ">", "value": 0}
    found = TwofoldRetriever(store, filters=later, top_k=3).run("the filter")["documents"]
    assert [(each.id, each.score) for each in found] == [(hit.id, hit.score) for hit in hits]
    assert found[0].content == TEXTS["b"]
    lexical = TwofoldRetriever(store, options={"mode": "lexical"})
    assert _ids(lexical.run("pump", top_k=1)["documents"]) == ["c"]
    assert len(lexical.run("pump")["documents"]) == 1


def test_filters_of_a_call_replace_those_of_the_retriever_or_join_them(store: TwofoldDocumentStore) -> None:
    early = {"field": "meta.year", "operator": "<", "value": 2}
    other = {"field": "id", "operator": "!=", "value": "a"}
    assert set(_ids(TwofoldRetriever(store, filters=early).run("the", other)["documents"])) == {"b", "c", "d"}
    merging = TwofoldRetriever(store, filters=early, filter_policy="merge")
    assert _ids(merging.run("the", other)["documents"]) == ["b"]


def test_embeddings_find_the_documents_of_a_collection_of_own_vectors() -> None:
    encoder = HashedWords(64)
    with create(None, GivenVectors(64)) as collection:
        store = TwofoldDocumentStore.of(collection)
        given = [Document(id=id_, content=text) for id_, text in TEXTS.items()]
        with pytest.raises(ValueError, match="'a' has no embedding"):
            store.write_documents(given)
        embedded = TwofoldDocumentEmbedder(encoder).run(given)["documents"]
        assert given[0].embedding is None
        store.write_documents(embedded)
        vector = TwofoldTextEmbedder(encoder).run("the pump")["embedding"]
        retriever = TwofoldEmbeddingRetriever(store, top_k=1)
        assert _ids(retriever.run(vector)["documents"]) == ["c"]
        assert _ids(asyncio.run(retriever.run_async(vector))["documents"]) == ["c"]
        stored = collection.vectors(["a"])["a"][0]
        assert np.allclose(stored, encoder.encode_documents([TEXTS["a"]])[0], atol=1e-3)


def test_embedders_use_the_sides_of_the_encoder_and_count_what_is_truncated() -> None:
    encoder = HashedWords(16, max_words=3)
    told = TwofoldTextEmbedder(encoder).run("one two three four")
    assert told == {
        "embedding": encoder.encode_queries(["one two three"])[0].tolist(),
        "meta": {"truncated": 1},
    }
    titled = Document(content="two", meta={"title": "one"})
    answer = asyncio.run(TwofoldDocumentEmbedder(encoder).run_async([titled, Document(meta={"title": 7})]))
    assert answer["documents"][0].embedding == encoder.encode_documents(["one two"])[0].tolist()
    assert answer["meta"] == {"truncated": 0}
    with pytest.raises(TypeError, match="a query is a text"):
        TwofoldTextEmbedder(encoder).run([titled])
    with pytest.raises(TypeError, match="TwofoldTextEmbedder"):
        TwofoldDocumentEmbedder(encoder).run("one")


def test_a_pipeline_is_saved_and_finds_the_same_documents_again(tmp_path: Path) -> None:
    place = str(tmp_path / "manuals.twofold")
    with create(place, HashedWords(64)) as collection:
        collection.add(list(TEXTS.items()))
    pipeline = Pipeline()
    store = TwofoldDocumentStore(place, create=False)
    settings: dict[str, Any] = {"top_k": 2, "filter_policy": "merge", "options": {"mode": "dense"}}
    later = {"field": "id", "operator": "!=", "value": "a"}
    pipeline.add_component("retriever", TwofoldRetriever(store, filters=later, **settings))
    found = pipeline.run({"retriever": {"query": "the filter"}})
    again = Pipeline.loads(pipeline.dumps(), allowed_modules=["twofold.*"])
    assert again.dumps() == pipeline.dumps()
    assert again.run({"retriever": {"query": "the filter"}}) == found
    retriever = again.get_component("retriever")
    assert (retriever.top_k, retriever.filters, retriever.options) == (2, later, {"mode": "dense"})
    retriever.document_store.close()
    store.close()
    embedder = TwofoldTextEmbedder.from_dict(TwofoldTextEmbedder("m", settings={"dim": 8}).to_dict())
    assert (embedder.encoder, embedder.settings) == ("m", {"dim": 8})


def test_what_cannot_be_saved_with_a_pipeline_is_refused(tmp_path: Path) -> None:
    for holder in (TwofoldDocumentStore(None, encoder=HashedWords(8)), TwofoldTextEmbedder(HashedWords(8))):
        with pytest.raises(SerializationError, match="the encoder is an object, HashedWords"):
            holder.to_dict()
    missing = TwofoldDocumentStore.from_dict(TwofoldDocumentStore(str(tmp_path / "gone"), create=False).to_dict())
    with pytest.raises(NotACollectionError):
        missing.count_documents()


def test_a_store_makes_its_collection_where_there_is_none(tmp_path: Path) -> None:
    store = TwofoldDocumentStore(str(tmp_path / "new"), encoder=HashedWords(8), settings={"depth": 7})
    assert store.write_documents([Document(content="x")]) == 1
    assert store.collection.settings.depth == 7
    store.close()
    assert TwofoldDocumentStore(str(tmp_path / "new")).count_documents() == 1


def test_settings_of_a_retriever_are_checked() -> None:
    with pytest.raises(TypeError, match="TwofoldDocumentStore, not str"):
        TwofoldRetriever("store")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="top_k is at least 1"):
        TwofoldRetriever(TwofoldDocumentStore(), top_k=0)


def test_without_haystack_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "haystack", None)
    for name in ("haystack", "haystack_store", "haystack_components", "haystack_filters"):
        monkeypatch.delitem(sys.modules, f"twofold.integrations.{name}")
    with pytest.raises(MissingExtraError, match=r'pip install "twofold\[haystack\]"'):
        importlib.import_module("twofold.integrations.haystack")
