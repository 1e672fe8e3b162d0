"""Adding, deleting, joining pieces, optimizing, migrating, killed at any moment: nothing is lost or half published."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import keeps_up_until_killed
import pytest

SCRIPT = Path(keeps_up_until_killed.__file__)


@pytest.mark.parametrize("kills", [6, pytest.param(300, marks=pytest.mark.long)])
def test_upkeep_killed_at_any_moment_loses_nothing_and_leaves_nothing_half_published(
    tmp_path: Path, kills: int
) -> None:
    command = [sys.executable, str(SCRIPT), str(tmp_path / "c"), f"seed {kills}", str(kills)]
    done = subprocess.run(command, env={"PYTHONPATH": str(SCRIPT.parent)}, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    print(done.stdout)
