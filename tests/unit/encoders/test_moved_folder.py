"""A collection whose model's folder is gone says so, and the way out works."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import twofold
from twofold.models.locating import find_model


def test_a_moved_model_folder_is_said_with_the_way_out(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    shutil.copytree(find_model(None).folder, old)
    with twofold.create(tmp_path / "c", twofold.load_encoder(old)) as collection:
        collection.add([("a", "a cat")])
    old.rename(new)
    with twofold.open(tmp_path / "c") as collection, pytest.raises(twofold.ModelError, match=r"old.*--encoder FOLDER"):
        collection.search("cat")
    with twofold.open(tmp_path / "c", encoder=twofold.load_encoder(new)) as collection:
        assert collection.search("cat")[0].id == "a"
