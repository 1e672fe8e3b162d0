"""`twofold verify`: reads a whole collection and reports damage."""

from __future__ import annotations

import argparse
import shlex
import time
from typing import TYPE_CHECKING

from twofold.cli.options import Subparsers, at_least_one, command
from twofold.cli.output import count_of, print_json, print_line, visible

if TYPE_CHECKING:
    from twofold.collection.differing import Differences
    from twofold.index_report import RecallReport
    from twofold.reports import Damage, VerifyReport

CLEAN, DAMAGED = 0, 1
NAMED = 20
"""Documents that one line names; --json names all of them."""


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "verify",
        run,
        does="verify every checksum of a collection, or compare it with another one",
        examples=("twofold verify wiki.twofold", "twofold verify wiki.twofold --against copy.twofold"),
    )
    parser.add_argument(
        "collection",
        metavar="COLLECTION",
        help="the collection's folder or address; exit status 1 where it is damaged or differs",
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help="rebuild a damaged index from the stored vectors; nothing else changes",
    )
    parser.add_argument(
        "--recall",
        action="store_true",
        help="also ask by the index and exactly, and hold what is found against what `optimize` promised; exit "
        "status 1 where the promise is broken",
    )
    add_comparing_options(parser)
    parser.set_defaults(misuse=parser.error)


def add_comparing_options(parser: argparse.ArgumentParser) -> None:
    """--against, --sample and --queries."""
    group = parser.add_argument_group("comparing")
    group.add_argument(
        "--against",
        metavar="COLLECTION",
        help="compare with this collection instead: ids, documents, vectors, and the first ten of questions by exact "
        "search; exit status 1 where they differ",
    )
    group.add_argument(
        "--sample",
        type=at_least_one,
        metavar="N",
        help="compare the content of N documents drawn at random; default: 10,000; ids are compared of all",
    )
    group.add_argument(
        "--queries",
        metavar="FILE",
        help="ask these queries (.tsv, .jsonl, .csv, or one a line); default: made of titles and openings",
    )


def run(arguments: argparse.Namespace) -> int:
    """Verifies or compares, and prints what was read and every damage or difference."""
    own = [name for name in ("repair", "recall") if getattr(arguments, name)]
    comparing = [name for name in ("sample", "queries") if getattr(arguments, name) is not None]
    if arguments.against is None and comparing:
        arguments.misuse(f"--{comparing[0]} goes with --against COLLECTION")
    if arguments.against is not None:
        if own:
            arguments.misuse(f"--{own[0]} does not go with --against, which compares two collections")
        return compare(arguments)
    from twofold.cli.bars import bar
    from twofold.collection.opening import open_collection

    start = time.monotonic()
    with open_collection(arguments.collection) as collection:
        with bar("Verifying", "lines and vectors") as progress:
            report = collection.verify(progress, repair=arguments.repair)
        seconds = time.monotonic() - start
        recall = collection.recall() if arguments.recall else None
    if arguments.json:
        found = {} if recall is None else {"recall": recall.to_json()}
        print_json({**report.to_json(), "seconds": round(seconds, 3), **found})
    else:
        for line in verified_as_text(report, seconds, visible(arguments.collection)):
            print_line(line)
        for line in () if recall is None else recall_as_text(recall, arguments.collection):
            print_line(line)
    return CLEAN if report.clean and (recall is None or recall.kept) else DAMAGED


def compare(arguments: argparse.Namespace) -> int:
    """Compares, and prints the counts and the first differences."""
    from twofold.cli.bars import bar
    from twofold.collection.differing import SAMPLE
    from twofold.collection.opening import open_collection
    from twofold.readers.queries import read_queries

    queries = None if arguments.queries is None else read_queries(arguments.queries)
    start = time.monotonic()
    with (
        open_collection(arguments.collection) as here,
        open_collection(arguments.against) as there,
        bar("Comparing", "documents") as progress,
    ):
        found = here.differences(there, queries=queries, sample=arguments.sample or SAMPLE, progress=progress)
    if arguments.json:
        print_json({**found.to_json(), "seconds": round(time.monotonic() - start, 3)})
        return CLEAN if found.same else DAMAGED
    for line in compared_as_text(found, shlex.quote(visible(arguments.collection)), visible(arguments.against)):
        print_line(line)
    return CLEAN if found.same else DAMAGED


