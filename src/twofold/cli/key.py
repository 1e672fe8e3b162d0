"""`twofold key`: a new API key for a server."""

from __future__ import annotations

import argparse
import json

from twofold.cli.options import Subparsers, add_where_option, command, text, where_of
from twofold.cli.output import note, print_json, print_line


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "key",
        run,
        does="make an API key for a server: the line of its file, which holds only a hash, and the key itself",
        examples=(
            "twofold key shop",
            'twofold key shop --write --collection wiki --where \'{"tenant": "a"}\'',
        ),
    )
    parser.add_argument("name", metavar="NAME", type=text, help="whose key it is")
    parser.add_argument("--write", action="store_true", help="it may change documents; by default it may only read")
    parser.add_argument(
        "--collection",
        dest="collections",
        type=text,
        action="append",
        metavar="NAME",
        help="a collection that it may use; may be repeated (default: all)",
    )
    add_where_option(parser, "it reads and writes only documents")


def run(arguments: argparse.Namespace) -> int:
    """Prints the line of the file of keys; the key goes to standard error, once."""
    from twofold.serving.access import new_key

    key, digest = new_key()
    line = {"name": arguments.name, "sha256": digest, "scopes": ["read", "write"] if arguments.write else ["read"]}
    if arguments.collections:
        line["collections"] = arguments.collections
    where = where_of(arguments)
    if where is not None:
        line["where"] = where
    if arguments.json:
        print_json({"key": key, "line": line})
        return 0
    print_line(json.dumps(line))
    note(f"the key, which is nowhere else: {key}")
    return 0
