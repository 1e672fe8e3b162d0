"""Pictures of training: every figure that is drawn is also said."""

from __future__ import annotations

from pathlib import Path

import pytest

from twofold.errors import InputError
from twofold.plots.training import Space, curves, spaces_apart

LOSS = [(step, 1 / step) for step in range(1, 31)]
DEV = [(10, 0.5), (20, 0.7), (30, 0.65)]
SPACES = [Space("before", 0.9, -2.0), Space("after", 0.95, -3.2)]


def test_loss_measure_and_space_are_drawn_under_each_other(tmp_path: Path) -> None:
    curves(LOSS, DEV, 20, SPACES, tmp_path / "a.svg")
    svg = (tmp_path / "a.svg").read_text()
    for said in ("Loss", "Held-out questions", "The space", "before", "after", "uniformity", "alignment", "step"):
        assert f">{said}<" in svg
    curves(LOSS, DEV, 20, SPACES, tmp_path / "b.svg")
    assert (tmp_path / "b.svg").read_text() == svg
    curves(LOSS, DEV, 30, SPACES, tmp_path / "c.svg")
    assert (tmp_path / "c.svg").read_text() != svg  # the ring is elsewhere


def test_a_single_step_can_be_drawn(tmp_path: Path) -> None:
    curves([(1, 0.5)], [(1, 0.5)], 1, SPACES[:1], tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_page_of_spaces_holds_the_figures(tmp_path: Path) -> None:
    spaces_apart([*SPACES, Space("random weights", 0.01, -0.1)], tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text()
    assert "<td>random weights</td><td>0.010</td><td>-0.100</td>" in page


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one step"):
        curves([], DEV, 20, SPACES, tmp_path / "a.svg")
    with pytest.raises(InputError, match="at least one"):
        spaces_apart([], tmp_path / "a.svg")
    assert list(tmp_path.iterdir()) == []
