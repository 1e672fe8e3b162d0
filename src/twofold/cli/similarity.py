"""`twofold similarity`: the similarity of two texts, or of the pairs of a file."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from twofold.cli.options import Subparsers, add_encoder_options, add_truncation_option, command, encoder_of, text
from twofold.cli.output import count_of, note, print_json, print_line

if TYPE_CHECKING:
    from twofold.protocols import Encoder
    from twofold.reports import EncodingReport

PAIRS_AT_ONCE = 1000


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "similarity",
        run,
        does="score the similarity of two texts, or of the pairs of a file",
        examples=(
            "twofold similarity 'a cat sat on the mat' 'the cat rests'",
            "twofold similarity --pairs questions-and-answers.tsv",
        ),
    )
    parser.add_argument("texts", metavar="TEXT", nargs="*", type=text, help="two texts: the first is taken as a query")
    parser.add_argument("--pairs", metavar="FILE", help="JSON Lines, CSV or TSV of pairs; prints one score a line")
    add_encoder_options(parser)
    add_truncation_option(parser)
    parser.set_defaults(misuse=parser.error)


def run(arguments: argparse.Namespace) -> int:
    """Prints one score for two texts, or one a line for the pairs of a file."""
    from twofold.reports import EncodingReport

    if (arguments.pairs is None) == (not arguments.texts) or len(arguments.texts) not in (0, 2):
        arguments.misuse("give two texts, or --pairs FILE")
    report = EncodingReport()
    encoder = encoder_of(arguments)
    if arguments.pairs is None:
        scores = _scored(encoder, [arguments.texts], report)
        _tell(report)
        if arguments.json:
            print_json({"texts": arguments.texts, "score": scores[0]})
        else:
            print_line(f"{scores[0]:.4f}")
        return 0
    every = []
    for block in _blocks(arguments.pairs):
        scores = _scored(encoder, block, report)
        if arguments.json:
            every += scores
        for score in () if arguments.json else scores:
            print_line(f"{score:.6f}")
    _tell(report)
    if arguments.json:
        print_json({"file": arguments.pairs, "scores": every})
    return 0


def _blocks(path: str) -> Iterator[list[tuple[str, str]]]:
    from twofold.readers.pairs import read_pairs

    pairs = ((pair.query, pair.positive) for pair in read_pairs(path))
    while block := list(islice(pairs, PAIRS_AT_ONCE)):
        yield block


def _scored(encoder: Encoder, pairs: Sequence[Sequence[str]], report: EncodingReport) -> list[float]:
    from twofold.scores import dense_scores, scaled

    similarity = encoder.contract.similarity
    queries = scaled(encoder.encode_queries([first for first, _ in pairs], report=report), similarity)
    documents = scaled(encoder.encode_documents([second for _, second in pairs], report=report), similarity)
    return [float(dense_scores(query, document[None])[0]) for query, document in zip(queries, documents, strict=True)]


def _tell(report: EncodingReport) -> None:
    """Says on standard error what the scores do not cover."""
    if report.cut:
        note(f"{len(report.cut):,} of {report.texts:,} texts cut, {report.tokens_cut:,} tokens not encoded")
    if report.surrogates:
        note(f"{count_of(report.surrogates, 'lone surrogate')} replaced by U+FFFD")
