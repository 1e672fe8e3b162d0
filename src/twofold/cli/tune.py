"""`twofold tune`: makes a collection know its words, and finds how to mix them with meaning."""

from __future__ import annotations

import argparse

from twofold.cli.options import Subparsers, add_encoder_options, command, open_given
from twofold.cli.output import print_json, print_line, visible
from twofold.cli.waiting import add_wait_option, waited


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "tune",
        run,
        does="make a collection know its words and how to mix them with meaning; searches are hybrid from then on",
        examples=("twofold tune wiki.twofold", "twofold tune gesetze.twofold --analyser german"),
    )
    parser.add_argument("collection", metavar="COLLECTION", help="the collection's folder")
    parser.add_argument(
        "--analyser",
        metavar="NAME",
        help="how texts become terms: a language (its stemmer and stop words), plain, or ngram for scripts without "
        "spaces and for code (english)",
    )
    add_wait_option(parser)
    add_encoder_options(parser, otherwise="the collection's own")


def run(arguments: argparse.Namespace) -> int:
    """Tunes, and prints what was found."""
    from twofold.cli.bars import bar

    with open_given(arguments) as collection:
        with collection.writing(waited(arguments)), bar("Reading words", "documents") as progress:
            fusion = collection.tune(arguments.analyser, progress)
        documents = len(collection)
    if arguments.json:
        print_json({"documents": documents, "fusion": fusion.to_json()})
    else:
        print_line(
            f"{visible(arguments.collection)} knows the words of {documents:,} documents; its searches are hybrid: "
            f"cosines count from chance on, which is {fusion.chance:.3f} here, words by {fusion.share:g}"
        )
    return 0
