"""Precision: the nDCG@10 that another precision of the same model keeps on judged collections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean

from twofold.bench.surroundings import header
from twofold.collection.opening import create
from twofold.encoders.loading import load_encoder
from twofold.evaluation.comparing import compare
from twofold.evaluation.comparison import Comparison
from twofold.evaluation.evaluating import Evaluation, evaluate_run
from twofold.progress import Progress, silent
from twofold.protocols import Encoder
from twofold.readers.beir import Beir, read_beir
from twofold.tables import Cell, Column, Estimate, Report, Table

BASELINE, MEASURE, DEPTH = "f32", "nDCG@10", 100


def bench_precision(
    folders: Sequence[Path],
    *,
    model: str | None = None,
    precision: str = "int8",
    split: str = "test",
    progress: Progress = silent,
) -> Report:
    """nDCG@10 of exact search by f32 and by another precision, one vector a document, over BEIR folders.

    model: a folder or a hub name, the embedded default without one. Raises InputError for a folder or split that is
    none, ModelError.
    """
    encoders = {BASELINE: load_encoder(model, precision=BASELINE), precision: load_encoder(model, precision=precision)}
    found: dict[str, Comparison] = {}
    for done, folder in enumerate(folders):
        progress(done, len(folders))
        judged = read_beir(folder, split)
        found[judged.name] = compare({name: _measured(judged, each) for name, each in encoders.items()}, judged.qrels)
    return Report(header(), [_table(found, precision, encoders[precision].precision)])


def _measured(judged: Beir, encoder: Encoder) -> Evaluation:
    with create(None, encoder, passages="none") as collection:
        collection.add(judged.documents())
        asked = {query: judged.queries[query] for query in judged.qrels}
        run = collection.run(asked, depth=DEPTH, mode="dense", exact=True)
        return evaluate_run(run, judged.qrels, measures=[MEASURE])


def _table(found: Mapping[str, Comparison], precision: str, ran: str) -> Table:
    columns = (
        Column("collection"),
        Column("queries"),
        Column(f"{MEASURE} of {BASELINE}", digits=4),
        Column(f"{MEASURE} of {precision}", digits=4),
        Column("difference", digits=4),
        Column("kept", "%", 2),
    )
    means = {name: [each[MEASURE].mean for each in one.evaluations.values()] for name, one in found.items()}
    rows: list[tuple[Cell, ...]] = []
    for name, comparison in found.items():
        by = comparison.contrasts[0].difference
        difference = Estimate(by.mean, by.low, by.high)
        rows.append((name, comparison.evaluations[BASELINE].queries, *means[name], difference, _kept(*means[name])))
    first, second = (mean(values) for values in zip(*means.values(), strict=True))
    rows.append(("mean of the collections", None, first, second, second - first, _kept(first, second)))
    notes = (
        f"exact search, one vector a document; {precision} was computed in {ran}",
        "difference: its 95 % bootstrap interval over the queries",
    )
    return Table(f"What {precision} keeps of {BASELINE}", columns, tuple(rows), notes)


def _kept(before: float, after: float) -> float | None:
    """Percent."""
    return 100 * after / before if before else None
