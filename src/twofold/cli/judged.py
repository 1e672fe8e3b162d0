"""What `twofold evaluate` judges: a collection with files of queries and judgements, or a BEIR folder indexed here."""

from __future__ import annotations

import argparse
import time
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twofold.cli.info import index_as_text
from twofold.cli.options import encoder_for, encoder_of, is_there, open_to_read
from twofold.cli.output import note
from twofold.cli.passage_sizes import passages_of
from twofold.cli.summaries import added_as_text
from twofold.errors import VectorError

if TYPE_CHECKING:
    from twofold.collection.collection import Collection
    from twofold.progress import Progress
    from twofold.protocols import Encoder
    from twofold.rankings import Qrels
    from twofold.readers.beir import Beir
    from twofold.reports import AddReport
    from twofold.scores import Vectors


@dataclass(frozen=True, slots=True)
class Judged:
    """A collection, the queries to ask it, and what is known about the answers; name: what tables call it.

    vectors: (n, dimension), one for each query in their order; None where the collection encodes them.
    """

    name: str
    collection: Collection
    queries: dict[str, str]
    qrels: Qrels
    vectors: Vectors | None = None


def files_in(folder: str) -> list[Path]:
    """Every file below a folder, none of which a result may replace."""
    return [path for path in Path(folder).rglob("*") if path.is_file()]


@contextmanager
def judged_of(arguments: argparse.Namespace) -> Iterator[Judged]:
    """What the command line names, open until the block ends; a BEIR folder is indexed first."""
    if arguments.queries is not None:
        with _with_files(arguments) as judged:
            yield judged
        return
    if is_there(arguments.target):
        arguments.misuse(
            f"{arguments.target} is a collection: give its queries and judgements with --queries and --qrels"
        )
    with folder_indexed(arguments) as judged:
        yield judged


@contextmanager
def _with_files(arguments: argparse.Namespace) -> Iterator[Judged]:
    from twofold.readers.queries import read_queries
    from twofold.readers.trec import read_qrels
    from twofold.readers.vectors import mapped_vectors

    queries, qrels = read_queries(arguments.queries), read_qrels(arguments.qrels)
    vectors = None if arguments.vectors is None else mapped_vectors(arguments.vectors)
    if vectors is not None and len(vectors) != len(queries):
        raise VectorError(
            f"it holds {len(vectors):,} vectors for {len(queries):,} queries; give one vector a query, in their order",
            path=arguments.vectors,
        )
    arguments.collection = arguments.target
    with open_to_read(arguments) as collection:
        yield Judged(collection.path.name, collection, queries, qrels, vectors)


@contextmanager
def folder_indexed(arguments: argparse.Namespace) -> Iterator[Judged]:
    """A BEIR folder, indexed with the encoder that the options name, open until the block ends."""
    from twofold.cli.bars import bar
    from twofold.readers.beir import read_beir

    beir = read_beir(arguments.target, arguments.split)
    start = time.monotonic()
    with bar("Indexing", "documents") as progress:
        collection, report = _indexed(arguments, beir, progress)
    with collection:
        for line in added_as_text(report, time.monotonic() - start, arguments.to or "COLLECTION"):
            note(line)
        for line in index_as_text(report.index, arguments.to or "COLLECTION"):
            note(line)
        yield Judged(f"{beir.name}, {beir.split}", collection, beir.queries, beir.qrels)


def _indexed(arguments: argparse.Namespace, beir: Beir, progress: Progress) -> tuple[Collection, AddReport]:
    """The folder's corpus in the collection that --to names, or in a temporary one."""
    from twofold.collection.building import build
    from twofold.collection.opening import create
    from twofold.contract import USUAL_CONTEXT

    if arguments.to is not None:
        encoder = _encoder(arguments)
        return build(
            beir.documents(),
            arguments.to,
            encoder=encoder,
            passages=passages_of(arguments),
            context=arguments.passage_context,
            progress=progress,
        )
    context = arguments.passage_context or USUAL_CONTEXT
    collection = create(None, encoder_of(arguments), passages=passages_of(arguments) or "auto", context=context)
    try:
        return collection, collection.add(beir.documents(), progress=progress)
    except BaseException:
        collection.close()
        raise


def _encoder(arguments: argparse.Namespace) -> Encoder | None:
    return encoder_for(arguments.to, arguments) if is_there(arguments.to) else encoder_of(arguments)


def names_of(places: Sequence[str], *, whole: Container[str] = ()) -> list[str]:
    """What tables call the systems: the files' names without their endings, or the whole places where two are equal.

    whole: places whose last part has no ending, such as a model's name.
    """
    full = [Path(place).name for place in places]
    names = [name if place in whole else name.split(".")[0] or place for place, name in zip(places, full, strict=True)]
    return next(each for each in (names, full, _numbered(places)) if len(set(each)) == len(each))


def _numbered(places: Sequence[str]) -> list[str]:
    if len(set(places)) == len(places):
        return list(places)
    return [f"{place} ({number})" for number, place in enumerate(places, start=1)]
