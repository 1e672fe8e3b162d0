"""Recipes are found, followed once, and what is none is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from riddles import small_model, write_riddles

from twofold.bench.training import before_and_after, bench_training, once, trained
from twofold.errors import InputError
from twofold.progress import silent
from twofold.training.settings import TrainingSettings

RECIPE = """
from twofold.tables import Column, Table

def measured(data, work, progress):
    progress(1, 1)
    (work / "made").write_text(data.name)
    return Table("found", (Column("what"),), ((data.name,),))
"""


def test_recipes_are_followed_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(RECIPE)
    (tmp_path / "two.py").write_text(RECIPE.replace("found", "found again"))
    report = bench_training([tmp_path / "one.py", tmp_path / "two.py"], Path("zoo"), tmp_path / "work")
    assert [table.title for table in report.tables] == ["found", "found again"]
    assert {table.rows for table in report.tables} == {(("zoo",),)}
    assert (tmp_path / "work" / "made").read_text() == "zoo"


def test_what_is_no_recipe_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(RECIPE)
    (tmp_path / "none.py").write_text("x = 1")
    for name, said in (("none.py", r"no function measured"), ("missing.py", "no such recipe")):
        with pytest.raises(InputError, match=said):
            bench_training([tmp_path / "one.py", tmp_path / name], Path("zoo"), tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_what_was_made_once_is_kept(tmp_path: Path) -> None:
    assert once(tmp_path / "x.json", lambda: {"a": 1.5}) == {"a": 1.5}
    assert once(tmp_path / "x.json", lambda: {"a": 2.5}) == {"a": 1.5}


def test_figures_of_a_run_are_read_back(tmp_path: Path) -> None:
    base, pairs = small_model(tmp_path / "base"), write_riddles(tmp_path / "riddles.jsonl")
    settings = TrainingSettings(epochs=1, batch=16, learning_rate=1e-2, margin=1.0, pairs=100)
    first, again = (trained(pairs, tmp_path / "x", settings, silent, base=base) for _ in range(2))
    assert first == again
    old, new, by, p = before_and_after(first, "dev")
    assert new - old == pytest.approx(by.value)
    assert by.low <= by.value <= by.high
    assert 0 <= p <= 1


@pytest.mark.parametrize("recipe", sorted(Path("recipes").glob("*.py")), ids=lambda path: path.stem)
def test_the_recipes_that_ship_are_recipes(recipe: Path) -> None:
    from twofold.bench.training import recipe_of

    assert callable(recipe_of(recipe))
