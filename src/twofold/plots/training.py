"""A training run: the loss and the held-out questions by step, and how the space changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from twofold.errors import InputError
from twofold.plots.canvas import COLORS, FAINT, INK, SMALL, TEXT, check_picture, save, sheet, titled
from twofold.tables import Column, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 7.0, 3.0
SMOOTHED = 9
"""Steps over which the loss is averaged for the line; the steps themselves stay visible behind it."""


class Space(NamedTuple):
    """An encoder's alignment and uniformity (Wang & Isola 2020), lower is better for both."""

    name: str
    alignment: float
    uniformity: float


def curves(
    loss: Sequence[tuple[int, float]],
    dev: Sequence[tuple[int, float]],
    best: int,
    spaces: Sequence[Space],
    path: str | Path,
) -> None:
    """Draws loss, measure and space under each other into a .svg, .png or .html file.

    loss, dev: (step, value). best: the step that was kept. spaces: what the encoder was, then what it became. Raises
    InputError where there is nothing to draw; what `check_picture` raises.
    """
    if not loss or not dev:
        raise InputError("a picture of training needs at least one step and one measure")
    check_picture(path)
    figure, (first, second, third) = sheet(WIDTH, [HEIGHT] * 3)
    _draw_loss(first, loss)
    _draw_dev(second, dev, best)
    draw_spaces(third, spaces, joined=True)
    save(figure, path, table_of(spaces))


def spaces_apart(spaces: Sequence[Space], path: str | Path) -> None:
    """Draws several encoders' spaces beside each other. Raises InputError for none; what `check_picture` raises."""
    if not spaces:
        raise InputError("a picture of spaces needs at least one")
    check_picture(path)
    figure, (axes,) = sheet(WIDTH, [1.4 * HEIGHT])
    draw_spaces(axes, spaces, joined=False)
    save(figure, path, table_of(spaces))


def _draw_loss(axes: Axes, loss: Sequence[tuple[int, float]]) -> None:
    steps, values = (np.array(each, np.float64) for each in zip(*loss, strict=True))
    width = min(SMOOTHED, len(values))
    kernel = np.ones(width)
    mean = np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same")
    titled(axes, "Loss", f"each step, and the mean of {width} around it")
    axes.plot(steps, values, color=COLORS[4], linewidth=0.8, alpha=0.7)
    axes.plot(steps, mean, color=COLORS[0], linewidth=1.8)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("step", fontsize=TEXT, color=FAINT)


def _draw_dev(axes: Axes, dev: Sequence[tuple[int, float]], best: int) -> None:
    steps, values = zip(*dev, strict=True)
    titled(axes, "Held-out questions", "nDCG@10 in a small pool after each epoch; the ring was kept")
    axes.plot(steps, values, color=COLORS[1], linewidth=1.8, marker="o", markersize=4)
    kept = [(step, value) for step, value in dev if step == best]
    axes.plot(*np.array(kept).reshape(-1, 2).T, "o", markersize=11, markerfacecolor="none", markeredgecolor=INK)
    axes.set_xlabel("step", fontsize=TEXT, color=FAINT)
    axes.margins(x=0.08, y=0.25)


def draw_spaces(axes: Axes, spaces: Sequence[Space], *, joined: bool) -> None:
    """Alignment over uniformity, each space by its name. joined: with an arrow from the first to the last."""
    titled(axes, "The space", "alignment and uniformity: lower left is better")
    for place, space in enumerate(spaces):
        color = COLORS[place % len(COLORS)]
        axes.scatter([space.uniformity], [space.alignment], color=color, s=45, zorder=3)
        axes.annotate(
            space.name,
            (space.uniformity, space.alignment),
            xytext=(8, 6),
            textcoords="offset points",
            fontsize=SMALL,
            color=color,
        )
    if joined and len(spaces) > 1:
        (_, *start), (_, *end) = spaces[0], spaces[-1]
        arrow = {"arrowstyle": "->", "color": FAINT, "shrinkA": 6, "shrinkB": 6}
        axes.annotate("", xy=(end[1], end[0]), xytext=(start[1], start[0]), arrowprops=arrow)
    axes.margins(0.25, 0.3)
    axes.set_xlabel("uniformity", fontsize=TEXT, color=FAINT)
    axes.set_ylabel("alignment", fontsize=TEXT, color=FAINT)


def table_of(spaces: Sequence[Space]) -> Table:
    """The figures behind the picture."""
    columns = (Column("encoder"), Column("alignment", digits=3), Column("uniformity", digits=3))
    return Table("The space", columns, tuple(tuple(space) for space in spaces))
