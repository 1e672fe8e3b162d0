"""The sheet that every picture is drawn on, its style, and how it becomes a file; matplotlib is imported here alone.

It uses no pyplot and no global settings, so it does not affect a program that draws with matplotlib itself.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twofold.errors import InputError, MissingExtraError
from twofold.files import check_writable, write_aside
from twofold.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".svg", ".png", ".html")
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Told apart by colour-blind eyes too (Okabe & Ito 2008)."""
INK, FAINT, GRID = "#222222", "#6b6b6b", "#e4e4e4"
TEXT, SMALL, LARGE = 10, 8.5, 12
DOTS_AN_INCH = 144
PAD = 0.12
"""Inches that stay white around everything."""
SALT = "twofold"
"""Ids inside an SVG depend on it alone, so that the same figures give the same file."""

_page = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
svg {{ max-width: 100%; height: auto }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums }}
caption {{ text-align: left; font-weight: 600; padding: .5rem 0 }}
th, td {{ padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #e4e4e4; text-align: left }}
p {{ color: #6b6b6b; max-width: 45rem }}
</style>
{picture}
{table}
</html>
"""


def check_picture(path: str | Path) -> Path:
    """The path of a picture that can be drawn: called before hours of measuring that a wrong name would waste.

    Raises InputError for another ending than .svg, .png or .html and for a folder that is not there, MissingExtraError
    without matplotlib, StorageError where nothing can be written.
    """
    place = Path(path)
    if place.suffix.lower() not in FORMATS:
        raise InputError(f"a picture ends in {', '.join(FORMATS)}, not {place.suffix or 'nothing'}", path=place)
    if not place.parent.is_dir():
        raise InputError("there is no such folder to put the picture in", path=place.parent)
    check_writable(place)
    _matplotlib()
    return place


def sheet(width: float, heights: Sequence[float]) -> tuple[Figure, list[Axes]]:
    """A figure `width` inches wide with axes of these heights (inches) under each other, in Twofold's style."""
    _matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=PAD, h_pad=PAD)
    figure = Figure(figsize=(width, sum(heights)), dpi=DOTS_AN_INCH, layout=layout, facecolor="white")
    FigureCanvasAgg(figure)  # it knows how wide a text is, which labels need before anything is saved
    made = figure.subplots(len(heights), 1, squeeze=False, height_ratios=list(heights))
    every = [row[0] for row in made]
    for axes in every:
        axes.grid(color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(which="both", length=0, labelsize=SMALL, labelcolor=FAINT)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color("#bbbbbb")
    return figure, every


def titled(axes: Axes, title: str, below: str = "") -> None:
    """A title at the left, and a fainter line under it."""
    axes.set_title(title, loc="left", fontsize=LARGE, color=INK, fontweight="bold", pad=24 if below else 10)
    if below:
        axes.annotate(
            below,
            (0, 1),
            xytext=(0, 8),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=SMALL,
            color=FAINT,
        )


def save(figure: Figure, path: str | Path, table: Table) -> None:
    """Writes the picture, whole or not at all; a page of HTML holds the picture and the table under it.

    Raises what `check_picture` raises, and StorageError.
    """
    place = check_picture(path)
    kind = place.suffix.lower()
    drawn = _drawn(figure, "png" if kind == ".png" else "svg")
    if kind == ".html":
        svg = drawn.decode("utf-8")
        picture = svg[svg.index("<svg") :]  # a page has no place for the XML head of a file
        drawn = _page.format(title=escape(table.title), picture=picture, table=table.to_html()).encode("utf-8")
    with write_aside(place) as file:
        file.write(drawn)


def _drawn(figure: Figure, kind: str) -> bytes:
    import matplotlib as library

    buffer = io.BytesIO()
    # Text stays text, so that it can be searched and read aloud; without a date the same figures give the same file.
    with library.rc_context({"svg.hashsalt": SALT, "svg.fonttype": "none"}):
        metadata: dict[str, Any] = {"Date": None} if kind == "svg" else {}
        figure.savefig(buffer, format=kind, dpi=DOTS_AN_INCH, metadata=metadata)
    return buffer.getvalue()


def _matplotlib() -> None:
    try:
        import matplotlib as _  # noqa: F401
    except ImportError:
        raise MissingExtraError("matplotlib", "plots") from None
