"""Metadata as filters see them in PostgreSQL: jsonb, in which every number is the exact value that Python compares.

jsonb keeps numbers as decimals. Python compares an integer with the exact value of a float, so a float that is whole is
written as an integer with all of its digits; for any other the shortest decimal that names it stands in the same order
to integers and to other floats.
"""

from __future__ import annotations

import json
from decimal import Decimal

from twofold.values import Json

NUL = "\0"
"""The only character that PostgreSQL stores in no text."""


def as_jsonb(value: Json) -> str:
    """A value as jsonb is to read it."""
    return json.dumps(exact(value))


def as_number(value: float) -> Decimal:
    """A number as it is compared with numbers of `as_jsonb`; infinity too."""
    plain = exact(value)
    return Decimal(plain) if isinstance(plain, int) else Decimal(repr(plain))


def has_nul(value: Json) -> bool:
    """Whether there is a NUL anywhere in a value, also in a key."""
    match value:
        case str():
            return NUL in value
        case list():
            return any(map(has_nul, value))
        case dict():
            return any(NUL in key or has_nul(each) for key, each in value.items())
    return False


def exact(value: Json) -> Json:
    """A value whose whole numbers are integers."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [exact(each) for each in value]
        case dict():
            return {key: exact(each) for key, each in value.items()}
    return value
