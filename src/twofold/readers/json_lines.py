"""JSON Lines: one object a line, checked more strictly than Python's json does by itself.

NaN, Infinity and a key that stands twice are refused: the first two are no JSON, the third loses a value in silence.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from twofold.documents import type_names
from twofold.errors import InputError
from twofold.readers.bad_lines import BadLines
from twofold.readers.opening import PathLike, decoded, numbered_lines, shown


def json_records(path: PathLike, bad: BadLines) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, object) for each line of a JSON Lines file; empty lines are left out.

    A line that is no JSON object is a bad line. Raises InputError, naming file and line.
    """
    for number, raw in numbered_lines(path):
        if raw.isspace():
            continue
        try:
            record = _record(decoded(raw, path, number))
        except _NotARecordError as error:
            bad.take(InputError(str(error), path=shown(path), line=number))
        except InputError as error:
            bad.take(error)
        else:
            yield number, record


class _NotARecordError(ValueError):
    """Says why a line is no record."""


class _ConstantError(ValueError):
    """Names a constant that Python's json would take though JSON has none such."""


def _record(line: str) -> dict[str, Any]:
    try:
        value = _strict.decode(line)
    except _NotARecordError:
        raise
    except _ConstantError as error:
        raise _NotARecordError(f"{_where_constant(line)}{error}, which JSON does not know; leave it out") from None
    except json.JSONDecodeError as error:
        raise _NotARecordError(
            f"no JSON: {error.msg} at character {error.pos + 1}. JSON Lines have one whole object a line"
        ) from None
    except RecursionError:
        raise _NotARecordError("nested too deeply") from None
    except ValueError as error:
        raise _NotARecordError(f"JSON that cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise _NotARecordError(
            f"a JSON {type_names[type(value)]}, not an object. JSON Lines have one whole object a line"
        )
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _NotARecordError(f"the field {twice!r} stands twice")
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


def _where_constant(line: str) -> str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):  # What comes behind the constant is broken too.
        value = None
    fields = value.items() if isinstance(value, dict) else ()
    return next((f"the field {name!r} holds " for name, held in fields if _holds_constant(held)), "it holds ")


_strict = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)
