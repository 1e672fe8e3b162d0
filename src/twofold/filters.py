"""`where`: conditions on metadata, as in MongoDB, parsed and defined.

    {"year": {"$gte": 1990, "$lt": 2000}, "author.name": "Hopper"}

`parse` turns what the user wrote into a tree of frozen nodes or raises FilterError; `matches` is the definition of
what a tree means, which every faster evaluation (SQL in the catalogue) is tested against. A dot enters objects. A
field that holds a list matches when any of its elements does. Values of different types are unequal and unordered;
true is not 1. A field that is missing matches `$ne`, `$nin`, `$not` and `{"$exists": false}`, and equals null.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from twofold.documents import INT64, Json, type_names
from twofold.errors import FilterError

TRUNCATED = "$truncated"
"""The one field that is not metadata: whether a document's vectors leave out some of its text."""

Scalar = None | bool | int | float | str
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": operator.eq,
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}
DEEPEST = 16
"""Conditions may stand inside one another so many times; SQLite's parser gives up not far beyond twice that."""
OPERATORS = (*COMPARISONS, "$ne", "$in", "$nin", "$not", "$exists", "$and", "$or")


@dataclass(frozen=True, slots=True)
class Compare:
    """One field against one value with one of $eq, $gt, $gte, $lt, $lte."""

    field: str
    operator: str
    value: Scalar


@dataclass(frozen=True, slots=True)
class Exists:
    """Whether a field is there at all."""

    field: str


@dataclass(frozen=True, slots=True)
class Not:
    """What does not match the inner condition."""

    condition: Filter


@dataclass(frozen=True, slots=True)
class All:
    """What matches every condition; with none, everything."""

    conditions: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """What matches one of the conditions; with none, nothing."""

    conditions: tuple[Filter, ...]


Filter = Compare | Exists | Not | All | Some


def parse(where: Mapping[str, Any]) -> Filter:
    """The tree of a `where`; raises FilterError naming the field and operator that cannot be understood."""
    _check_depth(where, 0)
    return _tree(where)


def _tree(where: Mapping[str, Any]) -> Filter:
    if not isinstance(where, Mapping):
        raise FilterError(f"a filter is an object such as {{'year': {{'$lt': 1990}}}}, not {_kind(where)}")
    return _all(_condition(key, value) for key, value in where.items())


def _check_depth(value: object, depth: int) -> None:
    if depth > 2 * DEEPEST:
        raise FilterError(f"the filter's conditions stand more than {DEEPEST} deep inside one another")
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    for each in inner:
        _check_depth(each, depth + 1)


def comparisons(condition: Filter) -> Iterator[Compare]:
    """Every comparison in a tree, in the order written."""
    match condition:
        case Compare():
            yield condition
        case Exists():
            return
        case Not(inner):
            yield from comparisons(inner)
        case All(inner) | Some(inner):
            for each in inner:
                yield from comparisons(each)


def matches(condition: Filter, metadata: Mapping[str, Json], *, truncated: bool = False) -> bool:
    """The definition: whether a document with this metadata passes."""
    match condition:
        case Compare(field, name, value):
            found = [truncated] if field == TRUNCATED else values_at(metadata, field)
            return any(_compares(name, element, value) for element in found)
        case Exists(field):
            return bool(_at(metadata, field))
        case Not(inner):
            return not matches(inner, metadata, truncated=truncated)
        case All(inner):
            return all(matches(each, metadata, truncated=truncated) for each in inner)
        case Some(inner):
            return any(matches(each, metadata, truncated=truncated) for each in inner)


def values_at(metadata: Mapping[str, Json], field: str) -> list[Json]:
    """The values that a comparison sees: a list's elements, or the value itself, or null where there is none."""
    found = _at(metadata, field)
    if not found:
        return [None]
    return found[0] if isinstance(found[0], list) else found


