"""`twofold search`: the documents that answer one query, or a run of many."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

from twofold.cli.options import (
    Subparsers,
    add_encoder_options,
    add_mode_option,
    add_query_vectors_option,
    add_strict_option,
    add_where_option,
    at_least_one,
    command,
    open_to_read,
    text,
    where_of,
)
from twofold.cli.output import count_of, note, print_json, print_line, results_in_utf_8
from twofold.cli.second_stage import SecondStageOptions, add_rerank_options, refuse_without_model
from twofold.reports import EncodingReport

if TYPE_CHECKING:
    from twofold.collection.collection import Collection
    from twofold.rankings import Hit
    from twofold.searching.searcher import SnapshotSearcher

RUN_DEPTH = 1000
"""Runs for evaluation hold so many documents a query, as in TREC."""


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "search",
        run,
        does="find the documents of a collection that answer a query",
        examples=(
            "twofold search wiki.twofold 'who wrote the first compiler?' --k 5",
            "twofold search wiki.twofold --queries queries.jsonl --run out.trec",
        ),
    )
    parser.add_argument("collection", metavar="COLLECTION", help="the collection's folder or address")
    _add_query_options(parser)
    parser.add_argument("-k", "--k", type=int, metavar="N", help="documents to show (default 10)")
    parser.add_argument("--offset", type=int, metavar="N", help="documents to skip at the top (default 0)")
    parser.add_argument("--min-score", type=float, metavar="X", help="leave out documents with a smaller score")
    parser.add_argument(
        "--min-relevance", type=float, metavar="X", help="leave out documents of less relevance, from 0 to 1"
    )
    _add_passage_options(parser)
    add_where_option(parser, "only documents")
    add_strict_option(parser)
    parser.add_argument(
        "--depth",
        type=int,
        metavar="N",
        help=f"where a ranking ends (default: the collection's; {RUN_DEPTH} with --queries)",
    )
    add_mode_option(parser, "default: hybrid where the collection has a lexical index")
    parser.add_argument(
        "--query-language",
        action="store_true",
        help='enable operators: "a phrase", AND, OR, NOT, +, -, (, ), ^; by default a query is plain text',
    )
    parser.add_argument("--explain", action="store_true", help="show the parts of each document's score")
    parser.add_argument(
        "--exact", action="store_true", help="score every passage, even if the collection has an approximate index"
    )
    parser.add_argument(
        "--run",
        metavar="FILE",
        dest="run_file",
        help="write the run in TREC's format here instead of to standard output",
    )
    add_rerank_options(parser)
    add_encoder_options(parser, otherwise="the collection's own")
    parser.set_defaults(misuse=parser.error)


def _add_query_options(parser: argparse.ArgumentParser) -> None:
    """What is searched for: a text, a stored document, a file of queries, and vectors of these."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "query", metavar="QUERY", nargs="?", type=text, help="the query; - reads standard input; write -- before -red"
    )
    what.add_argument("--like", metavar="ID", type=text, help="a stored document: find the documents nearest to it")
    what.add_argument("--queries", metavar="FILE", help="run every query of a file (JSON Lines, or id, tab, text)")
    parser.add_argument(
        "--vector",
        metavar="FILE",
        help="the query's own vector, which is not encoded then: a .npy file or a JSON list of numbers; - reads "
        "standard input; with QUERY or alone",
    )
    add_query_vectors_option(parser)


def _add_passage_options(parser: argparse.ArgumentParser) -> None:
    """What is shown of a document."""
    parser.add_argument(
        "--unit", choices=["document", "passage"], help="what a hit is (document); passage: several of a document"
    )
    parser.add_argument("--passages", type=at_least_one, metavar="N", help="show the best N passages of each document")
    parser.add_argument("--context", type=at_least_one, metavar="N", help="show N passages before and after, too")


def run(arguments: argparse.Namespace) -> int:
    """Answers one query, or asks a file of them."""
    if all(each is None for each in (arguments.query, arguments.like, arguments.queries, arguments.vector)):
        arguments.misuse("one of the arguments QUERY --like --queries --vector is required")
    refuse_without_model(arguments)
    if arguments.rerank is not None and arguments.query is None and arguments.queries is None:
        arguments.misuse("--rerank reads the query, so it goes with QUERY or --queries")
    if arguments.queries is not None:
        for name in ("k", "offset", "unit", "passages", "context", "min_score", "where", "vector"):
            if getattr(arguments, name) is not None:
                way = "--vectors holds those of --queries" if name == "vector" else "a run is as deep as --depth"
                arguments.misuse(f"--{name.replace('_', '-')} goes with one query; {way}")
        if arguments.explain:
            arguments.misuse("--explain goes with one query; a run holds scores only")
        return _many(arguments)
    if arguments.run_file is not None:
        arguments.misuse("--run goes with --queries")
    if arguments.vectors is not None:
        arguments.misuse("--vectors goes with --queries; the vector of one query is --vector FILE")
    if arguments.like is not None and (arguments.mode, arguments.vector, arguments.query_language) != (
        None,
        None,
        False,
    ):
        arguments.misuse("--mode, --vector and --query-language go with a query; --like compares stored vectors")
    if arguments.like is not None and (arguments.unit, arguments.passages, arguments.context) != (None, None, None):
        arguments.misuse("--unit, --passages and --context go with a query; --like finds documents")
    if arguments.unit == "passage" and arguments.passages is not None:
        arguments.misuse("with --unit passage each hit is one passage; --passages goes with documents")
    if arguments.query == arguments.vector == "-":
        arguments.misuse("query and --vector cannot both be standard input")
    return _one(arguments)


