"""Labels beside their points, where they cover neither each other nor a point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twofold.plots.canvas import INK, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

PLACES = ((7, 0), (-7, 0), (0, 8), (0, -8), (6, 7), (6, -7), (-6, 7), (-6, -7), (9, 15), (9, -15), (-9, 15), (-9, -15))
"""Where a label may stand, in points from its point, best first."""
POINT = 4.5
"""How far a point reaches, in points."""


@dataclass(frozen=True, slots=True)
class Label:
    """A text that belongs to a point of the axes."""

    x: float
    y: float
    text: str
    color: str = INK
    bold: bool = False


def write_labels(axes: Axes, labels: Sequence[Label], points: Sequence[tuple[float, float]]) -> None:
    """Writes each label at the first of PLACES that is free, else where it covers least.

    points: every point of the axes, in data; the axes' limits must be final. Labels that come first choose first.
    """
    figure = axes.get_figure(root=True)
    if figure is None:
        return
    figure.draw_without_rendering()  # where things stand is known once the layout is made
    taken = [_around(axes.transData.transform(point).tolist(), POINT * figure.dpi / 72) for point in points]
    room = axes.get_window_extent()
    for label in labels:
        choices = []
        for rank, (right, up) in enumerate(PLACES):
            written = axes.annotate(
                label.text,
                (label.x, label.y),
                xytext=(right, up),
                textcoords="offset points",
                ha="left" if right > 0 else "right" if right < 0 else "center",
                va="center" if up == 0 else "bottom" if up > 0 else "top",
                fontsize=SMALL,
                color=label.color,
                fontweight="bold" if label.bold else "normal",
            )
            box = written.get_window_extent()
            covered = sum(_overlap(box, other) for other in taken) + _outside(box, room)
            choices.append((covered, rank, written, box))
            if covered == 0:
                break
        _, chosen, written, box = min(choices, key=lambda choice: choice[:2])
        taken.append(box)
        for _, rank, other, _ in choices:
            if rank != chosen:
                other.remove()


def _around(at: list[float], size: float) -> Bbox:
    from matplotlib.transforms import Bbox

    x, y = at
    return Bbox.from_extents(x - size, y - size, x + size, y + size)


def _overlap(one: Bbox, other: Bbox) -> float:
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return float(max(width, 0.0) * max(height, 0.0))


def _outside(box: Bbox, room: Bbox) -> float:
    return float(box.width * box.height) - _overlap(box, room)
