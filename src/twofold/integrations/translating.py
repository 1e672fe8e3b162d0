"""What the adapters of several frameworks share.

Documents of these frameworks have a text and metadata only; the title stands in the metadata, under `title`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twofold.collection.collection import Collection
from twofold.documents import Document


def with_title(identifier: str, text: str, metadata: Mapping[str, Any]) -> Document:
    """A document whose title is the text under `title` in the metadata; what is no text stays there."""
    rest = dict(metadata)
    title = rest.pop("title") if isinstance(rest.get("title"), str) else ""
    return Document(identifier, text, title, rest)


def metadata_of(document: Document) -> dict[str, Any]:
    """The metadata, and the title among them where there is one."""
    titled = {"title": document.title} if document.title else {}
    return {**titled, **document.metadata}


def texts_under(collection: Collection, field: str) -> list[str]:
    """The different texts that documents hold under a field, named as in a filter."""
    return [value for value in collection.facets(field) if isinstance(value, str)]
