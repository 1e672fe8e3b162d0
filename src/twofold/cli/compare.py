"""`twofold compare`: runs on the same judged queries, each compared with the first by paired tests."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from twofold.cli.evaluate import add_measuring_options
from twofold.cli.options import Subparsers, command
from twofold.cli.output import print_json, print_line, say

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
        does="compare runs on the same judged queries, with paired tests",
        examples=(
            "twofold compare dense.trec hybrid.trec --qrels qrels.tsv --plot differences.svg",
            "twofold compare released.trec new.trec --qrels qrels.tsv --fail-if-worse",
        ),
    )
    parser.add_argument(
        "runs", metavar="RUN", nargs="+", help="runs in TREC's format; each is compared with the first, the baseline"
    )
    parser.add_argument("--qrels", metavar="FILE", required=True, help="the judgements, in TREC's or BEIR's format")
    parser.add_argument("--queries", metavar="FILE", help="the queries' texts, shown beside the ids")
    add_measuring_options(parser, otherwise="nDCG@10")
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
    parser.add_argument(
        "--plot", metavar="FILE", help="draw every query's difference (.svg, .png, .html); needs the extra [plots]"
    )
    parser.set_defaults(misuse=parser.error)


def run(arguments: argparse.Namespace) -> int:
    """Compares and prints; the status says what --fail-if-worse asks."""
    from twofold.evaluation.comparing import MEASURES, compare
    from twofold.evaluation.evaluating import without_own
    from twofold.readers.queries import read_queries
    from twofold.readers.trec import read_qrels, read_run

    if len(arguments.runs) < 2:
        arguments.misuse("a comparison needs at least two runs")
    if arguments.moved < 0:
        arguments.misuse("--moved is a count, 0 for none")
    if arguments.plot is not None:
        from twofold.cli.results import check_result
        from twofold.plots.canvas import check_picture

        check_picture(arguments.plot)
        check_result(arguments.plot, [*arguments.runs, arguments.qrels, arguments.queries])
    qrels = read_qrels(arguments.qrels)
    texts = None if arguments.queries is None else read_queries(arguments.queries)
    runs = {name: read_run(path) for name, path in zip(names_of(arguments.runs), arguments.runs, strict=True)}
    if arguments.ignore_identical_ids:
        runs = {name: without_own(each) for name, each in runs.items()}
    comparison = compare(
        runs,
        qrels,
        measures=arguments.measure or MEASURES,
        all_judged=arguments.all_judged,
        seed=arguments.seed,
    )
    if arguments.plot is not None:
        _draw(arguments.plot, comparison)
    if arguments.json:
        print_json(comparison.to_json())
    else:
        _print(comparison, arguments.moved, texts)
    return _status(comparison) if arguments.fail_if_worse else 0


def names_of(paths: Sequence[str]) -> list[str]:
    """What tables call the runs: the files' names without their endings, or the whole paths where two are equal."""
    names = [Path(path).name.split(".")[0] or path for path in paths]
    full = [Path(path).name for path in paths]
    return next(each for each in (names, full, _numbered(paths)) if len(set(each)) == len(each))


def _numbered(paths: Sequence[str]) -> list[str]:
    return list(paths) if len(set(paths)) == len(paths) else [f"{path} ({n})" for n, path in enumerate(paths, start=1)]


def _status(comparison: Comparison) -> int:
    for contrast in comparison.worse:
        by = f"{contrast.measure} {contrast.difference.mean:+.4f}, p {contrast.corrected:.5f} corrected"
        say(f"{contrast.system} is worse than {comparison.baseline}: {by}")
    return WORSE if comparison.worse else 0


def _print(comparison: Comparison, moved: int, queries: dict[str, str] | None) -> None:
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
