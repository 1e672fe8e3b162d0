"""`twofold info`: what a collection holds and which encoder made its vectors."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING

from twofold.cli.options import Subparsers, command
from twofold.cli.output import print_json

if TYPE_CHECKING:
    from twofold.index_report import IndexReport


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "info",
        run,
        does="show the contents of a collection and the encoder of its vectors",
        examples=("twofold info wiki.twofold", "twofold info wiki.twofold --json"),
    )
    parser.add_argument("collection", metavar="COLLECTION", help="the collection's folder or address")


def run(arguments: argparse.Namespace) -> int:
    """Prints what the collection says about itself."""
    from twofold.collection.opening import open_collection

    with open_collection(arguments.collection) as collection:
        info = collection.info()
    if arguments.json:
        print_json(info.to_json())
        return 0
    from twofold.cli.screens import Screen

    Screen().facts(info.facts())
    return 0


def index_as_text(index: IndexReport | None, collection: str) -> list[str]:
    """What was built, and what to do where it does not find what was promised; nothing where nothing was built."""
    if index is None:
        return []
    named = shlex.quote(collection)
    advice = (
        "The promised recall was not reached. Allow more time (--latency), another kind (--index), or less recall "
        f"(--recall): options of `twofold optimize {named}`; or search exactly: "
        f"`twofold optimize {named} --index flat`, or --exact in a search."
    )
    return [f"index: {index}", *([] if index.kept else [advice])]
