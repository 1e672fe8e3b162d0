"""Recipes of training: each a file with a function that trains, measures, and gives a table."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twofold.bench.surroundings import header
from twofold.errors import InputError
from twofold.files import write_aside
from twofold.progress import Progress, silent
from twofold.tables import Column, Estimate, Report, Table
from twofold.training.settings import TrainingSettings
from twofold.training.training import train

FUNCTION = "measured"
COLUMNS = (
    Column("before", digits=4),
    Column("after", digits=4),
    Column("difference", digits=4),
    Column("p", digits=5),
)
"""What `before_and_after` gives."""

Recipe = Callable[[Path, Path, Progress], Table]
"""(folder of data, folder to work in, progress) → what was measured."""


def bench_training(recipes: Sequence[Path], data: Path, work: Path, *, progress: Progress = silent) -> Report:
    """Follows recipes, one after the other.

    recipes: files of Python with a function `measured(data, work, progress)` that gives a Table. work: keeps encoders
    and figures, so that an interrupted recipe resumes. Raises InputError for a file that is no recipe.
    """
    followed = [recipe_of(path) for path in recipes]
    os.makedirs(work, exist_ok=True)
    return Report(header(), [recipe(data, work, progress) for recipe in followed])


def recipe_of(path: Path) -> Recipe:
    """The function of a recipe's file."""
    if not callable(found := getattr(module_of(path), FUNCTION, None)):
        raise InputError(f"is no recipe: it has no function {FUNCTION}(data, work, progress)", path=path)
    recipe: Recipe = found
    return recipe


def module_of(path: Path) -> Any:
    """A recipe's file as a module, so that one recipe may use what another has."""
    specification = importlib.util.spec_from_file_location(path.stem, path) if path.is_file() else None
    if specification is None or specification.loader is None:
        raise InputError("there is no such recipe", path=path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def trained(data: Path, to: Path, settings: TrainingSettings, progress: Progress, **options: Any) -> dict[str, Any]:
    """The figures of a training run (`TrainingOutcome.to_json`), which is made only if it is not there yet.

    to: the encoder's folder, beside which the figures are kept. options: further options of `train`.
    """
    return once(
        to.with_name(f"{to.name}.json"),
        lambda: train(data, to=to, settings=settings, progress=progress, **options).to_json(),
    )


def once(path: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a file keeps; made and kept where there is none."""
    if not path.exists():
        made = make()
        with write_aside(path) as file:
            file.write(json.dumps(made, indent=1, sort_keys=True).encode())
    kept: dict[str, Any] = json.loads(path.read_bytes())
    return kept


def before_and_after(figures: dict[str, Any], name: str) -> tuple[float, float, Estimate, float]:
    """Of one comparison in a run's figures, as COLUMNS name them: before, after, the difference, p."""
    comparison = figures["comparisons"][name]
    before, after = (comparison["systems"][each]["measures"]["nDCG@10"]["mean"] for each in ("before", "after"))
    (contrast,) = comparison["contrasts"]
    by = contrast["difference"]
    return before, after, Estimate(by["mean"], by["low"], by["high"]), contrast["p"]
