"""A collection's folder, held open by a descriptor, so that another folder at its path is detected.

A path may later name another folder: after renaming, replacing, removing and creating, or restoring a copy. A
descriptor stays with its folder. So files are opened through the descriptor where the system has paths through it
(Linux), and `check` tests whether the path still names the folder. Windows has no descriptors of folders, and keeps a
folder from being renamed or removed while files in it are open.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from contextlib import suppress
from pathlib import Path

from twofold.engines.local.description import Description
from twofold.engines.local.layout import CATALOGUE, DESCRIPTION, OWNER, not_a_collection
from twofold.engines.local.lock_file import LockFile
from twofold.errors import CollectionError, MovedError, StorageError
from twofold.files import absolute

if sys.platform == "win32":
    from pathlib import WindowsPath as NativePath
else:
    from pathlib import PosixPath as NativePath

DESCRIPTORS = "/proc/self/fd"
"""Where Linux shows what a process holds open: a path through here leads to the file, not to a name."""
AGAIN = "Open the collection again, by the path where it is now"
KEPT = "What was acknowledged is in the folder that was opened"


NO_DESCRIPTOR = -1

if sys.platform == "win32":

    def _descriptor_of(path: Path) -> int:
        """None, of a folder that is there and can be read. Raises OSError."""
        os.listdir(path)
        return NO_DESCRIPTOR

else:

    def _descriptor_of(path: Path) -> int:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY)


class Folder:
    """One collection's folder, as long as this object exists.

    path: its name when it was opened, absolute. name: a path through the descriptor, if the system has such paths.
    inside: for opening its files: it prints as `path` and opens as `name`.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._own = (
            os.stat(path) if descriptor == NO_DESCRIPTOR else os.fstat(descriptor)
        )  # device and inode, which stay
        self._owner: LockFile | None = None
        if descriptor != NO_DESCRIPTOR:
            weakref.finalize(self, os.close, descriptor).atexit = False
        self._lock = threading.Lock()
        self._stamp_seen: tuple[int, ...] = ()
        self._description: Description | None = None
        name = f"{DESCRIPTORS}/{descriptor}"
        self.name = name if os.path.exists(name) else str(path)
        self.inside = _inside(path, self)

    @classmethod
    def open(cls, path: str | Path) -> Folder:
        """Opens a folder; its content is not read. Raises NotACollectionError, StorageError."""
        place = absolute(path)
        try:
            return cls(place, _descriptor_of(place))
        except (FileNotFoundError, NotADirectoryError):
            raise not_a_collection(place) from None
        except OSError as error:
            raise StorageError(f"{place} cannot be read: {error.strerror or error}") from error

    def known(self) -> Description:
        """Reads collection.json, with which `check` compares from now on.

        Raises NotACollectionError, FormatError, CorruptionError, StorageError.
        """
        stamp = self._stamp()  # before the file is read, so that a later revision is noticed
        description = Description.read(self.inside)
        if not stamp:  # the collection was being created, and its description was published in between
            stamp, description = self._stamp(), Description.read(self.inside)
        self._stamp_seen, self._description = stamp, description
        return description

    @property
    def description(self) -> Description:
        """The content of collection.json at the last `check`."""
        if self._description is None:
            return self.known()
        return self._description

    @property
    def id(self) -> str:
        """Of the collection in it."""
        return self.description.id

    def check(self) -> None:
        """Raises MovedError unless the path names this folder, and the folder has the collection that was opened.

        A later revision of its collection.json is read. A path that cannot be followed for another reason raises
        StorageError.
        """
        try:
            at_path = os.stat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            raise MovedError(f"{self.path} was moved or removed after it was opened. {KEPT}. {AGAIN}") from None
        except OSError as error:
            raise StorageError(f"{self.path} cannot be reached: {error.strerror or error}") from error
        if not os.path.samestat(at_path, self._own):
            raise MovedError(
                f"another folder has been put in the place of {self.path} since it was opened. {KEPT}. {AGAIN}"
            )
        if self._stamp() != self._stamp_seen:
            self._look_again()

    def place(self, name: str) -> tuple[int, int] | None:
        """Device and inode of a file in here; None where there is none."""
        with suppress(OSError):
            found = self._stat(name)
            return found.st_dev, found.st_ino
        return None

    def of_engine(self, area: str) -> Path:
        """A folder for files that are opened by their path: no other collection has a folder of this name."""
        return self.inside / area / self.id

    def own(self) -> bool:
        """Marks the folder as in use by this process and its forked children until the last of them ends.

        False if another process has done so, or the folder was removed.
        """
        with suppress(StorageError, OSError):
            file = self._mark()
            if file.locked() and file.is_named():
                self._owner = file
                return True
            file.close()
        return False

    def _mark(self) -> LockFile:
        """What is locked: the folder itself, or a file in it where folders have no descriptors. Raises StorageError."""
        if self._descriptor == NO_DESCRIPTOR:
            return LockFile(self.path / OWNER)
        return LockFile(self.path, os.dup(self._descriptor))

    def disown(self) -> None:
        """Closes what marks the folder, which Windows does not remove before."""
        if self._owner is not None:
            self._owner.abandon()

    def after_fork_in_child(self) -> None:
        """Makes a lock of the child's own."""
        self._lock = threading.Lock()

    def _stat(self, name: str) -> os.stat_result:
        """Of a file in here. Raises OSError."""
        if self._descriptor == NO_DESCRIPTOR:
            return os.stat(self.path / name)
        return os.stat(name, dir_fd=self._descriptor)

    def _look_again(self) -> None:
        """Reads a later revision of collection.json; raises MovedError for anything else."""
        with self._lock:
            if (found := self._stamp()) != self._stamp_seen:
                if difference := self._difference(found):
                    raise MovedError(f"{self.path} {difference} after it was opened. {AGAIN}")
                self.known()

    def _stamp(self) -> tuple[int, ...]:
        """Changes when collection.json is replaced, or another catalogue is; () where files lack."""
        try:
            catalogue, written = self._stat(CATALOGUE), self._stat(DESCRIPTION)
        except OSError:
            return ()
        # SQLite writes the catalogue in its place.
        return catalogue.st_ino, written.st_ino, written.st_mtime_ns, written.st_size

    def _difference(self, found: tuple[int, ...]) -> str:
        """Why the folder has another collection; empty for a later revision of the same."""
        if not found:
            return f"lost its {DESCRIPTION} or its {CATALOGUE}"
        with suppress(CollectionError):
            before, now = self.description, Description.read(self.inside)
            if now.id != before.id:
                return "was filled with another collection"
            if now.revision > before.revision and found[0] == self._stamp_seen[0]:
                return ""
        return "was filled with a copy"


def _inside(path: Path, folder: Folder) -> Path:
    """`path`, printed as such and opened through the folder's descriptor; so are the paths made from it."""
    held, root = weakref.ref(folder), str(path)

    class Inside(NativePath):
        # The class carries the folder, because the paths that pathlib makes of a path share nothing else with it. What
        # a folder holds is asked of os.listdir: from Python 3.13 on iterdir and glob go by the name that is printed.
        __slots__ = ()

        def __fspath__(self) -> str:
            text = str(self)
            if text != root and not text.startswith(f"{root}{os.sep}"):
                return text
            if (folder := held()) is None:  # its descriptor may be another file's by now
                raise CollectionError(f"{root} was closed; open it again")
            return folder.name + text[len(root) :]

    return Inside(path)
