"""`read` streams documents of every format; by default it guesses the format from the path."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from twofold.documents import Document
from twofold.errors import InputError
from twofold.logs import logger_of
from twofold.readers.bad_lines import BadLines
from twofold.readers.columnar import arrow_records, parquet_records, spreadsheet_records
from twofold.readers.fields import Fields
from twofold.readers.files.kinds import FILES, KIND_OF_SUFFIX, KINDS, documents_of, suffixes_of
from twofold.readers.identifiers import check_identifiers, identifier_of_file, prefix_of
from twofold.readers.json_arrays import array_records, begins_array
from twofold.readers.json_lines import json_records
from twofold.readers.opening import COMPRESSED, STANDARD_INPUT, PathLike, bare_suffix, either_form, shown
from twofold.readers.separated import CsvForm, check_types, csv_rows, records, tsv_rows
from twofold.readers.walking import Choice, files_below
from twofold.reports import ReadReport

logger = logger_of(__name__)

FORMATS = {
    "jsonl": "JSON Lines (.jsonl, .ndjson, .json)",
    "json": "a JSON array of objects (.json)",
    "csv": "CSV with a header (.csv)",
    "tsv": "TSV with a header, no quoting (.tsv)",
    "parquet": "Parquet (.parquet)",
    "arrow": "Arrow files and streams (.arrow, .feather)",
    "xlsx": "Excel, the first sheet with its header (.xlsx)",
    **{name: f"{kind.called} ({', '.join(kind.suffixes)})" for name, kind in KINDS.items()},
    FILES: "a folder of files of all these kinds, each a document",
    "beir": "a BEIR folder (corpus.jsonl in it)",
}
EVERY_FILE = Choice(())
DOCUMENTS = (*KINDS, FILES)
"""The formats of files that are documents; those of the others hold records."""
_formats_of_suffixes = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".xlsx": "xlsx",
    **KIND_OF_SUFFIX,
}
CORPUS = "corpus.jsonl"


def read(
    data: PathLike | Sequence[PathLike],
    *,
    fields: Fields | None = None,
    format: str | None = None,  # noqa: A002 (the word that people know from pandas and polars)
    types: Mapping[str, str] | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    skip_bad: bool = False,
    ids_alone: bool = False,
    report: ReadReport | None = None,
) -> Iterator[Document]:
    """Documents of a file, a folder, several of them, or `-` for standard input, one after the other.

    data: a path, or several. format: one of `FORMATS`; guessed from the path (standard input: "jsonl", a folder: all
    files that are documents). Files may end in .gz or .xz too. fields: names of id, title and text. types: for CSV and
    TSV, column → "int", "float", "bool" or "text". delimiter, encoding: of CSV; without them UTF-8, and commas or what
    the header suggests, which the report notes. include, exclude: globs of the files of a folder that are read, or not.
    skip_bad: count bad lines, and bad files that were named, in the report instead of raising; a bad file of a folder
    is counted there in any case. ids_alone: records need neither title nor text, since their vectors come from
    elsewhere. report: counts records, bad lines and files left out; without one, what was skipped is logged at the end.

    Memory does not grow with the number of records. A file's id is the name of the folder that was given and the path
    below it (`a/index.md`); where the file itself was given, its relative path, or of an absolute path the name. Raises
    InputError: at once for a missing path, an unknown format and two files of one id; while reading for a bad line, or
    a bad file that was named (naming file, line and cause); at the end for an input without a single document. Raises
    MissingExtraError for a file that needs a library which is not installed.
    """
    choice = Choice((), tuple(include), tuple(exclude))
    sources = _sources(data, format, types or {}, choice)
    given = [Path(path) for path, kind in sources if kind in DOCUMENTS and os.fspath(path) != STANDARD_INPUT]
    check_identifiers(given, replace(choice, suffixes=suffixes_of(format if format in DOCUMENTS else FILES)))
    fields = fields or Fields()
    bad = BadLines(skip_bad, ReadReport() if report is None else report)
    reading = _Reading(fields, types or {}, bad, ids_alone, CsvForm(delimiter, encoding), choice)
    documents = reading.of_sources(sources, partial(fields.document, ids_alone=ids_alone))
    return documents if report is not None else _logged(documents, bad.report)


def read_changes(
    data: PathLike | Sequence[PathLike],
    *,
    fields: Fields | None = None,
    format: str | None = None,  # noqa: A002
    types: Mapping[str, str] | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    skip_bad: bool = False,
    report: ReadReport | None = None,
) -> Iterator[dict[str, Any]]:
    """Records that change some fields of documents, as `Collection.update` takes them; of each only the id is needed.

    The arguments are those of `read`. Raises what `read` does, and InputError for files that are documents, which hold
    whole ones.
    """
    sources = _sources(data, format, types or {}, EVERY_FILE)
    for path, kind in sources:
        if kind in DOCUMENTS:
            raise InputError(
                f"a {'text' if kind in ('text', FILES) else kind} file is a whole document; put it in again: "
                "`twofold add COLLECTION FILE`",
                path=shown(path),
            )
    fields = fields or Fields()
    bad = BadLines(skip_bad, ReadReport() if report is None else report)
    form = CsvForm(delimiter, encoding)
    reading = _Reading(fields, types or {}, bad, True, form, sparse=True)
    return (each for each in reading.of_sources(sources, fields.change) if isinstance(each, dict))


def _sources(
    data: PathLike | Sequence[PathLike], given: str | None, types: Mapping[str, str], choice: Choice
) -> list[tuple[PathLike, str]]:
    """The paths with their formats. Raises InputError."""
    paths = [data] if isinstance(data, str | os.PathLike) else list(data)
    if not paths:
        raise InputError("no path to read from")
    check_types(types)
    if given is not None and given not in FORMATS:
        raise InputError(f"unknown format {given!r}; there are {', '.join(FORMATS)}")
    sources = [(path, _format_of(path, given, choice)) for path in paths]
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
    csv: CsvForm = field(default_factory=CsvForm)
    choice: Choice = EVERY_FILE
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
            case _ if kind in DOCUMENTS and Path(path).is_dir():
                return self._of_folder(Path(path), kind)
            case _ if kind in DOCUMENTS:
                return documents_of(Path(path), identifier_of_file(Path(path)), kind, self.bad, inside=False)
            case "csv":
                return self._of_table(csv_rows(path, self.bad, self.csv), path, make)
            case "tsv":
                return self._of_table(tsv_rows(path, self.bad), path, make)
            case _:
                return self._of_records(self._records_of(path, kind), path, make)

    def _of_folder(self, folder: Path, kind: str) -> Iterator[Document]:
        """The documents of its files; one that cannot be read is counted and named, and the others are read."""
        within, going_on = prefix_of(folder), replace(self.bad, skip=True)
        for found in files_below(folder, replace(self.choice, suffixes=suffixes_of(kind)), going_on):
            yield from documents_of(found.path, within + found.below, kind, going_on, inside=True)

    def _records_of(self, path: PathLike, kind: str) -> Iterator[tuple[int, dict[str, Any]]]:
        match kind:
            case "parquet":
                return parquet_records(path)
            case "arrow":
                return arrow_records(path)
            case "xlsx":
                return spreadsheet_records(path, self.bad)
            case "json":
                return array_records(path, self.bad)
            case _:
                return json_records(path, self.bad)

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


def _logged(documents: Iterator[Document], report: ReadReport) -> Iterator[Document]:
    """The documents; what was skipped is logged after them, since nobody else has the report."""
    yield from documents
    if report.skipped:
        logger.warning(
            "%d files or records were not read (the first: %s); read(…, report=ReadReport()) names them",
            report.skipped,
            report.reasons[0],
        )


def _without_empty(numbered: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, record in numbered:
        yield number, {name: cell for name, cell in record.items() if cell != ""}


def _format_of(path: PathLike, given: str | None, choice: Choice) -> str:
    if os.fspath(path) == STANDARD_INPUT:
        return given or "jsonl"
    place = Path(path)
    if not os.path.exists(place):  # Unlike Path.exists, it also says no to a name that is too long.
        raise InputError("no such file or folder", path=shown(path))
    if place.is_dir():
        return _format_of_folder(place, given, choice)
    kind = given or _formats_of_suffixes.get(bare_suffix(place))
    if kind is None:
        raise InputError(
            f"cannot tell the format from the name; say which with --format ({', '.join(FORMATS)})", path=shown(path)
        )
    # A .json file is either; a pipe, which can be read once, is not looked at.
    looked = given is None and bare_suffix(place) == ".json" and place.is_file()
    return "json" if looked and begins_array(place) else kind


def _format_of_folder(folder: Path, given: str | None, choice: Choice) -> str:
    if given not in (None, "beir", *DOCUMENTS):
        raise InputError(f"is a folder; {given} is a format of files. Name the files in it", path=folder)
    if given is not None:
        return given
    if either_form(folder, CORPUS) is not None:
        return "beir"
    sought = replace(choice, suffixes=suffixes_of(FILES))
    if next(files_below(folder, sought, BadLines(skip=True)), None) is not None:
        return FILES
    endings = ("", *COMPRESSED)
    records = _formats_of_suffixes.keys() - KIND_OF_SUFFIX.keys()
    shards = [file for file in sorted(folder.iterdir()) if bare_suffix(file) in records]
    named = f" It holds {len(shards)} files like {shards[0].name}: name those." if shards else ""
    raise InputError(
        f"no documents: neither {CORPUS}[{'|'.join(endings[1:])}] nor {', '.join(KIND_OF_SUFFIX)} files in it.{named}",
        path=folder,
    )
