"""MedQuAD: trained on one part of its questions, measured on the collection of the other, and what was forgotten.

    twofold bench training recipes/medquad.py --data DATA --to FOLDER

The training pairs share no answer with the collection. Five others say what the encoder lost elsewhere.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from twofold.bench.training import COLUMNS, before_and_after, trained
from twofold.progress import Progress
from twofold.tables import Column, Table
from twofold.training.settings import TrainingSettings

OTHERS = ("cacm", "cranfield", "nfcorpus", "powershell", "trecqa-wang")
SETTINGS = TrainingSettings(epochs=1, pairs=2000)


def measured(data: Path, work: Path, progress: Progress) -> Table:
    """Before and after on the collection that was meant, and on five that were not."""
    also = [data / name for name in ("medquad", *OTHERS)]
    figures = trained(data / "pairs" / "medquad-train.jsonl.xz", work / "medquad", SETTINGS, progress, also=also)
    found = {name: before_and_after(figures, name) for name in ("medquad", *OTHERS)}
    forgotten = np.mean([found[name][1] - found[name][0] for name in OTHERS])
    notes = (
        f"{figures['training_queries']:,} training questions, {figures['seconds']:,.0f} s",
        f"mean difference on the five others: {forgotten:+.4f}",
    )
    rows = tuple((name, *cells) for name, cells in found.items())
    return Table("MedQuAD, nDCG@10 of dense search", (Column("collection"), *COLUMNS), rows, notes)
