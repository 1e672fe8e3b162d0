"""What a collection holds, read without a search: documents, ids, vectors and counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, overload

import numpy as np

from twofold.collection.choosing import chosen, listed
from twofold.documents import Document, identifier_of
from twofold.engine import Engine, EngineSnapshot
from twofold.errors import InputError, NoDocumentError
from twofold.facets import facet_field, most_frequent
from twofold.filters import All, Exists
from twofold.scores import Numbers, Vectors
from twofold.values import Scalar


class Reading:
    """The reading half of a collection; each call reads the latest commit."""

    _engine: Engine

    @overload
    def get(self, ids: str, /) -> Document | None: ...
    @overload
    def get(self, ids: list[str] | tuple[str, ...], /) -> list[Document | None]: ...
    @overload
    def get(
        self,
        ids: None = None,
        /,
        *,
        where: Mapping[str, Any] | None = None,
        limit: int | None = None,
        offset: int = 0,
        strict: bool = False,
    ) -> list[Document]: ...
    def get(
        self,
        ids: str | list[str] | tuple[str, ...] | None = None,
        /,
        *,
        where: Mapping[str, Any] | None = None,
        limit: int | None = None,
        offset: int = 0,
        strict: bool = False,
    ) -> Document | list[Document] | list[Document | None] | None:
        """One document by its id, or None; several by a list of ids, None in place of each that is not there; or those
        that pass a filter, in the order in which they were added.

        where: a filter (docs/filters.md). limit, offset: a page of these. strict: refuse a filter whose fields no
        document has. Raises InputError, FilterError, CorruptionError where stored bytes have changed.
        """
        check_page(limit, offset)
        if ids is not None and (limit, offset) != (None, 0):
            raise InputError("a page (limit, offset) is of all documents, or of those that pass a filter, not of ids")
        with self._engine.snapshot() as snapshot:
            if ids is None:
                return snapshot.documents(_selected(snapshot, where, strict=strict)[_page(limit, offset)])
            if where is not None:
                raise InputError("give ids or a filter, not both")
            if isinstance(ids, str | int):
                return _found(snapshot, [identifier_of(ids)])[0]
            return _found(snapshot, listed(ids))

    def ids(
        self,
        *,
        where: Mapping[str, Any] | None = None,
        limit: int | None = None,
        offset: int = 0,
        strict: bool = False,
    ) -> list[str]:
        """The ids of all documents, or of those that pass a filter, in the order in which they were added.

        where, limit, offset, strict: as in `get`. Raises InputError, FilterError.
        """
        check_page(limit, offset)
        with self._engine.snapshot() as snapshot:
            return snapshot.ids(_selected(snapshot, where, strict=strict)[_page(limit, offset)])

    def vectors(self, ids: Iterable[str], /) -> dict[str, Vectors]:
        """id → float32 (passages, dimension): the stored vectors of these documents, a line a passage.

        They are stored as float16. A document without a text and a title has no passage. Raises NoDocumentError for
        one of the ids that is not there.
        """
        with self._engine.snapshot() as snapshot:
            handles = _handles(snapshot, listed(ids))
            names, numbers = list(handles), np.array(list(handles.values()), np.int64)
            order = np.argsort(numbers)
            passages = snapshot.passages(numbers[order])
            stored = snapshot.dense().vectors(passages.handles)
            return {names[place]: stored[passages.owners == position] for position, place in enumerate(order.tolist())}

    def count(
        self,
        ids: Iterable[str] | None = None,
        *,
        where: Mapping[str, Any] | None = None,
        strict: bool = False,
    ) -> int:
        """How many documents there are: in all, of these ids, or of those that pass a filter.

        ids, where: one of them, or neither. strict: refuse a filter whose fields no document has. Raises InputError for
        both at once, FilterError.
        """
        condition = chosen(ids, where)
        with self._engine.snapshot() as snapshot:
            if strict and condition is not None:
                snapshot.check_fields(condition)
            return snapshot.count(condition) if ids is None else len(snapshot.find(listed(ids)))

    def facets(
        self, field: str, *, where: Mapping[str, Any] | None = None, limit: int | None = None, strict: bool = False
    ) -> dict[Scalar, int]:
        """value → how many documents hold it, of all documents or of those that pass a filter; most frequent first.

        field: named as in a filter; `id` and `title` too. Values are texts, numbers and booleans, and those in a list,
        each once a document; equal counts come in the order of the values. where: as in `get`. limit: so many values
        at most. strict: refuse a field, here or in the filter, that no document has. Raises InputError, FilterError.
        """
        check_page(limit, 0)
        name, condition = facet_field(field), chosen(None, where)
        with self._engine.snapshot() as snapshot:
            if strict:
                snapshot.check_fields(All((Exists(name), condition or All(()))))
            return most_frequent(name, snapshot.facets(name, condition), limit)

    def __getitem__(self, document_id: str) -> Document:
        """`collection["some id"]`: the document with this id. Raises NoDocumentError, which is a KeyError."""
        with self._engine.snapshot() as snapshot:
            (handle,) = _handles(snapshot, [identifier_of(document_id)]).values()
            return snapshot.documents(np.array([handle], np.int64))[0]

    def __len__(self) -> int:
        return self.count()

    def __contains__(self, document_id: object) -> bool:
        with self._engine.snapshot() as snapshot:
            named = isinstance(document_id, str | int) and not isinstance(document_id, bool)
            return named and bool(snapshot.find([identifier_of(document_id)]))

    def __iter__(self) -> Iterator[Document]:
        """Every document, oldest first, on one snapshot."""
        with self._engine.snapshot() as snapshot:
            yield from snapshot.each()


def _selected(snapshot: EngineSnapshot, where: Mapping[str, Any] | None, *, strict: bool) -> Numbers:
    condition = chosen(None, where)
    if strict and condition is not None:
        snapshot.check_fields(condition)
    return snapshot.select(condition)


def _found(snapshot: EngineSnapshot, ids: list[str]) -> list[Document | None]:
    handles = snapshot.find(ids)
    stored = snapshot.documents(np.array(list(handles.values()), np.int64))
    documents = {document.id: document for document in stored}
    return [documents.get(each) for each in ids]


def _handles(snapshot: EngineSnapshot, ids: list[str]) -> dict[str, int]:
    handles = snapshot.find(ids)
    for each in ids:
        if each not in handles:
            raise NoDocumentError(each)
    return handles


def _page(limit: int | None, offset: int) -> slice:
    return slice(offset, None if limit is None else offset + limit)


def check_page(limit: int | None, offset: int) -> None:
    """Raises InputError for what is no page."""
    for name, value in (("limit", limit), ("offset", offset)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0):
            raise InputError(f"{name} is a count from 0 on, not {value!r}")
