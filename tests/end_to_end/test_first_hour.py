"""What people try in their first hour: each script of first_hour/ is one task, as README and docs suggest to write it.

A script runs in an empty folder of its own, with the embedded encoder and without a network, and asserts its result.
"""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "first_hour"
README = Path(__file__).parents[2] / "README.md"
SCRIPTS = sorted(path for path in FOLDER.iterdir() if path.suffix in {".py", ".sh"})
OPTIONAL = {"polars"}
"""Libraries that the tests do without."""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_task_of_the_first_hour_works(script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if script.suffix == ".sh":
        run_shell(script.read_text(encoding="utf-8"), tmp_path)
        return
    try:
        runpy.run_path(str(script), run_name="__main__")
    except ModuleNotFoundError as error:
        if error.name not in OPTIONAL:
            raise
        pytest.skip(f"{error.name} is not installed")


def run_shell(commands: str, folder: Path) -> str:
    """What the commands print, run in the folder with `twofold` on the path; fails where one of them does."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [bash, "-e", "-c", commands],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    return done.stdout.decode()


def test_there_are_at_least_forty_tasks_and_each_is_short() -> None:
    assert len(SCRIPTS) >= 40
    lines = {script.name: script.read_text(encoding="utf-8").count("\n") for script in SCRIPTS}
    assert {name: count for name, count in lines.items() if not 3 <= count <= 25} == {}


def test_every_task_asserts_its_result() -> None:
    tests = {".py": r"^assert ", ".sh": r"^test |\bgrep -q|\bassert "}
    texts = {script: script.read_text(encoding="utf-8") for script in SCRIPTS}
    assert [each.name for each, text in texts.items() if not re.search(tests[each.suffix], text, re.MULTILINE)] == []


def test_a_dataframe_is_three_lines_from_its_first_answer() -> None:
    (block,) = re.findall(r"```python\n([^`]*\.add\(frame\)[^`]*)```", README.read_text(encoding="utf-8"))
    assert block.count("\n") == 3
    assert ".search(" in block


def test_three_commands_lead_from_the_sources_to_the_first_answer_over_own_texts(tmp_path: Path) -> None:
    (block,) = re.findall(r"```text\n(make setup[^`]*)```", README.read_text(encoding="utf-8"))
    setup, *others = block.splitlines()
    assert setup.startswith("make setup")
    assert len(others) == 2
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "roof.md").write_text("The roof is repaired in May.", encoding="utf-8")
    (tmp_path / "notes" / "food.txt").write_text("Buy apples and bread.", encoding="utf-8")
    printed = run_shell("\n".join(others).replace(".venv/bin/", ""), tmp_path)
    answer = next(line for line in printed.splitlines() if re.match(r"\d\.\d{3}  ", line.strip()))
    assert "notes/roof.md" in answer
