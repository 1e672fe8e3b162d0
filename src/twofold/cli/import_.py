"""`twofold import`: another vector store's entries into a collection, with their own vectors."""

from __future__ import annotations

import argparse
import shlex
import time
from typing import TYPE_CHECKING

from twofold.cli.options import Subparsers, add_encoder_options, command, encoder_of, names_encoder, text
from twofold.cli.output import count_of, note, print_json, print_line, visible
from twofold.cli.sources import add_field_options

if TYPE_CHECKING:
    from twofold.collection.importing import ImportReport


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "import",
        run,
        does="import a folder of Chroma, LanceDB, LlamaIndex, or FAISS with JSON, with its own vectors",
        examples=(
            "twofold import chroma-folder --to wiki.twofold --table wiki",
            "twofold import lance-folder --to wiki.twofold --encoder intfloat/e5-small-v2",
        ),
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="a folder of Chroma or LanceDB, of a FAISS index with a .jsonl of its documents in the same order, or "
        "what LlamaIndex persists; pickles are not read",
    )
    parser.add_argument("--to", metavar="COLLECTION", required=True, dest="collection", help="the collection's folder")
    group = parser.add_argument_group("reading")
    group.add_argument("--table", metavar="NAME", type=text, help="the collection or table, where there are several")
    group.add_argument(
        "--vector-column", metavar="NAME", type=text, help="the column of vectors of a LanceDB table with several"
    )
    group.add_argument("--id", metavar="FIELD", type=text, help="the field with the id (default: _id or id)")
    add_field_options(group)
    group.add_argument(
        "--similarity",
        choices=["cosine", "dot"],
        help="how vectors are compared (default: as in SOURCE, or as the encoder does)",
    )
    add_encoder_options(parser, otherwise="none: a question is a vector, or searched lexically")


def run(arguments: argparse.Namespace) -> int:
    """Imports, and says what came along, what did not, and whether rankings survived."""
    from twofold.cli.bars import bar
    from twofold.collection.importing import import_from
    from twofold.readers.fields import Fields

    start = time.monotonic()
    encoder = encoder_of(arguments) if names_encoder(arguments) else None
    with bar("Importing", "documents") as progress:
        report = import_from(
            arguments.source,
            arguments.collection,
            encoder=encoder,
            similarity=arguments.similarity,
            table=arguments.table,
            vector=arguments.vector_column,
            fields=Fields(arguments.id, arguments.title, arguments.text),
            progress=progress,
        )
    seconds = time.monotonic() - start
    if arguments.json:
        print_json({"collection": arguments.collection, **report.to_json(), "seconds": round(seconds, 3)})
        return 0
    for each in report.notes:
        note(each)
    for line in imported_as_text(report, visible(arguments.collection), seconds):
        print_line(line)
    if encoder is None:
        print_line(
            f"texts are searched lexically: `twofold search {shlex.quote(arguments.collection)} QUERY`; "
            "--encoder names the model that made the vectors"
        )
    return 0


def imported_as_text(report: ImportReport, collection: str, seconds: float) -> list[str]:
    """The counts: of the store, what did not come along or otherwise, and what the collection holds."""
    lost = report.left_out.total()
    added = report.added
    told = (
        f"{report.kind} {report.table}: {report.entries - lost:,} of {report.entries:,} entries came along in "
        f"{seconds:,.1f} s ({added.added:,} new, {added.replaced:,} replaced, {added.unchanged:,} unchanged, "
        f"{added.duplicates:,} with an id that came before)"
    )
    lines = [told]
    for counts, said in ((report.left_out, "left out"), (report.changed, "came along")):
        for reason, count in counts.items():
            named = [*report.examples[reason], *(["…"] if count > len(report.examples[reason]) else [])]
            lines.append(f"  {said}: {count:,} {reason} ({', '.join(map(visible, named))})")
    if report.cosine is not None:
        lines.append(f"  the encoder made these vectors: median cosine {report.cosine:.4f} with its own of some texts")
    if (ranking := report.ranking) is not None:
        lines.append(
            f"  rankings: {count_of(ranking.questions, 'stored vector')} asked there and here, overlap@10 "
            f"{ranking.overlap:.4f}, scores differ by at most {ranking.score:.2g} (vectors are stored as float16)"
        )
    return [*lines, f"{collection} holds {count_of(report.documents, 'document')}"]
