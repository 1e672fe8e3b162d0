"""A collection as Haystack's document store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from twofold.collection.building import open_or_create
from twofold.collection.collection import Collection
from twofold.collection.opening import create as created
from twofold.collection.opening import open_collection
from twofold.documents import Document
from twofold.errors import FilterError, MissingExtraError
from twofold.filters import found_at
from twofold.integrations.awaiting import awaited
from twofold.integrations.haystack_filters import where_of
from twofold.integrations.translating import metadata_of, texts_under, with_title
from twofold.logs import logger_of
from twofold.protocols import AnyEncoder
from twofold.scores import Vectors
from twofold.values import Json

try:
    from haystack import Document as HaystackDocument
    from haystack import default_from_dict, default_to_dict
    from haystack.core.errors import SerializationError
    from haystack.document_stores.errors import DuplicateDocumentError
    from haystack.document_stores.types import DuplicatePolicy
    from haystack.errors import FilterError as HaystackFilterError
except ImportError:
    raise MissingExtraError("haystack-ai", "haystack") from None

logger = logger_of(__name__)

READ_AT_ONCE = 1_000
"""Documents that are in memory while metadata is looked through."""
TYPES = {bool: "boolean", int: "int", float: "float"}
"""Haystack's names of types; anything else is a keyword."""


