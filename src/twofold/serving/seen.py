"""A collection as one key sees it: its filter holds for every document that is read or written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from twofold import filters
from twofold.collection.collection import Collection
from twofold.collection.updating import laid_over
from twofold.documents import Document, Passage, as_documents, identified
from twofold.errors import AccessError, InputError, NoDocumentError
from twofold.hits import Hits
from twofold.reports import AddReport
from twofold.serving.access import Access
from twofold.values import Scalar

Where = dict[str, Any] | None


class Seen:
    """Reads and writes of one key; every method may wait for the disk."""

    def __init__(self, opened: Callable[[], Collection], access: Access) -> None:
        self._opened = opened
        self._access = access

    @property
    def _collection(self) -> Collection:
        return self._opened()  # another object where the folder was replaced

    def where(self, where: Where) -> Where:
        """A filter, and that of the key."""
        own = self._access.where
        return where if own is None else dict(own) if where is None else {"$and": [own, where]}

    def get(self, ids: Sequence[str]) -> list[Document | None]:
        """Documents by their ids; None for one that is not there, or that the key may not see."""
        found = self._collection.get(list(ids))
        return [each if each is not None and self._sees(each) else None for each in found]

    def passages(self, document_id: str) -> list[Passage]:
        """The passages of a document, in the order of its text. Raises NoDocumentError."""
        with self._collection.searcher(lexical=False) as searcher:
            handles = np.array(list(searcher.snapshot.find([document_id]).values()), np.int64)
            for document in searcher.snapshot.documents(handles):
                if self._sees(document):
                    spans = searcher.snapshot.passages(handles).spans.tolist()
                    return [Passage.of(document.text, start, end) for start, end in spans]
        raise NoDocumentError(document_id)

    def listed(self, where: Where, limit: int, offset: int, *, strict: bool) -> list[Document]:
        """A page of the documents that pass a filter."""
        return self._collection.get(where=self.where(where), limit=limit, offset=offset, strict=strict)

    def ids(self, where: Where, limit: int, offset: int, *, strict: bool) -> list[str]:
        """A page of the ids of the documents that pass a filter."""
        return self._collection.ids(where=self.where(where), limit=limit, offset=offset, strict=strict)

    def count(self, ids: Sequence[str] | None, where: Where, *, strict: bool) -> int:
        """How many documents there are, of these ids or of those that pass a filter."""
        if ids is None:
            return self._collection.count(where=self.where(where), strict=strict)
        if where is not None:
            raise InputError("give ids or a filter, not both")
        if self._access.where is None:
            return self._collection.count(list(ids))
        return sum(each is not None for each in self.get(list(dict.fromkeys(ids))))

    def facets(self, field: str, where: Where, limit: int | None, *, strict: bool) -> dict[Scalar, int]:
        """value → documents."""
        return self._collection.facets(field, where=self.where(where), limit=limit, strict=strict)

    def like(self, document_id: str, where: Where, options: Mapping[str, Any]) -> Hits:
        """The documents nearest to a stored one."""
        if self.get([document_id]) == [None]:
            raise NoDocumentError(document_id)
        return self._collection.like(document_id, where=self.where(where), **options)

    def add(self, records: Sequence[Mapping[str, Any]]) -> AddReport:
        """Adds or replaces documents, which have to match the key's filter, before and after."""
        if self._access.where is None:
            return self._collection.add(records)
        documents = list(as_documents(records))
        with self._collection.writing():
            stored = self._stored([each.id for each in documents])
            for each in documents:
                self._check_writes(each, stored[each.id])
            return self._collection.add(documents)

    def update(self, records: Sequence[Mapping[str, Any]]) -> AddReport:
        """Changes fields of documents, which have to match the key's filter, before and after."""
        if self._access.where is None:
            return self._collection.update(records)
        named = [identified(record, place) for place, record in enumerate(records)]
        with self._collection.writing():
            ids = [name for name, _ in named]
            stored = dict(zip(ids, self.get(ids), strict=True))
            changed = dict(stored)
            for name, fields in named:
                before = changed[name]
                if before is None:
                    raise NoDocumentError(name)
                # The document as it would be, since a field has more names than one: "a.b" is also "b" within "a".
                changed[name] = after = laid_over(before, fields)
                self._check_writes(after, stored[name])
            return self._collection.update(records)

    def delete(self, ids: Sequence[str] | None, where: Where, *, everything: bool, strict: bool) -> int:
        """Deletes documents by id, by filter, or all that the key sees."""
        own = self._access.where
        if own is None:
            return self._collection.delete(
                None if ids is None else list(ids), where=where, all=everything, strict=strict
            )
        if (ids is not None) + (where is not None) + everything != 1:
            raise InputError("say which documents: ids, where or all, one of the three")
        if ids is not None:
            with self._collection.writing():
                own_ids = [each.id for each in self.get(list(ids)) if each is not None]
                return self._collection.delete(own_ids) if own_ids else 0
        return self._collection.delete(where=self.where(where), strict=strict)

    def _sees(self, document: Document) -> bool:
        """Whether a document passes the key's filter."""
        own = self._access.where
        return own is None or filters.matches(
            filters.parse(own), document.metadata, identifier=document.id, title=document.title
        )

    def _stored(self, ids: Sequence[str]) -> dict[str, Document | None]:
        """The documents of these ids; None for one that is not there. Raises AccessError for one that is another's."""
        names = list(dict.fromkeys(ids))
        there = dict(zip(names, self._collection.get(names), strict=True))
        for name, own in zip(names, self.get(names), strict=True):
            if own is None and there[name] is not None:
                raise AccessError(f"the key {self._access.name!r} may not use the id {name!r}")
        return there

    def _check_writes(self, document: Document, stored: Document | None) -> None:
        """Raises AccessError where a document would not match the key's filter, or would match those of others, too.

        A field with several values matches filters on each of them, so a field that the filter names has one, or those
        that are stored.
        """
        condition = filters.parse(self._access.where or {})
        known = filters.matches(condition, document.metadata, identifier=document.id, title=document.title)
        for field in filters.fields(condition) - set(filters.OWN):
            values = filters.found_at(document.metadata, field)
            before = [] if stored is None else filters.found_at(stored.metadata, field)
            known &= len(filters.elements(values)) == 1 or values == before
        if not known:
            raise AccessError(
                f"the key {self._access.name!r} may not store the document {document.id!r} so: it has to match the "
                "key's filter, with one value in each field that the filter names"
            )
