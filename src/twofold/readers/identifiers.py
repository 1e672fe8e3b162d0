"""The ids of files: where they are, seen from the folder that was given."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from twofold.errors import InputError
from twofold.files import absolute
from twofold.readers.bad_lines import BadLines
from twofold.readers.opening import shown
from twofold.readers.walking import Choice, files_below


def identifier_of_file(path: Path) -> str:
    """The id of a file that was named itself: its relative path as given; of an absolute path the name."""
    return path.name if path.is_absolute() else Path(os.path.normpath(path)).as_posix()


def prefix_of(folder: Path) -> str:
    """The prefix of the ids of a folder's files: its name and a slash; empty for the root, which has no name.

    Without it, files of one name would replace one another when their folders are indexed one after the other.
    """
    name = absolute(folder).resolve().name if folder.name in ("", "..") else folder.name
    return f"{name}/" if name else ""


def check_identifiers(paths: Sequence[Path], choice: Choice) -> None:
    """Raises InputError where two files, given or below the folders given, would have one id."""
    files: dict[str, Path] = {}
    folders: list[tuple[str, Path]] = []
    for given in paths:
        for identifier, path in _identified(given, choice) if files or folders else ():
            of_that_name = (
                folder / identifier[len(within) :] for within, folder in folders if identifier.startswith(within)
            )
            for other in (files.get(identifier), *of_that_name):
                if other is not None and other.is_file() and path.exists() and not other.samefile(path):
                    raise InputError(
                        f"{shown(other)} and {shown(path)} would be one document, {identifier!r}. Name the folder "
                        "above both: each file's id is then that folder's name and its path below it"
                    )
        if given.is_dir():
            folders.append((prefix_of(given), given))
        else:
            files[identifier_of_file(given)] = given


def _identified(given: Path, choice: Choice) -> Iterator[tuple[str, Path]]:
    """(id, path) of the files that were given."""
    if not given.is_dir():
        yield identifier_of_file(given), given
        return
    within = prefix_of(given)
    for found in files_below(given, choice, BadLines(skip=True)):
        yield within + found.below, found.path
