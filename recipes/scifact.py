"""SciFact: what its 809 training queries teach the embedded default, three seeds, the test split once each.

    twofold bench training recipes/scifact.py --data DATA --to FOLDER

The rate was chosen on a fifth of the training queries, drawn at random (docs/training.md); nothing was chosen on the
test split. Some ten minutes a seed on two cores.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from twofold.bench.training import COLUMNS, before_and_after, trained
from twofold.progress import Progress
from twofold.tables import Cell, Column, Table
from twofold.training.settings import TrainingSettings

SEEDS = (0, 1, 2)


def measured(data: Path, work: Path, progress: Progress) -> Table:
    """Before and after on what was held out and on the test split, by seed, and the means."""
    columns = (Column("seed"), Column("split"), *COLUMNS, Column("time", "s", 0))
    rows: list[tuple[Cell, ...]] = []
    after: dict[str, list[float]] = {"dev": [], "test": []}
    for seed in SEEDS:
        settings = TrainingSettings(seed=seed)
        figures = trained(data / "scifact", work / f"scifact-{seed}", settings, progress, test=True)
        for split, found in after.items():
            cells = before_and_after(figures, split)
            found.append(cells[1])
            rows.append((seed, split, *cells, figures["seconds"]))
    notes = tuple(f"mean of {len(SEEDS)} seeds, {split}: {np.mean(found):.4f}" for split, found in after.items())
    return Table("SciFact, nDCG@10 of dense search", columns, tuple(rows), notes)
