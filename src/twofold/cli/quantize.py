"""`twofold quantize`: a model → a folder of it with weights in int8."""

from __future__ import annotations

import argparse
import shlex

from twofold.cli.options import Subparsers, at_least_one, command
from twofold.cli.output import note, print_json, print_line, visible
from twofold.cli.sources import add_field_options


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "quantize",
        run,
        does="write a model's folder with weights in int8, a quarter of the size, and measure the loss",
        examples=(
            "twofold quantize all-MiniLM-L6-v2 --to minilm-int8",
            "twofold quantize my-encoder --to my-encoder-int8 --texts articles.jsonl",
        ),
    )
    parser.add_argument("model", metavar="MODEL", help="a model folder or a hub name")
    parser.add_argument("--to", metavar="FOLDER", required=True, help="the new folder")
    parser.add_argument(
        "--texts",
        metavar="FILE",
        help="texts of yours, whose loss is measured too: JSON Lines, CSV or TSV; else a line is a text",
    )
    add_field_options(parser)
    parser.add_argument("--threads", type=at_least_one, metavar="N", help="threads for encoding; default: all cores")


def run(arguments: argparse.Namespace) -> int:
    """Writes the folder, and prints what its vectors lose."""
    from twofold.cli.screens import Screen
    from twofold.cli.texts import texts_of
    from twofold.collection.opening import check_outside
    from twofold.encoders.quantizing import quantize

    check_outside(arguments.to)
    texts = [] if arguments.texts is None else list(texts_of(arguments.texts, arguments.title, arguments.text))
    report = quantize(arguments.model, to=arguments.to, texts=texts, threads=arguments.threads)
    for each in report.notes:
        note(each)
    if arguments.json:
        print_json(report.to_json())
        return 0
    Screen().table(report.table())
    print_line(str(report))
    print_line(f"use it: `twofold index DATA --to COLLECTION --encoder {visible(shlex.quote(arguments.to))}`")
    return 0
