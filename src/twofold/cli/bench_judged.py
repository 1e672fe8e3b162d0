"""The commands below `twofold bench` that need judged queries."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from twofold.cli.bench_options import encoder_or_none, named
from twofold.cli.options import Subparsers, add_encoder_options, at_least_one

if TYPE_CHECKING:
    from twofold.progress import Progress
    from twofold.tables import Report


def register_judged(measured: Subparsers) -> None:
    """Measurements with judged queries."""
    quality = named(measured, "quality", _quality, "nDCG@10 of exact search over a judged collection")
    quality.add_argument("data", metavar="FOLDER", type=Path, help="a BEIR folder")
    quality.add_argument("--split", default="test", metavar="NAME", help="the split of the judgements (test)")
    add_encoder_options(quality)
    long = named(measured, "long", _long, "long documents: quality by how deep the evidence lies")
    long.add_argument("data", metavar="FOLDER", type=Path, help="a BEIR folder with evidence.tsv")
    long.add_argument("--split", default="test", metavar="NAME", help="the split of the judgements (test)")
    long.add_argument("--queries", type=at_least_one, metavar="N", help="about so many questions (all)")
    long.add_argument("--plot", type=Path, metavar="FILE", help="quality by depth as .svg, .png or .html")
    add_encoder_options(long)
    precision = named(measured, "precision", _precision, "the nDCG@10 that another precision keeps of f32")
    precision.add_argument("data", metavar="FOLDER", nargs="+", type=Path, help="BEIR folders")
    precision.add_argument("--split", default="test", metavar="NAME", help="the split of the judgements (test)")
    precision.add_argument("--encoder", metavar="NAME", help="a model folder or a hub name")
    precision.add_argument(
        "--precision", choices=["bf16", "int8"], default="int8", help="what is compared with f32 (int8)"
    )
    small = named(
        measured, "compression", _compression, "vector codes of equal size: the share of nDCG@10 that they keep"
    )
    small.add_argument("data", metavar="FOLDER", type=Path, help="a folder of BEIR folders")
    small.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="only this collection; may be repeated"
    )
    add_encoder_options(small)
    relevance = named(measured, "relevance", _relevance, "how well relevance is calibrated, and its coefficients")
    relevance.add_argument("data", metavar="FOLDER", nargs="+", type=Path, help="BEIR folders, two at least")
    relevance.add_argument("--split", default="test", metavar="NAME", help="the split of the judgements (test)")
    add_encoder_options(relevance)
    _register_learning(measured)


def _register_learning(measured: Subparsers) -> None:
    """What is learned from judged queries, and how far to trust it."""
    pipelines = named(measured, "pipelines", _pipelines, "what pipelines gain that few questions choose")
    pipelines.add_argument("data", metavar="FOLDER", nargs="+", type=Path, help="BEIR folders")
    pipelines.add_argument(
        "--rerank", metavar="MODEL", required=True, help="the second stage: a folder, a hub name, or token-vectors"
    )
    pipelines.add_argument(
        "--to", type=Path, metavar="FOLDER", help="keeps the values of questions there; another run begins with them"
    )
    pipelines.add_argument("--split", default="test", metavar="NAME", help="the split of the judgements (test)")
    add_encoder_options(pipelines)
    tokens = named(measured, "token-vectors", _token_vectors, "stored token vectors: quality, bytes, time to score")
    tokens.add_argument("data", metavar="FOLDER", nargs="+", type=Path, help="BEIR folders")
    tokens.add_argument("--split", default="test", metavar="NAME", help="the split of the judgements (test)")
    tokens.add_argument("--model", metavar="NAME", help="makes the token vectors (the embedded encoder's states)")
    tokens.add_argument("--count", type=at_least_one, default=100, metavar="N", help="queries of each folder (100)")
    training = named(measured, "training", _training, "training recipes and their results")
    training.add_argument("recipes", metavar="RECIPE.py", nargs="+", type=Path, help="such as recipes/scifact.py")
    training.add_argument("--data", required=True, type=Path, metavar="FOLDER", help="the folder of judged collections")
    training.add_argument(
        "--to", required=True, type=Path, metavar="FOLDER", help="stores encoders and figures; a recipe resumes from it"
    )
    book = named(measured, "book", _book, "the figures of a reproduction book, beside the expected ones")
    book.add_argument("book", metavar="BOOK", type=Path, help="a book such as benchmarks/expected.toml")
    book.add_argument("--data", required=True, type=Path, metavar="FOLDER", help="the folder of judged collections")
    book.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="only this collection; may be repeated"
    )
    add_encoder_options(book)


def _quality(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.quality import bench_quality

    return bench_quality(arguments.data, split=arguments.split, encoder=encoder_or_none(arguments), progress=progress)


def _long(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.long_documents import bench_long

    asked = {name: getattr(arguments, name) for name in ("split", "queries", "plot")}
    return bench_long(arguments.data, **asked, encoder=encoder_or_none(arguments), progress=progress)


def _precision(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.precision import bench_precision

    return bench_precision(
        arguments.data,
        model=arguments.encoder,
        precision=arguments.precision,
        split=arguments.split,
        progress=progress,
    )


def _relevance(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.relevance import bench_relevance

    return bench_relevance(arguments.data, split=arguments.split, encoder=encoder_or_none(arguments), progress=progress)


def _token_vectors(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.token_vectors import bench_token_vectors

    return bench_token_vectors(
        arguments.data, model=arguments.model, queries=arguments.count, split=arguments.split, progress=progress
    )


def _pipelines(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.pipelines import bench_pipelines

    return bench_pipelines(
        arguments.data,
        ranker=arguments.rerank,
        to=arguments.to,
        split=arguments.split,
        encoder=encoder_or_none(arguments),
        progress=progress,
    )


def _book(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.book import bench_book

    return bench_book(
        arguments.book, arguments.data, only=arguments.only, encoder=encoder_or_none(arguments), progress=progress
    )


def _training(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.training import bench_training

    return bench_training(arguments.recipes, arguments.data, arguments.to, progress=progress)


def _compression(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.compression import bench_compression

    return bench_compression(arguments.data, only=arguments.only, encoder=encoder_or_none(arguments), progress=progress)
