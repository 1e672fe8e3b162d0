"""`twofold export`: a collection as files that other tools read."""

from __future__ import annotations

import argparse
import time

from twofold.cli.options import Subparsers, command
from twofold.cli.output import count_of, print_json, print_line, visible


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "export",
        run,
        does="write a collection as Parquet, or as JSON Lines, a .npy file and a FAISS index, for other tools",
        examples=(
            "twofold export wiki.twofold --to wiki-export",
            "twofold export wiki.twofold --to wiki.parquet --json",
        ),
    )
    parser.add_argument("collection", metavar="COLLECTION", help="the collection's folder or address")
    parser.add_argument(
        "--to",
        metavar="FOLDER",
        required=True,
        help="a new or empty folder, or a file that ends in .parquet; it appears when it is complete and synced",
    )
    parser.add_argument(
        "--format",
        choices=["files", "parquet", "datasets"],
        help="files: JSON Lines, .npy and FAISS; parquet: one file, a row a document; datasets: a folder that "
        "`datasets.load_dataset` reads (default: parquet if FOLDER ends in .parquet, else files)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Exports, and prints what each file holds."""
    from twofold.cli.bars import bar
    from twofold.collection.opening import open_collection

    start = time.monotonic()
    with open_collection(arguments.collection) as collection, bar("Exporting", "documents and vectors") as progress:
        report = collection.export(arguments.to, progress, form=arguments.format)
    seconds = time.monotonic() - start
    if arguments.json:
        print_json({"folder": arguments.to, **report.to_json(), "seconds": round(seconds, 3)})
        return 0
    print_line(
        f"{visible(arguments.to)} holds {count_of(report.documents, 'document')} and "
        f"{count_of(report.passages, 'passage')} of commit {report.commit:,}, written in {seconds:,.1f} s"
    )
    width = max(16, *map(len, report.bytes))
    for name, size in report.bytes.items():
        print_line(f"  {name:<{width}} {size / 1e6:>10,.1f} MB")
    if report.left_out:
        spaces = ", ".join(report.left_out)
        print_line(
            f"  not in it: the vectors of {spaces}; a copy has all spaces: `twofold backup COLLECTION --to FOLDER`"
        )
    return 0
