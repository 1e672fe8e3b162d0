"""`twofold delete`: deletes documents of a collection, by id or by filter."""

from __future__ import annotations

import argparse

from twofold.cli.options import Subparsers, add_strict_option, add_where_option, command, text, where_of
from twofold.cli.output import count_of, print_json, print_line, visible
from twofold.cli.waiting import add_wait_option, waited


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "delete",
        run,
        does="delete documents from a collection, by id, by filter, or all",
        examples=(
            "twofold delete wiki.twofold article-17 article-18",
            'twofold delete wiki.twofold --where \'{"year": {"$lt": 1990}}\'',
        ),
    )
    parser.add_argument("collection", metavar="COLLECTION", help="the collection's folder or address")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "ids", metavar="ID", nargs="*", type=text, default=[], help="a document's id; unknown ones are not counted"
    )
    add_where_option(what, "all documents")
    what.add_argument("--all", action="store_true", help="every document")
    add_strict_option(parser)
    add_wait_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Deletes, and prints how many documents that were."""
    from twofold.collection.opening import open_collection

    where = where_of(arguments)
    with open_collection(arguments.collection) as collection:
        with collection.writing(waited(arguments)):
            deleted = collection.delete(arguments.ids or None, where=where, all=arguments.all, strict=arguments.strict)
        left = len(collection)
    if arguments.json:
        print_json({"deleted": deleted, "documents": left})
    else:
        print_line(f"{count_of(deleted, 'document')} deleted, {left:,} left in {visible(arguments.collection)}")
    return 0
