"""Folders of collections in memory: created, removed, and cleaned up after a killed process.

The creating process locks the folder (on Windows a file in it) until it and its forked children end. The next creation
removes folders that are not locked.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from twofold.engines.local.folder import Folder
from twofold.errors import CollectionError, NotACollectionError
from twofold.files import refused

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108
SPACE_IN_MEMORY = 2**30
"""Bytes that must be free in shared memory for a collection to live there rather than in a temporary folder."""
PREFIX = "twofold-in-memory-"


def new_folder() -> Folder:
    """A new folder of this process, after removing those of killed processes. Raises StorageError."""
    places = [SHARED_MEMORY, Path(tempfile.gettempdir())]
    for left in (each for place in places for each in place.glob(f"{PREFIX}*")):
        _sweep(left)
    while True:
        place = places[0] if _has_space(places[0]) else places[1]
        try:
            folder = Folder.open(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        except NotACollectionError:
            continue  # another process swept it up before it was opened
        except OSError as error:
            raise refused(place, error) from error
        if folder.own():
            return folder
        # Another process swept it up before it was owned.


def vanish(folder: Folder) -> None:
    """Removes a folder. Open files stay valid until they are closed; on Windows they are left to the next creation."""
    folder.disown()
    shutil.rmtree(folder.path, ignore_errors=True)


def _sweep(path: Path) -> None:
    """Removes a folder of this user's that no process holds."""
    with suppress(OSError, CollectionError):
        if _is_own(path):
            folder = Folder.open(path)
            if folder.own():
                vanish(folder)


if sys.platform == "win32":

    def _is_own(path: Path) -> bool:  # noqa: ARG001 - each user has a folder for temporary files
        return True

else:

    def _is_own(path: Path) -> bool:
        return path.stat(follow_symlinks=False).st_uid == os.getuid()


def _has_space(place: Path) -> bool:
    try:
        return shutil.disk_usage(place).free >= SPACE_IN_MEMORY and os.access(place, os.W_OK)
    except OSError:
        return False
