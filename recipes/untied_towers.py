"""Should the towers share weights? SciFact with one set of weights and with one for each side, otherwise alike.

twofold bench training recipes/untied_towers.py --data DATA --to FOLDER
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from twofold.bench.training import COLUMNS, before_and_after, trained
from twofold.progress import Progress
from twofold.tables import Cell, Column, Table
from twofold.training.settings import TOWERS, TrainingSettings

SETTINGS = TrainingSettings(seed=0)


def measured(data: Path, work: Path, progress: Progress) -> Table:
    """Before and after of both on the held-out questions, the same for both; the test split is not looked at."""
    columns = (Column("towers"), *COLUMNS, Column("time", "s", 0))
    rows: list[tuple[Cell, ...]] = []
    for towers in TOWERS:
        # The shared run is that of scifact.py, where it has been made.
        to = work / ("scifact-0" if towers == "shared" else "scifact-untied")
        test = towers == "shared"
        figures = trained(data / "scifact", to, replace(SETTINGS, towers=towers), progress, test=test)
        rows.append((towers, *before_and_after(figures, "dev"), figures["seconds"]))
    return Table("Towers that share weights, and towers that do not: SciFact, held out, nDCG@10", columns, tuple(rows))