class TwofoldDocumentStore:
    """Implements Haystack's DocumentStore over a collection, with the methods that Haystack's own stores add.

    path: the collection's folder, opened when it is first needed; None is in memory. encoder: an object, or a model's
    folder or hub name, by default the embedded one; settings: as in `open_or_create`. Where there is no collection it
    is created, or with `create=False` NotACollectionError raised; one that is there must agree with encoder and
    settings. `TwofoldDocumentStore.of` takes a collection that is open.

    The collection itself encodes content and title (the metadata field `title`), a long document in passages; it needs
    no embedder, and embeddings of documents are not stored. A collection of `GivenVectors` stores them instead, and
    each document must have one. Documents come back without embeddings. A metadata value None means that the field
    is missing. Filters are Haystack's (docs/cookbook/haystack.md). Raises what `Collection` raises, and for filters
    Haystack's FilterError.
    """

    def __init__(
        self,
        path: str | None = None,
        *,
        encoder: AnyEncoder | None = None,
        settings: Mapping[str, Any] | None = None,
        create: bool = True,
    ) -> None:
        self.path = path
        self.encoder = encoder
        self.settings = dict(settings or {})
        self.create = create
        self._collection: Collection | None = None

    @classmethod
    def of(cls, collection: Collection) -> TwofoldDocumentStore:
        """The store of a collection that is open; it can be serialised if it is in a folder."""
        store = cls(str(collection.path), create=False)
        store._collection = collection
        return store

    @property
    def collection(self) -> Collection:
        """The collection, opened or created when it is first asked for."""
        if self._collection is None:
            if self.path is None:
                self._collection = created(None, self.encoder, **self.settings)
            elif self.create:
                self._collection = open_or_create(self.path, self.encoder, **self.settings)
            else:
                self._collection = open_collection(self.path, self.encoder)
        return self._collection

    def to_dict(self) -> dict[str, Any]:
        """The settings of the store, for pipelines that are saved; documents stay in the folder."""
        settings = {"path": self.path, "settings": self.settings, "create": self.create}
        return default_to_dict(self, encoder=named(self.encoder), **settings)  # type: ignore[no-any-return]

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> TwofoldDocumentStore:
        """The store with these settings."""
        return default_from_dict(cls, data)  # type: ignore[no-any-return]

    def close(self) -> None:
        """Closes the collection; one in memory is deleted."""
        if self._collection is not None:
            self._collection.close()
            self._collection = None

    def count_documents(self) -> int:
        """How many documents there are."""
        return self.collection.count()

    def filter_documents(self, filters: dict[str, Any] | None = None) -> list[HaystackDocument]:
        """The documents that match, in the order in which they were written."""
        with self._where(filters) as where:
            return [as_haystack(each) for each in self.collection.get(where=where)]

    def write_documents(
        self, documents: Iterable[HaystackDocument], policy: DuplicatePolicy = DuplicatePolicy.NONE
    ) -> int:
        """Stores documents, and returns how many were written.

        policy: FAIL, which is the default, raises DuplicateDocumentError for an id that is there or comes twice, and
        writes nothing; SKIP keeps the first document of an id, OVERWRITE the last. Raises ValueError for what is no
        document, for documents with a blob or a sparse embedding, which a collection does not hold, and where own
        vectors are stored for documents without an embedding.
        """
        given = _checked(documents)
        with self.collection.writing():
            chosen = self._unlike(given, policy)
            if chosen:
                vectors = self._vectors(chosen)
                self.collection.add([_stored(each) for each in chosen], vectors=vectors)
        return len(given) if policy == DuplicatePolicy.OVERWRITE else len(chosen)

    def delete_documents(self, document_ids: list[str]) -> None:
        """Deletes documents by id; unknown ids are ignored."""
        self.collection.delete(document_ids)

    def delete_all_documents(self) -> None:
        """Deletes every document."""
        self.collection.delete(all=True)

    def delete_by_filter(self, filters: dict[str, Any]) -> int:
        """Deletes the documents that match, and returns their number.

        An empty filter raises FilterError: `delete_all_documents` deletes every document.
        """
        with self._where(filters) as where:
            return self.collection.delete(where=where or {})

    def update_by_filter(self, filters: dict[str, Any], meta: dict[str, Any]) -> int:
        """Lays metadata over that of the documents that match, and returns their number."""
        with self.collection.writing(), self._where(filters) as where:
            ids = self.collection.ids(where=where)
            rest = dict(meta)
            title = {"title": rest.pop("title")} if isinstance(rest.get("title"), str) else {}
            self.collection.update({"id": each, "metadata": rest, **title} for each in ids)
        return len(ids)

    def count_documents_by_filter(self, filters: dict[str, Any]) -> int:
        """How many documents match."""
        with self._where(filters) as where:
            return self.collection.count(where=where)

    def count_unique_metadata_by_filter(self, filters: dict[str, Any], metadata_fields: list[str]) -> dict[str, int]:
        """field → how many different values it has in the documents that match, a list counted as one value."""
        names = [_without_meta(each) for each in metadata_fields]
        different: dict[str, set[tuple[str, str]]] = {name: set() for name in names}
        for document in self._documents(filters):
            for name in names:
                different[name].update(map(_key, _held(document, name)))
        return {name: len(values) for name, values in different.items()}

    def get_metadata_fields_info(self) -> dict[str, dict[str, str]]:
        """field → {"type": …}: "boolean", "int", "float" (also with int), or "keyword" for texts and all else."""
        kinds: dict[str, set[str]] = {}
        for document in self._documents(None):
            for name, value in metadata_of(document).items():
                kinds.setdefault(name, set()).add(TYPES.get(type(value), "keyword"))
        return {name: {"type": _one_of(found)} for name, found in kinds.items()}

    def get_metadata_field_min_max(self, metadata_field: str) -> dict[str, Any]:
        """{"min": …, "max": …} of a field's numbers, or of its texts; None where it has neither, or both."""
        held = [
            value
            for document in self._documents(None)
            for value in _held(document, _without_meta(metadata_field))
            if isinstance(value, int | float | str) and not isinstance(value, bool)
        ]
        if len({isinstance(value, str) for value in held}) != 1:
            return {"min": None, "max": None}
        return {"min": min(held), "max": max(held)}

    def get_metadata_field_unique_values(
        self,
        metadata_field: str,
        search_term: str | None = None,
        from_: int = 0,
        size: int = 10,
        filters: dict[str, Any] | None = None,
    ) -> tuple[list[Any], int]:
        """A page of the different values of a field, ordered as texts, and how many there are in all.

        search_term: only values that contain it, in whatever case.
        """
        name = _without_meta(metadata_field)
        different: dict[tuple[str, str], Json] = {}
        for document in self._documents(filters):
            for value in _held(document, name):
                if not search_term or search_term.lower() in str(value).lower():
                    different.setdefault(_key(value), value)
        ordered = sorted(different, key=lambda key: (str(different[key]), key))
        return [different[key] for key in ordered[from_ : from_ + size]], len(ordered)

    def search(
        self,
        query: str | Sequence[float],
        filters: dict[str, Any] | None = None,
        top_k: int = 10,
        options: Mapping[str, Any] | None = None,
    ) -> list[HaystackDocument]:
        """The best documents with their scores; what the retrievers call.

        query: a text, or its vector. options: those of `Collection.search`, such as {"mode": "lexical"}.
        """
        asked = query if isinstance(query, str) else np.asarray(query, np.float32)
        with self._where(filters) as where:
            hits = self.collection.search(asked, k=top_k, where=where, **(options or {}))
        return [as_haystack(hit.document, float(hit.score)) for hit in hits]

    count_documents_async = awaited(count_documents)
    filter_documents_async = awaited(filter_documents)
    write_documents_async = awaited(write_documents)
    delete_documents_async = awaited(delete_documents)
    delete_all_documents_async = awaited(delete_all_documents)
    delete_by_filter_async = awaited(delete_by_filter)
    update_by_filter_async = awaited(update_by_filter)
    count_documents_by_filter_async = awaited(count_documents_by_filter)
    count_unique_metadata_by_filter_async = awaited(count_unique_metadata_by_filter)
    get_metadata_fields_info_async = awaited(get_metadata_fields_info)
    get_metadata_field_min_max_async = awaited(get_metadata_field_min_max)
    get_metadata_field_unique_values_async = awaited(get_metadata_field_unique_values)
    search_async = awaited(search)

    @contextmanager
    def _where(self, filters: Mapping[str, Any] | None) -> Iterator[dict[str, Any] | None]:
        """Haystack's filter as the collection's; where either is refused, as Haystack's error."""
        try:
            yield where_of(filters, partial(texts_under, self.collection))
        except FilterError as error:
            raise HaystackFilterError(str(error)) from error

    def _documents(self, filters: Mapping[str, Any] | None) -> Iterator[Document]:
        with self._where(filters) as where:
            ids = self.collection.ids(where=where)
        for start in range(0, len(ids), READ_AT_ONCE):
            yield from (each for each in self.collection.get(ids[start : start + READ_AT_ONCE]) if each is not None)

    def _unlike(self, documents: list[HaystackDocument], policy: DuplicatePolicy) -> list[HaystackDocument]:
        """The documents to write, by what their policy says of ids that are there or come again."""
        if policy == DuplicatePolicy.OVERWRITE:
            return documents
        known = set(self.collection.ids(where={"id": {"$in": [each.id for each in documents]}}))
        chosen = []
        for document in documents:
            if document.id not in known:
                known.add(document.id)
                chosen.append(document)
            elif policy != DuplicatePolicy.SKIP:
                raise DuplicateDocumentError(f"a document with the id {document.id!r} is there already")
        return chosen

    def _vectors(self, documents: list[HaystackDocument]) -> Vectors | None:
        """The embeddings, where the collection holds vectors made elsewhere; else None."""
        embedded = [each.embedding is not None for each in documents]
        if self.collection.encoder.can_encode:
            if any(embedded):
                logger.warning(
                    "the embeddings of %d documents are not stored: the collection encodes them itself", sum(embedded)
                )
            return None
        if not all(embedded):
            raise ValueError(
                f"the document {documents[embedded.index(False)].id!r} has no embedding, and this collection holds "
                "vectors made elsewhere: put a document embedder before the writer"
            )
        return np.array([each.embedding for each in documents], np.float32)


