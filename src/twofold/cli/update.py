"""`twofold update`: some fields of documents that are there."""

from __future__ import annotations

import argparse
import time

from twofold.cli.index import Filled, add_vectors_option, tell
from twofold.cli.options import Subparsers, add_encoder_options, command, open_given
from twofold.cli.sources import CHANGES, add_reader_options, changes_of
from twofold.cli.waiting import add_wait_option, waited


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "update",
        run,
        does="change fields of documents that are there and keep the others; null removes a field",
        examples=(
            "twofold update wiki.twofold years.jsonl",
            'echo \'{"id": "article-17", "year": 1952}\' | twofold update wiki.twofold -',
        ),
    )
    parser.add_argument("collection", metavar="COLLECTION", help="the collection's folder or address")
    add_reader_options(parser, CHANGES)
    add_vectors_option(parser)
    add_wait_option(parser)
    add_encoder_options(parser, otherwise="the collection's own")


def run(arguments: argparse.Namespace) -> int:
    """Changes everything and says what became of it."""
    from twofold.cli.bars import bar
    from twofold.reports import ReadReport

    reading = ReadReport()
    with open_given(arguments) as collection:
        changes, wait = changes_of(arguments, reading), waited(arguments)
        start = time.monotonic()
        with bar("Updating", "documents") as progress, collection.writing(wait):
            report = collection.update(changes, vectors=arguments.vectors, progress=progress)
        filled = Filled(reading, report, time.monotonic() - start, len(collection))
    tell(arguments, filled)
    return 0
