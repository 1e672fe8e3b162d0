"""Pair files: two matching texts, some with a score."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from twofold.errors import InputError
from twofold.readers.bad_lines import BadLines
from twofold.readers.json_lines import json_records
from twofold.readers.opening import STANDARD_INPUT, PathLike, bare_suffix, shown
from twofold.readers.separated import csv_rows, header_error, names_columns, records, tsv_rows
from twofold.reports import ReadReport
from twofold.values import type_names

QUERY_NAMES = ("query", "anchor", "question", "sentence1", "text1")
POSITIVE_NAMES = ("positive", "answer", "document", "sentence2", "text2")
NEGATIVE_NAMES = ("negative", "hard_negative", "text3")
SCORE_NAMES = ("score", "label", "similarity")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two matching texts. score: of the match, higher is better. negative: a text that does not match the query. Both
    are None if the file does not have them.
    """

    query: str
    positive: str
    score: float | None = None
    negative: str | None = None


def read_pairs(path: PathLike, *, skip_bad: bool = False, report: ReadReport | None = None) -> Iterator[Pair]:
    """The pairs of a file, one after the other.

    .jsonl, .ndjson, .json: objects with `query` (`anchor`, `question`, `sentence1`, `text1`), `positive` (`answer`,
    `document`, `sentence2`, `text2`) and optionally `negative` (`hard_negative`, `text3`) and `score` (`label`,
    `similarity`). .tsv, no quoting: a header
    of these names in any order, or no header and query, positive and perhaps a score. .csv: such a header. Plain, .gz
    or .xz; `-` is standard input as JSON Lines. Other fields are ignored. Raises InputError, naming file and
    line, for a line that holds no pair (counted with skip_bad), and at the end for a file without pairs.
    """
    bad = BadLines(skip_bad, ReadReport() if report is None else report)
    found = False
    for line, record in _numbered(path, bad):
        try:
            pair = _pair(record)
        except InputError as error:
            bad.take(InputError(str(error), path=shown(path), line=line))
            continue
        found = True
        bad.report.read += 1
        yield pair
    if not found:
        raise InputError("no pairs in it", path=shown(path))


def read_judged_pairs(path: PathLike) -> Iterator[tuple[str, str, float]]:
    """The pairs of a file, each with its score; see `read_pairs`. Raises InputError where a pair has none."""
    for number, pair in enumerate(read_pairs(path), start=1):
        if pair.score is None:
            raise InputError(f"pair {number:,} has no score, so nothing can be judged by it", path=shown(path))
        yield pair.query, pair.positive, pair.score


def _numbered(path: PathLike, bad: BadLines) -> Iterator[tuple[int, dict[str, Any]]]:
    match bare_suffix(path):
        case ".tsv":
            return _of_tsv(path, bad)
        case ".csv":
            return records(csv_rows(path, bad), path, _check_header, {}, bad)
        case ".jsonl" | ".ndjson" | ".json":
            return json_records(path, bad)
        case _ if os.fspath(path) == STANDARD_INPUT:
            return json_records(path, bad)
        case _:
            raise InputError("pair files are .jsonl, .csv or .tsv (plain, .gz or .xz)", path=shown(path))


def _of_tsv(path: PathLike, bad: BadLines) -> Iterator[tuple[int, dict[str, Any]]]:
    rows = tsv_rows(path, bad)
    first = next(rows, None)
    if first is None:
        return
    if _is_header(first[1]):
        yield from records(_again(first, rows), path, _check_header, {}, bad)
        return
    if names_columns(first[1]):
        raise header_error(first[1], f"such as {QUERY_NAMES[0]} and {POSITIVE_NAMES[0]}", path, first[0])
    for line, row in _again(first, rows):
        if len(row) in (2, 3):
            yield line, dict(zip(("query", "positive", "score"), row, strict=False))
        else:
            bad.take(
                InputError(
                    f"{len(row)} fields; a pair has two (query, positive) or three (and a score)",
                    path=shown(path),
                    line=line,
                )
            )


def _again(first: tuple[int, list[str]], rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    yield first
    yield from rows


def _is_header(row: list[str]) -> bool:
    return any(name in row for name in QUERY_NAMES) and any(name in row for name in POSITIVE_NAMES)


def _check_header(header: list[str]) -> None:
    _name(header, QUERY_NAMES)
    _name(header, POSITIVE_NAMES)


def _pair(record: Mapping[str, Any]) -> Pair:
    query, positive = (_text(record, names) for names in (QUERY_NAMES, POSITIVE_NAMES))
    name = next((name for name in SCORE_NAMES if name in record), None)
    negative = _text(record, NEGATIVE_NAMES) if any(each in record for each in NEGATIVE_NAMES) else None
    return Pair(query, positive, None if name is None else _score(record[name], name), negative)


def _text(record: Mapping[str, Any], names: tuple[str, ...]) -> str:
    name = _name(record, names)
    value = record[name]
    if not isinstance(value, str):
        raise InputError(f"the field {name!r} must be text, not {type_names[type(value)]}")
    return value


def _name(there: Iterable[str], wanted: tuple[str, ...]) -> str:
    names = list(there)
    name = next((name for name in wanted if name in names), None)
    if name is None:
        raise InputError(
            f"no field {' or '.join(map(repr, wanted))}; there are {', '.join(map(repr, names)) or 'none'}"
        )
    return name


def _score(value: object, name: str) -> float | None:
    if value is None:
        return None
    try:
        score = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise InputError(f"the field {name!r} must be a finite number, not {value!r}")
    return score
