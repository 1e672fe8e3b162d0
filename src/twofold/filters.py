"""`where`: conditions on metadata, id and title, as in MongoDB, parsed and defined.

    {"year": {"$gte": 1990, "$lt": 2000}, "author.name": "Hopper"}

`parse` turns what the user wrote into a tree of frozen nodes or raises FilterError; `matches` is the definition of
what a tree means, which every faster evaluation (SQL and columns in the catalogue) is tested against. A field that
holds a list matches when any of its elements does, or the list as a whole. Values of different types are unequal and
unordered; true is not 1. A field that is missing matches `$ne`, `$nin`, `$not` and `{"$exists": false}`, and equals
null.

A dot belongs to a key or enters an object: "author.name" is the key "author.name" and the key "name" of the object
"author", as in Elasticsearch; where a document has both, either may match. A field whose name begins with $ is written
with $$: {"$$price": 3}. The names "id" and "title" are the document's own, whatever its metadata hold under them.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from twofold.errors import FilterError, InputError, brief
from twofold.values import INT64, Json, Scalar, equal, is_missing, kind_of, plain, plain_text, type_names

ID, TITLE = OWN = ("id", "title")
"""The fields that are the document's own, of which each has one text; "" where there is no title."""
TRUNCATED = "$truncated"
"""The field that follows from a document's vectors: whether they leave out some of its text."""

CONTAINS, PREFIX = "$contains", "$prefix"
ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {"$eq": operator.eq, **ORDERED, PREFIX: str.startswith}
"""What an element of the field and a value of its type are asked. $contains asks the field as a whole (`_holds`)."""
DEEPEST = 16
"""The deepest nesting of conditions; SQLite's parser fails not far beyond twice that."""
OPERATORS = (*COMPARISONS, CONTAINS, "$ne", "$in", "$nin", "$all", "$not", "$exists", "$and", "$or")


@dataclass(frozen=True, slots=True)
class Compare:
    """One field against one plain value (values.py).

    operator: $eq; $gt, $gte, $lt, $lte of text and numbers; $prefix of text; $contains of what is no list or object.
    """

    field: str
    operator: str
    value: Json


@dataclass(frozen=True, slots=True)
class Among:
    """One field against several plain values that are neither lists nor objects: whether it equals one of them.

    A single node, since there may be very many values.
    """

    field: str
    values: tuple[Scalar, ...]


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


Leaf = Compare | Among | Exists
Filter = Leaf | Not | All | Some


def parse(where: Mapping[str, Any]) -> Filter:
    """The tree of a `where`; raises FilterError naming the field and operator that is invalid."""
    return _tree(where, 0)


def leaves(condition: Filter) -> Iterator[Leaf]:
    """Every comparison and every question for existence in a tree, from left to right."""
    match condition:
        case Compare() | Among() | Exists():
            yield condition
        case Not(inner):
            yield from leaves(inner)
        case All(parts) | Some(parts):
            for each in parts:
                yield from leaves(each)


def fields(condition: Filter) -> set[str]:
    """The fields of a tree, as they are written."""
    return {leaf.field for leaf in leaves(condition)}


def says_nothing(condition: Filter, *, negated: bool = False) -> bool:
    """Whether a part of the tree matches everything because it is empty: {}, {"$nin": []} or {"$prefix": ""}."""
    match condition:
        case Compare(_, "$prefix" | "$contains", ""):
            return not negated
        case Not(inner):
            return says_nothing(inner, negated=not negated)
        case All(parts) | Some(parts):
            empty = not parts and isinstance(condition, Some) == negated
            return empty or any(says_nothing(each, negated=negated) for each in parts)
    return False


def matches(
    condition: Filter,
    metadata: Mapping[str, Json],
    *,
    identifier: str = "",
    title: str = "",
    truncated: bool = False,
) -> bool:
    """The definition: whether a document with this metadata, id and title matches."""
    return _matches(condition, metadata, {ID: identifier, TITLE: title, TRUNCATED: truncated})


def _matches(condition: Filter, metadata: Mapping[str, Json], own: Mapping[str, Json]) -> bool:
    def found(field: str) -> list[Json]:
        return [own[field]] if field in own else found_at(metadata, field)

    match condition:
        case Compare(field, "$contains", value):
            return any(_holds(each, value) for each in found(field))
        case Compare(field, name, value):
            there = found(field)
            return any(_compares(name, element, value) for element in (*there, *elements(there)))
        case Among(field, values):
            return any(equal(element, value) for element in elements(found(field)) for value in values)
        case Exists(field):
            return bool(found(field))
        case Not(inner):
            return not _matches(inner, metadata, own)
        case All(inner):
            return all(_matches(each, metadata, own) for each in inner)
        case Some(inner):
            return any(_matches(each, metadata, own) for each in inner)


