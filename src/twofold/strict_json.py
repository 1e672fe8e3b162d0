"""JSON written by users, read more strictly than Python's json does.

NaN, Infinity and a repeated key are refused: the first two are no JSON, the third silently loses a value.
"""

from __future__ import annotations

import json
import math
from typing import Any

from twofold.errors import InputError, brief


def parse_json(text: str, *, hint: str) -> Any:
    """The value of a JSON text; raises InputError saying what is wrong, with the hint where it is no JSON at all."""
    try:
        return _strict.decode(text)
    except _ConstantError as error:
        raise InputError(f"{_where_constant(text)}{error}, which JSON does not know; leave it out") from None
    except json.JSONDecodeError as error:
        raise InputError(f"no JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}. {hint}") from None
    except RecursionError:
        raise InputError("nested too deeply") from None
    except ValueError as error:
        raise InputError(f"JSON that cannot be read: {error}") from None


class _ConstantError(ValueError):
    """Names a constant that Python's json would take though JSON has none such."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"the field {brief(twice)!r} is given twice")
    return record


def _refuse_constant(constant: str) -> float:
    raise _ConstantError(constant)


def _holds_constant(value: object) -> bool:
    match value:
        case float():
            return not math.isfinite(value)
        case dict():
            return any(map(_holds_constant, value.values()))
        case list():
            return any(map(_holds_constant, value))
        case _:
            return False


def _where_constant(text: str) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):  # What comes behind the constant is broken too.
        value = None
    fields = value.items() if isinstance(value, dict) else ()
    return next((f"the field {brief(name)!r} holds " for name, held in fields if _holds_constant(held)), "it holds ")


_strict = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)
