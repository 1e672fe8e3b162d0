"""`twofold mcp`: collections as tools of agents, over standard input and output."""

from __future__ import annotations

import argparse
from contextlib import ExitStack

from twofold.cli.options import Subparsers, command
from twofold.errors import MissingExtraError


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "mcp",
        run,
        does="offer collections to agents by the Model Context Protocol, over standard input and output",
        examples=("twofold mcp wiki.twofold", "twofold mcp wiki.twofold notes.twofold --write"),
    )
    parser.add_argument("collections", metavar="COLLECTION", nargs="+", help="folders of collections")
    parser.add_argument("--write", action="store_true", help="offer tools that add and delete documents, too")


def run(arguments: argparse.Namespace) -> int:
    """Answers until standard input ends."""
    from twofold.collection.opening import open_collection
    from twofold.serving.settings import ServerSettings

    try:
        from twofold.serving.agents import agent_server
    except ImportError as error:
        raise MissingExtraError(error.name or "mcp", "serve") from None
    named = ServerSettings(collections=tuple(arguments.collections)).names()
    with ExitStack() as stack:
        opened = {name: stack.enter_context(open_collection(folder)) for name, folder in named.items()}
        agent_server(opened, write=arguments.write).run("stdio")
    return 0
