"""`twofold demo`: Python's own documentation, indexed and searched on this machine."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from twofold.cli.options import Subparsers, add_encoder_options, command, encoder_of, text
from twofold.cli.output import count_of, print_json

if TYPE_CHECKING:
    from twofold.cli.screens import Screen
    from twofold.collection.collection import Collection
    from twofold.hits import Hits
    from twofold.reports import AddReport

QUESTIONS = (
    "how do I read a file line by line without loading all of it?",
    "keep only the largest few items of a long list",
    "which files differ between two folders?",
    "split a command line as the shell would",
)
"""Chosen before any answer was seen."""
HITS = 3


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "demo",
        run,
        does="search Python's own documentation, as a first look",
        examples=("twofold demo", "twofold demo --to python-docs.twofold"),
    )
    parser.add_argument("--to", metavar="COLLECTION", help="the collection's folder (default: in your cache folder)")
    parser.add_argument("--no-table", action="store_true", help="do not print the measurements at the end")
    add_encoder_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Indexes where needed, answers four questions and those that are typed, measures."""
    from twofold.cli.demo_collection import demo_collection
    from twofold.cli.screens import Screen

    start = time.monotonic()
    collection, report = demo_collection(arguments.to, encoder_of(arguments))
    seconds = time.monotonic() - start
    with collection:
        if arguments.json:
            answers = [
                {"query": each, "hits": [hit.to_json() for hit in _hits(collection, each)]} for each in QUESTIONS
            ]
            added = None if report is None else report.to_json()
            print_json({"collection": str(collection.path), "added": added, "answers": answers})
            return 0
        screen = Screen()
        _head(collection, report, seconds, screen)
        for question in QUESTIONS:
            screen.line()
            screen.line(("? ", "cyan"), (question, "bold"))
            screen.hits(_hits(collection, question))
        for question in _typed(screen):
            screen.hits(_hits(collection, question))
        if not arguments.no_table:
            from twofold.bench.walkthrough import walkthrough

            screen.line()
            screen.table(walkthrough(collection))
    return 0


def _hits(collection: Collection, question: str) -> Hits:
    return collection.search(question, k=HITS)


def _head(collection: Collection, report: AddReport | None, seconds: float, screen: Screen) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    documents = count_of(len(collection), "docstring")
    screen.line((f"The documentation of Python {version}'s standard library, searched", "bold"))
    if report is None or not report.passages:
        said = f"{documents}, indexed before; nothing changed"
    else:
        said = f"{documents}, {report.passages:,} passages encoded in {seconds:,.1f} s"
    screen.line((said, "dim"))
    screen.line((f"kept in {_short(collection.path)}", "dim"))


def _short(path: Path) -> str:
    """The path with ~ for the user's home."""
    with suppress(ValueError, RuntimeError):
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    return str(path)


def _typed(screen: Screen) -> Iterator[str]:
    """What the user asks, on a terminal only; an empty line or Ctrl-D ends it."""
    if not (sys.stdin.isatty() and screen.is_terminal):
        return
    with suppress(ImportError):
        import readline  # noqa: F401 (input() edits lines with it)
    screen.line()
    screen.line(("Ask something yourself; an empty line continues to the measurements.", "dim"))
    while True:
        screen.line()
        try:
            question = text(input("? ")).strip()
        except EOFError:
            screen.line()
            return
        except argparse.ArgumentTypeError as error:
            screen.line(str(error))
            continue
        if not question:
            return
        yield question
