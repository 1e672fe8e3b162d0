"""Quality: a judged collection, indexed with one vector a document and with passages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twofold.bench.surroundings import header
from twofold.collection.opening import create
from twofold.encoders.loading import load_encoder
from twofold.evaluation.evaluating import evaluate
from twofold.passages.sizes import NamedMode
from twofold.progress import Progress, silent
from twofold.protocols import Encoder
from twofold.readers.beir import Beir, read_beir
from twofold.tables import Cell, Column, Estimate, Report, Table

MODES: tuple[NamedMode, ...] = ("none", "auto")
MEASURE = "nDCG@10"


def bench_quality(
    folder: Path, *, split: str = "test", encoder: Encoder | None = None, progress: Progress = silent
) -> Report:
    """nDCG@10 of exact search over a BEIR folder, with one vector a document and with passages.

    encoder: the embedded default where none is given. Raises InputError for a folder or split that is none.
    """
    judged = read_beir(folder, split)
    encoder = encoder or load_encoder()
    rows = [_measured(judged, encoder, mode, progress) for mode in MODES]
    return Report(header(), [_table(judged, encoder, rows)])


def _measured(judged: Beir, encoder: Encoder, mode: NamedMode, progress: Progress) -> tuple[Cell, ...]:
    with create(None, encoder, passages=mode) as collection:
        collection.add(judged.documents(), progress=progress)
        result = evaluate(collection, judged.queries, judged.qrels, measures=[MEASURE])
        info = collection.info()
        measured = result[MEASURE]
        value = Estimate(measured.mean, measured.low, measured.high)
        return (mode, value, result.queries, info.documents, info.passages, info.truncated, info.tokens_cut)


def _table(judged: Beir, encoder: Encoder, rows: Sequence[tuple[Cell, ...]]) -> Table:
    columns = (
        Column("passages"),
        Column(MEASURE, digits=4),
        Column("queries"),
        Column("documents"),
        Column("vectors"),
        Column("documents cut"),
        Column("tokens not covered"),
    )
    notes = (
        f"exact search, {encoder.precision}; the interval is the 95 % bootstrap of the mean over queries",
        "passages none: one vector a document, cut at the encoder's length; auto: windows, the best one counts",
    )
    return Table(f"Quality on {judged.name}, {judged.split}", columns, tuple(rows), notes)
