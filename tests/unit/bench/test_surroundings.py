"""The header says where figures come from."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from twofold.bench import surroundings
from twofold.bench.startup import required


def test_the_header_names_machine_versions_and_the_command_as_it_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/twofold", "bench", "quality", "a b"])
    header = surroundings.header(["pytest", "no-such-library"])
    assert header.command == "twofold bench quality 'a b'"
    assert header.versions["twofold"] == version("twofold")
    assert header.versions["pytest"] == version("pytest")
    assert "no-such-library" not in header.versions
    assert header.cpu
    assert header.cores >= 1


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_commit_is_that_of_the_checkout_which_holds_the_file_and_is_marked_when_changed(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=t", "-c", "user.email=t@t")
        return subprocess.run(
            ["git", *identity, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout.strip()

    file = tmp_path / "src" / "a.py"
    file.parent.mkdir()
    file.write_text("1")
    assert surroundings._commit(file) is None
    git("init")
    assert surroundings._commit(file) is None
    git("add", "src")
    git("commit", "-m", "one")
    assert surroundings._commit(file) == git("rev-parse", "--short", "HEAD")
    file.write_text("2")
    assert surroundings._commit(file) == git("rev-parse", "--short", "HEAD") + "+"


def test_what_the_core_requires_is_found_to_its_leaves_and_no_extra_is() -> None:
    names = required("twofold").keys()
    assert {"twofold", "numpy", "openvino", "faiss-cpu", "scipy", "pygments"} <= names
    assert not names & {"pytest", "torch", "sentence-transformers", "pip"}
