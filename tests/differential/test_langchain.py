"""LangChain's own conformance suites over a collection: vector store and retriever, sync and async."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError, MissingExtraError, QueryError

if importlib.util.find_spec("langchain_tests") is None:
    pytest.skip("langchain-tests is not installed; `make test-frameworks` runs these tests", allow_module_level=True)

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_tests.integration_tests import RetrieversIntegrationTests, VectorStoreIntegrationTests

from twofold.collection.opening import create
from twofold.integrations.langchain import TwofoldRetriever, TwofoldVectorStore

TEXTS = ["the valve opens", "the filter is changed", "the pump is oiled", "a gear wears"]


class TestVectorStore(VectorStoreIntegrationTests):  # type: ignore[misc]
    """The suite's own tests."""

    @pytest.fixture
    def vectorstore(self) -> Iterator[TwofoldVectorStore]:
        with create(None, HashedWords(64)) as collection:
            yield TwofoldVectorStore(collection)


class TestRetriever(RetrieversIntegrationTests):  # type: ignore[misc]
    """The suite's own tests."""

    @pytest.fixture(autouse=True)
    def _filled(self) -> Iterator[None]:
        with create(None, HashedWords(64)) as collection:
            collection.add(list(zip("abcd", TEXTS, strict=True)))
            self._collection = collection
            yield

    @property
    def retriever_constructor(self) -> type[TwofoldRetriever]:
        return TwofoldRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"collection": self._collection}

    @property
    def retriever_query_example(self) -> str:
        return "when is the filter changed?"


@pytest.fixture
def store() -> Iterator[TwofoldVectorStore]:
    made = TwofoldVectorStore.from_texts(TEXTS, HashedWords(64), [{"year": n} for n in range(4)], ids=list("abcd"))
    with made.collection:
        yield made


def test_what_is_found_is_what_the_collection_finds(store: TwofoldVectorStore) -> None:
    hits = store.collection.search("the filter", k=3)
    found = store.similarity_search_with_score("the filter", k=3)
    assert [(each.id, score) for each, score in found] == [(hit.id, hit.score) for hit in hits]
    assert [each.id for each in store.similarity_search("the filter", filter={"year": {"$gt": 1}})] == ["c", "d"]
    vector = store.embeddings.embed_query("the filter")
    assert store.similarity_search_by_vector(vector, k=1)[0].id == "b"


def test_a_title_comes_back_as_the_metadata_that_it_was(store: TwofoldVectorStore) -> None:
    document = Document(page_content="x", metadata={"title": "T", "id": 7}, id="t")
    assert store.add_documents([document]) == ["t"]
    assert store.collection.get("t").title == "T"  # type: ignore[union-attr]
    assert store.get_by_ids(["t"]) == [document]


def test_embeddings_of_langchain_are_an_encoder() -> None:
    class Words(Embeddings):  # type: ignore[misc]
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return np.asarray(HashedWords(64).encode_documents(texts)).tolist()  # type: ignore[no-any-return]

        def embed_query(self, text: str) -> list[float]:
            return self.embed_documents([text])[0]

    made = TwofoldVectorStore.from_texts(TEXTS, Words(), ids=list("abcd"))
    with made.collection:
        assert made.similarity_search("pump", k=1)[0].id == "c"


def test_what_cannot_be_done_is_refused(store: TwofoldVectorStore) -> None:
    with pytest.raises(InputError, match="2 texts, 1 metadatas and 2 ids"):
        store.add_texts(["x", "y"], [{}], ids=["a", "b"])
    with pytest.raises(InputError, match="knows no 'namespace'"):
        store.add_texts(["x"], namespace="n")
    store.delete()
    assert len(store.collection) == 0


def test_without_langchain_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain_core.documents", None)
    monkeypatch.delitem(sys.modules, "twofold.integrations.langchain")
    with pytest.raises(MissingExtraError, match=r'pip install "twofold\[langchain\]"'):
        importlib.import_module("twofold.integrations.langchain")


def test_relevance_is_that_of_the_collection_or_refused(store: TwofoldVectorStore) -> None:
    hits = store.collection.search("the filter", k=2)
    if any(hit.relevance is None for hit in hits):
        with pytest.raises(QueryError, match="cannot be said"):
            store.similarity_search_with_relevance_scores("the filter", k=2)
    else:
        found = store.similarity_search_with_relevance_scores("the filter", k=2)
        assert [score for _, score in found] == [hit.relevance for hit in hits]
