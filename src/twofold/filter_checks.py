"""What is asked of a filter beside what it matches: whether its fields are there, and whether they are unambiguous."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches

from twofold.errors import FilterError
from twofold.filters import (
    ID,
    OWN,
    TITLE,
    TRUNCATED,
    Among,
    Compare,
    Exists,
    Filter,
    Leaf,
    field_names,
    fields,
    found_at,
    leaves,
    type_name,
)
from twofold.values import equal

LOOKED_AT = 10_000
"""Documents whose fields are looked through for the one that may have been meant."""
_PLURALS = {"text": "text", "number": "numbers", "boolean": "booleans", "null": "null", "list": "empty lists"}
TypesAt = Callable[[str], Iterable[set[str]]]
"""Field → for each document that has it, the types it holds there, named as in filters.py.

A list counts as the types of its elements, an empty one as a list.
"""
FirstMetadata = Callable[[int], Iterable[str]]
"""Gives the metadata of up to so many documents, as JSON."""


def check_fields(where: Filter, types_at: TypesAt, metadata: FirstMetadata) -> None:
    """Raises FilterError for a field that no document has, or that never holds the type it is compared with.

    There are documents.
    """
    # One comparison of each kind says what all of them would; a list of values may be long.
    kinds = {
        (each.field, type_name(each.value) if isinstance(each, Compare) else ""): each
        for leaf in leaves(where)
        for each in _asked(leaf)
    }
    for leaf in kinds.values():
        if leaf.field != TRUNCATED:
            _check_field(leaf, types_at, metadata)


def ambiguous(where: Filter) -> list[str]:
    """The fields of a filter under which a document may have several values: one with a dot, its id, its title."""
    return sorted(field for field in fields(where) if "." in field or field in OWN)


def check_unambiguous(where: Filter, matching: Iterable[tuple[str, str, str]]) -> None:
    """Raises FilterError, naming it, where a document has several values under a name of the filter.

    matching: id, title and metadata, as JSON, of the documents that match.
    """
    asked = ambiguous(where)
    for identifier, title, metadata in matching:
        own, values = {ID: [identifier], TITLE: [title]}, json.loads(metadata)
        for field in asked:
            first, *others = [*own.get(field, []), *found_at(values, field)] or [None]
            if not all(equal(first, other) for other in others):
                places = "its own and in its metadata" if field in own else "as a key and inside an object"
                raise FilterError(
                    f"document {identifier!r} has several values under {field!r}, {places}, so "
                    "the filter may match more than was meant; name the documents by their ids"
                )


def _asked(leaf: Leaf) -> Iterator[Compare | Exists]:
    """The comparisons of a leaf: of several values, one for each of their types."""
    if isinstance(leaf, Among):
        values = {type_name(value): value for value in leaf.values}
        yield from (Compare(leaf.field, "$eq", value) for value in values.values())
    else:
        yield leaf


def _check_field(leaf: Compare | Exists, types_at: TypesAt, metadata: FirstMetadata) -> None:
    sought = type_name(leaf.value) if isinstance(leaf, Compare) and leaf.value is not None else ""
    found = set[str]()
    for types in types_at(leaf.field):
        found |= types
        if not sought or sought in found or (isinstance(leaf, Compare) and isinstance(leaf.value, list | dict)):
            return
    if not found:
        raise FilterError(f"no document of this collection has the field {leaf.field!r}{_nearest(leaf, metadata)}")
    held = " and ".join(_PLURALS.get(word, f"{word}s") for word in sorted(found))
    raise FilterError(
        f"the field {leaf.field!r} holds {held}, never {_PLURALS[sought]}: "
        f"{leaf.operator} {leaf.value!r} can match nothing"  # type: ignore[union-attr]  # only a comparison seeks a type
    )


def _nearest(leaf: Compare | Exists, metadata: FirstMetadata) -> str:
    """The most similar name of an existing field."""
    names = set(OWN)
    for each in metadata(LOOKED_AT):
        names.update(field_names(json.loads(each)))
    near = get_close_matches(leaf.field, sorted(names), 1)
    return f"; did you mean {near[0]!r}?" if near else ""
