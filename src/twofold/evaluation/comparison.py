"""The result of a comparison: differences query by query with their tests, as tables, HTML and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

from twofold.evaluation.evaluating import Evaluation, Measured
from twofold.evaluation.significance import ALPHA
from twofold.evaluation.tabling import latency_table, quality_table
from twofold.tables import Column, Estimate, Table

WIDEST = 50
"""Characters of a query's text in a table."""
NAMED = 3
"""Contrasts that the short form names."""
MOVED = 5
"""Queries each way that a printed comparison shows."""


@dataclass(frozen=True, slots=True, repr=False)
class Contrast:
    """One system against the baseline by one measure.

    difference: system minus baseline, its mean with the 95 % bootstrap interval, and each query's. wins, losses, ties:
    queries on which the system is better, worse, equal. p: of the paired randomisation test. corrected: the same, by
    Holm over all contrasts of the comparison. p_t: of the paired t test. effect: Cohen's d of the pairs (None where all
    differences are equal). smallest: the true difference that so many queries would have shown with power 0.8, at the
    level that Holm's correction asks of the first.
    """

    system: str
    measure: str
    difference: Measured
    wins: int
    losses: int
    ties: int
    p: float
    corrected: float
    p_t: float
    effect: float | None
    smallest: float

    @property
    def significant(self) -> bool:
        """Whether the corrected p is below 0.05."""
        return self.corrected < ALPHA

    @property
    def verdict(self) -> str:
        """ "better", "worse", or "not shown"."""
        if not self.significant:
            return "not shown"
        return "better" if self.difference.mean > 0 else "worse"

    def __str__(self) -> str:
        return f"{self.system} {self.verdict}, {self.measure} {self.difference.mean:+.4f} (p {self.corrected:.4f})"

    def __repr__(self) -> str:
        return f"<Contrast: {self}>"

    def moved(self, count: int = MOVED) -> tuple[list[str], list[str]]:
        """The queries that lost most and those that won most, at most `count` of each, furthest first."""
        order = sorted(self.difference.values.items(), key=lambda item: (item[1], item[0]))
        lost = [query for query, value in order[:count] if value < 0]
        won = [query for query, value in order[::-1][:count] if value > 0]
        return lost, won

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values, each query's difference among them."""
        return {
            "system": self.system,
            "measure": self.measure,
            "difference": {"mean": self.difference.mean, "low": self.difference.low, "high": self.difference.high},
            "wins": self.wins,
            "losses": self.losses,
            "ties": self.ties,
            "p": self.p,
            "p_corrected": self.corrected,
            "p_t": self.p_t,
            "effect": self.effect,
            "smallest_difference": self.smallest,
            "verdict": self.verdict,
            "differences": dict(self.difference.values),
        }


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """Systems measured on the same queries, each compared with the baseline; prints as tables, shows as HTML.

    evaluations: by name, the baseline first. contrasts: by measure, then by system.
    """

    baseline: str
    evaluations: Mapping[str, Evaluation]
    contrasts: tuple[Contrast, ...]

    @property
    def worse(self) -> tuple[Contrast, ...]:
        """The contrasts in which a system is worse than the baseline, significantly after correction."""
        return tuple(contrast for contrast in self.contrasts if contrast.verdict == "worse")

    def tables(self, *, moved: int = MOVED, queries: Mapping[str, str] | None = None) -> list[Table]:
        """Quality, latency where it was taken, the tests, and the queries that moved most by the first measure.

        moved: queries each way, 0 for none. queries: id → text, shown beside the ids.
        """
        found = [quality_table(self.evaluations), latency_table(self.evaluations)]
        found += [self._differences(), self._tests()]
        first = [contrast for contrast in self.contrasts if contrast.measure == self.contrasts[0].measure]
        found += [self._moved(contrast, moved, queries or {}) for contrast in first if moved]
        return [table for table in found if table is not None]

    def to_json(self) -> dict[str, Any]:
        """Evaluations and contrasts as JSON values."""
        return {
            "baseline": self.baseline,
            "systems": {name: evaluation.to_json() for name, evaluation in self.evaluations.items()},
            "contrasts": [contrast.to_json() for contrast in self.contrasts],
        }

    def __str__(self) -> str:
        return "\n\n".join(table.to_text() for table in self.tables())

    def __repr__(self) -> str:
        shown = "; ".join(map(str, self.contrasts[:NAMED]))
        more = f"; {len(self.contrasts) - NAMED:,} more" if len(self.contrasts) > NAMED else ""
        queries = self.evaluations[self.baseline].queries
        return f"<Comparison with {self.baseline} over {queries:,} queries: {shown}{more}>"

    def _repr_html_(self) -> str:
        return "\n".join(table.to_html() for table in self.tables())

    def _differences(self) -> Table:
        columns = (
            Column("system"),
            Column("measure"),
            Column("difference", digits=4),
            *(Column(name) for name in ("better", "worse", "same")),
            Column("p, corrected", digits=5),
            Column("verdict"),
        )
        rows = []
        for each in self.contrasts:
            by = each.difference
            counts = (each.wins, each.losses, each.ties)
            difference = Estimate(by.mean, by.low, by.high)
            rows.append((each.system, each.measure, difference, *counts, each.corrected, each.verdict))
        notes = ("means over queries with their 95 % bootstrap intervals; better, worse, same: queries",)
        return Table(f"Against {self.baseline}", columns, tuple(rows), notes)

    def _tests(self) -> Table:
        columns = (
            Column("system"),
            Column("measure"),
            Column("p, randomisation", digits=5),
            Column("p, t test", digits=5),
            Column("effect d", digits=2),
            Column("could show", digits=4),
        )
        rows = tuple(
            (each.system, each.measure, each.p, each.p_t, each.effect, each.smallest) for each in self.contrasts
        )
        tests = f"{len(self.contrasts)} test{'' if len(self.contrasts) == 1 else 's'}"
        notes = (
            f"paired and two-sided; corrected above: the randomisation test's p by Holm's method for {tests}",
            "could show: the true difference that power 0.8 would have shown, correction included; smaller may be real",
        )
        return Table("Tests", columns, rows, notes)

    def _moved(self, contrast: Contrast, count: int, queries: Mapping[str, str]) -> Table | None:
        lost, won = contrast.moved(count)
        before = self.evaluations[self.baseline][contrast.measure].values
        after = self.evaluations[contrast.system][contrast.measure].values
        texts = bool(queries)
        columns = (
            Column("query"),
            *((Column("text"),) if texts else ()),
            Column(self.baseline, digits=4),
            Column(contrast.system, digits=4),
            Column("difference", digits=4),
        )
        rows = tuple(
            (
                query,
                *((shorten(queries.get(query, ""), WIDEST, placeholder="…"),) if texts else ()),
                before[query],
                after[query],
                contrast.difference.values[query],
            )
            for query in (*lost, *won)
        )
        title = f"Queries that moved most: {contrast.measure}, {contrast.system} against {self.baseline}"
        return Table(title, columns, rows) if rows else None
