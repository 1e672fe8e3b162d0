"""Writing files and folders so that a crash leaves the old one or the new one, never half of one."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
import time
import weakref
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from twofold.errors import InputError, StorageError

PAUSES = (0.001, 0.01, 0.1, 0.2, 0.5)
"""Seconds between tries to replace a file that somebody reads, on Windows."""


def absolute(path: str | Path) -> Path:
    """The path from the root on, links and ".." as they are: what it names stays the same when the process changes
    its working directory. Raises InputError for what is no path, for an empty one, which would mean that directory, and
    where that directory was removed.
    """
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"a path is a text or a Path, not {path!r}")
    if path == "":
        raise InputError('the path is empty; write "." for the working directory')
    try:
        return (path if isinstance(path, Path) else Path(path)).absolute()
    except FileNotFoundError:
        raise InputError(
            "the working directory was removed, so this path leads nowhere; give it from the root on", path=path
        ) from None


@contextmanager
def write_aside(path: str | Path) -> Iterator[IO[bytes]]:
    """A binary file to write to that takes the name `path`, synced, when the block ends without an error.

    Until then `path` is unchanged; after an error nothing is left behind. Raises InputError where `path` is a
    folder, a device or a pipe, StorageError, naming the path, if the disk cannot be written.
    """
    path = absolute(path)
    descriptor, name = _new_beside(path)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
        _replace(name, path)
        sync_folder(path.parent)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(name)
        if isinstance(error, OSError):
            raise refused(path, error) from error
        raise


def copy_aside(source: str | Path, path: str | Path) -> None:
    """Copies a file's content to `path`, whose folder is made if it is missing. Raises as `write_aside`, and OSError
    where the source cannot be read.
    """
    absolute(path).parent.mkdir(exist_ok=True)
    with open(source, "rb") as original, write_aside(path) as copy:
        shutil.copyfileobj(original, copy)


def check_writable(path: str | Path) -> None:
    """Raises what `write_aside` raises where it cannot write at this path: for use before long work whose result it is.

    What is at `path` stays as it is.
    """
    descriptor, name = _new_beside(absolute(path))
    os.close(descriptor)
    os.unlink(name)


def _new_beside(path: Path) -> tuple[int, str]:
    """Descriptor and name of a new empty file in the folder of `path`, where `path` can be replaced by a file."""
    # Unlike Path.exists, os.path.exists also says no to a name that is too long; the next call says why.
    if os.path.exists(path) and not os.path.isfile(path):
        what = "a folder" if os.path.isdir(path) else "no regular file"
        raise InputError(f"this is {what}, and a file is written here; give a file's name", path=path)
    try:
        return tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise refused(path, error) from error


def sweep(folder: str | Path, ending: str, kept: Collection[str]) -> None:
    """Removes the files of a folder whose names end so, but for those that are kept; a refusal is passed over."""
    with suppress(OSError):
        for name in os.listdir(folder):
            if name.endswith(ending) and name not in kept:
                with suppress(OSError):
                    os.unlink(os.path.join(folder, name))


@contextmanager
def folder_aside(path: str | Path) -> Iterator[Path]:
    """A new folder to fill that takes the name `path` when the block ends without an error.

    The caller syncs its content (`write_aside` does). Missing parents are made. After an error nothing is left
    behind; a killed process leaves a folder beside `path` whose name begins with a dot. Raises InputError where
    something is at `path` that is no empty folder, StorageError if the disk cannot be written.
    """
    path = absolute(path).resolve()
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        _check_free(path)
        missing = [parent for parent in path.parents if not parent.exists()]
        aside.mkdir(parents=True)
        for parent in missing:
            sync_folder(parent.parent)
        yield aside
        sync_folder(aside)
        os.rename(aside, path)
        try:
            sync_folder(path.parent)
        except OSError:
            os.rename(path, aside)  # who is told to run again must find the name free
            raise
    except BaseException as error:
        shutil.rmtree(aside, ignore_errors=True)
        if isinstance(error, OSError):
            raise refused(path, error) from error
        raise


def new_folder(path: Path) -> Path:
    """A folder that is made inside one of `folder_aside`, and synced there with its name."""
    path.mkdir()
    sync_folder(path.parent)
    return path


def _check_free(path: Path) -> None:
    if path.exists() and not (path.is_dir() and next(path.iterdir(), None) is None):
        raise InputError("there is something here already; name a folder that does not exist or is empty", path=path)


def linked(folder: str | Path, owner: object, *, without: str) -> str:
    """A temporary folder of links to all files of a folder, for libraries that write a lock beside what they read.

    It is removed with its owner. without: how the names begin that get no link. Raises StorageError.
    """
    try:
        links = tempfile.mkdtemp(prefix="twofold-links-")
        weakref.finalize(owner, shutil.rmtree, links, ignore_errors=True)
        for name in os.listdir(folder):
            if not name.startswith(without):
                _link(os.path.realpath(os.path.join(folder, name)), os.path.join(links, name))
    except OSError as error:
        raise refused(folder, error) from error
    return links


def descriptor_of(path: str | Path, flags: int) -> int:
    """Opens a file as `os.open` does, for bytes on every system; a new one may be read and written by all that umask
    lets. Raises OSError.
    """
    return os.open(path, flags | getattr(os, "O_BINARY", 0), 0o666)


if sys.platform == "win32":

    def read_at(descriptor: int, size: int, offset: int) -> bytes:
        """Up to `size` bytes of a file from `offset` on; moves the position of the descriptor. Raises OSError."""
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, size)

    def write_at(descriptor: int, data: bytes | memoryview, offset: int) -> int:
        """Writes at `offset`, and returns how many bytes; moves the position of the descriptor. Raises OSError."""
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.write(descriptor, data)

    def sync_folder(folder: str | Path) -> None:
        """Nothing: Windows offers no handle on a folder, and NTFS journals names itself."""

    def _replace(name: str, path: Path) -> None:
        # Refused while somebody reads the file that is replaced, which takes a moment.
        for pause in PAUSES:
            try:
                return os.replace(name, path)
            except PermissionError:
                time.sleep(pause)
        return os.replace(name, path)

    def _link(path: str, name: str) -> None:
        # Few users may make symbolic links; another drive takes no hard link.
        try:
            os.link(path, name)
        except OSError:
            shutil.copyfile(path, name)

else:

    def read_at(descriptor: int, size: int, offset: int) -> bytes:
        """Up to `size` bytes of a file from `offset` on. Raises OSError."""
        return os.pread(descriptor, size, offset)

    def write_at(descriptor: int, data: bytes | memoryview, offset: int) -> int:
        """Writes at `offset`, and returns how many bytes. Raises OSError."""
        return os.pwrite(descriptor, data, offset)

    def sync_folder(folder: str | Path) -> None:
        """Makes the names in a folder durable: what was created or renamed there stays so after a power loss."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _replace(name: str, path: Path) -> None:
        os.replace(name, path)

    def _link(path: str, name: str) -> None:
        os.symlink(path, name)


def refused(path: str | Path, error: OSError) -> StorageError:
    """The error that says which path could not be written, and why."""
    return StorageError(
        f"{path}: {error.strerror or error}. Nothing that was acknowledged is lost; "
        "free disk space or fix permissions, and run again."
    )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
