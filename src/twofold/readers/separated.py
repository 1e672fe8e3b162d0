"""CSV and TSV: a header line, then one record a line (a CSV record may span several).

Only CSV has quoting (RFC 4180). In a TSV a quote is a character like any other, and a value holds neither tab nor
line end. A record with more or fewer fields than the header is a bad line in both.
"""

from __future__ import annotations

import codecs
import csv
import os
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from twofold.errors import InputError
from twofold.readers.bad_lines import BadLines
from twofold.readers.opening import (
    READING_ERRORS,
    UTF_16_MARKS,
    PathLike,
    decoded,
    numbered_lines,
    opened,
    shown,
)

LONGEST_CSV_FIELD = 1 << 28
"""Characters; Python's own limit (131,072) is below a long article, none at all lets a stray quote eat the memory."""

SWALLOWED = 10
"""So many lines inside one record that all have the header's number of commas are records behind a stray quote."""

_column_name = re.compile(
    r"(?:[a-z]+[_-])?_?(?:id|qid|query|queries|anchor|question|sentence|sent|text|title|topic|positive|pos|negative|neg|"
    r"answer|document|doc|passage|premise|hypothesis|source|target|score|label|similarity|key|keyword|name|value|num|"
    r"number|term|description|content|body|prompt|response|utterance|original|paraphrase)s?(?:[_-]?[a-z]*[0-9]*)"
    r"|[a-z]+(?:_[a-z]+[0-9]?)+|s[0-9]",
    re.IGNORECASE,
)

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


@dataclass(frozen=True, slots=True)
class CsvForm:
    """How a CSV is written.

    delimiter: between two fields; by default a comma, or what the header suggests, which the report notes. encoding: by
    default UTF-8, or UTF-16 where a byte order mark says so. Raises InputError when made with what is neither.
    """

    delimiter: str | None = None
    encoding: str | None = None

    def __post_init__(self) -> None:
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise InputError(f"a delimiter is one character, neither a quote nor a line end, not {self.delimiter!r}")
        try:
            codecs.lookup(self.encoding or "utf-8")
        except LookupError:
            raise InputError(f"unknown encoding {self.encoding!r}; well-known ones are utf-8, utf-16, cp1252") from None


DELIMITERS = ";\t|"
"""What is guessed in a header without a comma."""


def csv_rows(path: PathLike, bad: BadLines, form: CsvForm | None = None) -> Iterator[Row]:
    """The records of a CSV; empty lines are left out. NUL is a character like any other.

    A record that cannot be read costs its first line only: reading goes on at the line below, so a quote that is never
    closed does not take the rest of the file with it. Raises Python's csv field limit, which is one for the whole
    process, to LONGEST_CSV_FIELD.
    """
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CSV_FIELD))
    form = form or CsvForm()
    lines = _Lines(path, form.encoding or _encoding_of(path, bad))
    delimiter = form.delimiter or _guessed(lines, path, bad)
    columns: int | None = None
    while start := lines.begin():
        try:
            row = _record(lines, columns, delimiter)
            lines.check_decoded()
        except _NoRecordError as error:
            lines.return_all_but_first()
            bad.take(InputError(str(error), path=shown(path), line=start))
            continue
        except InputError as error:
            bad.take(error)
            continue
        if row:
            columns = len(row) if columns is None else columns
            yield start, row


