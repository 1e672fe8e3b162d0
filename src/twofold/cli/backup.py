"""`twofold backup`: copies a collection as it is at one moment, while others may write to it."""

from __future__ import annotations

import argparse
import time

from twofold.cli.options import Subparsers, command
from twofold.cli.output import count_of, print_json, print_line, visible


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "backup",
        run,
        does="copy a collection as it is at this moment, while others may write to it",
        examples=(
            "twofold backup wiki.twofold --to /backups/wiki.twofold",
            "twofold backup wiki.twofold --to friday.twofold --json",
        ),
    )
    parser.add_argument("collection", metavar="COLLECTION", help="the collection's folder or address")
    parser.add_argument(
        "--to",
        metavar="FOLDER",
        required=True,
        help="a new or empty folder; it appears when the copy is complete, synced and verified",
    )


def run(arguments: argparse.Namespace) -> int:
    """Copies, and prints what the copy holds."""
    from twofold.cli.bars import bar
    from twofold.collection.opening import open_collection

    start = time.monotonic()
    with open_collection(arguments.collection) as collection, bar("Copying and verifying", "bytes") as progress:
        report = collection.backup(arguments.to, progress)
    seconds = time.monotonic() - start
    if arguments.json:
        print_json({"folder": arguments.to, **report.to_json(), "seconds": round(seconds, 3)})
        return 0
    print_line(
        f"{visible(arguments.to)} holds {count_of(report.documents, 'document')} and "
        f"{count_of(report.passages, 'passage')} of commit {report.commit:,}, verified: "
        f"{report.bytes / 1e6:,.1f} MB in {seconds:,.1f} s"
    )
    return 0
