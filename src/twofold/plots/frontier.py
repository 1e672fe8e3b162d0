"""Quality against cost: one dot a system or setting, and which of them nothing else beats on both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twofold.errors import InputError
from twofold.plots.canvas import COLORS, FAINT, TEXT, check_picture, save, sheet, titled
from twofold.plots.labels import Label, write_labels
from twofold.tables import Column, Estimate, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 8.0, 5.0


@dataclass(frozen=True, slots=True)
class Point:
    """The cost and the quality of one system or setting.

    x: the cost, smaller is better. y: the quality, higher is better; low, high: its interval. series: points of one
    series share a colour and are joined in the order of x. label: written beside the point.
    """

    x: float
    y: float
    series: str
    label: str = ""
    low: float | None = None
    high: float | None = None


def frontier(points: Sequence[Point], path: str | Path, *, title: str, x: str, y: str, log: bool = True) -> None:
    """Draws points into a .svg, .png or .html file; filled ones lie on the frontier, hollow ones are beaten on both.

    title, x, y: what is written above and beside the axes, units included. log: whether x is on a logarithmic axis.
    Raises InputError without points, for a number that is not finite, and for an x of 0 or less on a logarithmic axis;
    what `check_picture` raises.
    """
    _check(points, log)
    check_picture(path)
    figure, (axes,) = sheet(WIDTH, [HEIGHT])
    best = unbeaten(points)
    below = "" if len(best) == len(points) else "filled: nothing here is both cheaper and better"
    titled(axes, title, below)
    axes.set_xlabel(x, fontsize=TEXT, color=FAINT)
    axes.set_ylabel(y, fontsize=TEXT, color=FAINT)
    if log:
        axes.set_xscale("log")
    series = list(dict.fromkeys(point.series for point in points))
    colors = {name: COLORS[place % len(COLORS)] for place, name in enumerate(series)}
    for name in series:
        _draw(axes, sorted((each for each in points if each.series == name), key=_x), colors[name], best)
    _limits(axes, points, log)
    write_labels(axes, _labels(points, colors), [(point.x, point.y) for point in points])
    save(figure, path, _table(points, title, x, y))


def unbeaten(points: Sequence[Point]) -> set[Point]:
    """The points that no other beats: none is at least as good in both and better in one."""
    return {
        point
        for point in points
        if not any(
            other.x <= point.x and other.y >= point.y and (other.x, other.y) != (point.x, point.y) for other in points
        )
    }


def _x(point: Point) -> float:
    return point.x


def _check(points: Sequence[Point], log: bool) -> None:
    if not points:
        raise InputError("a picture needs at least one point")
    for point in points:
        if not (math.isfinite(point.x) and math.isfinite(point.y)):
            raise InputError(f"a point needs finite numbers: {point}")
        if log and point.x <= 0:
            raise InputError(f"a logarithmic axis has no place for x={point.x}: {point}")


def _draw(axes: Axes, points: Sequence[Point], color: str, best: set[Point]) -> None:
    axes.plot([point.x for point in points], [point.y for point in points], color=color, linewidth=1.2, alpha=0.55)
    for point in points:
        if point.low is not None and point.high is not None:
            axes.plot([point.x, point.x], [point.low, point.high], color=color, linewidth=1.2, alpha=0.8)
        fill = color if point in best else "white"
        axes.plot([point.x], [point.y], "o", markersize=7, color=color, markerfacecolor=fill, markeredgewidth=1.5)


def _limits(axes: Axes, points: Sequence[Point], log: bool) -> None:
    """Room at the sides for labels, and a number on the axis wherever the points lie."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = min(map(_x, points)), max(map(_x, points))
    if log:
        stretch = max((high / low) ** 0.12, 1.35)
        axes.set_xlim(low / stretch, high * stretch)
        within_two_decades = high / low * stretch**2 < 100
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if within_two_decades else (1,)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        stretch = 0.12 * (high - low) or abs(high) or 1.0
        axes.set_xlim(low - stretch, high + stretch)
    axes.margins(y=0.12)


def _labels(points: Sequence[Point], colors: dict[str, str]) -> list[Label]:
    """The name of each series at its rightmost point, then what single points are called."""
    last = {point.series: point for point in sorted(points, key=_x)}
    names = [
        Label(point.x, point.y, f"{name}  {point.label}" if point.label else name, colors[name], bold=True)
        for name, point in last.items()
    ]
    others = [
        Label(point.x, point.y, point.label, FAINT) for point in points if point.label and point not in last.values()
    ]
    return names + others


def _table(points: Sequence[Point], title: str, x: str, y: str) -> Table:
    columns = (Column("system"), Column("setting"), Column(x, digits=3), Column(y, digits=4))
    rows = tuple(
        (
            point.series,
            point.label,
            point.x,
            point.y if point.low is None or point.high is None else Estimate(point.y, point.low, point.high),
        )
        for point in points
    )
    return Table(title, columns, rows)
