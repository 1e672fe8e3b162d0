"""The cost of a durable store: adding with its syncs counted, opening, verifying, bytes; beside other stores."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twofold.bench.corpus import BLOCK, Corpus, corpus
from twofold.bench.storage_peers import PeerMissingError, Stored, chroma_stored, lancedb_stored
from twofold.bench.storing import BARE, Added, add_in_blocks, one_at_a_time
from twofold.bench.surroundings import header
from twofold.bench.timing import MILLISECONDS, Seconds, percentiles
from twofold.collection.opening import open_collection
from twofold.memory import anonymous_bytes
from twofold.progress import Progress, silent
from twofold.tables import Cell, Column, Report, Table

MEGABYTE, MEBIBYTE = 1e6, 2**20
OWN = {"catalogue", "log", "vectors"}
"""The parts of a collection that are no copy of others."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """What a new process measured. opening, counting: seconds. anonymous: bytes that opening added; None if unknown."""

    opening: float
    counting: float
    anonymous: int | None


def bench_storage(
    data: Path | None = None,
    *,
    count: int = 100_000,
    dimension: int = 384,
    rounds: int = 500,
    progress: Progress = silent,
) -> Report:
    """Stores documents with random vectors, in a temporary folder, and the same ones in LanceDB and Chroma.

    data: a file or folder of documents, otherwise texts of random words. count: how many at most. rounds: commits of a
    single document.
    """
    with tempfile.TemporaryDirectory(prefix="twofold-bench-") as temporary:
        folder = Path(temporary)
        documents = corpus(data, count, dimension, folder)
        path = folder / "bench.twofold"
        added = add_in_blocks(path, documents, progress)
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as new_process:
            opened = new_process.submit(measure_opened, path).result()
        with open_collection(path) as collection:
            parts = dict(collection.info().bytes)
            start = time.perf_counter()
            report = collection.verify()
            verified = report.bytes / (time.perf_counter() - start)
        singles = one_at_a_time(folder, documents, rounds)
        ours = Stored("Twofold", added.seconds, opened.opening, sum(parts[name] for name in OWN))
        peers, missing = _peers(folder, documents)
    return Report(
        header(),
        [
            _table_of_adding(added, documents),
            _table_of_singles(singles),
            _table_of_reading(opened, verified, documents),
            _table_of_stores([ours, *peers], missing, parts, documents),
        ],
    )


def measure_opened(path: Path) -> _Opened:
    """Runs in the new process: opens a collection and reads all of its rows' arrays."""
    before = anonymous_bytes(os.getpid())
    start = time.perf_counter()
    with open_collection(path) as collection:
        opening = time.perf_counter() - start
        with collection.searcher() as searcher:
            rows = len(searcher.snapshot.passages(searcher.snapshot.select()).handles)
        counting = time.perf_counter() - start
        after = anonymous_bytes(os.getpid())
    return _Opened(opening, counting, None if before is None or after is None or not rows else after - before)


def _peers(folder: Path, documents: Corpus) -> tuple[list[Stored], list[str]]:
    found, missing = [], []
    for store in (lancedb_stored, chroma_stored):
        try:
            found.append(store(folder, documents))
        except PeerMissingError as error:
            missing.append(f"{error} is not installed, and left out")
    return found, missing


def _table_of_adding(added: Added, documents: Corpus) -> Table:
    columns = (
        Column("documents"),
        Column("speed", "1/s", 0),
        Column("syncs a block", digits=2),
        Column("new files"),
        Column("log folded in"),
    )
    row: tuple[Cell, ...] = (
        added.documents,
        added.documents / added.seconds,
        added.syncs / added.blocks,
        added.segments,
        added.foldings,
    )
    notes = (
        f"{documents.dimension} numbers a vector, blocks of {BLOCK:,}; making the documents is not timed",
        "a new file costs the sync of its folder, and folding the log into the catalogue two syncs; both counted apart",
    )
    return Table("Adding documents with their own vectors", columns, (row,), notes)


def _table_of_singles(taken: dict[str, Seconds]) -> Table:
    columns = (Column("one document at a time"), *(Column(name, "ms", 3) for name in ("p50", "p95", "p99")))
    bare = float(np.median(taken[BARE]))
    rows = tuple((name, *percentiles(each), float(np.median(each)) / bare) for name, each in taken.items())
    return Table("One document at a time", (*columns, Column("of bare", digits=2)), rows)


def _table_of_reading(opened: _Opened, verified: float, documents: Corpus) -> Table:
    columns = (
        Column("documents"),
        Column("open", "ms", 1),
        Column("open and all rows read", "ms", 1),
        Column("anonymous memory", "MiB", 1),
        Column("verify", "MB/s", 0),
    )
    row: tuple[Cell, ...] = (
        documents.count,
        opened.opening * MILLISECONDS,
        opened.counting * MILLISECONDS,
        None if opened.anonymous is None else opened.anonymous / MEBIBYTE,
        verified / MEGABYTE,
    )
    notes = ("opened in a new process, files in the system's cache; memory is what opening and reading added",)
    return Table("Opening and verifying", columns, (row,), notes)


def _table_of_stores(stores: list[Stored], missing: list[str], parts: dict[str, int], documents: Corpus) -> Table:
    least = documents.bytes()
    columns = (
        Column("store"),
        Column("add", "1/s", 0),
        Column("open", "ms", 1),
        Column("on disk", "MB", 1),
        Column("of the content", digits=3),
    )
    rows = tuple(
        (
            each.name,
            documents.count / each.adding,
            each.opening * MILLISECONDS,
            each.bytes / MEGABYTE,
            each.bytes / least,
        )
        for each in stores
    )
    listed = ", ".join(f"{name} {size / MEGABYTE:,.1f} MB" for name, size in parts.items() if size)
    notes = (
        f"the content is title, text, metadata and a float16 vector a document: {least / MEGABYTE:,.1f} MB",
        f"ours by part: {listed}; catalogue, log and vectors are counted, what is derived is not",
        *missing,
    )
    return Table("The same documents in other stores", columns, rows, notes)
