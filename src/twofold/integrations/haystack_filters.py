"""Haystack's filters as Twofold's.

    {"operator": "AND", "conditions": [{"field": "meta.year", "operator": ">", "value": 1990}, ...]}

The meaning is that of Haystack's own store, with the differences that docs/cookbook/haystack.md names: a list matches
where one of its elements does, and true is not 1. Dates are compared as moments, whatever form they are written in;
since a collection compares texts, such a condition becomes one on the texts that are stored.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from twofold.errors import MissingExtraError

try:
    from haystack.errors import FilterError
except ImportError:
    raise MissingExtraError("haystack-ai", "haystack") from None

Texts = Callable[[str], Iterable[str]]
"""The different texts that documents hold under a field, named as in Twofold's filters."""

ORDERED: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    ">": ("$gt", operator.gt),
    ">=": ("$gte", operator.ge),
    "<": ("$lt", operator.lt),
    "<=": ("$lte", operator.le),
}
EQUAL = {"==": False, "!=": True, "in": False, "not in": True}
"""Operators of equality, and whether they deny it."""
LOGICAL = ("AND", "OR", "NOT")
NOT_METADATA = frozenset({"content", "blob", "score", "embedding", "sparse_embedding", "meta"})
"""What a document of Haystack has beside its id and metadata; a collection has no filters on them."""
SHORTEST_DATE = len("2000-01-01")

_nothing: dict[str, Any] = {"$in": []}


def where_of(filters: Mapping[str, Any] | None, texts: Texts) -> dict[str, Any] | None:
    """The filter of a collection; None where there is none ({} too). Raises FilterError, Haystack's own."""
    return _condition(filters, texts, denied=False) if filters else None


def _condition(filters: Any, texts: Texts, *, denied: bool) -> dict[str, Any]:
    if not isinstance(filters, Mapping):
        raise FilterError(f"a filter is a dictionary, not {type(filters).__name__}")
    if "field" in filters:
        return _comparison(filters, texts, denied=denied)
    name, conditions = _present(filters, "operator"), _present(filters, "conditions")
    if name not in LOGICAL:
        raise FilterError(f"unknown logical operator {name!r} (known: {', '.join(LOGICAL)})")
    if not isinstance(conditions, list | tuple) or not conditions:
        raise FilterError(f"{name} takes a list of at least one condition, not {conditions!r}")
    denied = denied != (name == "NOT")
    parts = [_condition(each, texts, denied=denied) for each in conditions]
    # Twofold denies single comparisons, so what is denied here is passed down to them, as De Morgan's laws say.
    return {"$or" if (name == "OR") != denied else "$and": parts}


def _comparison(filters: Mapping[str, Any], texts: Texts, *, denied: bool) -> dict[str, Any]:
    name, value = _present(filters, "operator"), _present(filters, "value")
    field = _field(filters["field"])
    if name in ORDERED:
        condition = _ordered(field, name, value, texts)
    elif name in EQUAL:
        condition = _equal(field, _values(name, value), texts)
        denied = denied != EQUAL[name]
    else:
        raise FilterError(f"unknown comparison operator {name!r} (known: {', '.join((*EQUAL, *ORDERED))})")
    return {field: {"$not": condition} if denied else condition}


def _present(filters: Mapping[str, Any], key: str) -> Any:
    if key not in filters:
        raise FilterError(f"the key {key!r} is missing in {dict(filters)}")
    return filters[key]


def _field(name: Any) -> str:
    """The field in a collection: `meta.` is left out, and Haystack allows to leave it out as well."""
    if not isinstance(name, str):
        raise FilterError(f"a field is named by text, not by {type(name).__name__}")
    if name in NOT_METADATA:
        raise FilterError(f"documents cannot be filtered by {name!r}, only by their id and their metadata (meta.…)")
    field = name.removeprefix("meta.")
    if field == "id" != name:
        raise FilterError("documents cannot be filtered by 'meta.id': in a collection `id` is the document's own")
    return f"${field}" if field.startswith("$") else field


def _values(name: str, value: Any) -> list[Any]:
    if name in ("==", "!="):
        return [value]
    if not isinstance(value, list):
        raise FilterError(f"{name!r} takes a list, not {type(value).__name__}")
    return value


def _equal(field: str, values: list[Any], texts: Texts) -> dict[str, Any]:
    if field == "title":
        values = [_title(value) for value in values]
    wanted = [moment for value in values if (moment := _moment(value)) is not None]
    if not wanted:
        return {"$in": values}
    stored = [text for text in texts(field) if _is_one_of(_moment(text), wanted)]
    return {"$in": [*(value for value in values if not isinstance(value, date)), *stored]}


def _title(value: Any) -> str:
    """A title is a text, and a document without one has the empty text."""
    if value is not None and not isinstance(value, str):
        raise FilterError(f"a title is a text, not {type(value).__name__}")
    return value or ""


def _ordered(field: str, name: str, value: Any, texts: Texts) -> dict[str, Any]:
    if value is None:
        return _nothing
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {ORDERED[name][0]: value}
    wanted = _moment(value)
    if wanted is None:
        raise FilterError(f"{name!r} takes a number, or a date in the form of ISO 8601, not {value!r}")
    matching = []
    for text in filter(None, texts(field)):
        moment = _moment(text)
        if moment is None:
            raise FilterError(f"{name!r} compares dates, and the field {field!r} also holds {text[:80]!r}")
        if ORDERED[name][1](*_alike(moment, wanted)):
            matching.append(text)
    return {"$in": matching}


def _moment(value: Any) -> datetime | None:
    """The moment that a value stands for, if it is a whole date of ISO 8601, with a time or without."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if not isinstance(value, str) or len(value) < SHORTEST_DATE or value[4] != "-":
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _alike(one: datetime, other: datetime) -> tuple[datetime, datetime]:
    """Both with a time zone or both without: one that has none is read in the other's, as Haystack does."""
    if one.tzinfo is None:
        one = one.replace(tzinfo=other.tzinfo)
    elif other.tzinfo is None:
        other = other.replace(tzinfo=one.tzinfo)
    return one, other


def _is_one_of(moment: datetime | None, wanted: list[datetime]) -> bool:
    return moment is not None and any(one == other for one, other in (_alike(moment, each) for each in wanted))
