"""`twofold sync`: a collection that holds what the files of a folder hold, again whenever they have changed."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from twofold.cli.options import (
    Subparsers,
    add_encoder_options,
    at_least_one,
    command,
    encoder_for,
    encoder_of,
    is_there,
)
from twofold.cli.output import count_of, note, print_json, print_line, say, visible
from twofold.cli.sources import add_choice_options
from twofold.cli.summaries import added_as_text, left_out_as_text, skipped_as_text
from twofold.cli.waiting import add_wait_option, waited

if TYPE_CHECKING:
    from twofold.collection.collection import Collection
    from twofold.collection.syncing import SyncReport

INTERRUPTED = 130


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "sync",
        run,
        does="bring a collection up to date with a folder: read what changed, delete what is gone",
        examples=(
            "twofold sync manuals --to manuals.twofold",
            "twofold sync manuals --to manuals.twofold --yes --watch --exclude drafts",
        ),
    )
    parser.add_argument("data", metavar="FOLDER", help="a folder of files, each a document")
    parser.add_argument(
        "--to", metavar="COLLECTION", required=True, dest="collection", help="the collection's folder or address"
    )
    group = parser.add_argument_group("files")
    add_choice_options(group)
    group.add_argument("--yes", action="store_true", help="delete documents of files that are gone without asking")
    group.add_argument("--force", action="store_true", help="also where more than half of the files are gone")
    group.add_argument("--watch", action="store_true", help="go on, and look again every few seconds, until Ctrl-C")
    group.add_argument("--every", metavar="SECONDS", type=at_least_one, default=2, help="how often --watch looks (2)")
    add_wait_option(parser)
    add_encoder_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Syncs once, or until Ctrl-C, and says what became of the files."""
    from twofold.collection.building import open_or_create

    there = is_there(arguments.collection)
    encoder = encoder_for(arguments.collection, arguments) if there else encoder_of(arguments)
    with open_or_create(arguments.collection, encoder, wait=waited(arguments)) as collection:
        start = time.monotonic()
        _tell(arguments, _synced(arguments, collection), collection, time.monotonic() - start)
        return _watching(arguments, collection) if arguments.watch else 0


def _watching(arguments: argparse.Namespace, collection: Collection) -> int:
    """Looks again and again, until Ctrl-C ends it."""
    try:
        while True:
            time.sleep(arguments.every)
            start = time.monotonic()
            report = _synced(arguments, collection)
            if report.changed or report.deleted:
                _tell(arguments, report, collection, time.monotonic() - start)
    except KeyboardInterrupt:
        holds = f"{visible(arguments.collection)} holds {count_of(len(collection), 'document')}"
        say(f"twofold: {visible(arguments.data)} is no longer watched; {holds}")
        return INTERRUPTED


def _synced(arguments: argparse.Namespace, collection: Collection) -> SyncReport:
    from twofold.cli.bars import bar

    with collection.writing(waited(arguments)), bar("Reading", "documents") as progress:
        return collection.sync(
            arguments.data,
            include=arguments.include,
            exclude=arguments.exclude,
            agreed=lambda files, documents: arguments.yes or _agreed(files, documents),
            force=arguments.force,
            progress=progress,
        )


def _agreed(files: int, documents: int) -> bool:
    """Asks on a terminal; elsewhere nobody can answer, and nothing is deleted."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    say(f"{count_of(files, 'file')} gone; delete {count_of(documents, 'document')}? [y/N] ")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _tell(arguments: argparse.Namespace, report: SyncReport, collection: Collection, seconds: float) -> None:
    for line in (*left_out_as_text(report.reading), *report.reading.notes):
        note(line)
    if arguments.json:
        print_json({"collection": arguments.collection, "stored": len(collection), **report.to_json()})
        return
    print_line(f"{report.changed:,} files read, {report.unchanged:,} unchanged, {report.gone:,} gone")
    lines = skipped_as_text(report.reading)
    if report.added is not None:
        lines += added_as_text(report.added, seconds, arguments.collection)
    if report.deleted:
        lines.append(f"{count_of(report.deleted, 'document')} deleted")
    if report.kept:
        lines.append(f"{count_of(report.kept, 'document')} of files that are gone kept; --yes deletes them")
    for line in lines:
        print_line(line)
    print_line(f"{visible(arguments.collection)} holds {count_of(len(collection), 'document')}")
