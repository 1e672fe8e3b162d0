"""The names of the files in a collection's folder."""

from __future__ import annotations

import shlex
from pathlib import Path

from twofold.errors import InputError, NotACollectionError
from twofold.files import absolute

FORMAT = 1
DESCRIPTION, CATALOGUE, VECTORS, LOCK = "collection.json", "catalogue.sqlite", "vectors", "lock"
ACKNOWLEDGED = "acknowledged"
OWNER = "owner"
"""In a collection in memory on Windows: locked by the process that made it."""
TURN = "turn"
LOCKS = frozenset({LOCK, TURN, OWNER})
DERIVED = frozenset({"indexes", "lexical"})
"""Folders of derived data."""
UNFINISHED = frozenset(
    {CATALOGUE, f"{CATALOGUE}-wal", f"{CATALOGUE}-shm", f"{CATALOGUE}-journal", VECTORS, ACKNOWLEDGED, *LOCKS}
)
"""What an interrupted creation leaves; collection.json is its last step."""


def home_of_space(folder: Path, name: str) -> Path:
    """Where the vectors of a space are."""
    return folder / VECTORS / name


def not_a_collection(folder: Path) -> NotACollectionError:
    """Says why there is no collection in a folder that has no collection.json, or that is none."""
    if not folder.exists():
        return NotACollectionError(
            f"{folder} does not exist; make a collection there: `twofold index DATA --to {shlex.quote(str(folder))}` "
            "(in Python: twofold.create)"
        )
    if not folder.is_dir():
        return NotACollectionError(f"{folder} is a file; a collection is a folder")
    if (folder / CATALOGUE).exists():
        return NotACollectionError(
            f"{folder} has no {DESCRIPTION} beside its {CATALOGUE}: it was never finished, or has lost the file"
        )
    return NotACollectionError(f"{folder} is no collection: it has no {DESCRIPTION}")


def check_outside(path: str | Path) -> None:
    """Raises InputError for a path inside a collection's folder, where only its engine may write."""
    path = absolute(path).resolve()
    for folder in path.parents:
        if (folder / DESCRIPTION).is_file() and (folder / CATALOGUE).is_file():
            raise InputError(f"this is inside the collection {folder}; choose a place elsewhere", path=path)
