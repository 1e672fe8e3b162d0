"""LlamaIndex's metadata filters as Twofold's.

    MetadataFilters(filters=[MetadataFilter(key="year", operator=">", value=1990), ...], condition="and")

All operators, nested as deep as a collection's filters go. Their meaning is that of LlamaIndex's own simple store, with
the differences that docs/cookbook/llamaindex.md names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from twofold.errors import FilterError, MissingExtraError

try:
    from llama_index.core.vector_stores.types import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters
except ImportError:
    raise MissingExtraError("llama-index-core", "llamaindex") from None

Texts = Callable[[str], Iterable[str]]
"""The different texts that nodes hold under a field, named as in Twofold's filters."""

OPERATORS: Mapping[FilterOperator, str] = {
    FilterOperator.EQ: "$eq",
    FilterOperator.NE: "$ne",
    FilterOperator.GT: "$gt",
    FilterOperator.GTE: "$gte",
    FilterOperator.LT: "$lt",
    FilterOperator.LTE: "$lte",
    FilterOperator.IN: "$in",
    FilterOperator.NIN: "$nin",
    FilterOperator.ANY: "$in",
    FilterOperator.ALL: "$all",
    FilterOperator.CONTAINS: "$contains",
    FilterOperator.TEXT_MATCH: "$contains",
}
"""LlamaIndex's operators that are one of Twofold's; the other two are made of several."""
OF_LISTS = {FilterOperator.IN, FilterOperator.NIN, FilterOperator.ANY, FilterOperator.ALL}
EQUALITY = {FilterOperator.EQ, FilterOperator.NE}
"""Operators that take one value or a whole list."""
OF_TEXTS = {FilterOperator.TEXT_MATCH, FilterOperator.TEXT_MATCH_INSENSITIVE}


def where_of(filters: MetadataFilters | None, texts: Texts) -> dict[str, Any] | None:
    """The filter of a collection; None where there is none. Raises FilterError."""
    return None if filters is None or not filters.filters else _all_of(filters, texts, denied=False)


def _all_of(filters: MetadataFilters, texts: Texts, *, denied: bool) -> dict[str, Any]:
    if not filters.filters:
        raise FilterError("a group of filters inside another is empty, which says nothing; leave it out")
    condition = filters.condition or FilterCondition.AND
    # NOT says that none of its filters match. Twofold denies single comparisons, so what is denied is passed down.
    either = condition != FilterCondition.AND
    denied = denied != (condition == FilterCondition.NOT)
    parts = [
        _all_of(each, texts, denied=denied) if isinstance(each, MetadataFilters) else _one(each, texts, denied=denied)
        for each in filters.filters
    ]
    return {"$or" if either != denied else "$and": parts}


def _one(asked: MetadataFilter, texts: Texts, *, denied: bool) -> dict[str, Any]:
    field = f"${asked.key}" if asked.key.startswith("$") else asked.key
    if asked.operator == FilterOperator.IS_EMPTY:
        empty: dict[str, Any] = {"$in": [None, "", []]}
        return {field: {"$not": empty} if denied else empty}
    value = asked.value
    if value is None:
        raise FilterError(
            f"the operator {asked.operator.value!r} on {field!r} needs a value; is_empty finds what has none"
        )
    if isinstance(value, list) != (asked.operator in OF_LISTS) and asked.operator not in EQUALITY:
        wanted = "a list" if asked.operator in OF_LISTS else "one value"
        raise FilterError(f"the operator {asked.operator.value!r} on {field!r} takes {wanted}, not {value!r}")
    if asked.operator in OF_TEXTS and not isinstance(value, str):
        raise FilterError(f"the operator {asked.operator.value!r} on {field!r} takes a text, not {value!r}")
    if asked.operator == FilterOperator.TEXT_MATCH_INSENSITIVE:
        small = str(value).lower()
        condition: dict[str, Any] = {"$in": [text for text in texts(field) if small in text.lower()]}
    else:
        condition = {OPERATORS[asked.operator]: value}
    return {field: {"$not": condition} if denied else condition}
