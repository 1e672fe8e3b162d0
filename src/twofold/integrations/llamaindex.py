"""A collection as LlamaIndex's vector store and retriever, and an encoder as its embedding.

from twofold.integrations.llamaindex import TwofoldRetriever, TwofoldVectorStore

store = TwofoldVectorStore(twofold.open("manuals.twofold"))
retriever = TwofoldRetriever(store.collection, k=5)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Self

import numpy as np

from twofold.collection.collection import Collection
from twofold.collection.opening import open_collection
from twofold.documents import Document
from twofold.encoders.loading import load_encoder
from twofold.errors import InputError, MissingExtraError, QueryError
from twofold.hits import Hits
from twofold.integrations.awaiting import awaited
from twofold.integrations.llamaindex_filters import where_of
from twofold.integrations.translating import metadata_of, texts_under, with_title
from twofold.protocols import Encoder
from twofold.scores import Vectors
from twofold.searching.hybrid import SearchMode

try:
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.bridge.pydantic import PrivateAttr
    from llama_index.core.schema import BaseNode, MetadataMode, NodeWithScore, QueryBundle, TextNode
    from llama_index.core.vector_stores.types import (
        BasePydanticVectorStore,
        MetadataFilters,
        VectorStoreQuery,
        VectorStoreQueryMode,
        VectorStoreQueryResult,
    )
    from llama_index.core.vector_stores.utils import metadata_dict_to_node, node_to_metadata_dict
except ImportError:
    raise MissingExtraError("llama-index-core", "llamaindex") from None

K = 10
"""Nodes that the retriever returns where nothing else is said."""
OWN = ("_node_content", "_node_type", "document_id", "doc_id", "ref_doc_id")
"""Fields that LlamaIndex's own function puts among the metadata of a node that is stored."""
SOURCE = "ref_doc_id"
"""The field of these that names the document of which a node is a part."""
MODES: dict[VectorStoreQueryMode, SearchMode] = {
    VectorStoreQueryMode.DEFAULT: "dense",
    VectorStoreQueryMode.TEXT_SEARCH: "lexical",
    VectorStoreQueryMode.SPARSE: "lexical",
    VectorStoreQueryMode.HYBRID: "hybrid",
}
"""LlamaIndex's query modes that a collection knows, and what it calls them."""
NOT_FOLLOWED = ("alpha", "sparse_top_k", "mmr_threshold", "output_fields", "embedding_field")
"""Parts of a query that a collection cannot follow; `tune` chooses how scores are mixed."""


