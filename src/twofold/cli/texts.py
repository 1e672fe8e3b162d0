"""The texts of a file for `twofold encode`: one a record of JSON Lines, CSV or TSV, else one a line; no ids needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from twofold.errors import InputError
from twofold.readers.bad_lines import BadLines
from twofold.readers.fields import GUESSES
from twofold.readers.json_lines import json_records
from twofold.readers.opening import bare_suffix, decoded, numbered_lines, shown
from twofold.readers.separated import csv_rows, records, tsv_rows
from twofold.values import type_names


def texts_of(path: str, title: str | None, text: str | None) -> Iterator[str]:
    """The texts of a file, in its order.

    A record's title and text are joined by a space, as in a collection; title, text: the names of their fields,
    guessed where None. An empty line is an empty text. Raises InputError, naming file and line, for a record without
    either field or with a value there that is no text, and at the end for a file without texts.
    """
    names = {
        "title": GUESSES["title"] if title is None else (title,),
        "text": GUESSES["text"] if text is None else (text,),
    }
    found = False
    for each in _texts(path, names):
        found = True
        yield each
    if not found:
        raise InputError("there are no texts in it", path=shown(path))


def _texts(path: str, names: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    def check(header: list[str]) -> None:
        _joined(dict.fromkeys(header, ""), names)

    match bare_suffix(path):
        case ".jsonl" | ".ndjson" | ".json":
            numbered = json_records(path, BadLines())
        case ".csv":
            numbered = records(csv_rows(path, BadLines()), path, check, {}, BadLines())
        case ".tsv":
            numbered = records(tsv_rows(path, BadLines()), path, check, {}, BadLines())
        case _:
            for line, raw in numbered_lines(path):
                yield decoded(raw, path, line).rstrip("\r\n")
            return
    for line, record in numbered:
        try:
            yield _joined(record, names)
        except InputError as error:
            raise InputError(str(error), path=shown(path), line=line) from None


def _joined(record: Mapping[str, Any], names: Mapping[str, tuple[str, ...]]) -> str:
    parts: list[str] = []
    there = False
    for what, candidates in names.items():
        value = next((record[name] for name in candidates if record.get(name) is not None), None)
        if not isinstance(value, str | None):
            raise InputError(f"the {what} must be text, not {type_names[type(value)]}")
        there = there or value is not None
        parts += [value] if value else []
    if not there:
        wanted = ", ".join(repr(name) for candidates in names.values() for name in candidates)
        raise InputError(f"no title and no text (looked for {wanted}); name the field: --text FIELD")
    return " ".join(parts)
