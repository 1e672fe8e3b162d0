"""`twofold tune`: builds the lexical index and fits how lexical and dense scores are mixed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from twofold.cli.options import Subparsers, add_encoder_options, add_query_vectors_option, command, open_given, text
from twofold.cli.output import print_json, print_line, visible
from twofold.cli.waiting import add_wait_option, waited

if TYPE_CHECKING:
    from twofold.tuning.pipelines import Choice

UNITS = {"ms": 1.0, "s": 1000.0}


def milliseconds(value: str) -> float:
    """A time of the command line, in milliseconds: 50ms, 1.5s, or a number of milliseconds."""
    unit = next((each for each in UNITS if value.endswith(each)), "")
    try:
        found = float(value.removesuffix(unit)) * UNITS.get(unit, 1.0)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise argparse.ArgumentTypeError(f"a time is a number of milliseconds above 0, as 50ms, not {value!r}")
    return found


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "tune",
        run,
        does="build the lexical index and fit how its scores are mixed with dense ones, for hybrid search",
        examples=(
            "twofold tune gesetze.twofold --analyser german",
            "twofold tune wiki.twofold --queries q.jsonl --qrels judged.tsv --budget 50ms --rerank all-MiniLM-L6-v2",
        ),
    )
    parser.add_argument("collection", metavar="COLLECTION", help="the collection's folder or address")
    parser.add_argument(
        "--analyser",
        metavar="NAME",
        type=text,
        help="how texts become terms: a language (its stemmer and stop words), plain, or ngram for scripts without "
        "spaces and for code (as before, or told from the first texts)",
    )
    parser.add_argument(
        "--queries", metavar="FILE", help="judged questions, from which the weight of lexical scores is learned"
    )
    parser.add_argument(
        "--qrels", metavar="FILE", help="their judgements (TREC's or BEIR's format); requires --queries"
    )
    parser.add_argument(
        "--budget",
        type=milliseconds,
        metavar="TIME",
        help="choose the best way of searching that takes so long a query at most, such as 50ms; searches follow it; "
        "requires --queries",
    )
    parser.add_argument(
        "--rerank",
        action="append",
        default=[],
        type=text,
        metavar="MODEL",
        help="a second stage to try within the budget, a folder or a hub name; may be repeated; the scores of a "
        "cross-encoder are calibrated, also without --budget",
    )
    add_query_vectors_option(parser)
    add_wait_option(parser)
    add_encoder_options(parser, otherwise="the collection's own")
    parser.set_defaults(misuse=parser.error)


def run(arguments: argparse.Namespace) -> int:
    """Tunes, and prints what was found."""
    from twofold.cli.bars import bar
    from twofold.readers.queries import read_queries
    from twofold.readers.trec import read_qrels
    from twofold.readers.vectors import mapped_vectors

    if (arguments.queries is None) != (arguments.qrels is None):
        arguments.misuse("--queries and --qrels go together: questions, and what answers them")
    judged = arguments.queries is not None
    if arguments.vectors is not None and not judged:
        arguments.misuse("--vectors holds the vectors of --queries")
    if not judged and (arguments.budget is not None or arguments.rerank):
        arguments.misuse("--budget and --rerank are measured on judged questions: give --queries and --qrels")
    queries = read_queries(arguments.queries) if judged else {}
    qrels = read_qrels(arguments.qrels) if judged else {}
    vectors = None if arguments.vectors is None else mapped_vectors(arguments.vectors)
    with open_given(arguments) as collection:
        with collection.writing(waited(arguments)), bar("Building the lexical index", "documents") as progress:
            report = collection.tune(
                analyser=arguments.analyser,
                queries=queries,
                qrels=qrels,
                vectors=vectors,
                rankers=arguments.rerank,
                budget=arguments.budget,
                progress=progress,
            )
        documents = len(collection)
    if arguments.json:
        print_json({"documents": documents, **report.to_json()})
    else:
        found = "lexical search works" if report.fusion is None else "searches are hybrid"
        print_line(f"{visible(arguments.collection)} has a lexical index of {documents:,} documents: {found}")
        print_line(str(report))
        if report.pipeline is not None:
            _print(report.pipeline)
    return 0


def _print(choice: Choice) -> None:
    """The ways that were measured, the fastest first, and the one that searches follow."""
    from twofold.cli.screens import Screen

    print_line()
    Screen().table(choice.table())
    print_line(f"searches follow: {visible(str(choice.pipeline))}")