class TwofoldVectorStore(BasePydanticVectorStore):  # type: ignore[misc] # not installed where types are checked
    """Implements LlamaIndex's vector store over a collection, which keeps the nodes whole.

    The collection encodes texts and queries itself, so the embeddings of nodes and queries are not used; give an index
    `MockEmbedding(1)`, which costs nothing. A collection of `GivenVectors` stores the embeddings of nodes instead, and
    each node must have one. A node's text is the document's, without the metadata that LlamaIndex would embed with
    it; a metadata field `title` is the document's title, which is encoded. Documents that were added in another way
    are found too, as text nodes. Raises what `Collection` raises.
    """

    stores_text: bool = True
    is_embedding_query: bool = True
    path: str

    _collection: Collection = PrivateAttr()

    def __init__(self, collection: Collection) -> None:
        super().__init__(path=str(collection.path), is_embedding_query=not collection.encoder.can_encode)
        self._collection = collection

    @classmethod
    def from_dict(cls, data: dict[str, Any], **changed: Any) -> Self:
        """The store of the collection in the folder that `to_dict` named. Raises NotACollectionError."""
        return cls(open_collection({**data, **changed}["path"]))

    @classmethod
    def class_name(cls) -> str:
        """The name in what LlamaIndex serialises."""
        return "TwofoldVectorStore"

    @property
    def collection(self) -> Collection:
        """The collection."""
        return self._collection

    @property
    def client(self) -> Collection:
        """The collection, by LlamaIndex's name for it."""
        return self._collection

    def add(self, nodes: Sequence[BaseNode], **asked: Any) -> list[str]:
        """Stores nodes, or replaces those of the same ids; returns their ids.

        Raises InputError for an option, and where own vectors are stored for a node without an embedding.
        """
        _refuse("add", asked)
        if nodes:
            self._collection.add(list(map(_stored, nodes)), vectors=self._vectors(nodes))
        return [node.node_id for node in nodes]

    def delete(self, ref_doc_id: str, **asked: Any) -> None:
        """Deletes the nodes of a document; one that is not there is ignored."""
        _refuse("delete", asked)
        self._collection.delete(where={SOURCE: ref_doc_id})

    def delete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **asked: Any
    ) -> None:
        """Deletes the nodes of these ids, that match, or both. Raises InputError without either: see `clear`."""
        _refuse("delete_nodes", asked)
        where = self._where(filters, node_ids)
        if where is None:
            raise InputError("delete_nodes takes node_ids or filters; clear() deletes every node")
        with self._collection.writing():
            self._collection.delete(self._collection.ids(where=where))

    def clear(self) -> None:
        """Deletes every node."""
        self._collection.delete(all=True)

    def get_nodes(self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None) -> list[BaseNode]:
        """The nodes of these ids, that match, or both; all without either. Unknown ids are left out."""
        if node_ids is None or filters is not None:
            return [as_node(each) for each in self._collection.get(where=self._where(filters, node_ids))]
        return [as_node(each) for each in self._collection.get(list(node_ids)) if each is not None]

    def query(self, query: VectorStoreQuery, **options: Any) -> VectorStoreQueryResult:
        """The best nodes with their scores.

        The modes DEFAULT (dense), TEXT_SEARCH and SPARSE (lexical) and HYBRID; QueryError for others, and for parts of
        a query that a collection cannot follow, such as alpha. options: those of `Collection.search`.
        """
        mode = MODES.get(query.mode)
        if mode is None:
            known = ", ".join(each.value for each in MODES)
            raise QueryError(f"the query mode {query.mode.value!r} is not known here (known: {known})")
        for name in NOT_FOLLOWED:
            if getattr(query, name) is not None:
                raise QueryError(
                    f"a collection cannot follow {name}; leave it out (`twofold tune COLLECTION` chooses the mixing)"
                )
        where = self._where(query.filters, query.node_ids or None, query.doc_ids)
        k = query.similarity_top_k
        if mode == "hybrid" and query.hybrid_top_k is not None:
            k = query.hybrid_top_k
        asked, vector = self._asked(query, mode)
        return _result(self._collection.search(asked, vector=vector, k=k, where=where, mode=mode, **options))

    def persist(self, persist_path: str, fs: Any = None) -> None:
        """Does nothing: a collection in a folder is stored whenever something is added."""

    async_add = awaited(add)
    adelete = awaited(delete)
    adelete_nodes = awaited(delete_nodes)
    aclear = awaited(clear)
    aget_nodes = awaited(get_nodes)
    aquery = awaited(query)

    def _asked(self, query: VectorStoreQuery, mode: SearchMode) -> tuple[str | Vectors, Vectors | None]:
        """What is searched for: a text, its vector, or both, by what the mode and the collection need."""
        text, embedding = query.query_str, query.query_embedding
        if mode == "lexical" or (self._collection.encoder.can_encode and text is not None):
            if text is None:
                raise QueryError(f"a query of the mode {query.mode.value!r} needs its text, query_str")
            return text, None
        if embedding is None:
            raise QueryError(f"a query of the mode {query.mode.value!r} needs its vector, query_embedding")
        vector = np.asarray(embedding, np.float32)
        return (vector, None) if mode == "dense" or text is None else (text, vector)

    def _vectors(self, nodes: Sequence[BaseNode]) -> Vectors | None:
        if self._collection.encoder.can_encode:
            return None
        for node in nodes:
            if node.embedding is None:
                raise InputError(
                    f"the node {node.node_id!r} has no embedding; this collection holds vectors made elsewhere"
                )
        return np.array([node.embedding for node in nodes], np.float32)

    def _where(
        self,
        filters: MetadataFilters | None,
        node_ids: Sequence[str] | None,
        doc_ids: Sequence[str] | None = None,
    ) -> dict[str, Any] | None:
        parts: list[dict[str, Any]] = []
        if (where := where_of(filters, partial(texts_under, self._collection))) is not None:
            parts.append(where)
        if node_ids is not None:
            parts.append({"id": {"$in": list(node_ids)}})
        if doc_ids is not None:
            parts.append({SOURCE: {"$in": list(doc_ids)}})
        return {"$and": parts} if parts else None


