"""`twofold tune`: builds the lexical index and fits how lexical and dense scores are mixed."""

from __future__ import annotations

import argparse

from twofold.cli.options import Subparsers, add_encoder_options, add_query_vectors_option, command, open_given, text
from twofold.cli.output import print_json, print_line, visible
from twofold.cli.waiting import add_wait_option, waited


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "tune",
        run,
        does="build the lexical index and fit how its scores are mixed with dense ones, for hybrid search",
        examples=(
            "twofold tune wiki.twofold",
            "twofold tune gesetze.twofold --analyser german --queries fragen.jsonl --qrels urteile.tsv",
        ),
    )
    parser.add_argument("collection", metavar="COLLECTION", help="the collection's folder")
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
    queries = read_queries(arguments.queries) if judged else {}
    qrels = read_qrels(arguments.qrels) if judged else {}
    vectors = None if arguments.vectors is None else mapped_vectors(arguments.vectors)
    with open_given(arguments) as collection:
        with collection.writing(waited(arguments)), bar("Building the lexical index", "documents") as progress:
            report = collection.tune(
                analyser=arguments.analyser, queries=queries, qrels=qrels, vectors=vectors, progress=progress
            )
        documents = len(collection)
    if arguments.json:
        print_json({"documents": documents, **report.to_json()})
    else:
        found = "lexical search works" if report.fusion is None else "searches are hybrid"
        print_line(f"{visible(arguments.collection)} has a lexical index of {documents:,} documents: {found}")
        print_line(str(report))
    return 0
