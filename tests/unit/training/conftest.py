"""What the training tests train: a small random model, and riddles that it can learn. Both are only read."""

from __future__ import annotations

from pathlib import Path

import pytest
from riddles import small_model, write_riddles


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a random encoder."""
    return small_model(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of questions and their answers."""
    return write_riddles(tmp_path_factory.mktemp("pairs") / "riddles.jsonl")
