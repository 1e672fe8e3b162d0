"""`twofold copy`: a collection into another place, also another engine, without encoding anything again."""

from __future__ import annotations

import argparse
import shlex
import time

from twofold.cli.options import Subparsers, command
from twofold.cli.output import count_of, note, print_json, print_line, visible
from twofold.cli.waiting import add_wait_option, waited


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "copy",
        run,
        does="copy a collection with its vectors to another place; run again after an interruption, it goes on",
        examples=(
            "twofold copy wiki.twofold again.twofold",
            "twofold copy wiki.twofold again.twofold --json",
        ),
    )
    parser.add_argument("collection", metavar="COLLECTION", help="the collection that is copied; it may be in use")
    parser.add_argument(
        "target", metavar="TARGET", help="a place where there is nothing yet, or an unfinished copy of COLLECTION"
    )
    add_wait_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Copies, and prints what the copy holds and what could not come along."""
    from twofold.cli.bars import bar
    from twofold.collection.copying import copy

    start = time.monotonic()
    with bar("Copying", "documents") as progress:
        report = copy(arguments.collection, arguments.target, wait=waited(arguments), progress=progress)
    seconds = time.monotonic() - start
    if arguments.json:
        print_json({"copy": arguments.target, **report.to_json(), "seconds": round(seconds, 3)})
        return 0
    for each in report.left_out:
        note(f"not copied: {each}")
    there = report.documents - report.copied
    counts = f"{count_of(report.documents, 'document')} and {count_of(report.passages, 'passage')}"
    print_line(
        f"{visible(arguments.target)} holds {counts} of commit {report.commit:,} in "
        f"{count_of(len(report.spaces), 'space')}, copied in {seconds:,.1f} s"
        f"{f'; {there:,} were there already' if there else ''}"
    )
    if report.removed:
        print_line(f"  {count_of(report.removed, 'document')} removed that an earlier run had copied")
    here, copied = shlex.quote(arguments.collection), shlex.quote(arguments.target)
    print_line(f"to compare both: `twofold verify {here} --against {copied}`")
    return 0
