"""`twofold migrate`: another encoder for a collection that is in use, and the switch to it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from twofold.cli.options import Subparsers, add_encoder_options, command, encoder_of, names_encoder, text
from twofold.cli.output import note, print_json, print_line, visible
from twofold.cli.passage_sizes import add_context_option
from twofold.cli.waiting import add_wait_option, waited

if TYPE_CHECKING:
    from twofold.collection.collection import Collection
    from twofold.collection.migrating import MigrationCost, MigrationReport
    from twofold.protocols import Encoder

HOUR, MINUTE = 3600, 60


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "migrate",
        run,
        does="encode a collection with another encoder while it is searched, compare both, and switch",
        examples=(
            "twofold migrate wiki.twofold --encoder intfloat/multilingual-e5-small --queries q.jsonl --qrels q.tsv",
            "twofold migrate wiki.twofold --name main --switch",
        ),
    )
    parser.add_argument("collection", metavar="COLLECTION", help="the collection's folder or address")
    parser.add_argument(
        "--name",
        metavar="SPACE",
        type=text,
        help="the space to make or to continue; with --switch alone, the one to search",
    )
    add_context_option(parser, "as in the space that is searched")
    parser.add_argument("--queries", metavar="FILE", help="queries for the comparison of both spaces")
    parser.add_argument(
        "--qrels", metavar="FILE", help="their judgements (TREC's or BEIR's format); requires --queries"
    )
    parser.add_argument("--switch", action="store_true", help="make the new space the one that is searched")
    parser.add_argument(
        "--drop",
        metavar="SPACE",
        type=text,
        help="finally delete a space that is not searched, to free its disk space",
    )
    add_wait_option(parser)
    add_encoder_options(parser, otherwise="nothing is encoded: --switch and --drop alone act on existing spaces")
    parser.set_defaults(misuse=parser.error)


def run(arguments: argparse.Namespace) -> int:
    """Migrates, switches, drops, as far as each is asked, and prints what was found."""
    from twofold.collection.opening import open_collection

    encodes = names_encoder(arguments)
    if not encodes and not (arguments.drop or (arguments.switch and arguments.name)):
        arguments.misuse("nothing to do: give --encoder NAME, or --switch with --name SPACE, or --drop SPACE")
    if arguments.qrels is not None and arguments.queries is None:
        arguments.misuse("--qrels goes with --queries: what answers them, and the questions")
    encoder = encoder_of(arguments) if encodes else None
    with open_collection(arguments.collection, wait=waited(arguments)) as collection:
        report = None
        if encoder is not None:
            report = _migrated(collection, encoder, arguments)
        elif arguments.switch:
            collection.switch_space(arguments.name)
        if arguments.drop is not None:
            collection.drop_space(arguments.drop)
        searched = collection.info().spaces
    _print(arguments, report, next(space.name for space in searched if space.searched))
    return 0


def _migrated(collection: Collection, encoder: Encoder, arguments: argparse.Namespace) -> MigrationReport:
    from twofold.cli.bars import bar
    from twofold.readers.queries import read_queries
    from twofold.readers.trec import read_qrels

    queries = None if arguments.queries is None else read_queries(arguments.queries)
    qrels = None if arguments.qrels is None else read_qrels(arguments.qrels)
    with bar("Encoding", "documents") as progress:
        return collection.migrate(
            encoder,
            queries=queries,
            qrels=qrels,
            name=arguments.name,
            context=arguments.passage_context,
            switch=arguments.switch,
            told=_say_cost,
            progress=progress,
        )


def _say_cost(cost: MigrationCost) -> None:
    if cost.documents:
        note(
            f"space {cost.space}: {cost.documents:,} documents to encode, about {cost.passages:,} passages, "
            f"{_duration(cost.seconds)} and {cost.bytes / 1e6:,.1f} MB"
        )


def _duration(seconds: float) -> str:
    if seconds >= HOUR:
        return f"{seconds / HOUR:,.1f} hours"
    return f"{seconds / MINUTE:,.1f} minutes" if seconds >= MINUTE else f"{seconds:,.1f} seconds"


def _print(arguments: argparse.Namespace, report: MigrationReport | None, searched: str) -> None:
    if arguments.json:
        found = {} if report is None else report.to_json()
        print_json({**found, "searched": searched, "dropped": arguments.drop})
        return
    if report is not None:
        print_line(f"space {report.space}: {report.documents:,} documents encoded, complete")
        if report.moved:
            print_line(f"its encoder is loaded from {visible(str(arguments.encoder))} from now on")
        _print_comparison(report)
    if arguments.drop is not None:
        print_line(f"space {arguments.drop}: dropped")
    print_line(f"searches use the space {searched}")


def _print_comparison(report: MigrationReport) -> None:
    from twofold.cli.screens import Screen

    found = report.compared
    if found is None:
        return
    print_line(
        f"first ten in common with the space that was searched: {found.overlap} ({found.queries} {found.origin})"
    )
    for table in () if found.judged is None else found.judged.tables(moved=0):
        Screen().table(table)
