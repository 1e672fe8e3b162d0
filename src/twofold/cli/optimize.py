"""`twofold optimize`: gives back the room of deleted documents, while others may read."""

from __future__ import annotations

import argparse

from twofold.cli.options import Subparsers, command
from twofold.cli.output import count_of, print_json, print_line, visible
from twofold.cli.waiting import add_wait_option, waited


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "optimize",
        run,
        does="give back the room of deleted documents, while others may read",
        examples=("twofold optimize wiki.twofold", "twofold optimize wiki.twofold --wait 60 --json"),
    )
    parser.add_argument("collection", metavar="COLLECTION", help="the collection's folder")
    add_wait_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compacts, and prints what was given back."""
    from twofold.cli.bars import bar
    from twofold.collection.opening import open_collection

    with open_collection(arguments.collection) as collection:
        with collection.writing(waited(arguments)), bar("Compacting", "passages") as progress:
            report = collection.optimize(progress)
        left = len(collection)
    if arguments.json:
        print_json({**report.to_json(), "left": left})
        return 0
    if not report.documents and not report.rows:
        print_line(f"{visible(arguments.collection)} holds nothing deleted: there is nothing to give back")
        return 0
    print_line(
        f"{count_of(report.documents, 'deleted document')} and {count_of(report.rows, 'passage')} dropped, "
        f"{report.bytes / 1e6:,.1f} MB given back; {left:,} left in {visible(arguments.collection)}"
    )
    return 0
