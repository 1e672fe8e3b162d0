"""Metadata values in one plain form.

`plain` makes it, of what is stored and of what a filter compares with, so a stored value used as a filter finds its
document whatever Python type it came in.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import numpy as np

from twofold.errors import InputError, brief

INT64 = range(-(2**63), 2**63)
DIGITS = 20
"""Decimal digits of a number that is looked at as a whole; no integer of 64 bits has more."""
DEEPEST = 100
"""The deepest nesting of lists and objects, as in MongoDB; SQLite's limit is 1,000."""
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

Scalar = None | bool | int | float | str
Json = Scalar | list["Json"] | dict[str, "Json"]

type_names = {
    str: "text",
    bool: "boolean",
    int: "number",
    float: "number",
    type(None): "null",
    list: "list",
    dict: "object",
}


class _RefusedError(Exception):
    """Says why a value is refused; the places around it are put before `place` on the way out."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.place = ""


def without_surrogates(text: str) -> tuple[str, int]:
    """The text with lone surrogates replaced by U+FFFD, and how many there were."""
    return _LONE_SURROGATE.subn("\N{REPLACEMENT CHARACTER}", text)


def plain(value: object, place: str) -> Json:
    """A deep copy of a value, made of None, bool, int, float, str, list and dict alone.

    Subclasses of these (IntEnum, StrEnum, (str, Enum), namedtuple, OrderedDict) and numpy's scalars become what they
    are made of; tuples and numpy's arrays become lists, any Mapping a dict. Timestamps and dates become ISO text, in
    UTC where they have a time zone, so that their order is the order of the texts; Decimal a number, UUID text. What is
    missing in an object (`is_missing`) is left out. place: what messages call the value. Raises InputError, naming the
    place inside, for NaN and infinity elsewhere, integers beyond 64 bits, lone surrogates, keys that are no text, more
    than DEEPEST levels, and every other type.
    """
    try:
        return _plain(value, 1)
    except _RefusedError as refused:
        raise InputError(f"{place}{brief(refused.place)} {refused}") from None


def plain_text(value: str, place: str) -> str:
    """The text as a str of no subclass. Raises InputError for a lone surrogate, naming the place."""
    try:
        return _text(value)
    except _RefusedError as refused:
        raise InputError(f"{place} {refused}") from None


def is_missing(value: object) -> bool:
    """Whether a value says that there is none: None, NaN, NaT and pandas' NA."""
    match value:
        case None:
            return True
        case Decimal():
            return value.is_nan()
        case float() | np.floating() | datetime() | np.datetime64():
            return bool(value != value)
    return value is np.ma.masked or type(value).__name__ == "NAType"


def kind_of(value: object) -> str:
    """The type of any value as messages name it: text, number, boolean, null, list, object, or Python's name."""
    return type_names.get(type(value), type(value).__name__)


def equal(one: Json, other: Json) -> bool:
    """Whether two plain values are equal: 1 equals 1.0 and never true; the order of keys does not matter."""
    if type_names[type(one)] != type_names[type(other)]:
        return False
    match one, other:
        case list(), list():
            return len(one) == len(other) and all(map(equal, one, other))
        case dict(), dict():
            return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    return one == other


def _plain(value: object, depth: int) -> Json:
    match value:
        case None:
            return None
        case str():
            return _text(value)
        case bool() | np.bool_():
            return bool(value)
        case int() | np.integer() if type(value).__name__ != "timedelta64":  # numpy makes it a kind of integer
            return _integer(value)
        case float() | np.floating():
            return _finite(value)
        case list() | tuple():
            return _list(value, depth)
        case Mapping():
            return _object(value, depth)
        case date() | np.datetime64() | Decimal() | UUID() | np.ndarray():
            return _converted(value, depth)
    hint = "give its value or its name" if isinstance(value, Enum) else "give text, numbers, true, false, null, lists"
    raise _RefusedError(f"holds a {type(value).__name__}, which JSON does not know; {hint}")


def _converted(value: date | np.datetime64 | Decimal | UUID | np.ndarray[Any, Any], depth: int) -> Json:
    if is_missing(value):
        raise _RefusedError(f"holds {value}, which JSON does not know")
    match value:
        case datetime():
            return _moment(value)
        case date():
            return value.isoformat()
        case np.datetime64():
            moment = value.astype("M8[D]" if np.datetime_data(value.dtype)[0] == "D" else "M8[us]").item()
            if not isinstance(moment, date):
                raise _RefusedError(f"holds {value}, which is beyond the years 1 to 9999")
            return moment.isoformat()
        case Decimal():
            return _number(value)
        case UUID():
            return str(value)
    return _list(list(value), depth) if value.ndim else _plain(value.item(), depth)


def _moment(value: datetime) -> str:
    try:
        return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    except OverflowError:
        raise _RefusedError(f"holds {value}, which in UTC is beyond the years 1 to 9999") from None


def _number(value: Decimal) -> int | float:
    """A whole number of 64 bits as one, any other as a float."""
    whole = value.is_finite() and value.adjusted() < DIGITS and value == value.to_integral_value()
    return int(value) if whole and int(value) in INT64 else _finite(float(value))


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _RefusedError(
            f"has a lone surrogate (U+{ord(value[error.start]):04X}) at character {error.start}, "
            "which UTF-8 cannot carry; clean the text first"
        ) from None
    return str.__str__(value)  # an Enum's own __str__ may say its name


def _integer(value: int | np.integer[Any]) -> int:
    number = int.__int__(value) if isinstance(value, int) else int(value)
    if number not in INT64:
        shown = number if abs(number) < 10**DIGITS else f"an integer of {number.bit_length()} bits"
        raise _RefusedError(f"holds {shown}, which is beyond 64 bits")
    return number


def _finite(value: float | np.floating[Any]) -> float:
    number = float.__float__(value) if isinstance(value, float) else float(value)
    if not math.isfinite(number):
        raise _RefusedError(f"holds {number}, which JSON does not know")
    return number


def _list(values: list[object] | tuple[object, ...], depth: int) -> list[Json]:
    _check_depth(depth)
    copy: list[Json] = []
    for element in values:
        try:
            copy.append(_plain(element, depth + 1))
        except _RefusedError as refused:
            refused.place = f"[{len(copy)}]{refused.place}"
            raise
    return copy


def _object(values: Mapping[Any, object], depth: int) -> dict[str, Json]:
    _check_depth(depth)
    copy: dict[str, Json] = {}
    for key, element in values.items():
        if not isinstance(key, str):
            raise _RefusedError(f"has the key {key!r}, which is not text")
        if is_missing(element):
            continue
        try:
            name = _text(key)
        except _RefusedError as refused:
            raise _RefusedError(f"has a key that {refused}") from None
        try:
            copy[name] = _plain(element, depth + 1)
        except _RefusedError as refused:
            refused.place = f".{name}{refused.place}"
            raise
    return copy


def _check_depth(depth: int) -> None:
    if depth > DEEPEST:
        raise _RefusedError(f"is nested more than {DEEPEST} levels deep; flatten it, or keep it as text")
