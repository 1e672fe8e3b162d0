"""`twofold add`: documents into a collection that is there."""

from __future__ import annotations

import argparse

from twofold.cli.index import add_vectors_option, fill
from twofold.cli.options import Subparsers, add_encoder_options, command, encoder_for
from twofold.cli.sources import add_reader_options
from twofold.cli.waiting import add_wait_option


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "add",
        run,
        does="add documents to an existing collection",
        examples=("twofold add wiki.twofold new.jsonl", "cat new.jsonl | twofold add wiki.twofold -"),
    )
    parser.add_argument("collection", metavar="COLLECTION", help="the collection's folder or address")
    add_reader_options(parser)
    add_vectors_option(parser)
    add_wait_option(parser)
    add_encoder_options(parser, otherwise="the collection's own")


def run(arguments: argparse.Namespace) -> int:
    """Adds everything and says what became of it."""
    from twofold.collection.opening import open_collection

    open_collection(arguments.collection).close()  # an error where there is none: only `index` makes collections
    return fill(arguments, encoder_for(arguments.collection, arguments))
