"""`twofold quantize`: a model → a folder of it with weights in int8."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING, Any

from twofold.cli.options import Subparsers, at_least_one, command
from twofold.cli.output import note, print_json, print_line, visible
from twofold.cli.sources import add_field_options

if TYPE_CHECKING:
    from twofold.encoders.quantization_report import QuantizationReport


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
    parser.set_defaults(misuse=parser.error)


def run(arguments: argparse.Namespace) -> int:
    """Writes the folder, and prints what is lost."""
    from twofold.cli.screens import Screen
    from twofold.cli.texts import texts_of
    from twofold.collection.opening import check_outside
    from twofold.encoders.quantizing import quantize
    from twofold.models.locating import find_model
    from twofold.models.pair_folder import is_cross_encoder
    from twofold.rankers.quantizing import quantize_cross_encoder

    check_outside(arguments.to)
    model, to, threads = arguments.model, arguments.to, arguments.threads
    scores_pairs = is_cross_encoder(find_model(model, bare=True).folder)
    if scores_pairs and arguments.texts is not None:
        arguments.misuse("--texts goes with an encoder, and this is a cross-encoder, which reads pairs")
    texts = [] if arguments.texts is None else list(texts_of(arguments.texts, arguments.title, arguments.text))
    report: QuantizationReport[Any]
    if scores_pairs:
        report = quantize_cross_encoder(model, to=to, threads=threads)
    else:
        report = quantize(model, to=to, texts=texts, threads=threads)
    for each in report.notes:
        note(each)
    if arguments.json:
        print_json(report.to_json())
        return 0
    Screen().table(report.table())
    print_line(str(report))
    name = visible(shlex.quote(to))
    usage = "search COLLECTION QUERY --rerank" if scores_pairs else "index DATA --to COLLECTION --encoder"
    print_line(f"use it: `twofold {usage} {name}`")
    return 0
