"""CSV and TSV: a header line, then one record a line (a CSV record may span several).

Only CSV has quoting (RFC 4180). In a TSV a quote is a character like any other, and a value holds neither tab nor
line end. A record with more or fewer fields than the header is a bad line in both.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from twofold.errors import InputError
from twofold.readers.bad_lines import BadLines
from twofold.readers.opening import PathLike, decoded, numbered_lines, shown

LONGEST_CSV_FIELD = 1 << 28
"""Characters; Python's own limit (131,072) is below a long article, none at all lets a stray quote eat the memory."""

Row = tuple[int, list[str]]
"""Number of the first line, fields."""


def tsv_rows(path: PathLike, bad: BadLines) -> Iterator[Row]:
    """The lines of a TSV, divided at tabs; empty lines are left out."""
    for number, raw in numbered_lines(path):
        try:
            line = decoded(raw.removesuffix(b"\n").removesuffix(b"\r"), path, number)
        except InputError as error:
            bad.take(error)
            continue
        if line:
            yield number, line.split("\t")


def csv_rows(path: PathLike, bad: BadLines) -> Iterator[Row]:
    """The records of a CSV; empty lines are left out. NUL is a character like any other.

    Raises Python's csv field limit, which is one for the whole process, to LONGEST_CSV_FIELD.
    """
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CSV_FIELD))
    broken: list[InputError] = []
    reader = csv.reader(_decoded_lines(path, broken), strict=True)
    while True:
        start = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            row = []
            broken.append(InputError(f"no CSV: {_in_words(error)}", path=shown(path), line=start))
        if broken:
            bad.take(broken[0])
            broken.clear()
        elif row:
            yield start, row


def records(
    rows: Iterator[Row], path: PathLike, check: Callable[[list[str]], None], types: Mapping[str, str], bad: BadLines
) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, values by column name) for each row below the header.

    check: raises InputError for a header that lacks what the caller needs. types: column → a word of TYPES; other
    columns stay text. An empty number or truth is absent. Raises InputError too for a file without a header,
    a column that stands twice, and a type for a column that is not there.
    """
    line, header = next(rows, (1, []))
    try:
        _check_header(header, types)
        check(header)
    except InputError as error:
        raise InputError(str(error), path=shown(path), line=line) from None
    converters = {name: TYPES[word] for name, word in types.items() if word != "text"}
    for number, row in rows:
        try:
            if len(row) != len(header):
                raise InputError(f"{len(row)} fields, the header has {len(header)}")
            record = _typed(dict(zip(header, row, strict=True)), converters)
        except InputError as error:
            bad.take(InputError(str(error), path=shown(path), line=number))
        else:
            yield number, record


def check_types(types: Mapping[str, str]) -> None:
    """Raises InputError for a type that is no word of TYPES."""
    for name, word in types.items():
        if word not in TYPES:
            raise InputError(f"unknown type {word!r} for the field {name!r}; there are {', '.join(TYPES)}")


def _check_header(header: list[str], types: Mapping[str, str]) -> None:
    if not header:
        raise InputError("no header line")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InputError(f"the header has the column {twice[0]!r} twice")
    for name in types:
        if name not in header:
            raise InputError(f"no column {name!r}, which was given a type; there are {', '.join(map(repr, header))}")


def _typed(record: dict[str, Any], converters: Mapping[str, Callable[[str], Any]]) -> dict[str, Any]:
    for name, convert in converters.items():
        if record[name] == "":
            del record[name]
            continue
        try:
            record[name] = convert(record[name])
        except ValueError as error:
            raise InputError(f"the field {name!r} is {error}: {record[name][:80]!r}") from None
    return record


def _integer(value: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,19}", value):
        raise ValueError("no whole number of 64 bits")
    return int(value)


def _number(value: str) -> float:
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", value):
        raise ValueError("no number")
    return float(value)


def _truth(value: str) -> bool:
    try:
        return {"true": True, "1": True, "false": False, "0": False}[value.lower()]
    except KeyError:
        raise ValueError("neither true nor false") from None


TYPES: dict[str, Callable[[str], Any]] = {"int": _integer, "float": _number, "bool": _truth, "text": str}
"""The words of `types`; bool reads true, false, 1 and 0."""


def _decoded_lines(path: PathLike, broken: list[InputError]) -> Iterator[str]:
    # A line that is no UTF-8 still decides where its record ends, so it goes on in escaped form and is told of.
    for number, raw in numbered_lines(path):
        try:
            yield decoded(raw, path, number)
        except InputError as error:
            broken.append(error)
            yield raw.decode("utf-8", "surrogateescape")


def _in_words(error: csv.Error) -> str:
    match str(error):
        case "unexpected end of data":
            return "the file ends inside a quoted field; a quote was opened and never closed"
        case message if message.startswith("new-line character"):
            return "a carriage return in a field without quotes"
        case message if "expected after" in message:
            return f"{message}; a quote inside a quoted field is written twice"
        case message:
            return message
