"""JSON Lines: one object a line, checked more strictly than Python's json does by itself.

NaN, Infinity and a repeated key are refused: the first two are no JSON, the third silently loses a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twofold.errors import InputError
from twofold.readers.bad_lines import BadLines
from twofold.readers.opening import PathLike, decoded, numbered_lines, shown
from twofold.strict_json import parse_json
from twofold.values import type_names

_FORM = "JSON Lines have one whole object a line"


def json_records(path: PathLike, bad: BadLines) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, object) for each line of a JSON Lines file; empty lines are left out.

    A line that is no JSON object is a bad line. Raises InputError, naming file and line.
    """
    for number, raw in numbered_lines(path):
        if raw.isspace():
            continue
        try:
            record = _record(decoded(raw, path, number).rstrip("\r\n"))
        except InputError as error:
            bad.take(error if error.path else InputError(str(error), path=shown(path), line=number))
        else:
            yield number, record


def _record(line: str) -> dict[str, Any]:
    value = parse_json(line, hint=_FORM)
    if not isinstance(value, dict):
        raise InputError(f"a JSON {type_names[type(value)]}, not an object. {_FORM}")
    return value
