"""DATA on the command line: the options that say how it is read, and the documents in it."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from twofold.cli.options import text
from twofold.cli.output import is_quiet
from twofold.errors import InputError, TwofoldError
from twofold.progress import Progress, silent

if TYPE_CHECKING:
    from twofold.documents import Document
    from twofold.reports import ReadReport

STANDARD_INPUT = "-"


WHOLE_DOCUMENTS = (
    "files of records (JSON Lines, JSON, CSV, TSV, Parquet, Arrow, Excel), files that are documents (text, Markdown, "
    "HTML, PDF, Word, PowerPoint, EPUB, notebooks, e-mail) and folders of them (the id of a file in one is the "
    "folder's name and the path below it), BEIR folders; .gz and .xz too; - is standard input"
)
CHANGES = (
    "files of records (JSON Lines, JSON, CSV, TSV, Parquet, Arrow, Excel; .gz and .xz too), BEIR folders; "
    "- is standard input"
)
RECORDS = ("jsonl", "json", "csv", "tsv", "parquet", "arrow", "xlsx", "beir")
DOCUMENTS = ("text", "html", "pdf", "docx", "pptx", "epub", "ipynb", "eml", "mbox", "files")


def add_reader_options(parser: argparse.ArgumentParser, data: str = WHOLE_DOCUMENTS) -> None:
    """DATA and --format, --id, --title, --text, --types, --skip-bad. data: what DATA is."""
    parser.add_argument("data", metavar="DATA", nargs="+", help=data)
    group = parser.add_argument_group("reading")
    formats = RECORDS if data == CHANGES else (*RECORDS, *DOCUMENTS)
    group.add_argument("--format", choices=formats, help="by default it follows from the file's name; - is jsonl")
    group.add_argument("--id", metavar="FIELD", type=text, help="the field with the id (default: _id or id)")
    add_field_options(group)
    group.add_argument(
        "--types",
        metavar="FIELD=TYPE",
        type=typed_field,
        action="append",
        default=[],
        help="the type of a CSV or TSV field: int, float, bool or text (the default); may be repeated",
    )
    group.add_argument(
        "--delimiter", metavar="CHARACTER", type=text, help="between the fields of a CSV (default: told)"
    )
    group.add_argument("--encoding", metavar="NAME", type=text, help="of a CSV, such as cp1252 (default: UTF-8)")
    if data != CHANGES:
        add_choice_options(group)
    group.add_argument(
        "--skip-bad",
        action="store_true",
        help="count and skip bad lines and files, instead of stopping; of a folder, bad files are always skipped",
    )


def add_choice_options(group: Any) -> None:
    """--include and --exclude: which files of a folder."""
    for name, does in (
        ("include", "read only these files of a folder"),
        ("exclude", "leave these files of a folder out"),
    ):
        group.add_argument(
            f"--{name}", metavar="GLOB", action="append", default=[], help=f"{does}, such as '*.md'; may be repeated"
        )


def add_field_options(group: Any) -> None:
    """--title and --text: which fields hold what is encoded."""
    group.add_argument("--title", metavar="FIELD", type=text, help="the field with the title (default: title)")
    group.add_argument(
        "--text",
        metavar="FIELD",
        type=text,
        help="the field with the text (default: text, contents or body)",
    )


def typed_field(value: str) -> tuple[str, str]:
    """ "year=int" as ("year", "int"), for argparse."""
    field, equals, kind = text(value).rpartition("=")
    if not (field and equals):
        raise argparse.ArgumentTypeError(f"{value!r} is not FIELD=TYPE, such as year=int")
    return field, kind


def documents_of(arguments: argparse.Namespace, report: ReadReport) -> Iterator[Document]:
    """The documents of all DATA, one after the other; what was skipped is counted in the report."""
    from twofold.readers.reading import read

    given = getattr(arguments, "vectors", None) is not None
    choice = {"include": arguments.include, "exclude": arguments.exclude}
    documents = read(arguments.data, ids_alone=given, report=report, **choice, **_settings_of(arguments))
    return _unskipped(documents, report) if given else documents


def changes_of(arguments: argparse.Namespace, report: ReadReport) -> Iterator[dict[str, Any]]:
    """The records of all DATA as `Collection.update` takes them; what was skipped is counted in the report."""
    from twofold.readers.reading import read_changes

    changes = read_changes(arguments.data, report=report, **_settings_of(arguments))
    return changes if arguments.vectors is None else _unskipped(changes, report)


def _settings_of(arguments: argparse.Namespace) -> dict[str, Any]:
    from twofold.readers.fields import Fields

    twice = [field for field, count in Counter(field for field, _ in arguments.types).items() if count > 1]
    if twice:
        raise InputError(f"--types names the field {twice[0]!r} twice; give it once")
    return {
        "fields": Fields(arguments.id, arguments.title, arguments.text),
        "format": arguments.format,
        "types": dict(arguments.types),
        "delimiter": "\t" if arguments.delimiter == r"\t" else arguments.delimiter,
        "encoding": arguments.encoding,
        "skip_bad": arguments.skip_bad,
    }


Read = TypeVar("Read")


def _unskipped(records: Iterator[Read], report: ReadReport) -> Iterator[Read]:
    """The records as long as none was skipped: vectors go by position, and the next would get its neighbour's."""
    for record in records:
        if report.skipped:
            raise InputError(f"--vectors needs every document, and one was skipped ({report.reasons[0]})")
        yield record


def total_of(arguments: argparse.Namespace) -> int | None:
    """The number of documents, for a bar that people watch; None where there is none, or the number is unknown."""
    from twofold.cli.bars import bar

    if not sys.stderr.isatty() or is_quiet():
        return None
    with bar("Reading", "documents") as progress:
        return counted_in(arguments, progress)


def counted_anyway(arguments: argparse.Namespace) -> int | None:
    """The number of documents, for lines about work that is under way, which itself reports what cannot be read."""
    try:
        return counted_in(arguments)
    except (TwofoldError, OSError):
        return None


def counted_in(arguments: argparse.Namespace, progress: Progress = silent) -> int | None:
    """The number of documents, read for that alone; None for a pipe, which is read once."""
    from twofold.reports import ReadReport

    if not all(Path(data).is_file() or Path(data).is_dir() for data in arguments.data):
        return None
    done = 0
    for done, _ in enumerate(documents_of(arguments, ReadReport()), start=1):
        if done % 1000 == 0:
            progress(done, None)
    return done
