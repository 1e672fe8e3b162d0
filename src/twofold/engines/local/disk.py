"""All file operations of the local engine, except those of SQLite.

One object, so that tests can replace it: to record the order of writes and syncs, to fail one of them, or to kill the
process at a named step.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from twofold.errors import StorageError
from twofold.files import descriptor_of, read_at, refused, sync_folder, write_aside, write_at


class Disk:
    """Writes, truncates, syncs, publishes and removes files; every failure is a StorageError that names the path.

    durable: whether syncs are done; a collection in memory needs none.
    """

    def __init__(self, *, durable: bool = True) -> None:
        self.durable = durable

    def reached(self, step: str) -> None:
        """Marks a named step of a protocol: "vectors synced", "committed", …; does nothing but in tests."""

    def make_folder(self, path: str | Path) -> None:
        """Makes a folder with its parents; one that exists is unchanged."""
        with refusals(path):
            os.makedirs(path, exist_ok=True)

    def write(self, descriptor: int, path: str | Path, data: bytes | memoryview, offset: int) -> None:
        """Writes all of `data` at `offset`."""
        view = memoryview(data).cast("B")
        with refusals(path):
            while view:
                written = write_at(descriptor, view, offset)
                view, offset = view[written:], offset + written

    def read(self, descriptor: int, path: str | Path, size: int, offset: int) -> bytes:
        """Up to `size` bytes from `offset` on; none at the end of the file."""
        with refusals(path):
            return read_at(descriptor, size, offset)

    def sync(self, descriptor: int, path: str | Path) -> None:
        """Makes what was written to a file survive a power loss."""
        if self.durable:
            with refusals(path):
                # macOS has no fdatasync; fsync does what it does there, and more.
                getattr(os, "fdatasync", os.fsync)(descriptor)

    def cut(self, descriptor: int, path: str | Path, size: int) -> None:
        """Shortens a file to `size` bytes."""
        with refusals(path):
            os.ftruncate(descriptor, size)

    def remove(self, path: str | Path) -> None:
        """Removes a file, if it exists."""
        with refusals(path), suppress(FileNotFoundError):
            os.unlink(path)

    def remove_tree(self, path: str | Path) -> None:
        """Removes a file, or a folder with its content, if it exists."""
        with refusals(path), suppress(FileNotFoundError):
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)

    def dropped(self, path: str | Path) -> bool:
        """Removes a file or folder that nothing names any more; False where that is forbidden, as on Windows while
        somebody has it mapped: the next writer tries again. Raises StorageError for any other refusal.
        """
        with passed_over() as forbidden:
            (self.remove_tree if os.path.isdir(path) else self.remove)(path)
        return not forbidden

    def rename(self, path: str | Path, target: str | Path) -> None:
        """Renames a file or folder atomically."""
        with refusals(path):
            os.rename(path, target)

    def sync_folder(self, path: str | Path) -> None:
        """Makes the names in a folder survive a power loss."""
        if self.durable:
            with refusals(path):
                sync_folder(path)

    def publish(self, path: str | Path, content: bytes) -> None:
        """Replaces the content of a file atomically: a crash leaves the old or the new content."""
        with write_aside(path) as file:
            file.write(content)

    @contextmanager
    def opened(self, path: str | Path, flags: int) -> Iterator[int]:
        """A descriptor of a file, closed when the block ends."""
        with refusals(path):
            descriptor = descriptor_of(path, flags)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


@contextmanager
def refusals(path: str | Path) -> Iterator[None]:
    """Converts errors of the system in the block into StorageError with the path."""
    try:
        yield
    except OSError as error:
        raise refused(path, error) from error


@contextmanager
def passed_over() -> Iterator[list[StorageError]]:
    """Passes over the refusal of the block to change a file that somebody has open or mapped, and lists it.

    Windows forbids to remove or shorten such a file (PermissionError); other refusals are raised.
    """
    found: list[StorageError] = []
    try:
        yield found
    except StorageError as error:
        if not isinstance(error.__cause__, PermissionError):
            raise
        found.append(error)
