"""The documents that a call selects: those of a list of ids, those that match a filter, or all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from twofold import filters
from twofold.documents import identifier_of
from twofold.errors import InputError
from twofold.filters import Filter


def chosen(ids: Iterable[str] | None, where: Mapping[str, Any] | None) -> Filter | None:
    """The filter, parsed, or None; raises InputError where ids and filter are both given."""
    if ids is not None and where is not None:
        raise InputError("give ids or a filter, not both")
    return None if where is None else filters.parse(where)


def listed(ids: Any) -> list[str]:
    """The ids that a call names, one text or a list; integers stand for their digits. Raises InputError for no list."""
    if isinstance(ids, str):
        return [identifier_of(ids)]
    if isinstance(ids, bytes | Mapping) or not isinstance(ids, Iterable):
        raise InputError(f"ids is a list; for one document write [{ids!r}]")
    return [identifier_of(each) for each in ids]
