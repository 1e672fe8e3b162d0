"""`twofold compare`: encoders, collections and runs on the same judged queries, each compared with the first."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from twofold.cli.evaluate import (
    SPLIT,
    add_measuring_options,
    add_per_query_option,
    check_per_query,
    write_per_query,
)
from twofold.cli.options import Subparsers, add_encoder_options, add_mode_option, command
from twofold.cli.output import print_json, print_line, say
from twofold.cli.second_stage import add_rerank_options
from twofold.cli.ways import DEPTH

if TYPE_CHECKING:
    from twofold.evaluation.comparison import Comparison

MOVED, SEED = 5, 0
WORSE = 3
"""The exit status of --fail-if-worse: neither done (0) nor an error of the input (1)."""


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "compare",
        run,
        does="compare encoders, collections or runs on the same judged queries, with paired tests",
        examples=(
            "twofold compare scifact --encoder intfloat/e5-small-v2 --encoder my-encoder --mode dense",
            "twofold compare released.trec new.trec --qrels qrels.tsv --fail-if-worse",
        ),
    )
    parser.add_argument(
        "systems",
        metavar="DATA|COLLECTION|RUN",
        nargs="+",
        help="a BEIR folder, which is indexed with each --encoder; collections, which are asked --queries; runs in "
        "TREC's format. All are compared with the first, the baseline",
    )
    parser.add_argument("--qrels", metavar="FILE", help="the judgements, in TREC's or BEIR's format")
    parser.add_argument("--queries", metavar="FILE", help="the queries: asked of collections, and shown beside the ids")
    add_measuring_options(parser, otherwise="nDCG@10")
    _add_searching_options(parser)
    parser.add_argument(
        "--moved",
        type=int,
        default=MOVED,
        metavar="N",
        help=f"queries with the largest differences to show, in each direction ({MOVED})",
    )
    parser.add_argument("--seed", type=int, default=SEED, metavar="N", help="of the randomisation test (0)")
    parser.add_argument(
        "--fail-if-worse",
        action="store_true",
        help=f"end with status {WORSE} where a run is significantly worse than the baseline by any of the measures",
    )
    add_per_query_option(parser)
    parser.add_argument(
        "--plot", metavar="FILE", help="draw every query's difference (.svg, .png, .html); needs the extra [plots]"
    )
    parser.set_defaults(misuse=parser.error)


def _add_searching_options(parser: argparse.ArgumentParser) -> None:
    searched = parser.add_argument_group("a BEIR folder, and collections")
    searched.add_argument("--split", metavar="NAME", help=f"the split of the folder's judgements ({SPLIT})")
    searched.add_argument(
        "--to", metavar="FOLDER", help="keep a collection for each encoder in this folder, or use those that are there"
    )
    add_mode_option(searched, "default: hybrid where the collection has a lexical index")
    searched.add_argument("--depth", type=int, metavar="N", help=f"documents a query ({DEPTH:,})")
    searched.add_argument(
        "--timed", type=int, metavar="N", help="queries to ask again one by one, for their latency (0)"
    )
    add_rerank_options(parser)
    add_encoder_options(parser, otherwise="a collection's own; may be repeated, each is a system", several=True)


def run(arguments: argparse.Namespace) -> int:
    """Compares and prints; the status says what --fail-if-worse asks."""
    from twofold.cli.systems import Systems
    from twofold.evaluation.comparing import MEASURES, compare

    if arguments.seed < 0:
        arguments.misuse("--seed is a number from 0 on")
    if arguments.moved < 0:
        arguments.misuse("--moved is a count, 0 for none")
    systems = Systems.of(arguments)
    if arguments.plot is not None:
        from twofold.cli.results import check_result
        from twofold.plots.canvas import check_picture

        check_picture(arguments.plot)
        check_result(arguments.plot, systems.inputs)
    check_per_query(arguments, systems.inputs)
    arguments.measure = arguments.measure or list(MEASURES)
    found = systems.evaluated()
    comparison = compare(
        found.systems, found.qrels, measures=arguments.measure, all_judged=arguments.all_judged, seed=arguments.seed
    )
    if arguments.plot is not None:
        _draw(arguments.plot, comparison)
    write_per_query(arguments, comparison.evaluations)
    if arguments.json:
        print_json(comparison.to_json())
    else:
        _print(comparison, arguments.moved, found.queries)
    return _status(comparison) if arguments.fail_if_worse else 0


def _status(comparison: Comparison) -> int:
    for contrast in comparison.worse:
        by = f"{contrast.measure} {contrast.difference.mean:+.4f}, p {contrast.corrected:.5f} corrected"
        say(f"{contrast.system} is worse than {comparison.baseline}: {by}")
    return WORSE if comparison.worse else 0


def _print(comparison: Comparison, moved: int, queries: Mapping[str, str] | None) -> None:
    from twofold.cli.screens import Screen

    screen = Screen()
    for place, table in enumerate(comparison.tables(moved=moved, queries=queries)):
        if place:
            print_line()
        screen.table(table)


def _draw(path: str, comparison: Comparison) -> None:
    from twofold.plots.differences import Panel, differences

    measure = comparison.contrasts[0].measure
    panels = [
        Panel(
            f"{contrast.system} against {comparison.baseline}",
            contrast.difference.values,
            contrast.difference.mean,
            contrast.difference.low,
            contrast.difference.high,
        )
        for contrast in comparison.contrasts
        if contrast.measure == measure
    ]
    differences(panels, path, measure=measure)
