"""Adding, updating, deleting, joining pieces, optimizing, migrating, backing up, killed at any moment: nothing is lost
or half published, also of token vectors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import keeps_up_until_killed
import pytest
from small_token_model import small_token_model

SCRIPT = Path(keeps_up_until_killed.__file__)


def killed(folder: Path, kills: int, *model: str) -> None:
    command = [sys.executable, str(SCRIPT), str(folder / "c"), f"seed {kills}", str(kills), *model]
    done = subprocess.run(command, env={"PYTHONPATH": str(SCRIPT.parent)}, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    print(done.stdout)


@pytest.mark.parametrize("kills", [6, pytest.param(300, marks=pytest.mark.long)])
def test_upkeep_killed_at_any_moment_loses_nothing_and_leaves_nothing_half_published(
    tmp_path: Path, kills: int
) -> None:
    killed(tmp_path, kills)


@pytest.mark.parametrize("kills", [7, pytest.param(200, marks=pytest.mark.long)])
def test_upkeep_of_a_collection_with_token_vectors_killed_at_any_moment_keeps_them_in_step(
    tmp_path: Path, kills: int
) -> None:
    killed(tmp_path, kills, str(small_token_model(tmp_path / "model")))
