"""A collection opened in a new process and asked once: milliseconds, and memory beside the libraries."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from twofold.bench.timing import MILLISECONDS
from twofold.collection.opening import create, open_collection
from twofold.encoders.hashed_words import HashedWords
from twofold.encoders.loading import load_source
from twofold.memory import anonymous_bytes
from twofold.scores import Vectors
from twofold.searching.hybrid import SearchMode

MEGABYTE = 1e6
WARMED = 64
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Opened:
    """milliseconds: of opening and the first answer together. megabytes: of anonymous memory; None if unknown."""

    milliseconds: float
    megabytes: float | None


def in_new_process(work: Callable[..., Result], *arguments: object) -> Result:
    """What the work gives, done in a process that is spawned for it."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as new_process:
        return new_process.submit(work, *arguments).result()


def opened(path: Path, mode: SearchMode, query: str | Vectors) -> Opened:
    """Runs in the new process: opens the collection and asks it once.

    Before that, libraries are loaded by a small collection, and the encoder, if a text is asked, by a text.
    """
    with create(None, HashedWords(8)) as small:
        small.add((f"d{number}", f"word{number} other{number % 7}") for number in range(WARMED))
        small.tune()
        small.optimize(index="hnsw")
        small.search("word1")
    encoder = None
    if isinstance(query, str):
        with open_collection(path) as collection:
            encoder = load_source(collection.encoder.source)
        encoder.encode_queries([query])
    before = anonymous_bytes(os.getpid())
    start = time.perf_counter()
    with open_collection(path, encoder) as collection:
        collection.search(query, mode=mode)
        taken = time.perf_counter() - start
        after = anonymous_bytes(os.getpid())
    growth = None if before is None or after is None else (after - before) / MEGABYTE
    return Opened(taken * MILLISECONDS, growth)
