"""A migration killed at any of its steps: the collection answers from the old space or the new one, whole, and the same
command goes on."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import migrates_until_killed
import numpy as np
import pytest
from migrates_until_killed import NAME, NEW, OLD, migrate

import twofold
from twofold.engines.local.disk import Disk

SCRIPT = Path(migrates_until_killed.__file__)
TEXTS = {f"d{number}": f"word{number} and word{number % 5} of them" for number in range(22)}
STEPS = [
    ("recorded", 1), ("committed", 1), ("space begun", 1), ("described", 1), ("vectors written", 1),
    ("segment created", 1), ("recorded", 3), ("space filled", 1), ("vectors written", 4), ("segment created", 2),
    ("space filled", 5), ("described", 2), ("described", 3), ("committed", 7), ("space removed", 1),
]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "c"
    with twofold.create(folder, OLD) as collection:
        collection.add(TEXTS.items())
        collection.delete(["d3", "d21"])
    return folder


def check(folder: Path) -> str:
    """That every score is that of the space that is searched; gives its name."""
    with twofold.open(folder) as collection:
        assert collection.verify().damage == []
        searched = next(space for space in collection.info().spaces if space.searched)
        encoder = NEW if searched.name == NAME else OLD
        assert searched.documents == 20
        query = encoder.encode_queries(["word7 and word2"])[0]
        hits = collection.search("word7 and word2", k=20, mode="dense")
        stored = encoder.encode_documents([hit.document.text for hit in hits]).astype(np.float16).astype(np.float32)
        assert twofold.scores.dense_scores(query, stored).tolist() == [hit.score for hit in hits]
        return searched.name


@pytest.mark.parametrize(("step", "count"), STEPS)
def test_a_migration_killed_at_a_step_is_whole_and_goes_on(made: Path, tmp_path: Path, step: str, count: int) -> None:
    folder = tmp_path / "c"
    shutil.copytree(made, folder)
    command = [sys.executable, str(SCRIPT), str(folder), step, str(count)]
    done = subprocess.run(command, env={"PYTHONPATH": str(SCRIPT.parent)}, check=False)
    assert done.returncode == -9, "the step was never reached so often"
    check(folder)
    with twofold.open(folder) as collection:
        collection.add([("late", "word7 came late")])
        collection.delete(["late"])
    assert migrate(folder, Disk()) <= 20
    assert check(folder) == NAME
    with twofold.open(folder) as collection:
        assert [space.name for space in collection.info().spaces] == [NAME]
    assert sorted(path.name for path in (folder / "vectors").iterdir()) == [NAME]


def test_a_migration_that_was_stopped_encodes_only_what_is_left(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "c"
    shutil.copytree(made, folder)
    command = [sys.executable, str(SCRIPT), str(folder), "space filled", "3"]
    subprocess.run(command, env={"PYTHONPATH": str(SCRIPT.parent)}, check=False)
    assert migrate(folder, Disk()) == 20 - 3 * 4
