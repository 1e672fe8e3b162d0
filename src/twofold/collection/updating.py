"""Updating documents: records that name some fields, laid over the documents that are stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from twofold.block import Known
from twofold.collection.adding import ENCODED_AT_ONCE, GIVEN_AT_ONCE, Adding
from twofold.collection.own_vectors import Own
from twofold.documents import Document, flat_metadata, identified, without_text
from twofold.engine import EngineWriter
from twofold.errors import NoDocumentError
from twofold.progress import Progress
from twofold.reports import AddReport
from twofold.rows import no_document, row_of, rows_of
from twofold.values import is_missing


class Updating(Adding):
    """One call of `update`: an addition of the stored documents with some of their fields changed."""

    def run(self, documents: Any, writer: EngineWriter, progress: Progress) -> AddReport:
        """Changes all documents; every block is acknowledged before the next one is read."""
        self._as_stored: set[str] = set()
        return super().run(self._changed(rows_of(documents)), writer, progress)

    def _changed(self, rows: Iterable[Any]) -> Iterator[Document]:
        """The documents as they are to be; read in the blocks that are committed, so each sees the one before it."""
        numbered = enumerate(rows)
        while block := list(islice(numbered, ENCODED_AT_ONCE if self._given is None else GIVEN_AT_ONCE)):
            records = [_identified(item, position) for position, item in block]
            stored = self._stored([identifier for identifier, _ in records])
            changed = dict(stored)
            for identifier, fields in records:
                changed[identifier] = laid_over(changed[identifier], fields)
            self._as_stored = {name for name, each in changed.items() if _content(each) == _content(stored[name])}
            yield from (changed[identifier] for identifier, _ in records)

    def _stored(self, ids: list[str]) -> dict[str, Document]:
        with self._engine.snapshot() as snapshot:
            handles = snapshot.find(ids)
            for each in ids:
                if each not in handles:
                    raise NoDocumentError(each, "update changes documents that are there, add puts new ones in")
            found = snapshot.documents(np.array(list(handles.values()), np.int64))
            return {document.id: document for document in found}

    def _hashes(self, documents: list[Document], given: Own | None, known: Mapping[str, Known]) -> list[bytes]:
        """As of an addition; but what keeps title and text keeps the user's own vector, of which nothing is said."""
        hashes = super()._hashes(documents, given, known)
        if given is not None:
            return hashes
        return [
            known[document.id].text_hash if document.id in self._as_stored else each
            for document, each in zip(documents, hashes, strict=True)
        ]


def _identified(item: Any, position: int) -> tuple[str, dict[str, Any]]:
    record = row_of(item)
    if not isinstance(record, Mapping):
        raise no_document(item, position)
    return identified(record, position)


def laid_over(stored: Document, fields: dict[str, Any]) -> Document:
    """The document with other fields: text, title, and metadata, of which a field that is missing is removed."""
    text, rest = without_text(fields, stored.id, stored.metadata)
    title = rest.pop("title", stored.title)
    metadata = {**stored.metadata, **flat_metadata(rest, stored.id)}
    return Document(stored.id, stored.text if text is None else text, "" if is_missing(title) else title, metadata)


def _content(document: Document) -> tuple[str, str]:
    return document.title, document.text
