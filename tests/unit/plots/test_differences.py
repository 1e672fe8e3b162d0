from __future__ import annotations

from pathlib import Path

import pytest

from twofold.errors import InputError
from twofold.plots.differences import Panel, differences

VALUES = {"q1": 0.5, "q2": -0.25, "q3": 0.0, "a-very-long-query-identifier": 1.0}


def panel(title: str, values: dict[str, float]) -> Panel:
    mean = sum(values.values()) / len(values)
    return Panel(title, values, mean, mean - 0.1, mean + 0.1)


def test_each_panel_says_how_many_queries_moved_and_names_the_furthest(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    differences([panel("new against old", VALUES), panel("odd against old", {"q1": -1.0})], path, measure="nDCG@10")
    svg = path.read_text()
    for said in (
        "new against old",
        "mean +0.3125 [+0.2125, +0.4125]; 4 queries: 1 worse, 1 the same, 2 better",
        "lost most: q2",
        "won most: a-very-long-q…, q1",
        "odd against old",
        "mean −1.0000 [−1.1000, −0.9000]; 1 query: 1 worse, 0 the same, 0 better",
    ):
        assert f">{said}<" in svg


def test_a_page_holds_the_figures_too(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    differences([panel("new against old", VALUES)], path, measure="RR@10")
    assert "<td>0.3125 [0.2125, 0.4125]</td><td>4</td><td>2</td><td>1</td>" in path.read_text()


def test_equal_systems_can_be_drawn(tmp_path: Path) -> None:
    differences([panel("same", {"q1": 0.0, "q2": 0.0})], tmp_path / "a.png", measure="RR@10")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    for panels in ([], [Panel("empty", {}, 0.0, 0.0, 0.0)]):
        with pytest.raises(InputError, match="at least one query"):
            differences(panels, tmp_path / "a.svg", measure="RR@10")
    with pytest.raises(InputError, match="not finite"):
        differences([panel("bad", {"q1": float("inf")})], tmp_path / "a.svg", measure="RR@10")
    assert list(tmp_path.iterdir()) == []
