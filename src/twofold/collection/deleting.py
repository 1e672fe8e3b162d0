"""Deleting documents by id, by filter, or all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from twofold.collection.choosing import chosen, listed
from twofold.engine import Engine, EngineSnapshot
from twofold.errors import FilterError, InputError
from twofold.filters import Filter, says_nothing


def delete(
    engine: Engine, ids: Iterable[str] | None, where: Mapping[str, Any] | None, *, everything: bool, strict: bool
) -> int:
    """Marks documents as deleted in one commit; returns their number.

    A filter with an empty part, or whose field has several values in a document, is refused: it may delete
    more than was meant. Raises InputError, FilterError.
    """
    if [ids is not None, where is not None, everything].count(True) != 1:
        raise InputError("delete takes ids, or a filter (where=), or all=True for every document: one of the three")
    condition = chosen(ids, where)
    with engine.writing() as writer, engine.snapshot() as snapshot:
        if ids is not None:
            return writer.delete(np.array(list(snapshot.find(listed(ids)).values()), np.int64))
        if condition is not None:
            _check(condition, snapshot, strict=strict)
        return writer.delete(snapshot.select(condition))


def _check(condition: Filter, snapshot: EngineSnapshot, *, strict: bool) -> None:
    if says_nothing(condition):
        raise FilterError(
            "a part of this filter is empty, so it matches all documents; to delete every document use "
            "all=True, or --all"
        )
    snapshot.check_unambiguous(condition)
    if strict:
        snapshot.check_fields(condition)
