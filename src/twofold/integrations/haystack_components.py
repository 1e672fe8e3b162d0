"""Haystack's components over Twofold: two retrievers of a document store, and an encoder as embedders."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from twofold.documents import titled
from twofold.encoders.adapted import adapted
from twofold.encoders.loading import load_encoder
from twofold.errors import MissingExtraError
from twofold.integrations.awaiting import awaited
from twofold.integrations.haystack_store import TwofoldDocumentStore, named
from twofold.protocols import AnyEncoder, Encoder
from twofold.reports import EncodingReport

try:
    from haystack import Document, component, default_from_dict, default_to_dict
    from haystack.document_stores.types import FilterPolicy, apply_filter_policy
except ImportError:
    raise MissingExtraError("haystack-ai", "haystack") from None

K = 10
"""Documents that Haystack's retrievers return where nothing else is said."""


class _Retrieving:
    """What both retrievers share: their settings, and how filters of one call meet those of the retriever."""

    def __init__(
        self,
        document_store: TwofoldDocumentStore,
        *,
        filters: dict[str, Any] | None = None,
        top_k: int = K,
        filter_policy: str | FilterPolicy = FilterPolicy.REPLACE,
        options: dict[str, Any] | None = None,
    ) -> None:
        if not isinstance(document_store, TwofoldDocumentStore):
            raise TypeError(f"document_store is a TwofoldDocumentStore, not {type(document_store).__name__}")
        if top_k < 1:
            raise ValueError(f"top_k is at least 1, not {top_k}")
        self.document_store = document_store
        self.filters = filters
        self.top_k = top_k
        self.filter_policy = FilterPolicy(filter_policy)
        self.options = dict(options or {})

    def to_dict(self) -> dict[str, Any]:
        """The settings, those of the document store among them."""
        return default_to_dict(  # type: ignore[no-any-return]
            self,
            document_store=self.document_store,
            filters=self.filters,
            top_k=self.top_k,
            filter_policy=self.filter_policy.value,
            options=self.options,
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Any:
        """The component with these settings."""
        return default_from_dict(cls, data)

    def _found(
        self, query: str | Sequence[float], filters: dict[str, Any] | None, top_k: int | None
    ) -> dict[str, list[Document]]:
        asked = apply_filter_policy(self.filter_policy, self.filters, filters)
        wanted = self.top_k if top_k is None else top_k
        return {"documents": self.document_store.search(query, asked, wanted, self.options)}


@component
class TwofoldRetriever(_Retrieving):
    """Implements Haystack's retriever of texts: the best documents of a TwofoldDocumentStore.

    filters, top_k: of each search, where a call gives no others. filter_policy: "replace" or "merge", of the filters
    of a call and these. options: those of `Collection.search`, such as {"mode": "lexical"}; without them the search
    is the collection's own, hybrid as a rule.
    """

    @component.output_types(documents=list[Document])  # type: ignore[untyped-decorator]
    def run(
        self, query: str, filters: dict[str, Any] | None = None, top_k: int | None = None
    ) -> dict[str, list[Document]]:
        """{"documents": …}, best first, with scores."""
        return self._found(query, filters, top_k)

    run_async = awaited(run)


@component
class TwofoldEmbeddingRetriever(_Retrieving):
    """Implements Haystack's retriever of embeddings: the documents whose vectors are nearest to that of a query.

    The vector must come from the model that made those of the collection. Settings: as of `TwofoldRetriever`.
    """

    @component.output_types(documents=list[Document])  # type: ignore[untyped-decorator]
    def run(
        self, query_embedding: list[float], filters: dict[str, Any] | None = None, top_k: int | None = None
    ) -> dict[str, list[Document]]:
        """{"documents": …}, best first, with scores."""
        return self._found(query_embedding, filters, top_k)

    run_async = awaited(run)


class _Embedding:
    """What both embedders share: an encoder that is loaded when it is first needed."""

    def __init__(self, encoder: AnyEncoder | None = None, *, settings: Mapping[str, Any] | None = None) -> None:
        self.encoder = encoder
        self.settings = dict(settings or {})
        self._loaded: Encoder | None = None
        self._lock = threading.Lock()

    def to_dict(self) -> dict[str, Any]:
        """The encoder's name and its settings. Raises SerializationError for an object."""
        return default_to_dict(self, encoder=named(self.encoder), settings=self.settings)  # type: ignore[no-any-return]

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Any:
        """The component with these settings."""
        return default_from_dict(cls, data)

    def warm_up(self) -> None:
        """Loads the encoder."""
        self._ready()

    def _ready(self) -> Encoder:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._made()
            return self._loaded

    def _made(self) -> Encoder:
        if self.encoder is None or isinstance(self.encoder, str | Path):
            return load_encoder(self.encoder, **self.settings)
        return adapted(self.encoder)


@component
class TwofoldTextEmbedder(_Embedding):
    """Implements Haystack's text embedder: queries, by the query side of an encoder.

    encoder: an object, or a model's folder or hub name, by default the embedded one. settings: as in `load_encoder`.
    `meta` in the output counts what was truncated.
    """

    @component.output_types(embedding=list[float], meta=dict[str, Any])  # type: ignore[untyped-decorator]
    def run(self, text: str) -> dict[str, Any]:
        """{"embedding": …, "meta": {"truncated": …}}. Raises TypeError for what is no text."""
        if not isinstance(text, str):
            raise TypeError(f"a query is a text, not {type(text).__name__}; documents go to TwofoldDocumentEmbedder")
        report = EncodingReport()
        vector = self._ready().encode_queries([text], report=report)[0]
        return {"embedding": vector.tolist(), "meta": {"truncated": len(report.cut)}}

    run_async = awaited(run)


@component
class TwofoldDocumentEmbedder(_Embedding):
    """Implements Haystack's document embedder: documents, by the document side of an encoder.

    A title (the metadata field `title`) is encoded before the content, as a collection does. Settings: as of
    `TwofoldTextEmbedder`.
    """

    @component.output_types(documents=list[Document], meta=dict[str, Any])  # type: ignore[untyped-decorator]
    def run(self, documents: list[Document]) -> dict[str, Any]:
        """{"documents": copies with embeddings, "meta": {"truncated": …}}. Raises TypeError for what are none."""
        if not isinstance(documents, list) or not all(isinstance(each, Document) for each in documents):
            raise TypeError("documents are a list of Haystack's documents; a query goes to TwofoldTextEmbedder")
        report = EncodingReport()
        vectors = self._ready().encode_documents([_text(each) for each in documents], report=report)
        embedded = [replace(each, embedding=line) for each, line in zip(documents, vectors.tolist(), strict=True)]
        return {"documents": embedded, "meta": {"truncated": len(report.cut)}}

    run_async = awaited(run)


def _text(document: Document) -> str:
    title = document.meta.get("title")
    return titled(title if isinstance(title, str) else "", document.content or "")
