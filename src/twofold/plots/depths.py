"""Quality by depth: a line a system, with intervals, over groups of questions in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from twofold.errors import InputError
from twofold.plots.canvas import COLORS, FAINT, SMALL, TEXT, check_picture, save, sheet, titled
from twofold.tables import Cell, Column, Estimate, Table

WIDTH, HEIGHT = 8.0, 4.6
STYLES = ("-", "--", ":")
SPREAD = 0.05
"""How far the lines stand apart, so that their intervals can be told from each other."""


@dataclass(frozen=True, slots=True)
class Line:
    """The quality of one system in each group; None where a group has no question."""

    name: str
    values: Sequence[Cell]


def depths(lines: Sequence[Line], path: str | Path, groups: Sequence[str], *, title: str, y: str) -> None:
    """Draws lines over groups into a .svg, .png or .html file.

    groups: what is written below, in order. y: what is written beside the axis. Raises InputError without a line, or
    for one of another length; what `check_picture` raises.
    """
    if not lines or any(len(line.values) != len(groups) for line in lines):
        raise InputError(f"a picture by depth needs lines of {len(groups)} values each")
    check_picture(path)
    figure, (axes,) = sheet(WIDTH, [HEIGHT])
    titled(axes, title, "mean of the questions whose evidence begins there, and its 95 % interval")
    for number, line in enumerate(lines):
        points = [
            (place + SPREAD * (number - (len(lines) - 1) / 2), each)
            for place, each in enumerate(line.values)
            if isinstance(each, Estimate)
        ]
        color = COLORS[number % len(COLORS)]
        style = STYLES[number // len(COLORS) % len(STYLES)]
        for x, each in points:
            axes.plot([x, x], [each.low, each.high], color=color, linewidth=1.0, alpha=0.7)
        places, means = [x for x, _ in points], [each.value for _, each in points]
        axes.plot(places, means, f"o{style}", color=color, markersize=5, linewidth=1.2, label=line.name)
    axes.set_xticks(range(len(groups)), groups)
    axes.set_ylabel(y, fontsize=TEXT, color=FAINT)
    axes.set_xlabel("tokens before the evidence", fontsize=TEXT, color=FAINT)
    axes.legend(fontsize=SMALL, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    columns = (Column("system"), *(Column(group, digits=3) for group in groups))
    save(figure, path, Table(title, columns, tuple((line.name, *line.values) for line in lines)))
