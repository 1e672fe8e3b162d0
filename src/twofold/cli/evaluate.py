"""`twofold evaluate`: how good the rankings of a collection or a run are, or how well an encoder scores pairs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from twofold.cli.options import (
    Subparsers,
    add_encoder_options,
    add_mode_option,
    add_query_vectors_option,
    command,
    encoder_of,
    names_encoder,
    text,
)
from twofold.cli.output import note, print_json, print_line
from twofold.cli.passage_sizes import add_passage_options, passages_of
from twofold.cli.second_stage import OPTIONS, SecondStageOptions, add_rerank_options, refuse_without_model
from twofold.cli.ways import DEPTH, searchers_of
from twofold.errors import InputError, TwofoldError
from twofold.reports import EncodingReport

if TYPE_CHECKING:
    from twofold.evaluation.evaluating import Evaluation

TIMED, SPLIT = 100, "test"
ASKED = (
    "queries",
    "vectors",
    "to",
    "passages",
    "passage_tokens",
    "passage_overlap",
    "passage_context",
    "split",
    "mode",
    "depth",
    "timed",
    "plot",
    *OPTIONS,
)
"""Options that a run does not take: they say what is searched and how."""
MODE_MARK = "{mode}"
"""Stands in the name of a run's file for the way of searching."""


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "evaluate",
        run,
        does="evaluate rankings on judged queries",
        examples=(
            "twofold evaluate scifact --measure nDCG@10 --measure Recall@100",
            "twofold evaluate wiki.twofold --queries queries.jsonl --qrels qrels.tsv --run out.trec",
        ),
    )
    parser.add_argument(
        "target",
        metavar="COLLECTION|FOLDER|RUN",
        nargs="?",
        help="a collection, a BEIR folder, which is indexed first, or a run in TREC's format",
    )
    parser.add_argument("--queries", metavar="FILE", help="the queries (JSON Lines, TSV, CSV)")
    parser.add_argument("--qrels", metavar="FILE", help="their judgements, in TREC's or BEIR's format")
    add_query_vectors_option(parser)
    parser.add_argument("--sts", metavar="FILE", help="evaluate this file of judged sentence pairs instead")
    _add_folder_options(parser)
    add_measuring_options(parser, otherwise="nDCG@10, Recall@100 and RR@10")
    add_mode_option(parser, "may be repeated; default: every mode that the collection has", several=True)
    parser.add_argument("--depth", type=int, metavar="N", help=f"documents a query ({DEPTH:,})")
    parser.add_argument(
        "--timed",
        type=int,
        metavar="N",
        help=f"queries to ask again one by one, for their latency ({TIMED}); 0 for none",
    )
    _add_result_options(parser)
    add_rerank_options(parser)
    add_encoder_options(parser, otherwise="the collection's own, or the embedded all-MiniLM-L6-v2")
    parser.set_defaults(misuse=parser.error)


def _add_result_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--run",
        metavar="FILE",
        dest="run_file",
        help="write the run to this file in TREC's format: that of hybrid search if there are several modes; with "
        f"{MODE_MARK} in the name one file for each mode",
    )
    add_per_query_option(parser)
    parser.add_argument(
        "--plot", metavar="FILE", help="draw quality against latency (.svg, .png, .html); needs the extra [plots]"
    )


def add_per_query_option(parser: argparse.ArgumentParser) -> None:
    """--per-query."""
    parser.add_argument(
        "--per-query",
        metavar="FILE",
        help="write each query's value of each measure here, a line for each system and query (.tsv, .csv, .jsonl)",
    )


def _add_folder_options(parser: argparse.ArgumentParser) -> None:
    """--split, --to and --passages."""
    folder = parser.add_argument_group("a BEIR folder")
    folder.add_argument("--split", metavar="NAME", help=f"the split of the judgements ({SPLIT})")
    folder.add_argument(
        "--to", metavar="COLLECTION", help="store the index in this collection, or use the existing one"
    )
    add_passage_options(folder)


def add_measuring_options(parser: argparse.ArgumentParser, *, otherwise: str) -> None:
    """--measure, --all-judged and --ignore-identical-ids; `otherwise` is what is measured where no measure is named."""
    parser.add_argument(
        "--measure",
        metavar="NAME",
        type=text,
        action="append",
        default=[],
        help="nDCG@10, Recall@100, RR@10, AP, P@5, Success@1, Judged@10, Rprec, Bpref, …; may be repeated "
        f"(without it: {otherwise})",
    )
    parser.add_argument(
        "--all-judged",
        action="store_true",
        help="count every judged query; by default those without a positive judgement are left out",
    )
    parser.add_argument(
        "--ignore-identical-ids",
        action="store_true",
        help="leave the document with the query's own id out of its ranking, as BEIR does; by default it counts",
    )