class TwofoldRetriever(BaseRetriever):  # type: ignore[misc] # not installed where types are checked
    """Implements LlamaIndex's retriever: the k best documents of a collection, as nodes.

    options: those of `Collection.search`, such as {"where": {"year": 1990}, "mode": "lexical"}. Without a mode the
    search is the collection's own, hybrid as a rule. Needs no index and no embedding model.
    """

    def __init__(
        self, collection: Collection, *, k: int = K, options: Mapping[str, Any] | None = None, **settings: Any
    ) -> None:
        self.collection = collection
        self.k = k
        self.options = dict(options or {})
        super().__init__(**settings)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        hits = self.collection.search(query_bundle.query_str, k=self.k, **self.options)
        return [NodeWithScore(node=as_node(hit.document), score=float(hit.score)) for hit in hits]

    _aretrieve = awaited(_retrieve)


class TwofoldEmbedding(BaseEmbedding):  # type: ignore[misc] # not installed where types are checked
    """Implements LlamaIndex's embedding: an encoder, queries by its query side and texts by its document side.

    model_name: a model's folder or hub name, "" for the embedded one; or encoder: one that is loaded.
    """

    _encoder: Encoder = PrivateAttr()

    def __init__(self, model_name: str = "", *, encoder: Encoder | None = None, **settings: Any) -> None:
        super().__init__(model_name=model_name, **settings)
        self._encoder = load_encoder(model_name or None) if encoder is None else encoder

    @classmethod
    def class_name(cls) -> str:
        """The name in what LlamaIndex serialises."""
        return "TwofoldEmbedding"

    def _get_query_embedding(self, query: str) -> list[float]:
        return list(self._encoder.encode_queries([query])[0].tolist())

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return list(self._encoder.encode_documents(texts).tolist())

    _aget_query_embedding = awaited(_get_query_embedding)
    _aget_text_embedding = awaited(_get_text_embedding)
    _aget_text_embeddings = awaited(_get_text_embeddings)


def as_node(document: Document) -> BaseNode:
    """A document as a node: the one that was stored, or a text node of one that was added in another way."""
    metadata = metadata_of(document)
    if OWN[0] not in metadata:
        return TextNode(id_=document.id, text=document.text, metadata=metadata)
    node = metadata_dict_to_node(metadata, text=document.text)
    # What was changed since by other means shows; what the fields of OWN hide, and null, are only in the node.
    kept = {name: value for name, value in node.metadata.items() if name in OWN or value is None}
    node.metadata = {**kept, **{name: value for name, value in metadata.items() if name not in OWN}}
    return node


def _stored(node: BaseNode) -> Document:
    metadata = node_to_metadata_dict(node, remove_text=True, flat_metadata=False)
    return with_title(node.node_id, node.get_content(metadata_mode=MetadataMode.NONE), metadata)


def _result(hits: Hits) -> VectorStoreQueryResult:
    return VectorStoreQueryResult(
        nodes=[as_node(hit.document) for hit in hits],
        similarities=[float(hit.score) for hit in hits],
        ids=[hit.id for hit in hits],
    )


def _refuse(method: str, asked: Mapping[str, Any]) -> None:
    if asked:
        raise InputError(f"{method} knows no {', '.join(map(repr, asked))}")
