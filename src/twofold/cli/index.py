"""`twofold index`: documents into a collection, created if there is none; run again, it goes on."""

from __future__ import annotations

import argparse
import shlex
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from twofold.cli.info import index_as_text
from twofold.cli.options import (
    Subparsers,
    add_encoder_options,
    command,
    encoder_for,
    encoder_of,
    is_there,
    names_encoder,
    text,
)
from twofold.cli.output import count_of, note, print_json, print_line, say
from twofold.cli.passage_sizes import add_passage_options, passages_of
from twofold.cli.sources import add_reader_options, counted_anyway, documents_of, total_of
from twofold.cli.summaries import added_as_text, left_out_as_json, left_out_as_text, skipped_as_text
from twofold.cli.token_options import add_token_options, tokens_of
from twofold.cli.waiting import add_wait_option, waited
from twofold.errors import NotACollectionError

if TYPE_CHECKING:
    from twofold.protocols import Encoder
    from twofold.reports import AddReport, ReadReport

INTERRUPTED = 130


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "index",
        run,
        does="add documents to a collection, which is created if it does not exist",
        examples=(
            "twofold index articles.jsonl --to wiki.twofold",
            "twofold index books.csv --to books.twofold --id isbn --text summary --types year=int",
        ),
    )
    add_reader_options(parser)
    parser.add_argument(
        "--to", metavar="COLLECTION", required=True, dest="collection", help="the collection's folder or address"
    )
    add_vectors_option(parser)
    add_wait_option(parser)
    made = parser.add_argument_group("a new collection")
    add_passage_options(made)
    made.add_argument("--depth", type=int, metavar="N", help="length of a ranking, unless a search sets its own (200)")
    made.add_argument(
        "--analyser",
        metavar="NAME",
        type=text,
        help="how texts become terms for lexical search: a language, plain or ngram (told from the first texts)",
    )
    add_token_options(parser.add_argument_group("token vectors"))
    add_encoder_options(parser)
    parser.set_defaults(misuse=parser.error)


def add_vectors_option(parser: argparse.ArgumentParser) -> None:
    """--vectors X.npy."""
    parser.add_argument(
        "--vectors",
        metavar="X.npy",
        help="your own vectors, one a document in the same order, or the Parquet file of an export; nothing is encoded",
    )


def run(arguments: argparse.Namespace) -> int:
    """Indexes everything and says what became of it."""
    passages_of(arguments)  # a wrong usage is told before a model is loaded
    tokens_of(arguments)
    return fill(arguments, _encoder(arguments))


def fill(arguments: argparse.Namespace, encoder: Encoder | None) -> int:
    """Adds all DATA to the collection and prints the summary; after Ctrl-C says what is in and how to go on."""
    from twofold.cli.bars import bar
    from twofold.collection.building import build
    from twofold.reports import ReadReport

    reading = ReadReport()
    try:
        total, wait = total_of(arguments), waited(arguments)
        start = time.monotonic()
        what = "Indexing" if arguments.vectors is None else "Adding"
        with bar(what, "documents", total, asked=partial(counted_anyway, arguments)) as progress:
            collection, report = build(
                documents_of(arguments, reading),
                arguments.collection,
                encoder=encoder,
                passages=passages_of(arguments) if "passages" in arguments else None,
                context=getattr(arguments, "passage_context", None),
                depth=getattr(arguments, "depth", None),
                analyser=getattr(arguments, "analyser", None),
                token_vectors=tokens_of(arguments) if "token_vectors" in arguments else None,
                vectors=arguments.vectors,
                wait=wait,
                progress=progress,
            )
    except KeyboardInterrupt:
        return _interrupted(arguments)
    with collection:
        filled = Filled(reading, report, time.monotonic() - start, len(collection))
    tell(arguments, filled)
    return 0


def _encoder(arguments: argparse.Namespace) -> Encoder | None:
    """The encoder that was named or that a new collection needs; None leaves it to the collection that is there."""
    if is_there(arguments.collection):
        return encoder_for(arguments.collection, arguments)
    if arguments.vectors is not None and not names_encoder(arguments):
        return _for_vectors(arguments.vectors)
    return encoder_of(arguments)


def _for_vectors(path: str) -> Encoder:
    """The encoder of a collection whose vectors the user brings: it knows their dimension and encodes nothing."""
    from twofold.encoders.given_vectors import GivenVectors
    from twofold.readers.exported import ExportedVectors, is_exported
    from twofold.readers.vectors import mapped_vectors

    if is_exported(path):
        exported = ExportedVectors.of(path)
        return GivenVectors(exported.dimension, similarity=exported.similarity)
    return GivenVectors(mapped_vectors(path).shape[1])


@dataclass(frozen=True, slots=True)
class Filled:
    """What filling a collection did. documents: those in it now."""

    reading: ReadReport
    report: AddReport
    seconds: float
    documents: int


def tell(arguments: argparse.Namespace, filled: Filled) -> None:
    """Prints what became of all records."""
    reading, report = filled.reading, filled.report
    for line in (*left_out_as_text(reading), *reading.notes):
        note(line)
    if report.unsuited:
        note(f"{report.unsuited}; `twofold models` says more")
    if arguments.json:
        skipped = {"skipped": reading.skipped, "reasons": list(reading.reasons), "left_out": left_out_as_json(reading)}
        skipped |= {"unread": reading.unread, "notes": reading.notes}
        summary = {
            "collection": arguments.collection,
            "documents": filled.documents,
            "seconds": round(filled.seconds, 3),
        }
        print_json({**summary, **report.to_json(), **skipped})
        return
    given = arguments.vectors is not None
    for line in skipped_as_text(reading) + added_as_text(report, filled.seconds, arguments.collection, given=given):
        print_line(line)
    for line in index_as_text(report.index, arguments.collection):
        print_line(line)
    print_line(f"{arguments.collection} holds {count_of(filled.documents, 'document')}")


def _interrupted(arguments: argparse.Namespace) -> int:
    """Says how many documents are in and safe, and how to go on."""
    from twofold.collection.opening import open_collection

    try:
        with open_collection(arguments.collection) as collection:
            inside = len(collection)
    except NotACollectionError:
        inside = 0
    say(f"twofold: interrupted; {count_of(inside, 'document')} stored in {arguments.collection}")
    say(f"to continue, run the same command again: twofold {shlex.join(arguments.command_line)}")
    return INTERRUPTED