def run(arguments: argparse.Namespace) -> int:
    """Measures and prints one table, a row for each way of searching."""
    if (arguments.sts is None) == (arguments.target is None):
        arguments.misuse("name a collection, a BEIR folder or a run, or give --sts FILE")
    if arguments.sts is not None:
        if arguments.per_query is not None:
            arguments.misuse("--per-query goes with rankings; sentence pairs are judged all together")
        return _sentences(arguments)
    if _is_run(arguments):
        return _of_run(arguments)
    arguments.split = SPLIT if arguments.split is None else arguments.split
    arguments.depth = DEPTH if arguments.depth is None else arguments.depth
    arguments.timed = TIMED if arguments.timed is None else arguments.timed
    if (arguments.queries is None) != (arguments.qrels is None):
        arguments.misuse("--queries and --qrels belong together")
    if arguments.vectors is not None and arguments.queries is None:
        arguments.misuse("--vectors holds the vectors of --queries")
    if arguments.queries is not None and (arguments.to or passages_of(arguments)):
        arguments.misuse("--to and --passages go with a BEIR folder, which is indexed; a collection is as it was made")
    if arguments.timed < 0:
        arguments.misuse("--timed is a count of queries, 0 for none")
    if arguments.plot is not None and arguments.timed < 1:
        arguments.misuse("--plot draws quality against latency, so --timed must be at least 1")
    refuse_without_model(arguments)
    return _rankings(arguments)


def _is_run(arguments: argparse.Namespace) -> bool:
    """Whether the target is a run: a file, or what could only be one."""
    if os.path.isdir(arguments.target):
        return False
    return os.path.exists(arguments.target) or (arguments.qrels is not None and arguments.queries is None)


def _of_run(arguments: argparse.Namespace) -> int:
    from twofold.cli.judged import names_of
    from twofold.evaluation.evaluating import evaluate_run
    from twofold.evaluation.measures import DEFAULT_MEASURES
    from twofold.readers.trec import read_qrels, read_run

    if arguments.qrels is None:
        arguments.misuse(f"{arguments.target} is a file: to evaluate it as a run, give its judgements with --qrels")
    given = [name.replace("_", "-") for name in ASKED if getattr(arguments, name) not in (None, [])]
    if given or names_encoder(arguments) or arguments.run_file is not None:
        named = f"--{given[0]}" if given else "--run" if arguments.run_file is not None else "an encoder"
        arguments.misuse(f"{named} goes with a collection or a BEIR folder, which is searched; a run is there already")
    check_per_query(arguments, [arguments.target, arguments.qrels])
    evaluation = evaluate_run(
        read_run(arguments.target),
        read_qrels(arguments.qrels),
        measures=arguments.measure or DEFAULT_MEASURES,
        all_judged=arguments.all_judged,
        ignore_identical_ids=arguments.ignore_identical_ids,
    )
    (name,) = names_of([arguments.target])
    write_per_query(arguments, {name: evaluation})
    if arguments.json:
        print_json({"name": name, "systems": {name: evaluation.to_json()}})
    else:
        _print(f"{arguments.target}: {len(evaluation.run):,} queries", {name: evaluation}, {})
    return 0


def _rankings(arguments: argparse.Namespace) -> int:
    from twofold.cli.bars import bar
    from twofold.cli.judged import judged_of
    from twofold.evaluation.evaluating import checked_measures, evaluate
    from twofold.evaluation.measures import DEFAULT_MEASURES

    # What is wrong with the question should not come out after an hour of indexing.
    measures = [each.name for each in checked_measures(arguments.measure or DEFAULT_MEASURES, arguments.depth)]
    _check_results(arguments)
    report = EncodingReport()
    evaluations: dict[str, Evaluation] = {}
    second = SecondStageOptions.of(arguments)
    with judged_of(arguments) as judged, searchers_of(judged, arguments.mode, report, second) as ways:
        for name, searcher in ways.searchers.items():
            with bar(f"Searching, {name}", "queries") as progress:
                evaluations[name] = evaluate(
                    searcher,
                    judged.queries,
                    judged.qrels,
                    measures=measures,
                    depth=arguments.depth,
                    all_judged=arguments.all_judged,
                    timed=arguments.timed,
                    ignore_identical_ids=arguments.ignore_identical_ids,
                    progress=progress,
                )
        documents, best = len(judged.collection), ways.best
    warn(report)
    second.warn()
    files, refused = _runs_written(arguments.run_file, evaluations, best)
    if arguments.plot is not None:
        _draw(arguments.plot, f"{judged.name}: quality against latency", evaluations)
    write_per_query(arguments, evaluations)  # before the table: a pipe that closes early ends the command
    if arguments.json:
        found = {name: evaluation.to_json() for name, evaluation in evaluations.items()}
        print_json({"name": judged.name, "documents": documents, "systems": found, "runs": files})
    else:
        _print(f"{judged.name}: {documents:,} documents", evaluations, files)
    if refused is not None:
        raise refused  # After the table: what was measured took long and stands.
    return 0


