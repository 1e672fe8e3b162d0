"""`twofold mine`: hard negatives of judged queries, in a file that sentence-transformers trains on."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from twofold.cli.options import Subparsers, add_encoder_options, command
from twofold.cli.output import count_of, note, print_json, print_line, visible

if TYPE_CHECKING:
    from twofold.training.mined import Mined

SPLIT = "train"


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    from twofold.training.settings import FIRST, FORMATS, LAST, MARGIN, NEGATIVES

    parser = command(
        subparsers,
        "mine",
        run,
        does="find hard negatives of judged queries, in the form that sentence-transformers trains on",
        examples=(
            "twofold mine scifact --to negatives.jsonl",
            "twofold mine wiki.twofold --queries queries.jsonl --qrels qrels.tsv --to negatives.jsonl --format n-tuple",
        ),
    )
    parser.add_argument(
        "target", metavar="COLLECTION|FOLDER", help="a collection, or a BEIR folder, which is indexed first"
    )
    parser.add_argument("--queries", metavar="FILE", help="a collection's queries (JSON Lines, TSV, CSV)")
    parser.add_argument("--qrels", metavar="FILE", help="their judgements, in TREC's or BEIR's format")
    parser.add_argument("--split", metavar="NAME", help=f"the split of a BEIR folder's judgements ({SPLIT})")
    parser.add_argument("--to", metavar="FILE", required=True, help="the file of negatives (.jsonl)")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="triplet",
        help="triplet (anchor, positive, negative; the default), n-tuple (anchor, positive, negative_1, …), "
        "labeled-pair (anchor, document, label) or labeled-list (anchor, documents, labels)",
    )
    parser.add_argument(
        "--num-negatives",
        type=int,
        default=NEGATIVES,
        metavar="N",
        help=f"negatives for each query and answer ({NEGATIVES})",
    )
    parser.add_argument(
        "--range-min", type=int, default=FIRST, metavar="N", help=f"ranks to skip at the top of the search ({FIRST})"
    )
    parser.add_argument(
        "--range-max", type=int, default=LAST, metavar="N", help=f"the rank at which the search ends ({LAST})"
    )
    parser.add_argument(
        "--relative-margin",
        type=float,
        default=MARGIN,
        metavar="SHARE",
        help=f"how far below the answer's score a negative scores at least, as a share of it ({MARGIN})",
    )
    add_encoder_options(parser, otherwise="the collection's own, or the embedded all-MiniLM-L6-v2")
    parser.set_defaults(misuse=parser.error)


def run(arguments: argparse.Namespace) -> int:
    """Mines, writes, and prints what was left out."""
    from twofold.cli.bars import bar
    from twofold.cli.judged import judged_of
    from twofold.training.mined import mine

    if (arguments.queries is None) != (arguments.qrels is None):
        arguments.misuse("--queries and --qrels belong together")
    if arguments.queries is not None and arguments.split is not None:
        arguments.misuse("--split goes with a BEIR folder")
    _check_result(arguments)
    asked = argparse.Namespace(
        **{
            **vars(arguments),
            **dict.fromkeys(("to", "passages", "passage_tokens", "passage_overlap", "passage_context", "vectors")),
            "split": arguments.split or SPLIT,
        }
    )
    with judged_of(asked) as judged, bar("Mining", "queries") as progress:
        mined = mine(
            judged.collection,
            judged.queries,
            judged.qrels,
            num_negatives=arguments.num_negatives,
            range_min=arguments.range_min,
            range_max=arguments.range_max,
            relative_margin=arguments.relative_margin,
            progress=progress,
        )
    written = mined.write(arguments.to, arguments.format)
    _tell(arguments, mined, written)
    return 0


def _check_result(arguments: argparse.Namespace) -> None:
    """Raises InputError for options beyond their range, and where the file could not be written, StorageError."""
    from twofold.cli.judged import files_in
    from twofold.cli.results import check_result
    from twofold.training.mined import check_name, mining_settings

    check_name(arguments.to)
    mining_settings(arguments.num_negatives, (arguments.range_min, arguments.range_max), arguments.relative_margin)
    inside = files_in(arguments.target) if arguments.queries is None else []
    check_result(arguments.to, [arguments.queries, arguments.qrels, *inside])


def _tell(arguments: argparse.Namespace, mined: Mined, written: int) -> None:
    report = mined.report
    if mined.missing:
        some = ", ".join(map(visible, mined.missing[:5])) + (", …" if len(mined.missing) > 5 else "")
        note(f"{count_of(len(mined.missing), 'answer')} not in the collection, or without a text, left out: {some}")
    fewer = sum(len(row.negatives) < mined.num_negatives for row in mined.rows)
    if arguments.json:
        counts = {"pairs": len(mined.rows) + mined.without, "without": mined.without, "fewer": fewer}
        print_json(
            {
                "file": arguments.to,
                "format": arguments.format,
                "records": written,
                **counts,
                "missing": len(mined.missing),
                "mining": report.to_json(),
            }
        )
        return
    print_line(
        f"{report.candidates:,} candidates looked at; left out: {report.judged:,} answers, {report.same_text:,} with "
        f"an answer's text, {report.margin:,} that score too close to the answer"
    )
    of_pairs = f"{mined.without:,} of {len(mined.rows) + mined.without:,} pairs have no negative"
    kept = "left out" if arguments.format == "n-tuple" else "kept"
    print_line(f"{of_pairs}, {fewer:,} fewer than {mined.num_negatives:,} ({kept})")
    print_line(f"{count_of(written, 'record')} of {arguments.format}: {visible(arguments.to)}")
