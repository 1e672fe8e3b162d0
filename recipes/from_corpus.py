"""Corpora alone: what titles, headings and sentences of a collection teach, measured by people's questions.

    twofold bench training recipes/from_corpus.py --data DATA --to FOLDER

No judgement is used for training; the test splits say whether it helped.
"""

from __future__ import annotations

from pathlib import Path

from twofold.bench.training import COLUMNS, before_and_after, trained
from twofold.progress import Progress
from twofold.tables import Cell, Column, Table
from twofold.training.settings import TrainingSettings

COLLECTIONS = ("cacm", "cranfield", "medquad", "nfcorpus", "scifact", "trecqa-wang")
SETTINGS = TrainingSettings(epochs=1, pairs=1000)


def measured(data: Path, work: Path, progress: Progress) -> Table:
    """Before and after by collection, with the verdict of the interval."""
    columns = (Column("collection"), Column("pairs"), *COLUMNS, Column("verdict"), Column("time", "s", 0))
    rows: list[tuple[Cell, ...]] = []
    for name in COLLECTIONS:
        to = work / f"corpus-{name}"
        figures = trained(data / name, to, SETTINGS, progress, from_corpus=True, test=True)
        cells = before_and_after(figures, "test")
        said = "helped" if cells[2].low > 0 else "harmed" if cells[2].high < 0 else "no gain shown"
        rows.append((name, figures["training_pairs"], *cells, said, figures["seconds"]))
    return Table("From the corpus alone, nDCG@10 of dense search", columns, tuple(rows))
