"""The classic walkthrough of why there are two towers, measured on a collection at hand."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from twofold.bench.search import QUERIES, docstrings
from twofold.bench.surroundings import header
from twofold.bench.texts import spaced
from twofold.bench.timing import MILLISECONDS, alternating, seconds
from twofold.collection.collection import Collection
from twofold.collection.opening import open_collection
from twofold.progress import Progress, silent
from twofold.tables import Cell, Column, Report, Table

SAMPLE = 128
PAIRS = 24
ROUNDS = 3
SEED = 0


def bench_walkthrough(collection: Path | None = None, *, progress: Progress = silent) -> Report:
    """The walkthrough over a collection's folder; without one, over the docstrings of the standard library."""
    opened = docstrings(None, progress) if collection is None else open_collection(collection)
    with opened as subject:
        return Report(header(), [walkthrough(subject)])


def walkthrough(collection: Collection) -> Table:
    """What encoding, asking and storing cost here, and what scoring every pair would cost. Takes about two seconds.

    The cross-encoder is the collection's own encoder run over query and passage joined, with a random scoring head:
    the same architecture and size, only the cost means anything. A few pairs are timed and the rest is extrapolated.
    """
    encoder = collection.encoder
    texts = _texts(collection)
    vectors = encoder.encode_queries(QUERIES)
    info = collection.info()
    pairs = [f"{QUERIES[place % len(QUERIES)]} {text}" for place, text in enumerate(spaced(texts, PAIRS))]
    head = np.random.default_rng(SEED).standard_normal(info.contract.dimension).astype(np.float32)
    once = alternating(
        {
            "passages": lambda: encoder.encode_documents(texts),
            "pairs": lambda: encoder.encode_documents(pairs) @ head,
        },
        ROUNDS,
    )
    encoding = float(np.median([seconds(partial(encoder.encode_queries, [query])) for query in QUERIES]))
    looking = float(np.median([seconds(partial(collection.search, vector)) for vector in vectors]))
    passages_a_second = len(texts) / float(np.median(once["passages"]))
    pair = float(np.median(once["pairs"])) / len(pairs)
    every_pair = pair * info.passages
    rows: tuple[tuple[Cell, ...], ...] = (
        ("passages encoded, once", passages_a_second, "a second"),
        ("one query encoded", encoding * MILLISECONDS, "ms"),
        (f"looked up among {info.passages:,} passages", looking * MILLISECONDS, "ms"),
        ("kept on disk", sum(info.bytes.values()) / max(info.documents, 1), "bytes a document"),
        ("a cross-encoder of the same size: one pair", pair * MILLISECONDS, "ms"),
        ("… every pair, for one query (extrapolated)", every_pair, "s"),
        ("… times what two towers take for a query", every_pair / (encoding + looking), "times"),
    )
    notes = (
        "the cross-encoder has the encoder's architecture and a random scoring head: its cost is real, its scores not",
        f"{len(pairs)} pairs were timed; every pair is that times {info.passages:,} passages",
    )
    return Table("Two towers", (Column("what"), Column("here", digits=1), Column("unit")), rows, notes)


def _texts(collection: Collection) -> list[str]:
    """Evenly spaced passages as they were encoded: title, a space, passage."""
    with collection.searcher() as searcher:
        snapshot = searcher.snapshot
        rows = np.flatnonzero(snapshot.passing(None)).astype(np.int64)
        rows = rows[:: max(1, len(rows) // SAMPLE)][:SAMPLE]
        documents = snapshot.documents(snapshot.documents_of(rows))
        spans = snapshot.spans(rows).tolist()
    parts = zip(documents, spans, strict=True)
    return [f"{document.title} {document.text[start:end]}".strip() for document, (start, end) in parts]
