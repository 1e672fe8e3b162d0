"""`twofold get`: documents of a collection by their ids."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from twofold.cli.options import Subparsers, command, text
from twofold.cli.output import print_json, print_line, without_controls

if TYPE_CHECKING:
    from twofold.documents import Document


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "get",
        run,
        does="print documents of a collection, whole, by their ids",
        examples=("twofold get wiki.twofold article-17", "twofold get wiki.twofold article-17 article-18 --json"),
    )
    parser.add_argument("collection", metavar="COLLECTION", help="the collection's folder or address")
    parser.add_argument(
        "ids", metavar="ID", nargs="+", type=text, help="a document's id; one that is not there is an error"
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints the documents in the order of the ids."""
    from twofold.collection.opening import open_collection
    from twofold.errors import NoDocumentError

    with open_collection(arguments.collection) as collection:
        found = collection.get(arguments.ids)
    documents = [each for each in found if each is not None]
    if len(documents) < len(found):
        raise NoDocumentError(arguments.ids[found.index(None)])
    if arguments.json:
        print_json({"documents": [each.to_json() for each in documents]})
        return 0
    for position, document in enumerate(documents):
        if position:
            print_line()
        _print(document)
    return 0


def _print(document: Document) -> None:
    metadata = {name: json.dumps(value, ensure_ascii=False) for name, value in document.metadata.items()}
    for name, value in {"id": document.id, "title": document.title, **metadata}.items():
        if value:
            print_line(without_controls(f"{name}: {value}"))
    if document.text:
        print_line()
    for line in document.text.splitlines():
        print_line(without_controls(line))
