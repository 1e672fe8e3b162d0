"""`twofold optimize`: frees the disk space of deleted documents and rebuilds the index, while others may read."""

from __future__ import annotations

import argparse

from twofold.cli.info import index_as_text
from twofold.cli.options import Subparsers, command
from twofold.cli.output import count_of, print_json, print_line, visible
from twofold.cli.waiting import add_wait_option, waited

KINDS = ("flat", "scan", "ivf", "hnsw")
"""Those of indexes/kinds.py, which loads FAISS, and flat; tests/unit/cli/test_parser.py compares them."""


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "optimize",
        run,
        does="free the disk space of deleted documents and rebuild the index, while others may read",
        examples=(
            "twofold optimize wiki.twofold",
            "twofold optimize wiki.twofold --index hnsw --recall 0.99 --queries questions.jsonl",
        ),
    )
    parser.add_argument("collection", metavar="COLLECTION", help="the collection's folder or address")
    parser.add_argument(
        "--index",
        metavar="KIND",
        choices=KINDS,
        help="flat (none, search is exact), scan (one bit a dimension), ivf (the same in lists, of which the nearest "
        "are scanned) or hnsw (a graph that is searched in its file, for little memory); by default the first of them "
        "that is fast enough",
    )
    parser.add_argument(
        "--recall",
        metavar="SHARE",
        type=float,
        default=0.98,
        help="the promised recall: share of exact search's first ten (0.98)",
    )
    parser.add_argument(
        "--latency",
        metavar="MS",
        type=float,
        default=5.0,
        help="milliseconds that the median look-up may take; kinds are tried from the smallest on (5)",
    )
    parser.add_argument(
        "--queries", metavar="FILE", help="questions for measuring; default: titles and openings of documents"
    )
    add_wait_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compacts and indexes, and prints the freed space and the index's recall."""
    from twofold.cli.bars import bar
    from twofold.collection.opening import open_collection

    with open_collection(arguments.collection) as collection:
        with collection.writing(waited(arguments)), bar("Compacting", "passages") as progress:
            report = collection.optimize(
                index=arguments.index,
                recall=arguments.recall,
                latency=arguments.latency,
                queries=_queries(arguments.queries),
                progress=progress,
            )
        left = len(collection)
    if arguments.json:
        print_json({**report.to_json(), "left": left})
        return 0
    compact = report.compact
    if compact.documents or compact.rows:
        print_line(
            f"{count_of(compact.documents, 'deleted document')} and {count_of(compact.rows, 'passage')} dropped, "
            f"{compact.rewritten:,} rewritten, {compact.bytes / 1e6:,.1f} MB freed; {left:,} left in "
            f"{visible(arguments.collection)}"
        )
    else:
        print_line(f"{visible(arguments.collection)} has no deleted documents: there is nothing to free")
    for line in index_as_text(report.index, arguments.collection):
        print_line(line)
    return 0


def _queries(file: str | None) -> list[str] | None:
    from twofold.readers.queries import read_queries

    return None if file is None else list(read_queries(file).values())