def _one(arguments: argparse.Namespace) -> int:
    from twofold.cli.screens import Screen
    from twofold.readers.opening import decoded
    from twofold.readers.vectors import read_vector

    query = decoded(sys.stdin.buffer.read(), "standard input").strip() if arguments.query == "-" else arguments.query
    vector = None if arguments.vector is None else read_vector(arguments.vector)
    report, second = EncodingReport(), SecondStageOptions.of(arguments)
    page: dict[str, Any] = {
        "k": 10 if arguments.k is None else arguments.k,
        "offset": arguments.offset or 0,
        "where": where_of(arguments),
        "strict": arguments.strict,
    }
    wanted: dict[str, Any] = {
        "unit": arguments.unit or "document",
        "passages": arguments.passages,
        "context": arguments.context or 0,
    }
    with open_to_read(arguments) as collection, _searcher(collection, arguments, arguments.depth) as searcher:
        if arguments.like is not None:
            hits = searcher.like(arguments.like, **page)
        elif query is None and vector is not None:
            hits = searcher.search(vector, mode=arguments.mode, **page, **wanted)
        else:
            page |= {**second.options, **wanted}
            hits = searcher.search(query, vector=vector, mode=arguments.mode, report=report, **page)
            _tell_default(arguments, searcher)
    found = len(hits)
    hits = hits.at_least(arguments.min_score, min_relevance=arguments.min_relevance)
    _warn(report)
    second.warn()
    if arguments.json:
        asked = {"query": query} if arguments.like is None else {"like": arguments.like}
        print_json({**asked, "hits": [_as_json(hit, arguments.explain) for hit in hits]})
    else:
        if not hits:
            note("nothing relevant was found" if found and arguments.min_relevance is not None else "nothing found")
        Screen().hits(hits, explained=arguments.explain)
    return 0


def _searcher(collection: Collection, arguments: argparse.Namespace, depth: int | None) -> SnapshotSearcher:
    lexical = arguments.like is None and (arguments.mode != "dense" or arguments.query_language)
    return collection.searcher(
        depth=depth, exact=arguments.exact, lexical=lexical, query_language=arguments.query_language
    )


def _tell_default(arguments: argparse.Namespace, searcher: SnapshotSearcher) -> None:
    """Says that search was lexical, if that was nobody's choice: texts have no vectors here, and none was given."""
    option = "--vector FILE" if arguments.queries is None else "--vectors X.npy"
    if (arguments.mode, arguments.vector, arguments.vectors) == (None, None, None) and "dense" not in searcher.modes:
        note(f"lexical search: the vectors of this collection were made elsewhere; hybrid search needs {option}")


def _warn(report: EncodingReport) -> None:
    """Reports queries that were truncated."""
    if report.cut:
        note(f"{len(report.cut):,} of {report.texts:,} queries cut, {report.tokens_cut:,} tokens not encoded")
    if report.surrogates:
        note(f"{count_of(report.surrogates, 'lone surrogate')} replaced by U+FFFD")


def _as_json(hit: Hit, explained: bool) -> dict[str, Any]:
    told = {**hit.to_json(), "highlights": hit.highlights}
    if (sentence := hit.sentence) is not None:
        told["sentence"] = sentence.to_json()
    return {**told, "parts": dict(hit.parts)} if explained else told


def _many(arguments: argparse.Namespace) -> int:
    from twofold.cli.bars import bar
    from twofold.cli.results import check_result
    from twofold.readers.queries import read_queries
    from twofold.readers.trec import write_run
    from twofold.readers.vectors import mapped_vectors

    queries = read_queries(arguments.queries)
    vectors = None if arguments.vectors is None else mapped_vectors(arguments.vectors)
    if arguments.run_file is not None:
        check_result(arguments.run_file, [arguments.queries, arguments.vectors])
    start, second = time.monotonic(), SecondStageOptions.of(arguments)
    with open_to_read(arguments) as collection:
        depth = RUN_DEPTH if arguments.depth is None else arguments.depth
        report = EncodingReport()
        with _searcher(collection, arguments, depth) as searcher:
            with bar("Searching", "queries") as progress:
                run_of_all = searcher.run(
                    queries,
                    vectors=vectors,
                    depth=depth,
                    mode=arguments.mode,
                    min_relevance=arguments.min_relevance,
                    report=report,
                    progress=progress,
                    **second.options,
                )
            _tell_default(arguments, searcher)
    _warn(report)
    second.warn()
    seconds = time.monotonic() - start
    if arguments.run_file is None:
        if arguments.json:
            print_json({"run": run_of_all})
        else:
            with results_in_utf_8() as stdout:
                write_run(run_of_all, stdout)
        return 0
    write_run(run_of_all, arguments.run_file)
    found = sum(map(len, run_of_all.values()))
    if arguments.json:
        print_json({"queries": len(queries), "hits": found, "seconds": round(seconds, 3), "file": arguments.run_file})
    else:
        each = f"{found:,} hits in {seconds:,.1f} s"
        print_line(f"{len(queries):,} {'query' if len(queries) == 1 else 'queries'}, {each}: {arguments.run_file}")
    return 0