def found_at(metadata: Mapping[str, Json], field: str) -> list[Json]:
    """The values under a field's name, each dot of which belongs to a key or enters an object; often one value."""
    return list(_found(metadata, key_of(field)))


def elements(found: list[Json]) -> list[Json]:
    """The values that a comparison sees: a list's elements, any other value itself, null where nothing was found."""
    if not found:
        return [None]
    return [element for value in found for element in (value if isinstance(value, list) else [value])]


def field_names(metadata: Mapping[str, Json]) -> Iterator[str]:
    """The names by which a document's fields can be asked for, those inside objects with dots."""
    for key, value in metadata.items():
        yield f"${key}" if key.startswith("$") else key
        if isinstance(value, dict):
            yield from (f"{key}.{name}" for name in field_names(value))


def key_of(field: str) -> str:
    """The name that a written field has in documents: $$ at its beginning means $."""
    return field[1:] if field.startswith("$$") else field


def type_name(value: Json) -> str:
    """The type of a value as error messages name it: text, number, boolean, null, list or object."""
    return type_names[type(value)]


def _found(metadata: Mapping[str, Json], name: str) -> Iterator[Json]:
    if name in metadata:
        yield metadata[name]
    dot = name.find(".")
    while dot >= 0:
        inner = metadata.get(name[:dot])
        if isinstance(inner, dict):
            yield from _found(inner, name[dot + 1 :])
        dot = name.find(".", dot + 1)


def _holds(there: Json, value: Json) -> bool:
    """$contains: whether a list has an element that equals the value, or a text has the value in it."""
    if isinstance(there, list):
        return any(equal(element, value) for element in there)
    return isinstance(there, str) and isinstance(value, str) and value in there


def _compares(name: str, element: Json, value: Json) -> bool:
    if name == "$eq":
        return equal(element, value)
    return type_name(element) == type_name(value) and COMPARISONS[name](element, value)


def _tree(where: Mapping[str, Any], depth: int) -> Filter:
    if depth > DEEPEST:
        raise FilterError(f"the filter's conditions stand more than {DEEPEST} deep inside one another")
    if not isinstance(where, Mapping):
        raise FilterError(f"a filter is an object such as {{'year': {{'$lt': 1990}}}}, not {kind_of(where)}")
    return _all(_condition(key, value, depth) for key, value in where.items())


def _condition(key: str, value: Any, depth: int) -> Filter:
    if not isinstance(key, str):
        raise FilterError(f"a field is named by text, not by {kind_of(key)}")
    key = _name(key)
    if key in ("$and", "$or"):
        if not isinstance(value, list | tuple):
            raise FilterError(f"{key} takes a list of filters, not {kind_of(value)}")
        if not value:
            raise FilterError(f"{key} takes at least one filter; an empty list says nothing, leave it out")
        parts = tuple(_tree(each, depth + 1) for each in value)
        return All(parts) if key == "$and" else _some(parts)
    if key.startswith("$") and not key.startswith("$$") and key != TRUNCATED:
        hint = f"inside a field it would be {{'field': {{{brief(key)!r}: …}}}}"
        if key not in OPERATORS:
            hint = f"a field of this name is written '${brief(key)}'"
        known = f"known: $and, $or, {TRUNCATED}"
        raise FilterError(f"{brief(key)} is no field and no operator that stands here ({known}); {hint}")
    return _field(key, value, depth)


def _field(field: str, value: Any, depth: int) -> Filter:
    if depth > DEEPEST:
        raise FilterError(f"the conditions on {brief(field)!r} stand more than {DEEPEST} deep inside one another")
    if not isinstance(value, Mapping):
        return Compare(field, "$eq", _equal_to(field, "$eq", value))
    if not value:
        raise FilterError(
            f"the condition on {brief(field)!r} is empty; to compare with an empty object write {{'$eq': {{}}}}"
        )
    return _all(_operation(field, name, operand, depth) for name, operand in value.items())