def _check_results(arguments: argparse.Namespace) -> None:
    """Raises InputError or StorageError where the run or the picture could not be written: better before the work."""
    from twofold.cli.judged import files_in
    from twofold.cli.results import check_result
    from twofold.cli.ways import RERANKED
    from twofold.searching.hybrid import SEARCH_MODES

    inputs = [arguments.queries, arguments.qrels, arguments.vectors]
    if arguments.queries is None:
        inputs += files_in(arguments.target)
    ways = [f"{mode}{more}" for mode in SEARCH_MODES for more in ("", RERANKED)]
    runs = () if arguments.run_file is None else (arguments.run_file.replace(MODE_MARK, way) for way in ways)
    for file in dict.fromkeys(runs):
        if not Path(file).parent.is_dir():
            raise InputError("no such folder for the run", path=Path(file).parent)
        check_result(file, inputs)
    if arguments.plot is not None:
        from twofold.plots.canvas import check_picture

        check_picture(arguments.plot)
        check_result(arguments.plot, inputs)
    check_per_query(arguments, inputs)


def check_per_query(arguments: argparse.Namespace, inputs: Sequence[str | Path | None]) -> None:
    """Raises InputError or StorageError where --per-query names what cannot be written."""
    from twofold.cli.results import check_result
    from twofold.evaluation.by_query import writer_by_query

    if arguments.per_query is not None:
        writer_by_query(arguments.per_query)
        check_result(arguments.per_query, inputs)


def write_per_query(arguments: argparse.Namespace, evaluations: Mapping[str, Evaluation]) -> None:
    """Writes the file that --per-query names."""
    from twofold.evaluation.by_query import write_by_query

    if arguments.per_query is not None:
        write_by_query(evaluations, arguments.per_query)


def _runs_written(
    path: str | None, evaluations: Mapping[str, Evaluation], best: str
) -> tuple[dict[str, str], TwofoldError | OSError | None]:
    """Writes the run of the best known way of searching, with {mode} in the name of each; (way → file, what failed)."""
    from twofold.readers.trec import write_run

    if path is None:
        return {}, None
    names = list(evaluations) if MODE_MARK in path else [best]
    files: dict[str, str] = {}
    for name in names:
        file = path.replace(MODE_MARK, name)
        try:
            write_run(evaluations[name].run, file, tag=f"twofold-{name}")
        except (TwofoldError, OSError) as error:
            return files, error
        files[name] = file
    return files, None


def _draw(path: str, title: str, evaluations: Mapping[str, Evaluation]) -> None:
    from twofold.plots.frontier import Point, frontier

    measure = next(iter(next(iter(evaluations.values())).measures))
    points = []
    for name, evaluation in evaluations.items():
        measured, latency = evaluation[measure], evaluation.latency
        if latency is not None:
            points.append(Point(latency.p50, measured.mean, name, low=measured.low, high=measured.high))
    frontier(points, path, title=title, x="milliseconds a query (p50)", y=measure)


def _print(title: str, evaluations: Mapping[str, Evaluation], files: Mapping[str, str]) -> None:
    from twofold.cli.screens import Screen
    from twofold.evaluation.tabling import latency_table, quality_table

    screen = Screen()
    screen.table(quality_table(evaluations, title))
    latency = latency_table(evaluations)
    if latency is not None:
        print_line()
        screen.table(latency)
    for name, file in files.items():
        more = f"; for the others write {MODE_MARK} in the name" if len(files) < len(evaluations) else ""
        print_line(f"run of {name}: {file}{more}")


def _sentences(arguments: argparse.Namespace) -> int:
    from twofold.cli.screens import Screen
    from twofold.evaluation.sentences import evaluate_sentences
    from twofold.readers.pairs import read_judged_pairs

    report = EncodingReport()
    evaluation = evaluate_sentences(encoder_of(arguments), read_judged_pairs(arguments.sts), report=report)
    warn(report)
    if arguments.json:
        print_json({"file": arguments.sts, **evaluation.to_json()})
    else:
        Screen().table(evaluation.table(Path(arguments.sts).name))
    return 0


def warn(report: EncodingReport) -> None:
    """Reports texts that were truncated."""
    if report.cut:
        note(f"{len(report.cut):,} of {report.texts:,} texts cut, {report.tokens_cut:,} tokens not encoded")
