"""Facets: how many documents hold each value of a field.

A value is a text, a number or a boolean: 1 and 1.0 are one value, true is another. Elements of a list are values, each
once a document; null, objects and lists inside lists are none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from twofold.errors import FilterError, InputError, brief
from twofold.filters import elements, type_name
from twofold.values import Json, Scalar, kind_of, plain_text

Facet = tuple[Scalar, int]
"""A value, and how many documents hold it."""
EXACT = 2**53
"""Floats up to here that are whole are shown as integers."""
_TYPES = ("boolean", "number", "text")


def values_held(found: list[Json]) -> set[tuple[str, Scalar]]:
    """The values of one document, each with its type. found: what stands under the field, as `filters.found_at`."""
    held = elements(found)
    return {(type_name(each), each) for each in held if isinstance(each, bool | int | float | str)}


def facet_field(field: object) -> str:
    """The field's name, as it is written in a filter. Raises FilterError for one that facets are not of."""
    if not isinstance(field, str):
        raise FilterError(f"a field is named by text, not by {kind_of(field)}")
    if field.startswith("$") and not field.startswith("$$"):
        raise FilterError(
            f"facets are of a field of the metadata, of id or of title, not of {brief(field)}; "
            f"a field of this name is written '${brief(field)}'"
        )
    try:
        return plain_text(field, "the name of a field")
    except InputError as error:
        raise FilterError(str(error)) from None


def most_frequent(field: str, facets: Iterable[Facet], limit: int | None = None) -> dict[Scalar, int]:
    """value → documents, most frequent first; equal counts by value: false, true, numbers by size, texts.

    field: as errors name it. limit: so many values at most. Raises InputError where both 0 and false or both 1 and true
    are there, which Python takes for one key.
    """
    counts = dict(sorted(((_key(value), count) for value, count in facets), key=lambda each: (-each[1], each[0])))
    for number in (0, 1):
        if (0, bool(number)) in counts and (1, number) in counts:
            named, truth = json.dumps(field, ensure_ascii=False), "true" if number else "false"
            raise InputError(
                f"the field {named} holds {number} in some documents and {truth} in others, which are one key in "
                f"Python; count each by a filter: {{{named}: {number}}} and {{{named}: {truth}}}"
            )
    return {value: count for (_, value), count in list(counts.items())[:limit]}


def _key(value: Scalar) -> tuple[int, Scalar]:
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT:
        value = int(value)
    return _TYPES.index(type_name(value)), value
