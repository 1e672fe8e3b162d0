"""Making a collection: an empty one in a folder, finished by its last file or not there at all."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

from twofold.description import new_id
from twofold.engines.local.catalogue.connecting import connect, looked_into, translated
from twofold.engines.local.catalogue.schema import Head, make_tables
from twofold.engines.local.description import Description
from twofold.engines.local.disk import Disk, refusals
from twofold.engines.local.folder import Folder
from twofold.engines.local.layout import (
    CATALOGUE,
    DESCRIPTION,
    LOCK,
    LOCKS,
    UNFINISHED,
    VECTORS,
    home_of_space,
)
from twofold.engines.local.locking import WriterLock
from twofold.errors import CollectionError, CorruptionError, InputError, NotACollectionError

ASIDE = (f".{CATALOGUE}.", f".{DESCRIPTION}.")
"""How the names of files begin that are being made."""


def free(path: Path, disk: Disk) -> Folder:
    """The folder at a path that holds no collection, made where there is none; its name is durable.

    Raises InputError, NotACollectionError, CorruptionError, StorageError.
    """
    _check_free(path)
    missing = [each for each in (path, *path.parents) if not each.exists()]
    disk.make_folder(path)
    for each in missing:
        disk.sync_folder(each.parent)
    return Folder.open(path)


def made(folder: Folder, description: Description, disk: Disk) -> Folder:
    """Makes an empty collection in a folder; collection.json comes last, and makes it one. Raises as `free`."""
    inside = folder.inside
    with WriterLock(inside / LOCK, disk).held():
        _check_free(inside)
        _clear(inside, disk)
        for space in description.names():
            disk.make_folder(home_of_space(inside, space))
        disk.sync_folder(inside / VECTORS)
        # Under a name of its own first: SQLite opens by the path, where anybody may put another collection.
        aside = inside / f".{CATALOGUE}.{new_id()}"
        with translated(aside), closing(connect(aside, durable=disk.durable, create=True)) as connection:
            make_tables(connection, description.names())
        disk.rename(aside, inside / CATALOGUE)
        disk.reached("catalogue created")
        disk.sync_folder(inside)
        disk.publish(inside / DESCRIPTION, description.to_bytes())
        disk.reached("created")
    folder.known()
    return folder


def _check_free(folder: Path) -> None:
    if (folder / DESCRIPTION).exists():
        raise InputError("there is a collection here already; open it, or choose another path", path=folder)
    if folder.exists() and not folder.is_dir():
        raise NotACollectionError(f"{folder} is a file; a collection is a folder")
    with refusals(folder):
        names = set(os.listdir(folder)) if folder.exists() else set()
    foreign = sorted(name for name in names - UNFINISHED if not name.startswith(ASIDE))
    if foreign:
        raise NotACollectionError(
            f"{folder} is not empty and is no collection (it holds {', '.join(foreign[:3])}); choose another path"
        )
    if (folder / CATALOGUE).exists() and _commits(folder / CATALOGUE):
        raise CorruptionError(f"{folder} holds documents but has lost its {DESCRIPTION}; restore a backup")


def _commits(catalogue: Path) -> int:
    """How many commits an orphaned catalogue holds; one that cannot be read was never finished."""
    try:
        with translated(catalogue), looked_into(catalogue) as connection:
            return Head.read(connection).commit
    except CollectionError:
        return 0


def _clear(folder: Path, disk: Disk) -> None:
    """Removes what a creation left that was stopped half-way."""
    for path in (folder / name for name in os.listdir(folder)):
        if path.is_file() and path.name not in LOCKS:
            disk.remove(path)
        elif path.name == VECTORS:
            disk.remove_tree(path)
