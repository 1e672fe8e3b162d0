"""Storing measured: blocks of documents with their syncs counted, and one document at a time beside a bare commit."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path

import numpy as np

from twofold.bench.corpus import BLOCK, Corpus, Watched
from twofold.bench.timing import Seconds, alternating
from twofold.bench.vectors import random_vectors
from twofold.collection.adding import Adding
from twofold.collection.collection import Collection
from twofold.collection.guarding import Encoders
from twofold.collection.opening import create
from twofold.collection.own_vectors import given
from twofold.documents import Document
from twofold.encoders.given_vectors import GivenVectors
from twofold.engines.local.disk import Disk
from twofold.engines.local.engine import Store
from twofold.files import descriptor_of, write_at
from twofold.progress import Progress
from twofold.scores import Vectors

HELD = 50
"""Commits for which a writer holds the lock in one turn."""
LOG = "catalogue.sqlite-wal"
OURS_ALONE, OURS_HELD, BARE = "add, taking the lock", "add, the lock held", "write + fdatasync + SQLite FULL commit"


class CountingDisk(Disk):
    """A disk that counts what it syncs and which steps were reached; it reports the checkpoints."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.counted: Counter[str] = Counter()
        self.resets: set[bytes] = set()
        self._log = folder / LOG

    def reached(self, step: str) -> None:
        """Counts the step; SQLite counts in the head of its log how often that was folded in and begun anew."""
        self.counted[step] += 1
        if step == "committed":
            with self._log.open("rb") as log:
                self.resets.add(log.read(16)[12:])

    def sync(self, descriptor: int, path: str | Path) -> None:
        """Syncs and counts."""
        self.counted["sync"] += 1
        super().sync(descriptor, path)

    def sync_folder(self, path: str | Path) -> None:
        """Syncs and counts."""
        self.counted["sync of a folder"] += 1
        super().sync_folder(path)


@dataclass(frozen=True, slots=True)
class Added:
    """What adding in blocks took and cost.

    syncs: those of the vectors' files and one for each of SQLite's commits. segments: files begun, each of which costs
    the sync of its folder. foldings: checkpoints of the log, two syncs each.
    """

    seconds: float
    documents: int
    blocks: int
    syncs: int
    segments: int
    foldings: int


def add_in_blocks(path: Path, corpus: Corpus, progress: Progress) -> Added:
    """Makes a collection and adds the corpus in blocks of 1,000, as `Collection.add` does with `vectors=`."""
    with create(path, GivenVectors(corpus.dimension)) as made:
        mode = made.settings.passages
    disk = CountingDisk(path)
    documents = Watched(corpus.documents())
    with Store.open(path, disk=disk) as store:
        start = time.perf_counter()
        with store.writing() as writer:
            adding = Adding(
                store, Encoders(store), mode, given(corpus.vectors, GivenVectors(corpus.dimension).contract)
            )
            adding.run(documents, writer, lambda done, _: progress(done, corpus.count))
        taken = time.perf_counter() - start - documents.seconds
    counted = disk.counted
    return Added(
        seconds=taken,
        documents=adding.report.added,
        blocks=-(-adding.report.added // BLOCK),
        syncs=counted["sync"] + counted["committed"],
        segments=counted["segment created"],
        foldings=len(disk.resets) - 1,
    )


def one_at_a_time(folder: Path, corpus: Corpus, rounds: int) -> dict[str, Seconds]:
    """Seconds of each commit of a single document: ours with the lock taken each time or held, and a bare one."""
    documents = _endless(corpus.documents())
    vector = random_vectors(np.random.default_rng(1), 1, corpus.dimension)
    with create(folder / "one.twofold", GivenVectors(corpus.dimension)) as collection, _bare(folder) as commit:

        def held() -> None:
            with collection.writing():
                for _ in range(HELD):
                    start = time.perf_counter()
                    _add(collection, next(documents), vector)
                    taken[OURS_HELD].append(time.perf_counter() - start)

        taken: dict[str, list[float]] = {OURS_HELD: []}
        alternated = alternating(
            {
                BARE: lambda: commit(next(documents), vector),
                OURS_ALONE: lambda: _add(collection, next(documents), vector),
            },
            rounds,
        )
        for _ in range(max(1, rounds // HELD)):
            held()
    return {OURS_ALONE: alternated[OURS_ALONE], OURS_HELD: np.array(taken[OURS_HELD]), BARE: alternated[BARE]}


def _add(collection: Collection, document: Document, vectors: Vectors) -> None:
    collection.add([document], vectors=vectors)


def _endless(documents: Iterator[Document]) -> Iterator[Document]:
    """The documents again and again, each time under new ids."""
    kept = list(islice(documents, 1_000))
    return (replace(kept[number % len(kept)], id=f"single-{number:09}") for number in count())


@contextmanager
def _bare(folder: Path) -> Iterator[Callable[[Document, Vectors], None]]:
    """The least that durability costs: a vector appended and synced, then a row committed with synchronous=FULL."""
    import sqlite3

    file = descriptor_of(folder / "bare.bin", os.O_CREAT | os.O_RDWR)
    with closing(sqlite3.connect(folder / "bare.sqlite", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE documents (number INTEGER PRIMARY KEY, id TEXT, title TEXT, text TEXT)")
        offsets = count()

        def commit(document: Document, vectors: Vectors) -> None:
            content = vectors.astype(np.float16).tobytes()
            write_at(file, content, next(offsets) * len(content))
            getattr(os, "fdatasync", os.fsync)(file)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                "INSERT INTO documents (id, title, text) VALUES (?, ?, ?)",
                (document.id, document.title, document.text),
            )
            connection.execute("COMMIT")

        yield commit
    os.close(file)
