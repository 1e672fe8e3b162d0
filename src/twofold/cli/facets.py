"""`twofold facets`: how many documents hold each value of a field."""

from __future__ import annotations

import argparse
import json

from twofold.cli.options import Subparsers, add_strict_option, add_where_option, command, count, text, where_of
from twofold.cli.output import note, print_json, print_line, visible


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "facets",
        run,
        does="count the documents that hold each value of a field, the most frequent first",
        examples=(
            "twofold facets wiki.twofold year --limit 10",
            'twofold facets wiki.twofold tags --where \'{"year": {"$gte": 1990}}\'',
        ),
    )
    parser.add_argument("collection", metavar="COLLECTION", help="the collection's folder or address")
    parser.add_argument(
        "field", metavar="FIELD", type=text, help="a field of the metadata, a.b inside an object; id or title"
    )
    add_where_option(parser, "only documents")
    add_strict_option(parser)
    parser.add_argument("-n", "--limit", type=count, metavar="N", help="so many values at most (default: all)")


def run(arguments: argparse.Namespace) -> int:
    """Prints a line a value, its count before it."""
    from twofold.collection.opening import open_collection

    with open_collection(arguments.collection) as collection:
        facets = collection.facets(
            arguments.field, where=where_of(arguments), limit=arguments.limit, strict=arguments.strict
        )
    if arguments.json:
        each = [{"value": value, "count": number} for value, number in facets.items()]
        print_json({"field": arguments.field, "facets": each})
        return 0
    if not facets:
        note(f"no document has a value under {arguments.field}")
    widest = max((len(f"{number:,}") for number in facets.values()), default=0)
    for value, number in facets.items():
        shown = value if isinstance(value, str) else json.dumps(value)
        print_line(f"{number:>{widest},}  {visible(shown)}")
    return 0
