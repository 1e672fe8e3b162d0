"""`read` streams documents of every format; by default it guesses the format from the path."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from twofold.documents import Document
from twofold.errors import InputError
from twofold.readers.bad_lines import BadLines
from twofold.readers.fields import Fields
from twofold.readers.json_lines import json_records
from twofold.readers.opening import COMPRESSED, STANDARD_INPUT, PathLike, bare_suffix, either_form, shown
from twofold.readers.separated import check_types, csv_rows, records, tsv_rows
from twofold.readers.texts import SUFFIXES, check_identifiers, has_texts, identifier_of_file, read_text, read_texts
from twofold.reports import ReadReport

FORMATS = {
    "jsonl": "JSON Lines (.jsonl, .ndjson, .json)",
    "csv": "CSV with a header (.csv)",
    "tsv": "TSV with a header, no quoting (.tsv)",
    "text": "text files (.txt, .md, .rst), or a folder of them",
    "beir": "a BEIR folder (corpus.jsonl in it)",
}
_formats_of_suffixes = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    **dict.fromkeys(SUFFIXES, "text"),
}
CORPUS = "corpus.jsonl"


def read(
    data: PathLike | Sequence[PathLike],
    *,
    fields: Fields | None = None,
    format: str | None = None,  # noqa: A002 (the word that people know from pandas and polars)
    types: Mapping[str, str] | None = None,
    skip_bad: bool = False,
    ids_alone: bool = False,
    report: ReadReport | None = None,
) -> Iterator[Document]:
    """Documents of a file, a folder, several of them, or `-` for standard input, one after the other.

    data: a path, or several. format: "jsonl", "csv", "tsv", "text" or "beir"; guessed from the path (standard input:
    "jsonl"). Files may end in .gz or .xz too. fields: names of id, title and text. types: for CSV and TSV, column →
    "int", "float", "bool" or "text". skip_bad: count bad lines in the report instead of raising. ids_alone: records
    need neither title nor text, since their vectors come from elsewhere. report: counts records, bad lines and files
    left out.

    Memory does not grow with the file. A text file's id is the name of the folder that was given and the path below it
    (`a/index.md`); where the file itself was given, its relative path, or of an absolute path the name. Raises
    InputError: at once for a missing path, an unknown format and two text files of one id; while reading for a bad line
    (naming file, line and cause) and for a damaged file; at the end for an input without a single document.
    """
    types = types or {}
    sources = _sources(data, format, types)
    check_identifiers([Path(path) for path, kind in sources if kind == "text" and os.fspath(path) != STANDARD_INPUT])
    fields = fields or Fields()
    bad = BadLines(skip_bad, ReadReport() if report is None else report)
    reading = _Reading(fields, types, bad, ids_alone)
    return reading.of_sources(sources, partial(fields.document, ids_alone=ids_alone))


def read_changes(
    data: PathLike | Sequence[PathLike],
    *,
    fields: Fields | None = None,
    format: str | None = None,  # noqa: A002
    types: Mapping[str, str] | None = None,
    skip_bad: bool = False,
    report: ReadReport | None = None,
) -> Iterator[dict[str, Any]]:
    """Records that change some fields of documents, as `Collection.update` takes them; of each only the id is needed.

    The arguments are those of `read`. Raises what `read` does, and InputError for text files, which hold whole
    documents.
    """
    types = types or {}
    sources = _sources(data, format, types)
    for path, kind in sources:
        if kind == "text":
            raise InputError(
                "a text file is a whole document; put it in again: `twofold add COLLECTION FILE`", path=shown(path)
            )
    fields = fields or Fields()
    bad = BadLines(skip_bad, ReadReport() if report is None else report)
    changes = _Reading(fields, types, bad, ids_alone=True, sparse=True).of_sources(sources, fields.change)
    return (each for each in changes if isinstance(each, dict))


def _sources(
    data: PathLike | Sequence[PathLike], given: str | None, types: Mapping[str, str]
) -> list[tuple[PathLike, str]]:
    """The paths with their formats. Raises InputError."""
    paths = [data] if isinstance(data, str | os.PathLike) else list(data)
    if not paths:
        raise InputError("no path to read from")
    check_types(types)
    if given is not None and given not in FORMATS:
        raise InputError(f"unknown format {given!r}; there are {', '.join(FORMATS)}")
    sources = [(path, _format_of(path, given)) for path in paths]
    if types and not any(kind in ("csv", "tsv") for _, kind in sources):
        raise InputError("types are for CSV and TSV; JSON says itself what is a number")
    return sources


Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class _Reading:
    """The settings of one call of `read`. sparse: an empty cell of a table names no field."""

    fields: Fields
    types: Mapping[str, str]
    bad: BadLines
    ids_alone: bool
    sparse: bool = False

    def of_sources(
        self, sources: Sequence[tuple[PathLike, str]], make: Callable[[dict[str, Any]], Made]
    ) -> Iterator[Document | Made]:
        """What `make` makes of the records of all sources, and the documents that text files are.

        InputError at the end where there was none."""
        found = False
        for path, kind in sources:
            for document in self._of_source(path, kind, make):
                found = True
                self.bad.report.read += 1
                yield document
        if not found:
            raise InputError(f"no documents in {', '.join(shown(path) for path, _ in sources)}{self._skipped()}")

    def _of_source(
        self, path: PathLike, kind: str, make: Callable[[dict[str, Any]], Made]
    ) -> Iterator[Document | Made]:
        match kind:
            case "beir":
                corpus = either_form(Path(path), CORPUS)
                if corpus is None:
                    raise InputError(f"no BEIR folder: it has no {CORPUS}[.gz|.xz]", path=shown(path))
                return self._of_records(json_records(corpus, self.bad), corpus, make)
            case "text" if Path(path).is_dir():
                return read_texts(Path(path), self.bad)
            case "text":
                return self._of_text(Path(path))
            case "csv":
                return self._of_table(csv_rows(path, self.bad), path, make)
            case "tsv":
                return self._of_table(tsv_rows(path, self.bad), path, make)
            case _:
                return self._of_records(json_records(path, self.bad), path, make)

    def _of_text(self, path: Path) -> Iterator[Document]:
        document = read_text(path, identifier_of_file(path), self.bad)
        if document is not None:
            yield document

    def _of_table(
        self, rows: Iterator[tuple[int, list[str]]], path: PathLike, make: Callable[[dict[str, Any]], Made]
    ) -> Iterator[Made]:
        numbered = records(rows, path, self._check_columns, self.types, self.bad)
        return self._of_records(_without_empty(numbered) if self.sparse else numbered, path, make)

    def _check_columns(self, columns: Iterable[str]) -> None:
        self.fields.check_columns(columns, ids_alone=self.ids_alone)

    def _of_records(
        self,
        numbered: Iterator[tuple[int, dict[str, Any]]],
        path: PathLike,
        make: Callable[[dict[str, Any]], Made],
    ) -> Iterator[Made]:
        unseen = {name for name in (self.fields.title, self.fields.text) if name is not None}
        found = False
        for number, record in numbered:
            try:
                made = make(record)
            except InputError as error:
                self.bad.take(InputError(str(error), path=shown(path), line=number))
                continue
            found = True
            unseen.difference_update(record)
            yield made
        if found and unseen:
            raise InputError(f"no record has the field {min(unseen)!r}", path=shown(path))

    def _skipped(self) -> str:
        report = self.bad.report
        return f" ({report.skipped} skipped as bad; the first: {report.reasons[0]})" if report.skipped else ""


def _without_empty(numbered: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, record in numbered:
        yield number, {name: cell for name, cell in record.items() if cell != ""}


def _format_of(path: PathLike, given: str | None) -> str:
    if os.fspath(path) == STANDARD_INPUT:
        return given or "jsonl"
    place = Path(path)
    if not os.path.exists(place):  # Unlike Path.exists, it also says no to a name that is too long.
        raise InputError("no such file or folder", path=shown(path))
    if place.is_dir():
        return _format_of_folder(place, given)
    kind = given or _formats_of_suffixes.get(bare_suffix(place))
    if kind is None:
        raise InputError(
            f"cannot tell the format from the name; say which with --format ({', '.join(FORMATS)})", path=shown(path)
        )
    return kind


def _format_of_folder(folder: Path, given: str | None) -> str:
    if given not in (None, "text", "beir"):
        raise InputError(f"is a folder; {given} is a format of files. Name the files in it", path=folder)
    if given is not None:
        return given
    if either_form(folder, CORPUS) is not None:
        return "beir"
    if has_texts(folder):
        return "text"
    endings = ("", *COMPRESSED)
    shards = [file for file in sorted(folder.iterdir()) if bare_suffix(file) in _formats_of_suffixes]
    named = f" It holds {len(shards)} files like {shards[0].name}: name those." if shards else ""
    raise InputError(
        f"no documents: neither {CORPUS}[{'|'.join(endings[1:])}] nor {', '.join(SUFFIXES)} files in it.{named}",
        path=folder,
    )
