"""Where figures come from: this machine, this commit, these versions, this command."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from twofold.tables import Header

LIBRARIES = ("numpy", "openvino", "faiss-cpu", "tokenizers")


def header(peers: Iterable[str] = ()) -> Header:
    """The header of a report made here and now; `peers` are the distributions that were timed beside ours."""
    names = ("twofold", *LIBRARIES, *peers)
    versions = {"python": platform.python_version(), **{name: found for name in names if (found := _version(name))}}
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return Header(_cpu(), _cores(), _memory(), _commit(Path(__file__)), versions, command)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _memory() -> int | None:
    asked = getattr(os, "sysconf", None)
    try:
        return int(asked("SC_PAGE_SIZE") * asked("SC_PHYS_PAGES")) if asked else None
    except (OSError, ValueError):
        return None


def _commit(file: Path) -> str | None:
    """The commit of the checkout that this file is a tracked part of, "+" where it has been changed since."""
    git = shutil.which("git")
    if git is None or _git(git, file, "ls-files", "--error-unmatch", file.name) is None:
        return None
    commit = _git(git, file, "rev-parse", "--short", "HEAD")
    return f"{commit}+" if commit and _git(git, file, "status", "--porcelain", "--", ":/src") else commit


def _git(git: str, file: Path, *arguments: str) -> str | None:
    done = subprocess.run(  # noqa: S603 - git itself, with our own words
        [git, "-C", str(file.parent), *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else None
