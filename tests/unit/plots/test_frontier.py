from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from twofold.errors import InputError, MissingExtraError
from twofold.plots.canvas import FORMATS, sheet
from twofold.plots.frontier import Point, frontier, unbeaten
from twofold.plots.labels import Label, write_labels

POINTS = [
    Point(1.0, 0.70, "graph", "16"),
    Point(2.0, 0.90, "graph", "32"),
    Point(4.0, 0.95, "graph", "64"),
    Point(3.0, 0.80, "ivf", "8"),
    Point(40.0, 1.0, "exact <all>", low=0.99, high=1.0),
]


def drawn(path: Path, points: list[Point], *, log: bool = True) -> bytes:
    frontier(points, path, title="recall against time", x="milliseconds", y="recall@10", log=log)
    return path.read_bytes()


def test_the_frontier_is_what_nothing_beats_on_both() -> None:
    assert unbeaten(POINTS) == set(POINTS) - {POINTS[3]}
    twins = [Point(1, 1, "a"), Point(1, 1, "b")]
    assert unbeaten(twins) == set(twins)
    assert unbeaten([Point(1, 1, "a"), Point(2, 1, "b"), Point(1, 0.5, "c")]) == {Point(1, 1, "a")}


def test_a_picture_says_everything_in_words_that_can_be_searched(tmp_path: Path) -> None:
    svg = drawn(tmp_path / "a.svg", POINTS).decode()
    for said in ("recall against time", "milliseconds", "recall@10", "graph  64", "32", "ivf  8", "exact &lt;all&gt;"):
        assert f">{said}<" in svg


def test_the_same_points_give_the_same_file(tmp_path: Path) -> None:
    for suffix in FORMATS:
        assert drawn(tmp_path / f"a{suffix}", POINTS) == drawn(tmp_path / f"b{suffix}", POINTS)


def test_the_ending_decides_the_format(tmp_path: Path) -> None:
    assert drawn(tmp_path / "a.PNG", POINTS).startswith(b"\x89PNG")
    page = drawn(tmp_path / "a.html", POINTS).decode()
    assert page.startswith("<!doctype html>")
    assert page.count("<svg") == page.count("<table>") == 1
    assert "1.0000 [0.9900, 1.0000]" in page
    assert "<?xml" not in page


def test_one_point_many_points_and_plain_axes_can_be_drawn(tmp_path: Path) -> None:
    assert drawn(tmp_path / "one.svg", POINTS[:1])
    assert drawn(tmp_path / "plain.svg", [Point(0.0, 0.5, "free"), *POINTS], log=False)
    assert drawn(tmp_path / "zero.svg", [Point(0.0, 0.0, "nothing")], log=False)


def test_labels_cover_neither_each_other_nor_a_point() -> None:
    from itertools import combinations

    figure, (axes,) = sheet(8, [5])
    points = [(0.1 * column + 0.02 * row, 0.1 * row) for row in range(8) for column in range(8)]
    axes.set_xlim(-0.1, 1.0)
    axes.set_ylim(-0.1, 0.8)
    write_labels(axes, [Label(x, y, f"setting {place}") for place, (x, y) in enumerate(points)], points)
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == len(points)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    places = axes.transData.transform(points)
    assert not any(box.contains(*place) for box in boxes for place in places)
    assert figure.axes == [axes]


def test_drawing_leaves_the_settings_of_others_alone(tmp_path: Path) -> None:
    import matplotlib as library

    before = dict(library.rcParams)
    drawn(tmp_path / "a.svg", POINTS)
    assert dict(library.rcParams) == before


def test_what_cannot_be_drawn_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    for points, path, said in (
        ([], "a.svg", "at least one point"),
        ([Point(0.0, 1.0, "a")], "a.svg", "no place for x=0.0"),
        ([Point(1.0, float("nan"), "a")], "a.svg", "finite numbers"),
        (POINTS, "a.pdf", "a picture ends in .svg, .png, .html, not .pdf"),
        (POINTS, "none/a.svg", "no such folder"),
    ):
        with pytest.raises(InputError, match=re.escape(said)):
            drawn(tmp_path / path, points)
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=re.escape('pip install "twofold[plots]"')):
        drawn(tmp_path / "a.svg", POINTS)