def _operation(field: str, name: str, operand: Any, depth: int) -> Filter:
    match name:
        case "$eq":
            return Compare(field, name, _equal_to(field, name, operand))
        case "$ne":
            return Not(Compare(field, "$eq", _equal_to(field, name, operand)))
        case "$in":
            return _any_of(field, name, operand)
        case "$nin":
            return Not(_any_of(field, name, operand))
        case "$all":
            return _every_one_of(field, operand)
        case "$not":
            if not isinstance(operand, Mapping):
                raise FilterError(
                    f"$not on {brief(field)!r} takes a condition such as {{'$gt': 5}}, not {kind_of(operand)}"
                )
            return Not(_field(field, operand, depth + 1))
        case "$exists":
            wanted = _operand(field, name, operand)
            if not isinstance(wanted, bool):
                raise FilterError(f"$exists on {brief(field)!r} takes true or false, not {kind_of(wanted)}")
            return Exists(field) if wanted else Not(Exists(field))
        case "$prefix" | "$contains":
            return _part_of(field, name, operand)
        case _ if name in ORDERED:
            value = _operand(field, name, operand)
            if not isinstance(value, int | float | str) or isinstance(value, bool):
                raise FilterError(f"{name} on {brief(field)!r} takes a number or text: {kind_of(value)} has no order")
            return Compare(field, name, value)
    whole = "" if str(name).startswith("$") else "; to compare with a whole object write {'$eq': {…}}"
    said = f"unknown operator {brief(repr(name))} on {brief(field)!r}"
    raise FilterError(f"{said} (known: {', '.join(OPERATORS)}){whole}")


def _part_of(field: str, name: str, operand: Any) -> Filter:
    """$prefix and $contains, whose operand is a text, and of $contains also another element of a list."""
    value = _operand(field, name, operand)
    if name == PREFIX and not isinstance(value, str):
        raise FilterError(f"$prefix on {brief(field)!r} takes text, not {kind_of(value)}")
    if isinstance(value, list | dict):
        several = "; for several values write {'$all': [...]}" if isinstance(value, list) else ""
        raise FilterError(
            f"$contains on {brief(field)!r} takes a text that is in the field, or one value that its list holds, "
            f"not {'a list' if isinstance(value, list) else 'an object'}{several}"
        )
    return Compare(field, name, value)


def _every_one_of(field: str, operand: Any) -> Filter:
    """$all: the field equals, or its list holds, every one of these values."""
    if not isinstance(operand, list | tuple):
        raise FilterError(f"$all on {brief(field)!r} takes a list, not {kind_of(operand)}")
    if not operand:
        raise FilterError(f"$all on {brief(field)!r} takes at least one value; an empty list says nothing")
    return _all(Compare(field, "$eq", _equal_to(field, "$all", value)) for value in operand)


def _any_of(field: str, name: str, operand: Any) -> Filter:
    if not isinstance(operand, list | tuple):
        raise FilterError(f"{name} on {brief(field)!r} takes a list, not {kind_of(operand)}")
    if _plain_already(operand) and (field != ID or isinstance(operand[0], str)):
        return Among(field, tuple(operand))
    return _some(Compare(field, "$eq", _equal_to(field, name, value)) for value in operand)


def _some(parts: Iterable[Filter]) -> Filter:
    """What matches one of the parts; equalities of one field with plain scalars become one node."""
    among: dict[str, list[Scalar]] = {}
    rest: list[Filter] = []
    for part in parts:
        match part:
            case Compare(field, "$eq", None | bool() | int() | float() | str() as value):
                among.setdefault(field, []).append(value)
            case Among(field, values):
                among.setdefault(field, []).extend(values)
            case _:
                rest.append(part)
    merged = (*(Among(field, tuple(values)) for field, values in among.items()), *rest)
    return merged[0] if len(merged) == 1 else Some(merged)


def _plain_already(values: Sequence[Any]) -> bool:
    """Whether `plain` would give back these values, seen at once: all are text, or all are integers."""
    kinds = set(map(type, values))
    if kinds == {int}:
        return min(values) in INT64 and max(values) in INT64
    return kinds == {str} and _encodes("".join(values))


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _equal_to(field: str, name: str, value: Any) -> Json:
    """The value that a field is to equal; an integer means the id that `add` makes of it, its digits."""
    plainly = _operand(field, name, value)
    return str(plainly) if field == ID and isinstance(plainly, int) and not isinstance(plainly, bool) else plainly


def _operand(field: str, name: str, value: Any) -> Json:
    """The value as `add` would store it; infinity too, which everything can be compared with."""
    if isinstance(value, float | np.floating | Decimal) and not math.isfinite(value):
        if is_missing(value):
            raise FilterError(f"{name} on {brief(field)!r}: NaN compares with nothing")
        return float(value)
    try:
        return plain(value, f"{name} on {brief(field)!r}: the value")
    except InputError as error:
        raise FilterError(str(error)) from None


def _name(key: str) -> str:
    try:
        return plain_text(key, "the name of a field")
    except InputError as error:
        raise FilterError(str(error)) from None


def _all(conditions: Iterator[Filter]) -> Filter:
    parts = tuple(conditions)
    return parts[0] if len(parts) == 1 else All(parts)