def type_name(value: Json) -> str:
    """The type of a value in the words of error messages: text, number, boolean, null, list or object."""
    return type_names[type(value)]


def _at(metadata: Mapping[str, Json], field: str) -> list[Json]:
    value: Any = metadata
    for key in field.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return []
        value = value[key]
    return [list(value) if isinstance(value, tuple) else value]


def _compares(name: str, element: Json, value: Scalar) -> bool:
    if isinstance(element, list | dict) or type_name(element) != type_name(value):
        return False
    return COMPARISONS[name](element, value)


def _condition(key: str, value: Any) -> Filter:
    if key in ("$and", "$or"):
        if not isinstance(value, list | tuple) or not value:
            raise FilterError(f"{key} takes a list of filters, not {_kind(value)}")
        parts = tuple(_tree(each) for each in value)
        return All(parts) if key == "$and" else Some(parts)
    if not isinstance(key, str):
        raise FilterError(f"a field is named by text, not by {_kind(key)}")
    if key.startswith("$") and key != TRUNCATED:
        hint = f"; inside a field it would be {{'field': {{{key!r}: …}}}}" if key in OPERATORS else ""
        raise FilterError(f"{key} is no field and no operator that stands here (known: $and, $or, {TRUNCATED}){hint}")
    return _field(key, value)


def _field(field: str, value: Any) -> Filter:
    if not isinstance(value, Mapping):
        return Compare(field, "$eq", _scalar(field, "$eq", value))
    if not value:
        raise FilterError(f"the condition on {field!r} is empty")
    return _all(_operation(field, name, operand) for name, operand in value.items())


def _operation(field: str, name: str, operand: Any) -> Filter:
    match name:
        case "$ne":
            return Not(Compare(field, "$eq", _scalar(field, name, operand)))
        case "$in":
            return _any_of(field, name, operand)
        case "$nin":
            return Not(_any_of(field, name, operand))
        case "$not":
            if not isinstance(operand, Mapping):
                raise FilterError(f"$not on {field!r} takes a condition such as {{'$gt': 5}}, not {_kind(operand)}")
            return Not(_field(field, operand))
        case "$exists":
            if not isinstance(operand, bool):
                raise FilterError(f"$exists on {field!r} takes true or false, not {_kind(operand)}")
            return Exists(field) if operand else Not(Exists(field))
        case _ if name in COMPARISONS:
            value = _scalar(field, name, operand)
            if name != "$eq" and (value is None or isinstance(value, bool)):
                raise FilterError(f"{name} on {field!r} takes a number or text: {_kind(value)} has no order")
            return Compare(field, name, value)
    raise FilterError(f"unknown operator {name!r} on {field!r} (known: {', '.join(OPERATORS)})")


def _any_of(field: str, name: str, operand: Any) -> Filter:
    if not isinstance(operand, list | tuple):
        raise FilterError(f"{name} on {field!r} takes a list, not {_kind(operand)}")
    return Some(tuple(Compare(field, "$eq", _scalar(field, name, value)) for value in operand))


def _scalar(field: str, name: str, value: Any) -> Scalar:
    if not isinstance(value, None | bool | int | float | str):
        raise FilterError(
            f"{name} on {field!r} compares with text, a number, true, false or null, not with {_kind(value)}"
        )
    if isinstance(value, float) and value != value:
        raise FilterError(f"{name} on {field!r}: NaN compares with nothing")
    if isinstance(value, int) and value not in INT64:
        raise FilterError(f"{name} on {field!r}: {value} is beyond 64 bits")
    return _plain(value)


def _plain(value: Scalar) -> Scalar:
    """The value without its subclass: numpy's numbers and texts and enumerations are what they stand for."""
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return None


def _all(conditions: Iterator[Filter]) -> Filter:
    parts = tuple(conditions)
    return parts[0] if len(parts) == 1 else All(parts)


def _kind(value: object) -> str:
    return type_names.get(type(value), type(value).__name__)
