"""Each query's value of each measure as a file, for tests and plots of one's own."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from twofold.errors import InputError
from twofold.evaluation.evaluating import Evaluation
from twofold.files import write_aside


def write_by_query(evaluations: Mapping[str, Evaluation], path: str | Path) -> None:
    """Writes a line for each system and query: system, query, and a column for each measure; whole or not at all.

    evaluations: by the system's name. The format follows from the name: .tsv and .csv with a header, .jsonl objects.
    Raises InputError for another name, StorageError.
    """
    write = writer_by_query(path)
    with write_aside(path) as file:
        file.writelines(line.encode() for line in write(list(_records(evaluations))))


def writer_by_query(path: str | Path) -> Callable[[list[dict[str, Any]]], Iterator[str]]:
    """What makes the lines of a file of this name. Raises InputError for a name with another suffix."""
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITERS:
        raise InputError(
            f"scores by query are written as {', '.join(_WRITERS)}, not {suffix or 'without a suffix'}", path=path
        )
    return _WRITERS[suffix]


def _records(evaluations: Mapping[str, Evaluation]) -> Iterator[dict[str, Any]]:
    for system, evaluation in evaluations.items():
        scores = evaluation.per_query
        for query in next(iter(scores.values())):
            yield {"system": system, "query": query, **{name: values[query] for name, values in scores.items()}}


def _separated(records: list[dict[str, Any]], delimiter: str) -> Iterator[str]:
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, records[0], delimiter=delimiter, lineterminator="\n")
    table.writeheader()
    table.writerows(records)
    yield text.getvalue()


def _json_lines(records: list[dict[str, Any]]) -> Iterator[str]:
    return (json.dumps(record, ensure_ascii=False) + "\n" for record in records)


_WRITERS: dict[str, Callable[[list[dict[str, Any]]], Iterator[str]]] = {
    ".tsv": lambda records: _separated(records, "\t"),
    ".csv": lambda records: _separated(records, ","),
    ".jsonl": _json_lines,
}
