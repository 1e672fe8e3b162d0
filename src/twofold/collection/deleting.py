"""Deleting documents by id or by filter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from twofold.collection.choosing import chosen
from twofold.errors import InputError
from twofold.storage.store import Store


def delete(store: Store, ids: Iterable[str] | None, where: Mapping[str, Any] | None) -> int:
    """Marks the named documents as deleted in one commit; returns how many there were."""
    if ids is None and where is None:
        raise InputError("delete takes ids or a filter")
    condition = chosen(ids, where)
    with store.writing() as writer, store.snapshot() as snapshot:
        if ids is None:
            return writer.delete(snapshot.document_numbers(condition))
        return writer.delete(list(snapshot.find(list(ids)).values()))
