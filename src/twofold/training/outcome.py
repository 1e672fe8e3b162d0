"""The result of a training run: figures before and after, as tables and verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twofold.evaluation.comparison import Comparison
from twofold.tables import Cell, Column, Estimate, Table
from twofold.training.auditing import Audit
from twofold.training.geometry import Geometry
from twofold.training.mining import MiningReport
from twofold.training.ranker_settings import RankerSettings
from twofold.training.settings import TrainingSettings
from twofold.training.trainers import Curve

BEFORE, AFTER, MEASURE = "before", "after", "nDCG@10"
OWN = ("dev", "test")
"""Splits of what was trained on; every other name is that of another collection."""


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """folder: the trained model. counts: queries, pairs and documents. comparisons: by split, before against after.

    geometry: of the dev pairs, before and after; None for a ranker. data: SHA-256 of the training data. seconds:
    of the optimisation. way: what was asked before and after.
    """

    folder: Path
    counts: Mapping[str, int]
    comparisons: Mapping[str, Comparison]
    geometry: tuple[Geometry, Geometry] | None
    audit: Audit
    mining: MiningReport
    curve: Curve
    settings: TrainingSettings | RankerSettings
    data: str
    seconds: float
    way: str = "dense search"

    def tables(self) -> list[Table]:
        """The audit, before and after by split with intervals and the paired test, the geometry of the dev pairs."""
        columns = (
            Column("split"),
            Column("queries"),
            Column(f"{MEASURE} before", digits=4),
            Column("after", digits=4),
            Column("difference", digits=4),
            Column("p", digits=5),
        )
        rows: list[tuple[Cell, ...]] = []
        for name, comparison in self.comparisons.items():
            contrast = comparison.contrasts[0].difference
            sides = [comparison.evaluations[each][MEASURE] for each in (BEFORE, AFTER)]
            cells = [Estimate(each.mean, each.low, each.high) for each in (*sides, contrast)]
            rows.append((name, comparison.evaluations[BEFORE].queries, *cells, comparison.contrasts[0].p))
        notes = (f"{self.way}; 95 % bootstrap intervals over queries; p of the paired randomisation test",)
        shown = [self.audit.table(), Table("Before and after", columns, tuple(rows), notes)]
        if self.geometry is None:
            return shown
        shape = (Column("encoder"), Column("alignment", digits=3), Column("uniformity", digits=3))
        named = zip((BEFORE, AFTER), self.geometry, strict=True)
        shapes = tuple((name, each.alignment, each.uniformity) for name, each in named)
        lower = ("lower is better for both (Wang & Isola 2020)",)
        return [*shown, Table("Geometry of the dev pairs", shape, shapes, lower)]

    def _shapes(self) -> dict[str, Any]:
        return {name: each.to_json() for name, each in zip((BEFORE, AFTER), self.geometry or (), strict=True)}

    def verdicts(self) -> list[str]:
        """A verdict for each split, and the average change on other collections."""
        others = [each.contrasts[0].difference.mean for name, each in self.comparisons.items() if name not in OWN]
        said = [_verdict(name, comparison) for name, comparison in self.comparisons.items()]
        if others:
            said.append(f"other collections: {MEASURE} {sum(others) / len(others):+.4f} on average of {len(others)}")
        return said

    def to_json(self) -> dict[str, Any]:
        """Everything but rankings, as JSON values."""
        return {
            "folder": str(self.folder),
            **self.counts,
            "comparisons": {name: comparison.to_json() for name, comparison in self.comparisons.items()},
            **({} if self.geometry is None else {"geometry": self._shapes()}),
            "audit": self.audit.to_json(),
            "mining": self.mining.to_json(),
            "curve": {"loss": self.curve.loss, "dev": self.curve.dev, "best_step": self.curve.best},
            "settings": self.settings.to_json(),
            "data_sha256": self.data,
            "seconds": round(self.seconds, 1),
        }


def _verdict(name: str, comparison: Comparison) -> str:
    by = comparison.contrasts[0].difference
    gain = f"{by.mean:+.4f} [{by.low:+.4f}, {by.high:+.4f}]"
    if by.low > 0:
        return f"{name}: training helped, {MEASURE} {gain}"
    if by.high < 0:
        return f"{name}: training did harm, {MEASURE} {gain}; keep the base"
    return f"{name}: no gain was shown, the interval of the difference includes zero: {MEASURE} {gain}"