def compared_as_text(found: Differences, here: str, there: str) -> list[str]:
    """The lines of a comparison: the differences, what was compared, and the rankings."""
    lines = list(found.named)
    more = found.only_here + found.only_there + found.changed + found.moved
    if not found.same:
        lines.append(
            f"{here} and {there} differ: {found.only_here:,} documents are here only, {found.only_there:,} there only, "
            f"{found.changed:,} have another content, {found.moved:,} other vectors or passages"
        )
    else:
        lines.append(f"{here} and {there} hold the same")
    lines.append(
        f"  {count_of(found.documents[0], 'document')} and {count_of(found.passages[0], 'passage')} here; the content "
        f"of {count_of(found.compared, 'document')} compared, numbers of vectors differ by at most {found.vector:.3g}"
    )
    lines += [
        f"  {each.mode}: overlap@10 {each.overlap:.4f} over {count_of(each.questions, 'question')}, scores differ by "
        f"at most {each.score:.3g}"
        for each in found.rankings
    ]
    only_rankings = not found.same and not more and found.documents[0] == found.documents[1]
    if only_rankings and any(each.mode != "dense" and not each.same for each in found.rankings):
        lines.append(
            f"  where only lexical scores differ, deleted documents may count in one: `twofold optimize {here}` takes "
            "them out"
        )
    return lines + [f"  note: {each}" for each in found.notes]


def recall_as_text(recall: RecallReport, collection: str) -> list[str]:
    """The lines about what searches find: whole, with filters, and whether that is what was promised."""
    points = [("all passages", recall.whole), *((f"{share:.1%} of them", point) for share, point in recall.filtered)]
    kept = "kept" if recall.kept else f"BROKEN: run `twofold optimize {shlex.quote(collection)}`"
    return [
        f"index {recall.kind}, {recall.promise:.3f} promised: {kept} ({recall.questions})",
        *(
            f"  among {among}: recall@10 {point.recall:.3f} [{point.low:.3f}, {point.high:.3f}], p50 {point.p50:.2f} ms"
            for among, point in points
        ),
    ]


def verified_as_text(report: VerifyReport, seconds: float, collection: str) -> list[str]:
    """The lines that `verify` prints: a line a damage, and what was read at the end."""
    read = (
        f"{count_of(report.documents, 'document')} (deleted ones too) and {count_of(report.rows, 'vector')} read, "
        f"{report.bytes / 1e6:,.1f} MB in {seconds:,.1f} s"
    )
    lines = [damage_as_text(each) for each in report.damage]
    lost = [each for each in report.damage if not each.derived]
    if not lost:
        lines.append(f"{collection} is {'as it was written' if report.clean else 'intact except for indexes'}: {read}")
        if not report.clean:
            lines.append("An index can be rebuilt, and searches work without it; --repair rebuilds it")
        return lines
    hit = len({identifier for each in lost for identifier in each.documents})
    return [
        *lines,
        f"{collection} is damaged in {count_of(len(lost), 'place')}, {count_of(hit, 'document')} hit: {read}",
        "Restore a backup, or index the documents into a new collection; what is not named above can still be read",
    ]


def damage_as_text(damage: Damage) -> str:
    """One line: where, what, and the documents hit, the first of them by name."""
    ids = damage.documents
    more = f" and {len(ids) - NAMED:,} more (--json names all)" if len(ids) > NAMED else ""
    hit = f" (documents {', '.join(map(visible, ids[:NAMED]))}{more})" if ids else ""
    fate = " (an index: rebuilt)" if damage.repaired else " (an index: nothing is lost)" if damage.derived else ""
    return f"{damage.place}: {visible(damage.message)}{hit}{fate}"
