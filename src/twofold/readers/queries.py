"""Query files: JSON Lines, TSV, CSV or one query a line → query id → text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from twofold.documents import identifier_of
from twofold.errors import InputError
from twofold.readers.bad_lines import BadLines
from twofold.readers.json_lines import json_records
from twofold.readers.opening import PathLike, bare_suffix, decoded, numbered_lines, shown
from twofold.readers.separated import csv_rows, header_error, names_columns, records, tsv_rows

QUERY_FIELDS = ("text", "query", "question", "title")
"""Names under which a record may hold its query; the first that is there."""
ID_FIELDS = ("_id", "id", "qid", "query_id", "query-id")


def read_queries(path: PathLike) -> dict[str, str]:
    """All queries of a file, by id, in the order of the file.

    .jsonl, .ndjson, .json: objects with an id (`_id`, `id`, `qid`) and a text (`text`, `query`, `question`), as in
    BEIR. .tsv: id, tab, text, no quoting, as in TREC and MS MARCO; a header such as `id<tab>text` is left out. .csv:
    a header with these names. Any other name: one query a line, whose id is its line number from 1. Plain, .gz or
    .xz; `-` is standard input, one query a line. Raises InputError, naming file and line, for a line that is none of
    this, an id with two texts, an empty query, and a file without queries.
    """
    queries: dict[str, str] = {}
    for line, identifier, text in _numbered(path):
        if not text.strip():
            raise InputError(f"the query {identifier!r} has no text", path=shown(path), line=line)
        if queries.setdefault(identifier, text) != text:
            raise InputError(f"the query id {identifier!r} came before with another text", path=shown(path), line=line)
    if not queries:
        raise InputError("no queries in it", path=shown(path))
    return queries


def _numbered(path: PathLike) -> Iterator[tuple[int, str, str]]:
    match bare_suffix(path):
        case ".jsonl" | ".ndjson" | ".json":
            return _of_records(json_records(path, BadLines()), path)
        case ".csv":
            return _of_records(records(csv_rows(path, BadLines()), path, _check_columns, {}, BadLines()), path)
        case ".tsv":
            return _of_tsv(path)
        case _:
            return _of_lines(path)


def _of_records(numbered: Iterator[tuple[int, dict[str, Any]]], path: PathLike) -> Iterator[tuple[int, str, str]]:
    for line, record in numbered:
        try:
            identifier = identifier_of(record[_first(record, ID_FIELDS, "id")])
            text = record[_first(record, QUERY_FIELDS, "text")]
            if not isinstance(text, str):
                raise InputError(f"the text of a query is text, not {type(text).__name__}")
        except InputError as error:
            raise InputError(str(error), path=shown(path), line=line) from None
        yield line, identifier, text


def _of_tsv(path: PathLike) -> Iterator[tuple[int, str, str]]:
    for position, (line, row) in enumerate(tsv_rows(path, BadLines())):
        if len(row) != 2:
            raise InputError(f"{len(row)} fields; a query has two: id, tab, text", path=shown(path), line=line)
        names = [name.strip().lower() for name in row]
        if position == 0 and names[0] in ID_FIELDS and names[1] in QUERY_FIELDS:
            continue
        if position == 0 and (any(name in ID_FIELDS for name in names) or names_columns(names)):
            wanted = f"{' or '.join(ID_FIELDS)}, then {' or '.join(QUERY_FIELDS)}"
            raise header_error(row, wanted, path, line)
        yield line, row[0], row[1]


def _of_lines(path: PathLike) -> Iterator[tuple[int, str, str]]:
    for line, raw in numbered_lines(path):
        text = decoded(raw, path, line).strip()
        if text:
            yield line, str(line), text


def _check_columns(header: list[str]) -> None:
    _first(header, ID_FIELDS, "id")
    _first(header, QUERY_FIELDS, "text")


def _first(there: Iterable[str], wanted: tuple[str, ...], what: str) -> str:
    names = list(there)
    name = next((name for name in wanted if name in names), None)
    if name is None:
        raise InputError(
            f"no {what} of a query (looked for {', '.join(wanted)}; there are {', '.join(names) or 'no fields'})"
        )
    return name
