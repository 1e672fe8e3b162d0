"""A file that is opened to be locked, by the lock of the operating system: flock, on Windows LockFileEx.

The lock belongs to this one opening of the file, so threads exclude each other as processes do, and ends with the last
process that has it open, however that ends; the mere file is no lock. filelock gives the lock on a descriptor; why not
its lock objects, docs/decisions/011-locks-of-the-system-by-filelock.md says.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import lock_descriptor, unlock_descriptor

from twofold.engines.local.disk import Disk, refusals
from twofold.errors import StorageError
from twofold.files import descriptor_of, read_at

BEFORE_NOTE = b" "
"""The byte that Windows locks: others cannot read it meanwhile, so the note begins behind it."""
NOTE_BYTES = 1024

Note = dict[str, Any]
"""What a lock file says of its holder: a JSON object."""


class LockFile:
    """One opening of a lock file; closing it gives the lock back. Raises StorageError where it cannot be opened.

    descriptor: of what is open at this path already, to be closed with this; by default the file is opened, or made.
    """

    def __init__(self, path: Path, descriptor: int | None = None) -> None:
        self.path = path
        with refusals(path):
            self._descriptor = descriptor_of(path, os.O_RDWR | os.O_CREAT) if descriptor is None else descriptor

    def locked(self) -> bool:
        """Takes the lock unless somebody else has it; does not wait. Raises StorageError on a disk without locks."""
        try:
            return lock_descriptor(self._descriptor, blocking=False)
        except OSError as error:
            raise StorageError(
                f"{self.path}: the file system refuses locks ({error.strerror or error}), without which two writers "
                "could meet; nothing was changed. Keep the collection on a disk with locks, or mount this one with them"
            ) from error

    def is_named(self) -> bool:
        """Whether the path still leads to the file that is open, not to another of its name."""
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self._descriptor))
        except OSError:
            return False

    def write_note(self, disk: Disk, note: Note) -> None:
        """Puts a note into the file. A disk that refuses it is passed over: a full one must not keep deletions from
        freeing space.
        """
        content = BEFORE_NOTE + json.dumps(note).encode()
        with suppress(StorageError):
            held = disk.read(self._descriptor, self.path, len(content) + 1, len(BEFORE_NOTE))
            if held != content[len(BEFORE_NOTE) :]:
                disk.write(self._descriptor, self.path, content, 0)
                if len(held) > len(content) - len(BEFORE_NOTE):
                    disk.cut(self._descriptor, self.path, len(content))

    def note(self) -> Note:
        """The note that the last holder left; empty where it cannot be read."""
        with suppress(OSError, ValueError):
            note = json.loads(read_at(self._descriptor, NOTE_BYTES, len(BEFORE_NOTE)))
            return note if isinstance(note, dict) else {}
        return {}

    def close(self) -> None:
        """Gives the lock back, and closes the file; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            # Said aloud: a child that inherited the descriptor would keep the lock otherwise.
            with suppress(OSError):  # closing it ends the lock where nobody inherited it
                unlock_descriptor(descriptor)
            os.close(descriptor)

    def abandon(self) -> None:
        """Closes the file of a process before the fork in its child, without unlocking it for that process."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
