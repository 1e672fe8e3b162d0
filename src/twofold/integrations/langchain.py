"""A collection as LangChain's vector store and retriever.

from twofold.integrations.langchain import TwofoldRetriever, TwofoldVectorStore

store = TwofoldVectorStore(twofold.open("manuals.twofold"))
retriever = TwofoldRetriever(collection=store.collection, k=5)
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.documents import Document
from twofold.errors import InputError, MissingExtraError, QueryError
from twofold.hits import Hits
from twofold.integrations.translating import metadata_of, with_title
from twofold.scores import Vectors

if TYPE_CHECKING:
    from langchain_core.callbacks import CallbackManagerForRetrieverRun
    from langchain_core.embeddings import Embeddings

try:
    from langchain_core.documents import Document as LangChainDocument
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.vectorstores import VectorStore
except ImportError:
    raise MissingExtraError("langchain-core", "langchain") from None

K = 4
"""Documents that LangChain's stores return where nothing else is said."""


class TwofoldVectorStore(VectorStore):  # type: ignore[misc] # langchain_core is not installed where types are checked
    """Implements LangChain's VectorStore over a collection.

    Searches are those of the collection: hybrid where it was tuned so, mode="dense" and the other options of
    `Collection.search` pass through. filter: as `where` there. A document's `page_content` is its text, and its title
    is the metadata field `title`, where there is one.
    """

    def __init__(self, collection: Collection) -> None:
        self.collection = collection

    @property
    def embeddings(self) -> Embeddings:
        """The collection's encoder as LangChain's embeddings."""
        return embeddings_of(self.collection)

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **asked: object,
    ) -> list[str]:
        """Adds texts, or replaces those of the same ids; returns their ids. Without an id a new one is made.

        Raises InputError where the lists are not of one length, and for an option that is not known.
        """
        if asked:
            raise InputError(f"add_texts knows no {', '.join(map(repr, asked))}")
        given = list(texts)
        about = [{} for _ in given] if metadatas is None else [dict(each) for each in metadatas]
        named = [None for _ in given] if ids is None else list(ids)
        if not len(given) == len(about) == len(named):
            raise InputError(f"{len(given)} texts, {len(about)} metadatas and {len(named)} ids; give one a text")
        identifiers = [each or str(uuid.uuid4()) for each in named]
        if given:
            self.collection.add(map(with_title, identifiers, given, about))
        return identifiers

    def delete(self, ids: Sequence[str] | None = None, **asked: object) -> bool:
        """Deletes documents by id, or every one where no ids are given; unknown ids are ignored."""
        if asked:
            raise InputError(f"delete knows no {', '.join(map(repr, asked))}")
        if ids is None:
            self.collection.delete(all=True)
        else:
            self.collection.delete(list(ids))
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[LangChainDocument]:
        """The documents with these ids, in their order; unknown ids are left out."""
        return [_of_document(each) for each in self.collection.get(list(ids)) if each is not None]

    def similarity_search(self, query: str, k: int = K, **options: Any) -> list[LangChainDocument]:
        """The k best documents. options: filter, and those of `Collection.search`."""
        return [document for document, _ in self.similarity_search_with_score(query, k, **options)]

    def similarity_search_with_score(
        self, query: str, k: int = K, **options: Any
    ) -> list[tuple[LangChainDocument, float]]:
        """The k best documents with their scores; higher is better."""
        return _scored(self._found(query, k, options))

    def similarity_search_by_vector(
        self, embedding: Sequence[float], k: int = K, **options: Any
    ) -> list[LangChainDocument]:
        """The k best documents for a vector of a query."""
        import numpy as np

        return [document for document, _ in _scored(self._found(np.asarray(embedding, np.float32), k, options))]

    def _similarity_search_with_relevance_scores(
        self, query: str, k: int = K, **options: Any
    ) -> list[tuple[LangChainDocument, float]]:
        """With the probability that a document answers the query (docs/relevance.md). Raises QueryError where that
        cannot be said."""
        hits = self._found(query, k, options)
        if any(hit.relevance is None for hit in hits):
            raise QueryError(
                "how relevant a document is cannot be said here; tune the collection first: `twofold tune COLLECTION`"
            )
        return [(_of_document(hit.document), float(hit.relevance or 0)) for hit in hits]

    def _found(self, query: str | Vectors, k: int, options: dict[str, Any]) -> Hits:
        where = options.pop("filter", None)
        return self.collection.search(query, k=k, where=where, **options)

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str],
        embedding: Any = None,
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        path: str | None = None,
        **settings: Any,
    ) -> Self:
        """A new collection of these texts.

        embedding: LangChain's embeddings, or an encoder; by default the embedded one. path: its folder; without one it
        lives in memory. settings: as in `create`.
        """
        encoder = _Sides(embedding) if hasattr(embedding, "embed_query") else embedding
        store = cls(create(path, encoder, **settings))
        store.add_texts(texts, metadatas, ids=ids)
        return store


class TwofoldRetriever(BaseRetriever):  # type: ignore[misc] # langchain_core is not installed where types are checked
    """Implements LangChain's retriever: the k best documents of a collection.

    options: those of `Collection.search`, such as {"where": {"year": 1990}, "mode": "dense"}.
    """

    collection: Any
    k: int = K
    options: dict[str, Any] = {}  # noqa: RUF012 - a field of pydantic's, which copies it

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun | None = None,  # noqa: ARG002 - LangChain passes it
        k: int | None = None,
    ) -> list[LangChainDocument]:
        hits = self.collection.search(query, k=self.k if k is None else k, **self.options)
        return [document for document, _ in _scored(hits)]


def embeddings_of(collection: Collection) -> Embeddings:
    """The encoder of a collection as LangChain's Embeddings."""
    from langchain_core.embeddings import Embeddings

    class TwofoldEmbeddings(Embeddings):  # type: ignore[misc]
        """Queries and documents, each by its side of the encoder."""

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            """A vector a text."""
            return list(collection.encoder.encode_documents(texts).tolist())

        def embed_query(self, text: str) -> list[float]:
            """The vector of a query."""
            return list(collection.encoder.encode_queries([text])[0].tolist())

    return TwofoldEmbeddings()


class _Sides:
    """LangChain's embeddings, called as the objects of other libraries that are encoders (encoders/adapted.py)."""

    def __init__(self, embeddings: Any) -> None:
        self._embeddings = embeddings

    def encode_query(self, texts: list[str]) -> list[list[float]]:
        return [self._embeddings.embed_query(text) for text in texts]

    def encode_document(self, texts: list[str]) -> list[list[float]]:
        return list(self._embeddings.embed_documents(texts))


def _scored(hits: Hits) -> list[tuple[LangChainDocument, float]]:
    return [(_of_document(hit.document), float(hit.score)) for hit in hits]


def _of_document(document: Document) -> LangChainDocument:
    return LangChainDocument(id=document.id, page_content=document.text, metadata=metadata_of(document))
