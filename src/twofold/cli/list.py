"""`twofold list`: the documents of a collection, or those that pass a filter, page by page."""

from __future__ import annotations

import argparse

from twofold.cli.options import Subparsers, add_strict_option, add_where_option, command, count, where_of
from twofold.cli.output import count_of, note, print_json, print_line, visible

SHOWN = 20


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "list",
        run,
        does="list the documents of a collection in the order in which they were added",
        examples=(
            'twofold list wiki.twofold --where \'{"title": {"$prefix": "The "}}\'',
            "twofold list wiki.twofold --ids --limit 100 --offset 200",
        ),
    )
    parser.add_argument("collection", metavar="COLLECTION", help="the collection's folder or address")
    add_where_option(parser, "only documents")
    add_strict_option(parser)
    parser.add_argument(
        "-n", "--limit", type=count, metavar="N", help=f"so many at most (default: {SHOWN} documents; with --ids all)"
    )
    parser.add_argument("--offset", type=count, metavar="N", default=0, help="how many to leave out (default 0)")
    parser.add_argument("--ids", action="store_true", help="print ids alone, one a line")


def run(arguments: argparse.Namespace) -> int:
    """Prints a page of documents or ids, and says of how many."""
    from twofold.collection.opening import open_collection

    limit = SHOWN if arguments.limit is None and not arguments.ids else arguments.limit
    page = {"where": where_of(arguments), "strict": arguments.strict}
    with open_collection(arguments.collection) as collection:
        total = collection.count(**page)
        page |= {"limit": limit, "offset": arguments.offset}
        ids = collection.ids(**page) if arguments.ids else []
        documents = [] if arguments.ids else collection.get(**page)
    if arguments.json:
        shown = {"ids": ids} if arguments.ids else {"documents": [each.to_json() for each in documents]}
        print_json({"count": total, **shown})
        return 0
    if arguments.ids:
        for each in ids:
            print_line(visible(each))
        return 0
    from twofold.cli.screens import Screen

    Screen().documents(documents)
    if len(documents) < total:
        note(f"{count_of(len(documents), 'document')} of {total:,}; --limit and --offset show others")
    return 0