def named(encoder: AnyEncoder | None) -> str | None:
    """The name of an encoder, for pipelines that are saved. Raises SerializationError for an object."""
    if encoder is None or isinstance(encoder, str):
        return encoder
    raise SerializationError(
        f"the encoder is an object, {type(encoder).__name__}, which cannot be saved with a pipeline: give its folder "
        "or hub name, or a collection that was made with it"
    )


def as_haystack(document: Document, score: float | None = None) -> HaystackDocument:
    """A document as Haystack's; content None where it has no text."""
    return HaystackDocument(id=document.id, content=document.text or None, meta=metadata_of(document), score=score)


def _checked(documents: Any) -> list[HaystackDocument]:
    if isinstance(documents, str | Mapping) or not isinstance(documents, Iterable):
        raise ValueError(f"documents are a list of Haystack's documents, not {type(documents).__name__}")
    given = list(documents)
    for each in given:
        if not isinstance(each, HaystackDocument):
            raise ValueError(f"documents are a list of Haystack's documents; this one holds {type(each).__name__}")
        for name in ("blob", "sparse_embedding"):
            if getattr(each, name) is not None:
                raise ValueError(f"the document {each.id!r} has a {name}, which a collection does not hold")
    return given


def _stored(document: HaystackDocument) -> Document:
    return with_title(document.id, document.content or "", document.meta)


def _without_meta(field: str) -> str:
    return field.removeprefix("meta.")


def _held(document: Document, field: str) -> Iterator[Json]:
    """What stands under a field of a document, but null."""
    if field == "title" and document.title:
        yield document.title
    else:
        yield from (value for value in found_at(document.metadata, field) if value is not None)


def _key(value: Json) -> tuple[str, str]:
    """What tells values apart: 1, 1.0, "1" and true are four."""
    return type(value).__name__, json.dumps(value, ensure_ascii=False, sort_keys=True)


def _one_of(kinds: set[str]) -> str:
    if len(kinds) == 1:
        return next(iter(kinds))
    return "float" if kinds == {"int", "float"} else "keyword"
