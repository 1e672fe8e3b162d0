"""The walkthrough of why there are two towers: quoted figures and measured ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from twofold.bench.cross_encoders import RandomHead
from twofold.bench.search import QUERIES, docstrings
from twofold.bench.stage_quality import Stages, stage_quality
from twofold.bench.surroundings import header
from twofold.bench.texts import spaced
from twofold.bench.timing import MILLISECONDS, Seconds, alternating, latencies, percentiles
from twofold.bench.vectors import bench_vectors
from twofold.collection.collection import Collection
from twofold.collection.opening import open_collection
from twofold.documents import titled
from twofold.memory import anonymous_bytes
from twofold.progress import Progress, silent
from twofold.protocols import PairRanker
from twofold.rankers.cross_encoder import load_cross_encoder
from twofold.readers.queries import read_queries
from twofold.tables import Cell, Column, Report, Table

SAMPLE = 128
BATCH = 32
"""Pairs that a cross-encoder reads at a time."""
ROUNDS = 3
ASKED = 100
COUNT = 1_000_000
QUOTED = {"pair": 25.0, "all pairs": 7 * 3600.0, "encoding": 25.0, "look-up": 5.0, "total": 30.0}
"""What is quoted for a million documents: milliseconds, and the seconds of all pairs (docs/benchmarks.md)."""
QUOTED_BYTES, QUOTED_BY_LOOK_UP, QUOTED_IN_ALL = 2e9, 5_000_000.0, 833_000.0
"""A million vectors of 1,024 numbers in float16; the speed-up over the look-up alone, and with encoding."""


@dataclass(frozen=True, slots=True)
class _Asking:
    """Seconds of single questions, and of a pair."""

    encoding: Seconds
    looking: Seconds
    total: Seconds
    pair: float


def bench_walkthrough(
    collection: Path | None = None,
    *,
    queries: Path | None = None,
    cross_encoder: Path | None = None,
    judged: Path | None = None,
    dimension: int | None = None,
    progress: Progress = silent,
) -> Report:
    """The walkthrough over a collection's folder; without one, over the docstrings of the standard library.

    queries: a file of questions that fit the collection. cross_encoder: a model's folder; without one the encoder's own
    architecture with a random head is timed. judged: a BEIR folder for the quality of each. dimension: also a million
    random vectors of so many numbers, for bytes and look-up.
    """
    texts = QUERIES if queries is None else tuple(islice(read_queries(queries).values(), ASKED))
    opened = docstrings(None, progress) if collection is None else open_collection(collection)
    with opened as subject:
        scorer = None if cross_encoder is None else load_cross_encoder(cross_encoder)
        tables = [walkthrough(subject, texts, scorer)]
        if judged is not None:
            stages = Stages(() if scorer is None else (scorer,))
            tables.append(stage_quality(judged, subject.encoder, stages, progress=progress))
    if dimension is not None:
        random = bench_vectors(count=COUNT, dimension=dimension, progress=progress)
        tables += random.tables
    return Report(header(), tables)


def walkthrough(collection: Collection, queries: tuple[str, ...] = QUERIES, scorer: PairRanker | None = None) -> Table:
    """What encoding, asking and storing cost here, and what scoring every pair would cost. Takes a few seconds.

    scorer: a cross-encoder; without one the collection's own encoder runs over query and passage joined, with a random
    head: the same layers, runtime and precision, so its cost is real and its scores are not. A batch of real pairs is
    timed and the rest is extrapolated.
    """
    info = collection.info()
    texts = _texts(collection)
    scored = scorer or RandomHead(collection.encoder)
    pairs = [(queries[place % len(queries)], text) for place, text in enumerate(spaced(texts, BATCH))]
    encode, score = partial(collection.encoder.encode_documents, texts), partial(scored.pair_scores, pairs)
    once = alternating({"passages": encode, "pairs": score}, ROUNDS)
    asking = _asking(collection, queries, float(np.median(once["pairs"])) / len(pairs))
    passages_a_second = len(texts) / float(np.median(once["passages"]))
    rows = _rows(asking, info.passages, passages_a_second, sum(info.bytes.values()))
    columns = (
        Column("what"),
        Column("quoted", digits=1),
        *(Column(name, digits=1) for name in ("here, p50", "p95", "p99")),
        Column("unit"),
    )
    notes = (
        f"the cross-encoder: {scored.name}; {len(pairs)} real pairs, {BATCH} at a time",
        f"extrapolated: from what was timed to {info.passages:,} passages",
        f"quoted: for 1,000,000 documents; here {info.documents:,}, {info.contract.dimension} numbers a vector",
        "5,000,000 divides by the look-up alone; with the query's encoding it is 833,000",
    )
    return Table("Two towers and a cross-encoder", columns, rows, notes)


def _asking(collection: Collection, queries: tuple[str, ...], pair: float) -> _Asking:
    vectors = list(collection.encoder.encode_queries(queries))
    rounds = max(1, ASKED // len(queries))
    with collection.searcher() as searcher:
        turns: Mapping[str, tuple[Callable[..., object], object]] = {
            "encoding": (lambda text: collection.encoder.encode_queries([text]), queries),
            "look-up": (searcher.search, vectors),
            "total": (partial(searcher.search, mode="dense"), queries),
        }
        taken = latencies(turns, rounds)  # type: ignore[arg-type]  # what is called fits its items
    return _Asking(taken["encoding"], taken["look-up"], taken["total"], pair)


def _rows(asking: _Asking, passages: int, passages_a_second: float, stored: int) -> tuple[tuple[Cell, ...], ...]:
    every_pair = asking.pair * passages
    held = anonymous_bytes(os.getpid())
    total, looking = float(np.median(asking.total)), float(np.median(asking.looking))
    return (
        ("a cross-encoder reads one pair", QUOTED["pair"], asking.pair * MILLISECONDS, None, None, "ms"),
        ("… all pairs (extrapolated)", QUOTED["all pairs"], every_pair, None, None, "s"),
        ("passages encoded (extrapolated)", None, passages / passages_a_second, None, None, "s"),
        ("one query encoded", QUOTED["encoding"], *percentiles(asking.encoding), "ms"),
        ("looked up", QUOTED["look-up"], *percentiles(asking.looking), "ms"),
        ("text in, hits out", QUOTED["total"], *percentiles(asking.total), "ms"),
        ("held in memory", QUOTED_BYTES / 1e6, None if held is None else held / 1e6, None, None, "MB"),
        ("kept on disk, all parts", None, stored / 1e6, None, None, "MB"),
        ("times faster, by the look-up alone", QUOTED_BY_LOOK_UP, every_pair / looking, None, None, "times"),
        ("times faster, in all", QUOTED_IN_ALL, every_pair / total, None, None, "times"),
    )


def _texts(collection: Collection) -> list[str]:
    """Evenly spaced passages as they were encoded: title, a space, passage."""
    with collection.searcher() as searcher:
        snapshot = searcher.snapshot
        numbers = snapshot.select()
        everything = snapshot.passages(numbers)
        chosen = slice(None, None, max(1, len(everything.handles) // SAMPLE))
        documents = snapshot.documents(numbers[everything.owners[chosen][:SAMPLE]])
        spans = everything.spans[chosen][:SAMPLE].tolist()
    parts = zip(documents, spans, strict=True)
    return [titled(document.title, document.text[start:end]) for document, (start, end) in parts]
