"""A disk of its own that a test may fill or make read-only; the test is skipped where this user may not mount one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def mounted(*arguments: str) -> None:
    """`mount` with these arguments."""
    if shutil.which("mount") is None or subprocess.run(["mount", *arguments], capture_output=True).returncode:
        pytest.skip("this user may not mount a small disk")


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of this size ("400k") in a new folder."""
    folder.mkdir()
    mounted("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def remounted(folder: Path, option: str) -> None:
    """Changes the disk: "ro", "rw", "size=8m"."""
    mounted("-o", f"remount,{option}", str(folder))
