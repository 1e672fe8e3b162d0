"""`twofold verify`: reads a whole collection and reports damage."""

from __future__ import annotations

import argparse
import shlex
import time
from typing import TYPE_CHECKING

from twofold.cli.options import Subparsers, command
from twofold.cli.output import count_of, print_json, print_line, visible

if TYPE_CHECKING:
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
        does="verify every checksum of a collection, and name the documents that damage affects",
        examples=("twofold verify wiki.twofold", "twofold verify wiki.twofold --repair"),
    )
    parser.add_argument(
        "collection", metavar="COLLECTION", help="the collection's folder or address; exit status 1 where it is damaged"
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


def run(arguments: argparse.Namespace) -> int:
    """Verifies, and prints what was read and every damage."""
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
