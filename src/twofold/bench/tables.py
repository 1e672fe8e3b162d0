"""Adding a table beside adding the same documents as dicts: time and memory, each in a new process, in turns."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from twofold.bench.corpus import Corpus, corpus
from twofold.bench.surroundings import header
from twofold.bench.timing import SPREAD_NOTE, seconds, spread
from twofold.collection.opening import create
from twofold.encoders.given_vectors import GivenVectors
from twofold.errors import MissingExtraError
from twofold.memory import PeakMemory, anonymous_bytes
from twofold.progress import Progress, silent
from twofold.tables import Column, Report, Table

MEBIBYTE = 2**20
DICTS, FRAME = "a list of dicts", "a pandas DataFrame"
ADDING = "adding"


@dataclass(frozen=True, slots=True)
class Added:
    """One addition. seconds: of `add`; held: bytes of the process before; peak: the most while adding; None unknown."""

    seconds: float
    held: int | None
    peak: int | None


def bench_tables(*, count: int = 100_000, dimension: int = 64, rounds: int = 5, progress: Progress = silent) -> Report:
    """Adds documents of random words with vectors of their own, as dicts and as a DataFrame, in turns.

    count: how many. dimension: numbers a vector. rounds: additions of each, all into new collections. Raises
    MissingExtraError without pandas.
    """
    try:
        import pandas as pd  # noqa: F401 - the new processes need it
    except ImportError:
        raise MissingExtraError("pandas", "tables") from None
    taken: dict[str, list[Added]] = {DICTS: [], FRAME: []}
    with tempfile.TemporaryDirectory(prefix="twofold-bench-") as folder:
        documents = corpus(None, count, dimension, Path(folder))
        for turn in range(rounds):
            for kind in (DICTS, FRAME) if turn % 2 == 0 else (FRAME, DICTS):
                with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as new_process:
                    path = Path(folder) / f"{kind[2:6].strip()}-{turn}.twofold"
                    taken[kind].append(new_process.submit(measure_added, kind, path, documents).result())
            progress(turn + 1, rounds)
    return Report(header(), [_table(taken, documents)])


def measure_added(kind: str, path: Path, documents: Corpus) -> Added:
    """Runs in the new process: holds the documents in the one way or the other, and adds them."""
    held = _frame(documents) if kind == FRAME else _dicts(documents)
    with create(path, GivenVectors(documents.dimension)) as collection, PeakMemory() as memory:
        before = anonymous_bytes(os.getpid())
        memory.stage(ADDING)
        took = seconds(lambda: collection.add(held, vectors=documents.vectors))
    return Added(took, before, memory.peaks.get(ADDING))


def _dicts(documents: Corpus) -> list[dict[str, Any]]:
    return [{"id": each.id, "title": each.title, "text": each.text, **each.metadata} for each in documents.documents()]


def _frame(documents: Corpus) -> Any:
    import pandas as pd

    columns: dict[str, list[Any]] = {"id": [], "title": [], "text": [], "year": []}
    for each in documents.documents():  # by columns: dicts that are made before would stay in the process's memory
        for name, value in (("id", each.id), ("title", each.title), ("text", each.text), *each.metadata.items()):
            columns[name].append(value)
    return pd.DataFrame(columns)


def _table(taken: dict[str, list[Added]], documents: Corpus) -> Table:
    columns = (
        Column("add of"),
        Column("time", "s", 2),
        Column("of the dicts", digits=3),
        Column("held before", "MiB", 1),
        Column("peak", "MiB", 1),
        Column("of the dicts", digits=3),
        Column("above what was held", "MiB", 1),
    )
    times = {kind: np.array([each.seconds for each in runs]) for kind, runs in taken.items()}
    held = {kind: _mebibytes([each.held for each in runs]) for kind, runs in taken.items()}
    peaks = {kind: _mebibytes([each.peak for each in runs]) for kind, runs in taken.items()}
    rows = tuple(
        (
            kind,
            spread(times[kind]),
            float(np.median(times[kind] / times[DICTS])),
            before,
            peak,
            None if peak is None or (of_dicts := peaks[DICTS]) is None else peak / of_dicts,
            None if peak is None or before is None else peak - before,
        )
        for kind, before, peak in zip(taken, held.values(), peaks.values(), strict=True)
    )
    notes = (
        f"{documents.count:,} documents of random words with vectors of {documents.dimension} numbers",
        f"each time in a new process, in turns; times: {SPREAD_NOTE}, their ratio the median of the rounds",
        "memory is RssAnon, medians, sampled every 20 ms",
    )
    return Table("Adding a table", columns, rows, notes)


def _mebibytes(values: list[int | None]) -> float | None:
    """The median of counts of bytes in MiB; None where the system does not tell them."""
    known = [each for each in values if each is not None]
    return float(np.median(known)) / MEBIBYTE if known else None
