"""`twofold bench`: measures this library, and alternatives, on this machine."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twofold.cli.options import (
    HelpFormatter,
    Subparsers,
    add_encoder_options,
    add_output_options,
    at_least_one,
    command,
    device,
    encoder_of,
    names_encoder,
    text,
)
from twofold.cli.output import print_json, print_line

if TYPE_CHECKING:
    from twofold.progress import Progress
    from twofold.protocols import Encoder
    from twofold.tables import Report

Measure = Callable[[argparse.Namespace, "Progress"], "Report"]


def register(subparsers: Subparsers) -> None:
    """Adds the command, and a command of its own for everything that is measured."""
    parser = command(
        subparsers,
        "bench",
        run,
        does="measure this library on this machine, beside others",
        examples=("twofold bench encode", "twofold bench quality scifact --json"),
    )
    measured = parser.add_subparsers(
        metavar="NAME [OPTIONS]",
        required=True,
        dest="name",
        title="what is measured",
        help="each with options of its own",
    )
    _register_models(measured)
    search = _named(measured, "search", _search, "one query at a time: encoding, look-up and both")
    search.add_argument("collection", metavar="COLLECTION", nargs="?", type=Path, help="a folder (or docstrings)")
    search.add_argument("--rounds", type=at_least_one, default=20, metavar="N", help="rounds over the queries (20)")
    add_encoder_options(search)
    indexing = _named(measured, "indexing", _indexing, "indexing a corpus twice: speed and memory")
    indexing.add_argument("data", metavar="DATA", nargs="?", type=Path, help="a file or folder (or docstrings)")
    indexing.add_argument("--limit", type=at_least_one, metavar="N", help="only its first documents")
    add_encoder_options(indexing)
    _register_judged(measured)
    startup = _named(measured, "startup", _startup, "import, help, and the size of the installed files")
    startup.add_argument("--rounds", type=at_least_one, default=10, metavar="N", help="new processes of each kind (10)")
    _register_stored(measured)
    walk = _named(measured, "walkthrough", _walkthrough, "two towers beside a cross-encoder of the same size")
    walk.add_argument("collection", metavar="COLLECTION", nargs="?", type=Path, help="a folder (or docstrings)")
    walk.add_argument("--queries", type=Path, metavar="FILE", help="questions for it (or some about Python)")
    walk.add_argument(
        "--cross-encoder", type=Path, metavar="FOLDER", help="a model (or the encoder with a random head)"
    )
    walk.add_argument("--judged", type=Path, metavar="FOLDER", help="a BEIR folder, for the quality of both")
    walk.add_argument("--dim", type=at_least_one, metavar="N", help="also a million random vectors of so many numbers")


def _register_models(measured: Subparsers) -> None:
    """The speed of models, beside sentence-transformers."""
    encode = _named(measured, "encode", _encode, "passages and tokens a second, beside sentence-transformers")
    encode.add_argument("data", metavar="DATA", nargs="?", type=Path, help="a file or folder of texts (or docstrings)")
    encode.add_argument("--count", type=at_least_one, default=256, metavar="N", help="how many texts are taken (256)")
    encode.add_argument(
        "--rounds", type=at_least_one, default=5, metavar="N", help="rounds, in each of which all take turns (5)"
    )
    encode.add_argument("--model", "--encoder", metavar="NAME", help="a model folder or a hub name")
    encode.add_argument(
        "--shape", type=text, metavar="NAME", help="minilm, bert-base, modernbert-base or qwen3-0.6b, random weights"
    )
    encode.add_argument("--to", type=Path, metavar="FOLDER", help="keeps the folder of the shape there")
    encode.add_argument("--lengths", choices=["short", "medium", "long"], help="cuts or joins the texts (as they are)")
    encode.add_argument("--long", action="store_true", help="time a token and memory at 512, 2,048 and 8,192 tokens")
    encode.add_argument(
        "--precision",
        choices=["f32", "bf16", "int8"],
        action="append",
        default=[],
        help="default: f32 and auto; may be repeated",
    )
    encode.add_argument("--device", type=device, default="cpu", metavar="NAME", help="where it runs (cpu)")
    second = _named(measured, "second-stage", _second_stage, "scoring candidates, beside sentence-transformers")
    second.add_argument("data", metavar="DATA", nargs="?", type=Path, help="a file or folder of texts (or docstrings)")
    second.add_argument(
        "--cross-encoder",
        metavar="NAME",
        type=text,
        action="append",
        default=[],
        help="a folder or a hub name; may be repeated (random MiniLM of 6 and of 2 layers)",
    )
    second.add_argument("--candidates", type=at_least_one, default=50, metavar="N", help="of the query (50)")
    second.add_argument(
        "--rounds", type=at_least_one, default=9, metavar="N", help="rounds, in each of which all take turns (9)"
    )


def _register_stored(measured: Subparsers) -> None:
    """Costs of storing and finding vectors."""
    vectors = _named(measured, "vectors", _vectors, "a million vectors: adding, opening, exact search")
    vectors.add_argument(
        "--count", type=at_least_one, default=1_000_000, metavar="N", help="how many vectors (1,000,000)"
    )
    vectors.add_argument("--dimension", type=at_least_one, default=384, metavar="N", help="numbers a vector (384)")
    vectors.add_argument("--rounds", type=at_least_one, default=3, metavar="N", help="rounds over the queries (3)")
    filters = _named(
        measured, "filters", _filters, "filters: evaluated once and repeatedly, after additions and deletions"
    )
    filters.add_argument(
        "--count", type=at_least_one, default=1_000_000, metavar="N", help="how many documents (1,000,000)"
    )
    filters.add_argument("--rounds", type=at_least_one, default=5, metavar="N", help="rounds of each question (5)")
    index = _named(measured, "index", _index, "indexes side by side: recall, latency, bytes, build time")
    index.add_argument("data", metavar="DATA", type=Path, help="a collection, or a .npy file of vectors")
    index.add_argument("--queries", type=Path, metavar="X.npy", help="query vectors (or points between two vectors)")
    index.add_argument("--limit", type=at_least_one, metavar="N", help="only the first vectors")
    index.add_argument("--plot", type=Path, metavar="FILE", help="recall against latency as .svg, .png or .html")
    lookups = _named(measured, "lookups", _lookups, "look-ups in a collection, filtered ones too")
    lookups.add_argument("collection", metavar="COLLECTION", type=Path, help="a collection with an index")
    lookups.add_argument("--queries", type=Path, metavar="X.npy", required=True, help="query vectors")
    lookups.add_argument("--field", metavar="NAME", type=text, help="numbers in the metadata to filter by")
    hybrid = _named(measured, "hybrid", _hybrid, "text in, hits out: dense, lexical and hybrid search")
    hybrid.add_argument("collection", metavar="COLLECTION", type=Path, help="a collection that has a lexical index")
    hybrid.add_argument("--queries", type=Path, metavar="FILE", required=True, help="questions")
    hybrid.add_argument("--field", metavar="NAME", type=text, help="numbers in the metadata to filter by")
    upkeep = _named(measured, "upkeep", _upkeep, "a collection that grows: added, opened, searched beside additions")
    upkeep.add_argument("data", metavar="DATA", nargs="*", type=Path, help="documents (or texts of random words)")
    upkeep.add_argument(
        "--vectors", metavar="X.npy", nargs="+", default=[], type=Path, help="their vectors: files or a folder of them"
    )
    upkeep.add_argument("--queries", type=Path, metavar="FILE", help="questions (or words of documents)")
    upkeep.add_argument("--rows", type=at_least_one, metavar="N", help="documents added at first (all but a tenth)")
    add_encoder_options(upkeep)
    storage = _named(measured, "storage", _storage, "a durable store: adding, syncs, opening, verifying, bytes")
    storage.add_argument("data", metavar="DATA", nargs="?", type=Path, help="documents (or texts of random words)")
    storage.add_argument(
        "--count", type=at_least_one, default=100_000, metavar="N", help="how many documents (100,000)"
    )
    storage.add_argument(
        "--rounds", type=at_least_one, default=500, metavar="N", help="commits of a single document (500)"
    )
    tables = _named(measured, "tables", _tables, "adding a DataFrame beside a list of dicts: time and memory")
    tables.add_argument("--count", type=at_least_one, default=100_000, metavar="N", help="documents (100,000)")
    tables.add_argument("--rounds", type=at_least_one, default=5, metavar="N", help="additions of each (5)")


def _register_judged(measured: Subparsers) -> None:
    """Measurements with judged queries."""
    quality = _named(measured, "quality", _quality, "nDCG@10 of exact search over a judged collection")
    quality.add_argument("data", metavar="FOLDER", type=Path, help="a BEIR folder")
    quality.add_argument("--split", default="test", metavar="NAME", help="the split of the judgements (test)")
    add_encoder_options(quality)
    precision = _named(measured, "precision", _precision, "the nDCG@10 that another precision keeps of f32")
    precision.add_argument("data", metavar="FOLDER", nargs="+", type=Path, help="BEIR folders")
    precision.add_argument("--split", default="test", metavar="NAME", help="the split of the judgements (test)")
    precision.add_argument("--encoder", metavar="NAME", help="a model folder or a hub name")
    precision.add_argument(
        "--precision", choices=["bf16", "int8"], default="int8", help="what is compared with f32 (int8)"
    )
    small = _named(
        measured, "compression", _compression, "vector codes of equal size: the share of nDCG@10 that they keep"
    )
    small.add_argument("data", metavar="FOLDER", type=Path, help="a folder of BEIR folders")
    small.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="only this collection; may be repeated"
    )
    add_encoder_options(small)
    relevance = _named(measured, "relevance", _relevance, "how well relevance is calibrated, and its coefficients")
    relevance.add_argument("data", metavar="FOLDER", nargs="+", type=Path, help="BEIR folders, two at least")
    relevance.add_argument("--split", default="test", metavar="NAME", help="the split of the judgements (test)")
    add_encoder_options(relevance)
    tokens = _named(measured, "token-vectors", _token_vectors, "stored token vectors: quality, bytes, time to score")
    tokens.add_argument("data", metavar="FOLDER", nargs="+", type=Path, help="BEIR folders")
    tokens.add_argument("--split", default="test", metavar="NAME", help="the split of the judgements (test)")
    tokens.add_argument("--model", metavar="NAME", help="makes the token vectors (the embedded encoder's states)")
    tokens.add_argument("--count", type=at_least_one, default=100, metavar="N", help="queries of each folder (100)")
    training = _named(measured, "training", _training, "training recipes and their results")
    training.add_argument("recipes", metavar="RECIPE.py", nargs="+", type=Path, help="such as recipes/scifact.py")
    training.add_argument("--data", required=True, type=Path, metavar="FOLDER", help="the folder of judged collections")
    training.add_argument(
        "--to", required=True, type=Path, metavar="FOLDER", help="stores encoders and figures; a recipe resumes from it"
    )
    book = _named(measured, "book", _book, "the figures of a reproduction book, beside the expected ones")
    book.add_argument("book", metavar="BOOK", type=Path, help="a book such as benchmarks/expected.toml")
    book.add_argument("--data", required=True, type=Path, metavar="FOLDER", help="the folder of judged collections")
    book.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="only this collection; may be repeated"
    )
    add_encoder_options(book)


def run(arguments: argparse.Namespace) -> int:
    """Runs one measurement and prints where it was made and its tables."""
    from twofold.cli.bars import bar

    with bar("Measuring", "steps") as progress:
        report: Report = arguments.measure(arguments, progress)
    if arguments.json:
        print_json(report.to_json())
    else:
        print_line(report.to_text())
    return 0


def _named(subparsers: Subparsers, name: str, measure: Measure, does: str) -> Any:
    parser = subparsers.add_parser(
        name, help=does, description=f"Measures {does}.", formatter_class=HelpFormatter, allow_abbrev=False
    )
    # Without defaults of its own, so that `bench --json NAME` is not overruled.
    add_output_options(parser, default=argparse.SUPPRESS)
    parser.set_defaults(measure=measure)
    return parser


def _encode(arguments: argparse.Namespace, _: Progress) -> Report:
    from twofold.bench.encode import Asked, bench_encode

    given = arguments
    asked = Asked(given.model, given.shape, given.to, given.precision, given.lengths, given.long, given.device)
    return bench_encode(given.data, asked, count=given.count, rounds=given.rounds)


def _second_stage(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.second_stage import bench_second_stage

    return bench_second_stage(
        arguments.data,
        models=arguments.cross_encoder,
        candidates=arguments.candidates,
        rounds=arguments.rounds,
        progress=progress,
    )


def _search(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.search import bench_search

    return bench_search(arguments.collection, rounds=arguments.rounds, encoder=_encoder(arguments), progress=progress)


def _indexing(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.indexing import bench_indexing

    return bench_indexing(arguments.data, limit=arguments.limit, encoder=_encoder(arguments), progress=progress)


def _quality(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.quality import bench_quality

    return bench_quality(arguments.data, split=arguments.split, encoder=_encoder(arguments), progress=progress)


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

    return bench_relevance(arguments.data, split=arguments.split, encoder=_encoder(arguments), progress=progress)


def _token_vectors(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.token_vectors import bench_token_vectors

    return bench_token_vectors(
        arguments.data, model=arguments.model, queries=arguments.count, split=arguments.split, progress=progress
    )


def _book(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.book import bench_book

    return bench_book(
        arguments.book, arguments.data, only=arguments.only, encoder=_encoder(arguments), progress=progress
    )


def _training(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.training import bench_training

    return bench_training(arguments.recipes, arguments.data, arguments.to, progress=progress)


def _startup(arguments: argparse.Namespace, _: Progress) -> Report:
    from twofold.bench.startup import bench_startup

    return bench_startup(rounds=arguments.rounds)


def _vectors(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.vectors import bench_vectors

    return bench_vectors(
        count=arguments.count, dimension=arguments.dimension, rounds=arguments.rounds, progress=progress
    )


def _filters(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.filters import bench_filters

    return bench_filters(count=arguments.count, rounds=arguments.rounds, progress=progress)


def _index(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.index import bench_index

    return bench_index(
        arguments.data, queries=arguments.queries, limit=arguments.limit, plot=arguments.plot, progress=progress
    )


def _compression(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.compression import bench_compression

    return bench_compression(arguments.data, only=arguments.only, encoder=_encoder(arguments), progress=progress)


def _hybrid(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.hybrid import bench_hybrid

    return bench_hybrid(arguments.collection, arguments.queries, field=arguments.field, progress=progress)


def _lookups(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.lookups import bench_lookups

    return bench_lookups(arguments.collection, arguments.queries, field=arguments.field, progress=progress)


def _storage(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.storage import bench_storage

    return bench_storage(arguments.data, count=arguments.count, rounds=arguments.rounds, progress=progress)


def _tables(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.tables import bench_tables

    return bench_tables(count=arguments.count, rounds=arguments.rounds, progress=progress)


def _upkeep(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.upkeep import Given, bench_upkeep

    given = Given(arguments.data, arguments.vectors, arguments.queries, arguments.rows, _encoder(arguments))
    return bench_upkeep(given, progress)


def _walkthrough(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.walkthrough import bench_walkthrough

    return bench_walkthrough(
        arguments.collection,
        queries=arguments.queries,
        cross_encoder=arguments.cross_encoder,
        judged=arguments.judged,
        dimension=arguments.dim,
        progress=progress,
    )


def _encoder(arguments: argparse.Namespace) -> Encoder | None:
    """The encoder that was named; None leaves it to the bench."""
    return encoder_of(arguments) if names_encoder(arguments) else None
