"""`twofold bench serve`: a server under load."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from twofold.cli.bench_options import encoder_or_none, named
from twofold.cli.options import Subparsers, add_encoder_options, at_least_one

if TYPE_CHECKING:
    from twofold.progress import Progress
    from twofold.tables import Report


def register_serve(measured: Subparsers) -> None:
    """Measurements of the server."""
    serve = named(measured, "serve", _serve, "a server under load: requests a second, latencies, errors, memory")
    serve.add_argument(
        "data", metavar="DATA", nargs="?", type=Path, help="a collection, or documents that one is made of (docstrings)"
    )
    serve.add_argument("--limit", type=at_least_one, metavar="N", help="only the first documents")
    serve.add_argument("--queries", type=Path, metavar="FILE", help="questions (or words of documents)")
    serve.add_argument(
        "--clients",
        type=at_least_one,
        action="append",
        metavar="N",
        help="clients at the same time; may be repeated (1, 8, 32, 128)",
    )
    serve.add_argument("--seconds", type=at_least_one, default=2, metavar="N", help="of each load (2)")
    serve.add_argument(
        "--rounds", type=at_least_one, default=3, metavar="N", help="rounds, in each of which all take turns (3)"
    )
    serve.add_argument(
        "--to", type=Path, metavar="FOLDER", help="keeps what the servers are filled with, and begins with it"
    )
    serve.add_argument(
        "--sustain", type=at_least_one, metavar="MINUTES", help="only twice the load that it sustains, for so long"
    )
    add_encoder_options(serve)


def _serve(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.serve import Given, Loads, bench_serve

    names = ("data", "limit", "queries", "to")
    given = Given(**{name: getattr(arguments, name) for name in names}, encoder=encoder_or_none(arguments))
    asked = {"clients": tuple(arguments.clients)} if arguments.clients else {}
    loads = Loads(seconds=arguments.seconds, rounds=arguments.rounds, sustain=arguments.sustain, **asked)
    return bench_serve(given, loads, progress)
