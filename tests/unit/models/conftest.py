"""A model folder that a test may spoil: the embedded default's files, its weights linked instead of copied."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from twofold.models.locating import find_model

Edit = Callable[..., None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the embedded default's folder."""
    source = find_model(None).folder
    target = tmp_path / "model"
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("model.safetensors"))
    (target / "model.safetensors").symlink_to(source / "model.safetensors")
    return target


@pytest.fixture
def edit(folder: Path) -> Edit:
    """Changes fields of a JSON file of the folder; a field that is set to None is taken out."""

    def edited(name: str, **fields: Any) -> None:
        path = folder / name
        values = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        values = {key: value for key, value in {**values, **fields}.items() if value is not None}
        path.write_text(json.dumps(values), encoding="utf-8")

    return edited
