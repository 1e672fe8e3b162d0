"""What indexing a corpus costs: documents a second, memory, and what a second run over the same corpus takes."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from twofold.bench.surroundings import header
from twofold.bench.texts import documents_of, name_of
from twofold.collection.building import build
from twofold.collection.information import Info
from twofold.encoders.loading import load_encoder
from twofold.memory import PeakMemory
from twofold.progress import Progress, silent
from twofold.protocols import Encoder
from twofold.reports import AddReport
from twofold.tables import Column, Report, Table

EARLY_PART = 0.3
"""Of 100,000 documents the first 30,000: what memory has not reached by then, it should not reach later."""
EARLY, LATE, AGAIN = "early", "late", "again"
MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class _Run:
    """One indexing: how long it took, what it did, what came out."""

    seconds: float
    report: AddReport
    info: Info


def bench_indexing(
    data: Path | None = None,
    *,
    limit: int | None = None,
    encoder: Encoder | None = None,
    progress: Progress = silent,
) -> Report:
    """Indexes a corpus into a temporary collection twice, with memory sampled all the while.

    data: a file or folder; without it, docstrings. limit: only its first documents. encoder: the embedded default.
    """
    whole = sum(1 for _ in islice(documents_of(data), limit))
    with tempfile.TemporaryDirectory(prefix="twofold-bench-") as folder, PeakMemory() as memory:
        memory.stage(EARLY)

        def told(done: int, total: int | None) -> None:  # noqa: ARG001 - the whole was counted before
            memory.stage(EARLY if done < EARLY_PART * whole else LATE)
            progress(done, whole)

        path = Path(folder) / "bench.twofold"
        encoder = encoder or load_encoder()
        first = _run(data, limit, path, encoder, told)
        memory.stage(AGAIN)
        again = _run(data, limit, path, None, silent)
    return Report(header(), [_speed(name_of(data), first, again), _memory(memory.peaks, whole)])


def _run(data: Path | None, limit: int | None, path: Path, encoder: Encoder | None, progress: Progress) -> _Run:
    start = time.perf_counter()
    collection, report = build(islice(documents_of(data), limit), path, encoder=encoder, progress=progress)
    taken = time.perf_counter() - start
    with collection:
        return _Run(taken, report, collection.info())


def _speed(what: str, first: _Run, again: _Run) -> Table:
    columns = (
        Column("run"),
        Column("time", "s", 2),
        Column("documents", "1/s", 1),
        Column("documents"),
        Column("passages encoded"),
        Column("unchanged"),
        Column("times faster", digits=1),
    )
    rows = tuple(
        (
            name,
            run.seconds,
            run.report.documents / run.seconds,
            run.report.documents,
            run.report.passages,
            run.report.unchanged,
            first.seconds / run.seconds,
        )
        for name, run in (("first", first), ("again, nothing changed", again))
    )
    stored = sum(first.info.bytes.values())
    notes = (
        f"{what}; passages of {first.info.passage_mode} mode, {first.info.precision}",
        f"{stored / 2**20:,.1f} MiB on disk, {stored / max(first.info.documents, 1):,.0f} bytes a document",
    )
    return Table("Indexing", columns, rows, notes)


def _memory(peaks: dict[str, int], total: int) -> Table:
    columns = (Column("while"), Column("peak", "MiB", 1), Column("of the early peak", digits=3))
    turn = int(EARLY_PART * total)
    named = {
        EARLY: f"documents up to {turn:,}",
        LATE: f"documents {turn:,} to {total:,}",
        AGAIN: "again, nothing changed",
    }
    early = peaks.get(EARLY)
    rows = tuple(
        (
            what,
            peaks[stage] / MEBIBYTE if stage in peaks else None,
            peaks[stage] / early if stage in peaks and early else None,
        )
        for stage, what in named.items()
    )
    notes = ("RssAnon of this process and its children, sampled every 20 ms",)
    if not peaks:
        notes = ("this system does not tell anonymous memory",)
    return Table("Anonymous memory while indexing", columns, rows, notes)
