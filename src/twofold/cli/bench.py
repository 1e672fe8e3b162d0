"""`twofold bench`: measures this library, and alternatives, on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from twofold.cli.bench_judged import register_judged
from twofold.cli.bench_options import encoder_or_none, named
from twofold.cli.bench_serve import register_serve
from twofold.cli.options import (
    Subparsers,
    add_encoder_options,
    at_least_one,
    command,
    device,
    text,
)
from twofold.cli.output import print_json, print_line

if TYPE_CHECKING:
    from twofold.progress import Progress
    from twofold.tables import Report


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
    search = named(measured, "search", _search, "one query at a time: encoding, look-up and both")
    search.add_argument("collection", metavar="COLLECTION", nargs="?", type=Path, help="a folder (or docstrings)")
    search.add_argument("--rounds", type=at_least_one, default=20, metavar="N", help="rounds over the queries (20)")
    add_encoder_options(search)
    indexing = named(measured, "indexing", _indexing, "indexing a corpus twice: speed and memory")
    indexing.add_argument("data", metavar="DATA", nargs="?", type=Path, help="a file or folder (or docstrings)")
    indexing.add_argument("--limit", type=at_least_one, metavar="N", help="only its first documents")
    add_encoder_options(indexing)
    register_judged(measured)
    startup = named(measured, "startup", _startup, "import, help, and the size of the installed files")
    startup.add_argument("--rounds", type=at_least_one, default=10, metavar="N", help="new processes of each kind (10)")
    _register_stored(measured)
    register_serve(measured)
    walk = named(measured, "walkthrough", _walkthrough, "two towers beside a cross-encoder of the same size")
    walk.add_argument("collection", metavar="COLLECTION", nargs="?", type=Path, help="a folder (or docstrings)")
    walk.add_argument("--queries", type=Path, metavar="FILE", help="questions for it (or some about Python)")
    walk.add_argument(
        "--cross-encoder", type=Path, metavar="FOLDER", help="a model (or the encoder with a random head)"
    )
    walk.add_argument("--judged", type=Path, metavar="FOLDER", help="a BEIR folder, for the quality of both")
    walk.add_argument("--dim", type=at_least_one, metavar="N", help="also a million random vectors of so many numbers")


def _register_models(measured: Subparsers) -> None:
    """The speed of models, beside sentence-transformers."""
    encode = named(measured, "encode", _encode, "passages and tokens a second, beside sentence-transformers")
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
    second = named(measured, "second-stage", _second_stage, "scoring candidates, beside sentence-transformers")
    second.add_argument("data", metavar="DATA", nargs="?", type=Path, help="a file or folder of texts (or docstrings)")
    second.add_argument(
        "--cross-encoder",
        metavar="NAME",
        type=text,
        action="append",
        default=[],
        help="a folder or a hub name; may be repeated (random MiniLM of 6 and of 2 layers)",
    )
    second.add_argument("--judged", type=Path, metavar="FOLDER", help="a BEIR folder, for the quality of both stages")
    second.add_argument(
        "--late-interaction",
        metavar="NAME",
        type=text,
        action="append",
        default=[],
        help="a model whose quality is measured too; may be repeated (the embedded encoder)",
    )
    second.add_argument("--candidates", type=at_least_one, default=50, metavar="N", help="of the query (50)")
    second.add_argument(
        "--rounds", type=at_least_one, default=9, metavar="N", help="rounds, in each of which all take turns (9)"
    )


def _register_stored(measured: Subparsers) -> None:
    """Costs of storing and finding vectors."""
    vectors = named(measured, "vectors", _vectors, "a million vectors: adding, opening, exact search")
    vectors.add_argument(
        "--count", type=at_least_one, default=1_000_000, metavar="N", help="how many vectors (1,000,000)"
    )
    vectors.add_argument("--dimension", type=at_least_one, default=384, metavar="N", help="numbers a vector (384)")
    vectors.add_argument("--rounds", type=at_least_one, default=3, metavar="N", help="rounds over the queries (3)")
    filters = named(
        measured, "filters", _filters, "filters: evaluated once and repeatedly, after additions and deletions"
    )
    filters.add_argument(
        "--count", type=at_least_one, default=1_000_000, metavar="N", help="how many documents (1,000,000)"
    )
    filters.add_argument("--rounds", type=at_least_one, default=5, metavar="N", help="rounds of each question (5)")
    index = named(measured, "index", _index, "indexes side by side: recall, latency, bytes, build time")
    index.add_argument("data", metavar="DATA", type=Path, help="a collection, or a .npy file of vectors")
    index.add_argument("--queries", type=Path, metavar="X.npy", help="query vectors (or points between two vectors)")
    index.add_argument("--limit", type=at_least_one, metavar="N", help="only the first vectors")
    index.add_argument("--plot", type=Path, metavar="FILE", help="recall against latency as .svg, .png or .html")
    lookups = named(measured, "lookups", _lookups, "look-ups in a collection, filtered ones too")
    lookups.add_argument("collection", metavar="COLLECTION", type=Path, help="a collection with an index")
    lookups.add_argument("--queries", type=Path, metavar="X.npy", required=True, help="query vectors")
    lookups.add_argument("--field", metavar="NAME", type=text, help="numbers in the metadata to filter by")
    hybrid = named(measured, "hybrid", _hybrid, "text in, hits out: dense, lexical and hybrid search")
    hybrid.add_argument("collection", metavar="COLLECTION", type=Path, help="a collection that has a lexical index")
    hybrid.add_argument("--queries", type=Path, metavar="FILE", required=True, help="questions")
    hybrid.add_argument("--field", metavar="NAME", type=text, help="numbers in the metadata to filter by")
    upkeep = named(measured, "upkeep", _upkeep, "a collection that grows: added, opened, searched beside additions")
    upkeep.add_argument("data", metavar="DATA", nargs="*", type=Path, help="documents (or texts of random words)")
    upkeep.add_argument(
        "--vectors", metavar="X.npy", nargs="+", default=[], type=Path, help="their vectors: files or a folder of them"
    )
    upkeep.add_argument("--queries", type=Path, metavar="FILE", help="questions (or words of documents)")
    upkeep.add_argument("--rows", type=at_least_one, metavar="N", help="documents added at first (all but a tenth)")
    add_encoder_options(upkeep)
    storage = named(measured, "storage", _storage, "a durable store: adding, syncs, opening, verifying, bytes")
    storage.add_argument("data", metavar="DATA", nargs="?", type=Path, help="documents (or texts of random words)")
    storage.add_argument(
        "--count", type=at_least_one, default=100_000, metavar="N", help="how many documents (100,000)"
    )
    storage.add_argument(
        "--rounds", type=at_least_one, default=500, metavar="N", help="commits of a single document (500)"
    )
    tables = named(measured, "tables", _tables, "adding a DataFrame beside a list of dicts: time and memory")
    tables.add_argument("--count", type=at_least_one, default=100_000, metavar="N", help="documents (100,000)")
    tables.add_argument("--rounds", type=at_least_one, default=5, metavar="N", help="additions of each (5)")


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
        judged=arguments.judged,
        late_interaction=arguments.late_interaction,
        candidates=arguments.candidates,
        rounds=arguments.rounds,
        progress=progress,
    )


def _search(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.search import bench_search

    return bench_search(
        arguments.collection, rounds=arguments.rounds, encoder=encoder_or_none(arguments), progress=progress
    )


def _indexing(arguments: argparse.Namespace, progress: Progress) -> Report:
    from twofold.bench.indexing import bench_indexing

    return bench_indexing(arguments.data, limit=arguments.limit, encoder=encoder_or_none(arguments), progress=progress)


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

    given = Given(arguments.data, arguments.vectors, arguments.queries, arguments.rows, encoder_or_none(arguments))
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