def records(
    rows: Iterator[Row], path: PathLike, check: Callable[[list[str]], None], types: Mapping[str, str], bad: BadLines
) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, values by column name) for each row below the header.

    check: raises InputError for a header that lacks what the caller needs. types: column → one of TYPES; other
    columns stay text. An empty number or truth is absent. Raises InputError too for a file without a header,
    a column that stands twice, and a type for a column that is not there.
    """
    skipped = bad.report.skipped
    line, header = next(rows, (1, []))
    if bad.report.skipped > skipped:
        # The first line that can be read would be taken for the header, and name the fields of all others.
        raise InputError("the header line cannot be read, and cannot be skipped", path=shown(path), line=1)
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


def names_columns(row: list[str]) -> bool:
    """Whether a first line that need not be a header reads like one: every field a name that people give columns."""
    return all(_column_name.fullmatch(field.strip()) for field in row)


def header_error(row: list[str], wanted: str, path: PathLike, line: int) -> InputError:
    """What to say of a header whose names are not known, which would be taken for data."""
    there = ", ".join(map(repr, row))
    return InputError(
        f"this line looks like a header, of names that are not known ({there}). Call the columns {wanted}, or take the "
        "line out",
        path=shown(path),
        line=line,
    )


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


class _Lines:
    """The lines of a file, of which those of the record being read can be given back and read again."""

    def __init__(self, path: PathLike, encoding: str | None) -> None:
        self._path = path
        self._rest = numbered_lines(path, encoding)
        self._returned: deque[tuple[int, bytes]] = deque()
        self._taken: list[tuple[int, bytes]] = []

    def begin(self) -> int:
        """The number of the line where the next record begins, 0 at the end of the file."""
        self._taken.clear()
        if not self._returned:
            self._returned.extend(islice(self._rest, 1))
        return self._returned[0][0] if self._returned else 0

    def first(self) -> str:
        """The first line, which is read again; empty where there is none."""
        return self._returned[0][1].decode("utf-8", "replace") if self.begin() else ""

    def __iter__(self) -> Iterator[str]:
        # A line that is no UTF-8 still decides where its record ends, so it goes on in escaped form.
        while numbered := self._returned.popleft() if self._returned else next(self._rest, None):
            self._taken.append(numbered)
            yield numbered[1].decode("utf-8", "surrogateescape")

    def return_all_but_first(self) -> None:
        """The lines of this record below its first are read again, each as the start of a record."""
        self._returned.extendleft(reversed(self._taken[1:]))

    def check_decoded(self) -> None:
        """Raises InputError where a line of this record is no UTF-8."""
        for number, raw in self._taken:
            decoded(raw, self._path, number)

    @property
    def last(self) -> int:
        """The number of the line that was read last."""
        return self._taken[-1][0]

    def inner(self) -> list[bytes]:
        """The lines of this record between its first and its last."""
        return [raw for _, raw in self._taken[1:-1]]


class _NoRecordError(Exception):
    """The lines at hand are no CSV record."""


def _encoding_of(path: PathLike, bad: BadLines) -> str | None:
    """UTF-16 where a byte order mark says so. A pipe, which can be read once, is not looked at."""
    if os.path.isfile(path):
        with suppress(*READING_ERRORS), opened(path) as file:
            if file.read(2) in UTF_16_MARKS:
                bad.report.note(f"{shown(path)}: read as UTF-16, which its byte order mark says")
                return "utf-16"
    return None


def _guessed(lines: _Lines, path: PathLike, bad: BadLines) -> str:
    """The delimiter of a header without a comma: the most frequent of the others. It is noted."""
    header = lines.first()
    counts = {mark: header.count(mark) for mark in DELIMITERS}
    best = max(counts, key=lambda mark: counts[mark])
    if "," in header or not counts[best]:
        return ","
    bad.report.note(f"{shown(path)}: fields are divided at {best!r}, as the header suggests; another: --delimiter")
    return best


def _record(lines: _Lines, columns: int | None, delimiter: str) -> list[str]:
    """The next record; columns: how many the header has. Raises _NoRecordError."""
    start = lines.begin()
    try:
        row = next(csv.reader(lines, strict=True, delimiter=delimiter))
    except csv.Error as error:
        where = f" (line {lines.last}, inside the quotes opened here)" if lines.last > start else ""
        raise _NoRecordError(f"no CSV: {_in_words(error)}{where}") from None
    inner, mark = lines.inner(), delimiter.encode()
    # Text seldom has the same number of commas in every line; records have.
    if columns and columns > 1 and len(inner) >= SWALLOWED and all(raw.count(mark) == columns - 1 for raw in inner):
        raise _NoRecordError(
            f"no CSV: the quotes opened here close in line {lines.last} only, and every line between looks like a "
            "record; a quote that is part of the text is written twice, inside quotes"
        )
    return row


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
