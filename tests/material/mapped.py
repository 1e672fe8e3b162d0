"""Forbids what Windows forbids: to remove, shorten, replace or rename a file that this process has mapped."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

EFFECTS = {"unlink": (0,), "ftruncate": (0,), "rmdir": (0,), "rename": (0, 1), "replace": (0, 1)}
"""Functions of `os`, and which of their arguments name what changes."""


def mapped() -> set[str]:
    """The files that this process has mapped."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return {line.split(maxsplit=5)[5] for line in lines if line.count("/")}


@contextmanager
def kept_while_mapped() -> Iterator[list[str]]:
    """In the block mapped files cannot be removed; gives the paths at which that was tried."""
    kept = {name: getattr(os, name) for name in EFFECTS}
    refused: list[str] = []

    def forbidding(name: str) -> Callable[..., Any]:
        def effect(*arguments: Any, **options: Any) -> Any:
            for place in EFFECTS[name]:
                path = _whole(arguments[place], options.get("dir_fd"))
                if any(each == path or each.startswith(f"{path}/") for each in mapped()):
                    refused.append(path)
                    raise PermissionError(errno.EACCES, "in use", path)
            return kept[name](*arguments, **options)

        return effect

    for name in EFFECTS:
        setattr(os, name, forbidding(name))
    try:
        yield refused
    finally:
        for name, function in kept.items():
            setattr(os, name, function)


def _whole(path: Any, folder: int | None) -> str:
    if isinstance(path, int):
        return os.path.realpath(f"/proc/self/fd/{path}")
    return os.path.realpath(path if folder is None else f"/proc/self/fd/{folder}/{path}")
