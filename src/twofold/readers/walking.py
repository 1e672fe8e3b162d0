"""The files below a folder, in the order of their paths; what is left out is counted and named."""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from twofold.errors import InputError
from twofold.readers.bad_lines import BadLines
from twofold.readers.opening import bare_suffix

LEFT_OUT = frozenset({"node_modules", "__pycache__"})
"""Folders of what other programs put there; those whose names begin with a dot are left out too."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which files of a folder are read.

    suffixes: of the formats that are read. include, exclude: globs, in which `*` stands for any characters. One with a
    slash is compared with the whole path below the folder, another with each name in it. include: where there are any,
    only files that one of them matches. exclude: neither files nor folders that one of them matches.
    """

    suffixes: Sequence[str]
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def takes(self, path: str) -> bool:
        """Whether a file is included, by its path below the folder."""
        return not self.include or any(_matches(glob, path) for glob in self.include)

    def excludes(self, path: str) -> bool:
        """Whether a file or a folder is excluded, by its path below the folder."""
        return any(_matches(glob, path) for glob in self.exclude)


@dataclass(frozen=True, slots=True)
class Found:
    """A file below a folder: its path, its path below the folder with slashes, and its state on the disk."""

    path: Path
    below: str
    state: os.stat_result | None


def files_below(folder: Path, choice: Choice, bad: BadLines) -> Iterator[Found]:
    """The files of a choice. Links to folders are not followed, so there are no loops; a link to nowhere is a file that
    cannot be read. What is not a regular file (a pipe, a device) is left out without being opened."""
    waiting = list(reversed(_entries(os.fspath(folder), "", bad)))
    while waiting:
        below, path = waiting.pop()
        name = below.rstrip("/").rpartition("/")[2]
        if name.startswith("."):
            bad.report.leave_out("hidden", path)
        elif choice.excludes(below):
            bad.report.leave_out("excluded", path)
        elif not below.endswith("/"):
            if (found := _found(below, path, choice, bad)) is not None:
                yield found
        elif name in LEFT_OUT:
            bad.report.leave_out(name, path)
        else:
            waiting += reversed(_entries(path, below, bad))


def _entries(path: str, below: str, bad: BadLines) -> list[tuple[str, str]]:
    """(path below the root, path) of what is in a folder. A folder's ends with a slash, so whole paths are in order."""
    try:
        with os.scandir(path) as entries:
            return sorted(
                (f"{below}{entry.name}/" if entry.is_dir(follow_symlinks=False) else below + entry.name, entry.path)
                for entry in entries
            )
    except OSError as error:
        bad.take_file(path, InputError(f"cannot be read: {error.strerror or error}"))
        return []


def _found(below: str, path: str, choice: Choice, bad: BadLines) -> Found | None:
    try:
        state: os.stat_result | None = os.stat(path)
    except OSError:
        state = None  # A link to nowhere is a file that cannot be read, not one to pass over.
    kind = bare_suffix(path)
    if state is not None and stat.S_ISDIR(state.st_mode):
        bad.report.leave_out("link to a folder", path)
    elif state is not None and not stat.S_ISREG(state.st_mode):
        bad.report.leave_out("no regular file", path)
    elif kind not in choice.suffixes:
        bad.report.leave_out(kind or "without suffix", path)
    elif not choice.takes(below):
        bad.report.leave_out("not included", path)
    else:
        return Found(Path(path), below, state)
    return None


def _matches(glob: str, path: str) -> bool:
    pattern = re.compile(fnmatch.translate(glob.strip("/")))  # kept by `re`
    if "/" in glob.strip("/"):
        return pattern.match(path.rstrip("/")) is not None
    return any(pattern.match(name) for name in path.rstrip("/").split("/"))
