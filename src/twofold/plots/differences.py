"""The differences of two systems: every query's difference, sorted, a panel a system."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from twofold.errors import InputError
from twofold.plots.canvas import COLORS, FAINT, INK, SMALL, TEXT, check_picture, save, sheet, titled
from twofold.tables import Column, Estimate, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 8.0, 3.4
NAMED = 3
"""Queries named at each end."""
WON, LOST = COLORS[0], COLORS[1]


@dataclass(frozen=True, slots=True)
class Panel:
    """One system against another: each query's difference, and the mean with its interval."""

    title: str
    differences: Mapping[str, float]
    mean: float
    low: float
    high: float


def differences(panels: Sequence[Panel], path: str | Path, *, measure: str) -> None:
    """Draws one panel under the other into a .svg, .png or .html file, all on one scale.

    measure: what the differences are of. Raises InputError without panels or queries and for a difference that is not
    finite; what `check_picture` raises.
    """
    if not panels or not all(panel.differences for panel in panels):
        raise InputError("a picture of differences needs at least one system, each with at least one query")
    values = [value for panel in panels for value in panel.differences.values()]
    if not all(map(math.isfinite, values)):
        raise InputError("a difference that is not finite cannot be drawn")
    check_picture(path)
    figure, every = sheet(WIDTH, [HEIGHT] * len(panels))
    reach = 1.15 * max(max(map(abs, values)), 1e-9)
    for axes, panel in zip(every, panels, strict=True):
        axes.set_ylim(-reach, reach)
        _draw(axes, panel, measure)
    save(figure, path, _table(panels, measure))


def _draw(axes: Axes, panel: Panel, measure: str) -> None:
    order = sorted(panel.differences.items(), key=lambda item: (item[1], item[0]))
    values = [value for _, value in order]
    won, lost = sum(value > 0 for value in values), sum(value < 0 for value in values)
    noun = "query" if len(values) == 1 else "queries"
    mean = f"mean {_signed(panel.mean)} [{_signed(panel.low)}, {_signed(panel.high)}]"
    titled(axes, panel.title, f"{mean}; {len(values):,} {noun}: {_counted(won, lost, len(values))}")
    axes.grid(visible=False, axis="x")
    axes.bar(range(len(values)), values, width=1.0, color=[WON if value > 0 else LOST for value in values], linewidth=0)
    axes.axhspan(panel.low, panel.high, color=INK, alpha=0.12, linewidth=0)
    axes.axhline(panel.mean, color=INK, linewidth=1.2)
    axes.axhline(0, color="#bbbbbb", linewidth=0.8)
    axes.set_xlim(-0.5 - 0.01 * len(values), len(values) - 0.5 + 0.01 * len(values))
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.set_ylabel(f"difference of {measure}", fontsize=TEXT, color=FAINT)
    if lost:
        _write(axes, "left", _names("lost", [query for query, value in order[:NAMED] if value < 0]), LOST)
    if won:
        best = [query for query, value in order[::-1][:NAMED] if value > 0]
        _write(axes, "right", _names("won", best), WON)


def _counted(won: int, lost: int, of: int) -> str:
    return f"{lost:,} worse, {of - won - lost:,} the same, {won:,} better"


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", "−")


def _names(what: str, queries: Sequence[str]) -> str:
    return f"{what} most: {', '.join(query if len(query) <= 14 else f'{query[:13]}…' for query in queries)}"


def _write(axes: Axes, side: Literal["left", "right"], text: str, color: str) -> None:
    """A line of text in the corner where the sorted bars never come: above the lost ones, below the won ones."""
    left = side == "left"
    axes.annotate(
        text,
        (0.0, 1.0) if left else (1.0, 0.0),
        xytext=(0, -3 if left else 3),
        xycoords="axes fraction",
        textcoords="offset points",
        ha=side,
        va="top" if left else "bottom",
        fontsize=SMALL,
        color=color,
    )


def _table(panels: Sequence[Panel], measure: str) -> Table:
    columns = (
        Column("comparison"),
        Column(f"difference of {measure}", digits=4),
        Column("queries"),
        Column("better"),
        Column("worse"),
    )
    rows = tuple(
        (
            panel.title,
            Estimate(panel.mean, panel.low, panel.high),
            len(panel.differences),
            sum(value > 0 for value in panel.differences.values()),
            sum(value < 0 for value in panel.differences.values()),
        )
        for panel in panels
    )
    return Table(f"Differences of {measure}, query by query", columns, rows)
