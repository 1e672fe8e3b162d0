"""A collection as Haystack's document store and retriever, and encoders as its embedders.

from twofold.integrations.haystack import TwofoldDocumentStore, TwofoldRetriever

store = TwofoldDocumentStore("manuals.twofold")
retriever = TwofoldRetriever(store, top_k=5)
"""

from __future__ import annotations

from twofold.integrations.haystack_components import (
    TwofoldDocumentEmbedder,
    TwofoldEmbeddingRetriever,
    TwofoldRetriever,
    TwofoldTextEmbedder,
)
from twofold.integrations.haystack_store import TwofoldDocumentStore

__all__ = [
    "TwofoldDocumentEmbedder",
    "TwofoldDocumentStore",
    "TwofoldEmbeddingRetriever",
    "TwofoldRetriever",
    "TwofoldTextEmbedder",
]
