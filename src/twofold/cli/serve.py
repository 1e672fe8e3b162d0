"""`twofold serve`: collections over HTTP."""

from __future__ import annotations

import argparse

from twofold.cli.options import Subparsers, at_least_one, command, text
from twofold.cli.output import print_json, say


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "serve",
        run,
        does="answer requests over HTTP: search, documents, embeddings, reranking",
        examples=(
            "twofold serve wiki.twofold",
            "twofold serve wiki.twofold notes.twofold --port 9000 --keys keys.jsonl --host 0.0.0.0",
        ),
    )
    parser.add_argument("collections", metavar="COLLECTION", nargs="+", help="folders of collections")
    parser.add_argument(
        "--host", type=text, default="127.0.0.1", help="the address to listen at; another than 127.0.0.1 needs --keys"
    )
    parser.add_argument("--port", type=int, default=8080, metavar="N", help="the port; 0 takes a free one")
    parser.add_argument("--keys", metavar="FILE", help="API keys, as `twofold key NAME` makes them")
    parser.add_argument(
        "--host-name",
        type=text,
        action="append",
        metavar="NAME",
        help="a name under which requests may ask for this server, as behind a proxy; may be repeated",
    )
    parser.add_argument(
        "--rerank", metavar="MODEL", help="a cross-encoder, its folder or hub name, for searches that ask for it"
    )
    parser.add_argument("--workers", type=at_least_one, default=1, metavar="N", help="processes that answer")
    parser.add_argument("--batch", type=at_least_one, default=32, metavar="N", help="queries encoded together at most")
    parser.add_argument("--no-maintenance", action="store_true", help="leave maintenance of indexes to other processes")


def run(arguments: argparse.Namespace) -> int:
    """Serves until it is stopped."""
    from twofold.serving.running import serve
    from twofold.serving.settings import ServerSettings

    settings = ServerSettings(
        collections=tuple(arguments.collections),
        host=arguments.host,
        port=arguments.port,
        hosts=tuple(arguments.host_name or ()),
        ranker=arguments.rerank,
        keys=arguments.keys,
        batch=arguments.batch,
        maintenance=not arguments.no_maintenance,
        workers=arguments.workers,
    )
    names = list(settings.names())

    def listening(url: str) -> None:
        if arguments.json:
            print_json({"url": url, "collections": names})
        else:
            say(f"serving {', '.join(names)} at {url} (Ctrl-C stops)")

    serve(settings, listening)
    return 0
