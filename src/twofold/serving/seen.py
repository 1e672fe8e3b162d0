"""A collection as one key sees it: its filter holds for every document that is read or written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twofold import filters
from twofold.collection.collection import Collection
from twofold.documents import Document, as_documents, identified, identifier_of
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
        own = self._access.where
        if own is None:
            return found
        condition = filters.parse(own)
        return [
            each
            if each is not None and filters.matches(condition, each.metadata, identifier=each.id, title=each.title)
            else None
            for each in found
        ]

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
        condition = filters.parse(self._access.where)
        for each in documents:
            if not filters.matches(condition, each.metadata, identifier=each.id, title=each.title):
                raise AccessError(f"the key {self._access.name!r} may not store the document {each.id!r}")
        with self._collection.writing():
            self._check_own([each.id for each in documents], missing=True)
            return self._collection.add(documents)

    def update(self, records: Sequence[Mapping[str, Any]]) -> AddReport:
        """Changes fields of documents that the key sees, but none that its filter names."""
        if self._access.where is None:
            return self._collection.update(records)
        held = {field.split(".")[0] for field in filters.fields(filters.parse(self._access.where))}
        ids = []
        for place, record in enumerate(records):
            key, rest = identified(record, place)
            inner = rest.get("metadata")
            named = {*rest, *(inner if isinstance(inner, Mapping) else ())}
            if held & named:
                raise AccessError(f"the key {self._access.name!r} may not change the field {min(held & named)!r}")
            ids.append(key)
        with self._collection.writing():
            self._check_own(ids, missing=False)
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

    def _check_own(self, ids: Sequence[str], *, missing: bool) -> None:
        """Raises where a document is another's; missing: whether it may be that it is not there."""
        names = [identifier_of(each) for each in ids]
        for name, there, own in zip(names, self._collection.get(names), self.get(names), strict=True):
            if own is None and not (there is None and missing):
                if missing:
                    raise AccessError(f"the key {self._access.name!r} may not replace the document {name!r}")
                raise NoDocumentError(name)
