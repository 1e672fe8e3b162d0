"""`twofold encode`: texts of a file → vectors in a .npy file, one line a text."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

from twofold.cli.options import Subparsers, add_encoder_options, add_truncation_option, command, encoder_of
from twofold.cli.output import print_json, print_line, visible
from twofold.cli.sources import add_field_options
from twofold.cli.summaries import encoded_as_text
from twofold.errors import InputError
from twofold.progress import TokenProgress

if TYPE_CHECKING:
    from twofold.progress import Progress
    from twofold.reports import EncodingReport
    from twofold.scores import Vectors

TEXTS_AT_ONCE = 1000


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "encode",
        run,
        does="encode the texts of a file into vectors in a .npy file",
        examples=(
            "twofold encode articles.jsonl --to articles.npy",
            "twofold encode questions.txt --to questions.npy --side query",
        ),
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        help="JSON Lines, CSV or TSV; in any other file, or - for standard input, a line is a text",
    )
    parser.add_argument("--to", metavar="X.npy", required=True, help="the file for the vectors")
    parser.add_argument(
        "--side",
        choices=["document", "query"],
        default="document",
        help="which side of the encoder (default: document)",
    )
    add_field_options(parser)
    add_encoder_options(parser)
    add_truncation_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Encodes, writes and says how much that was and what was cut."""
    from twofold.cli.bars import bar
    from twofold.cli.results import check_result
    from twofold.reports import EncodingReport

    check_result(arguments.to, [arguments.file])
    report = EncodingReport()
    encoder = encoder_of(arguments)
    encode = encoder.encode_documents if arguments.side == "document" else encoder.encode_queries
    start = time.monotonic()
    with bar("Encoding", "texts", asked=partial(_counted, arguments)) as progress:
        blocks = (encode(texts, report=report) for texts in _blocks(arguments))
        dimension = encoder.contract.dimension
        write_vectors(arguments.to, _told(blocks, progress, report), dimension)
    seconds = time.monotonic() - start
    if arguments.json:
        cut = {"texts_cut": len(report.cut), "tokens_cut": report.tokens_cut, "surrogates": report.surrogates}
        counts = {"texts": report.texts, "dimension": dimension, "tokens": report.tokens}
        print_json({"file": arguments.to, **counts, **cut, "seconds": round(seconds, 3)})
        return 0
    for line in encoded_as_text(report, seconds):
        print_line(line)
    print_line(f"{visible(arguments.to)} holds float32 ({report.texts}, {dimension})")
    return 0


def write_vectors(path: str, blocks: Iterator[Vectors], dimension: int) -> None:
    """Blocks of float32 (n, dimension) → one .npy file, whole or not at all; memory does not grow with it."""
    from numpy.lib import format as npy

    from twofold.files import write_aside

    def header(file: IO[bytes], lines: int) -> None:
        # numpy leaves room in a header for the first number to grow, so the true one fits where the first one stood.
        npy.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (lines, dimension)})

    with write_aside(path) as file:
        header(file, 0)
        lines = 0
        for block in blocks:
            file.write(block.astype("<f4", copy=False).tobytes())
            lines += len(block)
        file.seek(0)
        header(file, lines)


def _told(blocks: Iterable[Vectors], progress: Progress, report: EncodingReport) -> Iterator[Vectors]:
    done = 0
    for block in blocks:
        done += len(block)
        if isinstance(progress, TokenProgress):
            progress.encoded(report.tokens)
        progress(done, None)
        yield block


def _counted(arguments: argparse.Namespace) -> int | None:
    """How many texts there are; None for what can be read only once, and where a later line is bad."""
    from twofold.cli.texts import texts_of

    if not Path(arguments.file).is_file():
        return None
    try:
        return sum(1 for _ in texts_of(arguments.file, arguments.title, arguments.text))
    except InputError:
        return None


def _blocks(arguments: argparse.Namespace) -> Iterator[list[str]]:
    from twofold.cli.texts import texts_of

    texts = texts_of(arguments.file, arguments.title, arguments.text)
    while block := list(islice(texts, TEXTS_AT_ONCE)):
        yield block
